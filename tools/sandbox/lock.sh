#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Write the lock files requirements/*.txt from requirements/*.in: every version, every hash.
# The hashes are those of all files of a version, so one lock serves x86-64 and aarch64.

set -euo pipefail
cd "$(dirname "$0")/../.."

command -v uv > /dev/null || {
  echo "make lock: needs uv (pip install uv, or https://docs.astral.sh/uv)" >&2
  exit 1
}

lock() {  # PYTHON NAME.in NAME.txt [OPTION...]
  local python=$1 source=$2 target=$3
  shift 3
  echo "  requirements/$target"
  uv pip compile --quiet --upgrade --generate-hashes --custom-compile-command 'make lock' \
    --python-version "$python" --python-platform x86_64-manylinux_2_35 \
    "$@" "requirements/$source" -o "requirements/$target"
}

lock 3.10 build.in build.txt
lock 3.12 sandbox.in sandbox.txt
lock 3.12 ros.in ros.txt --no-deps
lock 3.10 oldest.in oldest.txt
lock 3.10 own_ros.in own_ros_py310.txt
lock 3.12 own_ros.in own_ros_py312.txt
