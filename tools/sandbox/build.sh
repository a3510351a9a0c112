#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Build the package with colcon for the given distributions (default: all there are). Files are linked
# into the install folder, so an edit needs no build; a build happens when files come, go or move, or
# when what setup.py says changes.

set -euo pipefail
# shellcheck source=tools/sandbox/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$ROOT"

signature() {
  local folder folders=()
  for folder in jetson_infer launch config models recordings resource bin; do
    if [[ -d $folder ]]; then folders+=("$folder"); fi
  done
  {
    fingerprint setup.py setup.cfg package.xml "$VENV/stamp"
    grep -h __version__ jetson_infer/__init__.py
    find "${folders[@]}" -type f -not -path '*/__pycache__/*' | sort
  } | sha256sum | cut -d ' ' -f 1
}

colcon_build() {  # DISTRO
  local ws ament=${AMENT_PREFIX_PATH:-}
  ws=$(workspace "$1")
  if [[ -z $OWN_ROS ]]; then ament=$(sandbox_ros "$1"); fi
  rm -rf "$ws/build" "$ws/install"
  # The environment's bin comes first so that colcon runs setup.py with its Python, which then stands
  # in the first line of every installed script.
  env AMENT_PREFIX_PATH="$ament" PATH="$VENV/bin:$PATH" \
    "$VENV/bin/colcon" --log-base "$ws/log" build --symlink-install \
    --base-paths "$ROOT" --packages-select jetson_infer \
    --build-base "$ws/build" --install-base "$ws/install" --event-handlers console_cohesion+
}

lock_state
(($# > 0)) || set -- "${DISTROS[@]}"
wanted=$(signature)
for distro in "$@"; do
  check_distro "$distro"
  ws=$(workspace "$distro")
  if fresh "$ws/stamp" "$wanted"; then continue; fi
  mkdir -p "$ws"
  step build "$distro" colcon_build "$distro"
  stamp "$ws/stamp" "$wanted"
done
