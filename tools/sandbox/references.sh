#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Usage: references.sh [PYTHON]
#
# Hold decoding against the exporters of detection networks, in an environment that the caller made.
# It is not set up here: Ultralytics is AGPL-3.0, a tool of these tests alone and nobody's dependency,
# and PyTorch is a download of gigabytes. Whoever wants both decides so.

set -euo pipefail
# shellcheck source=tools/sandbox/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

python=${1:-}
if [[ -z $python ]] || ! "$python" -c 'import torch, ultralytics, onnxruntime, cv2, yaml, pytest' 2> /dev/null; then
  die "make test-references needs REFERENCE_PYTHON=<a Python with PyTorch and Ultralytics>${python:+; $python is none}." \
    "Ultralytics is AGPL-3.0; it is used as a program by these tests and is no part of this package." \
    "An environment to throw away, on Python 3.10 to 3.12, about 2 GB with PyTorch for the CPU:" \
    "  python3 -m venv /tmp/references" \
    "  /tmp/references/bin/pip install torch torchvision --index-url https://download.pytorch.org/whl/cpu" \
    "  /tmp/references/bin/pip install ultralytics onnx onnxruntime opencv-python-headless 'pytest<9' PyYAML" \
    "  make test-references REFERENCE_PYTHON=/tmp/references/bin/python"
fi
config=$(mktemp -d)
trap 'rm -rf "$config"' EXIT
YOLO_CONFIG_DIR=$config CUDA_VISIBLE_DEVICES='' \
  "$python" -m pytest -p no:cacheprovider -s test/references
