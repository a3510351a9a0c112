#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Usage: test.sh DISTRO [STAGE...]
#
# Run stages of run_tests.py (default: all of them), on one distribution or, where it is empty, on all.

set -euo pipefail
# shellcheck source=tools/sandbox/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

if [[ -n $1 ]]; then
  check_distro "$1"
  DISTROS=("$1")
fi
shift
exec "$VENV/bin/python" tools/sandbox/run_tests.py --venv "$VENV" --oldest "$VENV_OLDEST" \
  --distros "${DISTROS[@]}" --stages "$@"
