#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Usage: venv.sh PROGRAM ARGUMENT...    Run a program of the environment, without ROS around it.

set -euo pipefail
# shellcheck source=tools/sandbox/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"
exec "$VENV/bin/$1" "${@:2}"
