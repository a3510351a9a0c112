# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer doctor`: what is installed, what is missing, and why nothing arrives."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from jetson_infer.cli.doctor_view import show
from jetson_infer.cli.ros_environment import node_environment
from jetson_infer.cli.values import time_s
from jetson_infer.toolchain.doctor.built_engines import check_engines
from jetson_infer.toolchain.doctor.findings import (
    NOTE,
    PROBLEM,
    Finding,
    Section,
    as_dict,
    count,
)
from jetson_infer.toolchain.doctor.gpu import check_gpu
from jetson_infer.toolchain.doctor.graph import check_graph
from jetson_infer.toolchain.doctor.machine import check_machine
from jetson_infer.toolchain.doctor.ros_setup import check_ros
from jetson_infer.toolchain.doctor.software import check_software
from jetson_infer.toolchain.doctor.stored_data import check_models, check_recordings
from jetson_infer.toolchain.doctor.transport import check_transport

__all__ = ['add_arguments', 'run']

LISTEN_S = 5.0
"""Fast DDS announces a process in its first half second and then every 3 s, so 3 s may miss it."""

START_S = 15.0
"""What the process that looks at the graph may take beside its listening: starting, on a board."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument('--json', action='store_true', help='for programs')
    parser.add_argument(
        '--graph-seconds',
        type=time_s,
        default=LISTEN_S,
        metavar='S',
        help=f'listen S s to the running nodes (default {LISTEN_S:g}; 0: leave them out)',
    )


def run(options: argparse.Namespace) -> int:
    """Look at everything, show it, and return 1 if something is wrong."""
    sections = examine(options.graph_seconds)
    if options.json:
        print(json.dumps(as_dict(sections), indent=2))
    else:
        show(sections)
    return 1 if count(sections, PROBLEM) else 0


def examine(graph_seconds: float) -> list[Section]:
    """Run every check.

    :param graph_seconds: how long to listen to the running nodes; 0 leaves them out.
    """
    environment = dict(os.environ)
    checks: Sequence[tuple[str, Callable[[], Any]]] = (
        ('Machine', check_machine),
        ('Python and libraries', check_software),
        ('GPU', check_gpu),
        ('ROS 2', lambda: check_ros(environment)),
        ('Models', check_models),
        ('TensorRT engines', check_engines),
        ('Recordings', check_recordings),
        ('Transport', lambda: check_transport(environment)),
        ('Running nodes', lambda: _running_nodes(graph_seconds)),
    )
    return [Section(name, list(check())) for name, check in checks]


def _running_nodes(seconds: float) -> list[Finding]:
    if not seconds:
        return [Finding(NOTE, 'graph.skipped', 'not looked at (--graph-seconds 0)')]
    if importlib.util.find_spec('rclpy') is None:
        return [Finding(NOTE, 'graph.skipped', 'not looked at: this Python finds no ROS 2')]
    command = [sys.executable, '-m', 'jetson_infer.ros.graph_report', '--seconds', str(seconds)]
    try:
        done = subprocess.run(
            command,
            env=node_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds + START_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [
            Finding(
                PROBLEM,
                'graph.failed',
                f'the process that looks at the graph did not end within {seconds + START_S:g} s',
                f'see where it hangs: {" ".join(command)}',
            )
        ]
    # Fast DDS writes its own errors to standard output as well.
    reports = [line for line in done.stdout.splitlines() if line.startswith('{')]
    if done.returncode or not reports:
        said = (done.stderr.strip().splitlines() or ['nothing'])[-1]
        return [
            Finding(
                PROBLEM,
                'graph.failed',
                f'no node could be made to look at the graph; it ended with {done.returncode} '
                f'and said: {said}',
                f'see all of it: {" ".join(command)}',
            )
        ]
    return check_graph(json.loads(reports[-1]))
