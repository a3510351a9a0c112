#!/usr/bin/env bash
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Usage: ros_env.sh DISTRO -- COMMAND...
#
# Run one command with ROS 2 and the built package around it. The variables are set for that command
# alone: the folder that LD_LIBRARY_PATH names holds an old libcrypto, and other programs (openssl,
# git over https) fail when they load it.

set -euo pipefail
# shellcheck source=tools/sandbox/lib.sh
. "$(dirname "$0")/lib.sh"

(($# >= 3)) && [[ $2 == -- ]] || die "usage: ros_env.sh DISTRO -- COMMAND..."
distro=$1
shift 2
check_distro "$distro"

if [[ ${JETSON_INFER_ROS_ENV:-} == "$distro" ]]; then exec "$@"; fi

prepend() {  # VARIABLE VALUE
  export "$1=$2${!1:+:${!1}}"
}

ws=$(workspace "$distro")
installed=$ws/install/jetson_infer
[[ -d $installed ]] || die "jetson_infer is not built for $distro yet." "make build"
site_packages=("$installed"/lib/python3*/site-packages)

if [[ -z $OWN_ROS ]]; then
  ros=$(sandbox_ros "$distro")
  export ROS_DISTRO=$distro ROS_VERSION=2 ROS_PYTHON_VERSION=3 AMENT_PREFIX_PATH=$ros
  export RMW_IMPLEMENTATION=${RMW_IMPLEMENTATION:-rmw_fastrtps_cpp}
  export JETSON_INFER_SANDBOX=$distro
  if [[ -d $VENV/libpython ]]; then prepend LD_LIBRARY_PATH "$VENV/libpython"; fi
  prepend LD_LIBRARY_PATH "$ros/lib"
  prepend PYTHONPATH "$ros/rclpy"
  prepend PATH "$ROOT/tools/sandbox/bin:$VENV/bin"
else
  prepend PATH "$VENV/bin"
fi
prepend AMENT_PREFIX_PATH "$installed"
prepend PYTHONPATH "$ws/build/jetson_infer:${site_packages[0]}"
prepend PATH "$installed/bin"
export JETSON_INFER_ROS_ENV=$distro

# Talk to this machine only: a robot on the same network is not to hear the sandbox.
if [[ $distro == humble ]]; then
  export ROS_LOCALHOST_ONLY=${ROS_LOCALHOST_ONLY:-1}
else
  export ROS_AUTOMATIC_DISCOVERY_RANGE=${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}
fi
# Two shells of one checkout meet in one domain; two checkouts or two users do not. Tests take theirs
# from 51 on. Above 101 the ports of a domain reach into those that Linux hands out to anyone.
if [[ -z ${ROS_DOMAIN_ID:-} ]]; then
  export ROS_DOMAIN_ID=$((1 + $(cksum <<< "$EUID:$ROOT" | cut -d ' ' -f 1) % 50))
fi
# Profiles under which whole images arrive; whoever has set his own keeps it.
export FASTRTPS_DEFAULT_PROFILES_FILE=${FASTRTPS_DEFAULT_PROFILES_FILE:-$ROOT/config/dds/fastdds_shm.xml}
export CYCLONEDDS_URI=${CYCLONEDDS_URI:-file://$ROOT/config/dds/cyclonedds.xml}

exec "$@"
