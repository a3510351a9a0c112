#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Usage: shell.sh DISTRO [COMMAND-LINE]
#
# Open a shell in which ros2, jetson-infer and python3 see ROS and the package, or run one command line
# there and return its status.

set -euo pipefail
# shellcheck source=tools/sandbox/lib.sh
. "$(dirname "$0")/lib.sh"

distro=$1
command_line=${2:-}
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES  # a make in the shell is no part of the one outside
check_distro "$distro"

# What the shell itself gets: names that ROS programs read, and the commands that lead into ROS. Not
# LD_LIBRARY_PATH and PYTHONPATH; see ros_env.sh.
environment=()
while IFS= read -r line; do
  environment+=("$line")
done < <("$ROOT/tools/sandbox/ros_env.sh" "$distro" -- env \
  | grep -E '^(ROS_|RMW_|AMENT_PREFIX_PATH=|JETSON_INFER_SANDBOX=|FASTRTPS_DEFAULT|CYCLONEDDS_URI)')
if [[ -z $OWN_ROS ]]; then
  environment+=("PATH=$ROOT/tools/sandbox/bin:$VENV/bin:$PATH")
  enter=(env "${environment[@]}")
else
  enter=("$ROOT/tools/sandbox/ros_env.sh" "$distro" --)
fi

domain=$(printf '%s\n' "${environment[@]}" | sed -n 's/^ROS_DOMAIN_ID=//p')

daemon_listens() { (exec 3<> "/dev/tcp/127.0.0.1/$((11511 + domain))") 2> /dev/null; }

had_daemon=no
if daemon_listens; then had_daemon=yes; fi

status=0
if [[ -n $command_line ]]; then
  "${enter[@]}" bash -c "$command_line" || status=$?
else
  echo "ROS 2 $distro, domain $domain. Commands: ros2, jetson-infer, python3. Leave with exit."
  rc=$(mktemp)
  # shellcheck disable=SC2016  # the shell that reads the file is to expand them
  {
    echo 'if [ -f ~/.bashrc ]; then . ~/.bashrc; fi'
    # ~/.bashrc may put its own python3 in front, as pyenv's set-up does.
    if [[ -z $OWN_ROS ]]; then printf 'PATH=%q:$PATH\n' "$ROOT/tools/sandbox/bin"; fi
    printf 'PS1="[%s] $PS1"\n' "$distro"
  } > "$rc"
  "${enter[@]}" bash --rcfile "$rc" -i || status=$?
  rm -f "$rc"
fi

# `ros2 topic` and others start a daemon that would outlive the shell by hours.
if [[ $had_daemon == no ]] && daemon_listens; then
  "${enter[@]}" ros2 daemon stop > /dev/null 2>&1 || true
fi
exit "$status"
