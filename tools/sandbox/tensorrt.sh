#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by setup.sh: TensorRT's Python bindings of several versions, for the test that holds the
# package's code against each. Optional: where one cannot be had, its part of the test skips and says
# why.
# shellcheck shell=bash

TENSORRT=$STATE/tensorrt
TENSORRT_LOCK=requirements/tensorrt.txt

tensorrt_python() {  # VERSION: print a Python that this version has a wheel for
  local candidate
  local candidates=(3.12 3.11 3.10)
  if [[ $1 == 8.* ]]; then candidates=(3.10 3.11); fi
  for candidate in "${candidates[@]}"; do
    if find_python "$candidate"; then return; fi
  done
  return 1
}

install_bindings() {  # PYTHON FOLDER REQUIREMENT
  local python=$1 folder=$2 version
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  "$VENV/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --retries 1 \
    --timeout 20 --no-deps --require-hashes --only-binary=:all: --python-version "$version" \
    --target "$folder" --requirement <(echo "$3") > "$LOGS/tensorrt.log" 2>&1 || return 1
  ln -s tensorrt_bindings "$folder/tensorrt"
  echo "$python" > "$folder/python"
}

tensorrt_bindings() {
  local requirement version folder hash python
  local fetched=() missing=()
  mkdir -p "$TENSORRT" "$LOGS"
  while read requirement; do  # without -r, which keeps the lines of a requirement apart
    if [[ -z $requirement || $requirement == \#* ]]; then continue; fi
    version=${requirement%% *}
    version=${version##*==}
    folder=$TENSORRT/$version
    hash=$(sha256sum <<< "$requirement" | cut -d ' ' -f 1)
    if fresh "$folder/stamp" "$hash" && [[ -x $(< "$folder/python") ]]; then continue; fi
    rm -rf "$folder"
    if ! python=$(tensorrt_python "$version"); then
      missing+=("$version (no Python for it)")
    elif install_bindings "$python" "$folder" "$requirement"; then
      stamp "$folder/stamp" "$hash"
      fetched+=("$version")
    else
      rm -rf "$folder"
      missing+=("$version (not fetched: $LOGS/tensorrt.log)")
    fi
  done < "$TENSORRT_LOCK"
  if ((${#fetched[@]})); then say TensorRT "Python bindings of ${fetched[*]}, for a test"; fi
  if ((${#missing[@]})); then
    say TensorRT "no bindings of $(join ', ' "${missing[@]}"); their test skips"
  fi
}

join() {  # SEPARATOR TEXT...
  local separator=$1 text=$2
  shift 2
  printf '%s' "$text" "${@/#/$separator}"
}
