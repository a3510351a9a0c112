# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced: find a Python of a wanted version that can make a virtual environment.
# shellcheck shell=bash

_is_python() {  # COMMAND VERSION: runs, is that version, and has venv (Debian splits it off)
  "$1" -c "import sys, venv, ensurepip
sys.exit(sys.version_info[:2] != tuple(map(int, '$2'.split('.'))))" > /dev/null 2>&1
}

find_python() {  # VERSION: print the first that will do, or fail
  local version=$1 candidate
  local candidates=("${PYTHON:-}" "python$version" python3 python)
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
    candidates+=("$candidate")
  done
  for candidate in "${candidates[@]}"; do
    if [[ -n $candidate ]] && _is_python "$candidate" "$version"; then
      # The interpreter itself: a pyenv shim answers differently in another folder.
      "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
      return
    fi
  done
  if command -v uv > /dev/null; then
    candidate=$(uv python find --no-project "$version" 2> /dev/null || true)
    if [[ -n $candidate ]] && _is_python "$candidate" "$version"; then
      echo "$candidate"
      return
    fi
  fi
  return 1
}

require_python_312() {
  find_python 3.12 || die \
    "no Python 3.12 with venv: the sandbox's ROS 2 is built for it." \
    "Looked at: \$PYTHON, python3.12, python3 and python on PATH, ~/.pyenv/versions, uv." \
    "Get one, whichever suits this machine:" \
    "  uv python install 3.12                         (https://docs.astral.sh/uv)" \
    "  pyenv install 3.12                             (https://github.com/pyenv/pyenv)" \
    "  sudo apt install python3.12 python3.12-venv    (Ubuntu 24.04)" \
    "or name it: make ... PYTHON=/path/to/python3.12. A sourced ROS 2 needs none of this."
}
