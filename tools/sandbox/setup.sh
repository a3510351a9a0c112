#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Make the environment that everything runs in. Says nothing and takes no time where it is there.

set -euo pipefail
# shellcheck source=tools/sandbox/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/sandbox/python.sh
. "$ROOT/tools/sandbox/python.sh"
# shellcheck source=tools/sandbox/tensorrt.sh
. "$ROOT/tools/sandbox/tensorrt.sh"
cd "$ROOT"

WHEEL_MB=133   # x86-64's; aarch64's is 124
WHEEL_DISK_MB=540
WHEEL_LICENCE=https://docs.omniverse.nvidia.com/dev-guide/latest/common/NVIDIA_Omniverse_License_Agreement.html

pip_install() {  # VENV OPTION...: quiet, by hash only, and with the setuptools that is already there
  local python=$1/bin/python
  shift
  "$python" -m pip install --quiet --progress-bar off --no-input --disable-pip-version-check \
    --no-deps --require-hashes --no-build-isolation "$@"
}

make_venv() {  # PYTHON VENV LOCK [OPTION...]
  local python=$1 venv=$2 lock=$3
  shift 3
  "$python" -m venv --clear "$@" "$venv"
  pip_install "$venv" -r requirements/build.txt
  pip_install "$venv" -r "$lock"
}

wheels_in() { grep -c '^[a-z]' "$1"; }

sandbox_packages() {
  local lock=requirements/sandbox.txt python hash
  hash=$(fingerprint requirements/build.txt "$lock")
  if fresh "$VENV/stamp" "$hash" && [[ -x $VENV/bin/python ]]; then return; fi
  python=$(require_python_312)
  say python "$python"
  step packages "$(wheels_in $lock) Python packages from PyPI" make_venv "$python" "$VENV" "$lock"
  stamp "$VENV/stamp" "$hash"
}

sandbox_ros_wheel() {
  local hash
  hash=$(fingerprint requirements/ros.txt)
  if fresh "$VENV/stamp-ros" "$hash"; then return; fi
  say ROS "2 Humble and Jazzy come as one wheel, isaacsim-ros2 of NVIDIA:"
  say "" "$WHEEL_MB MB to fetch, $WHEEL_DISK_MB MB on disk. It is not open source; by using it you accept"
  say "" "NVIDIA's licence: $WHEEL_LICENCE"
  say "" "To use a ROS 2 of your own instead: Ctrl-C, source its setup.bash, run make again."
  step ROS "$(sed -nE 's/^(isaacsim[^ ]*) .*/\1/p' requirements/ros.txt)" pip_install "$VENV" --no-compile -r requirements/ros.txt
  say "" "licence text: ${VENV#"$ROOT"/}/lib/python3.12/site-packages/isaacsim/LICENSE.txt"
  check_libpython
  stamp "$VENV/stamp-ros" "$hash"
}

apt_install() {  # PACKAGE...: the first of these names that this release has
  local package
  apt-get update
  for package in "$@"; do
    if apt-get install --yes --no-install-recommends "$package"; then return; fi
  done
  return 1
}

check_libpython() {  # the wheel's message modules are linked to it, and not every Python brings it
  local needed=libpython3.12.so.1.0 lib
  local packages=(libpython3.12t64 libpython3.12)  # Ubuntu 24.04's name, and the others'
  if "$VENV/bin/python" -c "import ctypes; ctypes.CDLL('$needed')" 2> /dev/null; then return; fi
  lib=$("$VENV/bin/python" -c "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))")
  if [[ -e $lib/$needed ]]; then
    mkdir -p "$VENV/libpython"
    ln -sf "$lib/$needed" "$VENV/libpython/"
    return
  fi
  if ((EUID == 0)) && command -v apt-get > /dev/null; then
    step debian "package ${packages[0]}" apt_install "${packages[@]}"
    return
  fi
  die "this Python 3.12 has no $needed, which the messages of the ROS wheel are linked to." \
    "Install it (Ubuntu 24.04: sudo apt install ${packages[0]}), or use a Python that brings it:" \
    "  uv python install 3.12, or PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.12," \
    "then: make clean, and the same command again."
}

own_ros_packages() {  # the system's ROS and OpenCV stay what they are; beside them what is missing
  local version lock hash
  version=$(python3 -c 'import sys; print("%d%d" % sys.version_info[:2])')
  lock=requirements/own_ros_py$version.txt
  [[ -f $lock ]] || die \
    "ROS 2 $OWN_ROS is sourced with Python ${version:0:1}.${version:1}; there is no $lock." \
    "Supported are Humble (3.10) and Jazzy (3.12). For the sandbox's ROS use a shell without a sourced one."
  hash=$(fingerprint requirements/build.txt "$lock")
  if fresh "$VENV/stamp" "$hash" && [[ -x $VENV/bin/python ]]; then return; fi
  say ROS "2 $OWN_ROS, sourced in this shell; $(command -v python3)"
  python3 -c 'import rclpy' 2> /dev/null || die \
    "ROS 2 $OWN_ROS is sourced, but python3 ($(command -v python3)) cannot import rclpy." \
    "A virtual or conda environment in front of the system's Python does this: deactivate it."
  require_debian cv2 python3-opencv
  require_debian ensurepip python3-venv
  step packages "$(wheels_in "$lock") Python packages from PyPI" \
    make_venv "$(command -v python3)" "$VENV" "$lock" --system-site-packages
  stamp "$VENV/stamp" "$hash"
}

require_debian() {  # MODULE PACKAGE
  if python3 -c "import $1" 2> /dev/null; then return; fi
  if ((EUID == 0)) && command -v apt-get > /dev/null; then
    step debian "package $2" apt_install "$2"
  else
    die "python3 cannot import $1." "sudo apt install $2, and the same command again."
  fi
}

oldest_packages() {  # optional: what the package promises to run with at the least
  local lock=requirements/oldest.txt python hash
  hash=$(fingerprint requirements/build.txt "$lock")
  if fresh "$VENV_OLDEST/stamp" "$hash" && [[ -x $VENV_OLDEST/bin/python ]]; then return; fi
  if ! python=$(find_python 3.10); then return; fi
  step oldest "the oldest supported versions, on $python" \
    make_venv "$python" "$VENV_OLDEST" "$lock"
  stamp "$VENV_OLDEST/stamp" "$hash"
}

lock_state
if [[ -n $OWN_ROS ]]; then
  own_ros_packages
else
  sandbox_packages
  sandbox_ros_wheel
fi
# What only tests need is none of the demo's business.
if [[ ${1:-} == --for-unit || ${1:-} == --for-tests ]]; then tensorrt_bindings; fi
if [[ ${1:-} == --for-tests ]]; then oldest_packages; fi
