# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the scripts beside it: where things are, which ROS is meant, how a step is shown.
# shellcheck shell=bash disable=SC2034

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
STATE=$ROOT/.sandbox
LOGS=$STATE/logs

# A ROS 2 that the user has sourced is used instead of the sandbox's. The sandbox's own shell sets
# ROS_DISTRO too, for programs that ask; JETSON_INFER_SANDBOX tells the two apart.
if [[ -n ${ROS_DISTRO:-} && -n ${AMENT_PREFIX_PATH:-} && -z ${JETSON_INFER_SANDBOX:-} ]]; then
  OWN_ROS=$ROS_DISTRO
  DISTROS=("$ROS_DISTRO")
  VENV=$STATE/own-$ROS_DISTRO/venv
else
  OWN_ROS=
  DISTROS=(humble jazzy)
  VENV=$STATE/venv
fi
VENV_OLDEST=$STATE/venv310

workspace() {  # DISTRO: the folder of its build/, install/ and log/
  if [[ -n $OWN_ROS ]]; then echo "$STATE/own-$1"; else echo "$STATE/$1"; fi
}

sandbox_ros() {  # DISTRO: where the wheel keeps that distribution
  echo "$VENV/lib/python3.12/site-packages/isaacsim/exts/isaacsim.ros2.core/$1"
}

check_distro() {
  local known
  for known in "${DISTROS[@]}"; do
    if [[ $1 == "$known" ]]; then return; fi
  done
  if [[ -n $OWN_ROS ]]; then
    die "DISTRO=$1 asked for, but ROS 2 $OWN_ROS is sourced in this shell." \
      "Leave DISTRO out, or use a shell without a sourced ROS to get the sandbox's $1."
  fi
  die "DISTRO=$1 is unknown to the sandbox, which has: ${DISTROS[*]}."
}

# ---- what a person sees ------------------------------------------------------------------------

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  DIM=$'\e[2m' RED=$'\e[31m' OFF=$'\e[0m'
else
  DIM='' RED='' OFF=''
fi

die() {  # LINE...: what happened, then what to do
  {
    echo "${RED}error:${OFF} $1"
    shift
    (($# == 0)) || printf '  %s\n' "$@"
  } >&2
  exit 1
}

say() {  # LABEL TEXT: one line in the two columns that all steps share
  printf '  %-10s %s\n' "$1" "$2"
}

step() {  # LABEL TEXT COMMAND...: run quietly, show one line with the seconds; on failure the log's end
  local label=$1 text=$2 log began=$SECONDS pid tick=0
  shift 2
  mkdir -p "$LOGS"
  log=$LOGS/${label// /_}.log
  # A process group of its own, so that Ctrl-C ends all of it: what a script merely puts in the
  # background ignores Ctrl-C and would go on.
  set -m
  "$@" > "$log" 2>&1 < /dev/null &
  pid=$!
  set +m
  trap 'kill -- "-$pid" 2> /dev/null; echo; exit 130' INT TERM
  if [[ -t 1 ]]; then
    while kill -0 "$pid" 2> /dev/null; do
      printf '\r  %-10s %s %s%d s%s ' "$label" "$text" "$DIM" "$tick" "$OFF"
      sleep 0.2
      tick=$((SECONDS - began))
    done
    printf '\r\e[K'
  fi
  if wait "$pid"; then
    say "$label" "$text ${DIM}$((SECONDS - began)) s${OFF}"
  else
    say "$label" "$text ${RED}failed${OFF}"
    tail -n 15 "$log" | sed 's/^/    /' >&2
    die "$label failed; the end of its output is above." "All of it: $log"
  fi
  trap - INT TERM
}

# ---- one set-up at a time ----------------------------------------------------------------------

lock_state() {  # wait until no other make works on .sandbox; released when the script ends
  mkdir -p "$STATE"
  exec 8> "$STATE/lock"
  if ! flock --nonblock 8; then
    say waiting "another make is working on .sandbox"
    flock 8
  fi
}

fingerprint() {  # FILE...: one hash over their names and contents
  cat "$@" | sha256sum | cut -d ' ' -f 1
}

fresh() {  # STAMP HASH: whether a step that ended with `stamp STAMP HASH` need not run again
  [[ -f $1 && $(< "$1") == "$2" ]]
}

stamp() {
  echo "$2" > "$1"
}
