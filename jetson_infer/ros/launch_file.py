# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a launch file: `python -m jetson_infer.ros.launch_file FILE [name:=value ...]`.

For environments without the `ros2 launch` command, and for programs that start one as a child: it
ends with exit code 1 as soon as a process that it started ends with an error, and it ends when the
program that started it does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from launch import LaunchDescription, LaunchService
from launch.actions import EmitEvent, IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import AnyLaunchDescriptionSource

from jetson_infer.errors import JetsonInferError, ParameterError

__all__ = ['main', 'run_launch_file']

_PR_SET_PDEATHSIG = 1


def run_launch_file(path: str, arguments: Sequence[tuple[str, str]]) -> int:
    """Run a launch file until its processes have ended or one of them has failed.

    :param path: the launch file, of any of launch's formats.
    :param arguments: the launch arguments, as ``(name, value)``.
    :return: 0, or 1 if a process failed or the launch file cannot be run.
    """
    failures: list[str] = []

    def on_exit(event: Any, context: Any) -> Any:
        if event.returncode == 0 or context.is_shutdown:
            return None
        failures.append(f'{event.process_name} ended with exit code {event.returncode}')
        return EmitEvent(event=Shutdown(reason=failures[-1]))

    service = LaunchService(argv=[f'{name}:={value}' for name, value in arguments])
    service.include_launch_description(
        LaunchDescription(
            [
                RegisterEventHandler(OnProcessExit(on_exit=on_exit)),
                IncludeLaunchDescription(
                    AnyLaunchDescriptionSource(path), launch_arguments=arguments
                ),
            ]
        )
    )
    code = service.run()
    for failure in failures:
        print(failure, file=sys.stderr)  # noqa: T201 - a program's own last words
    return 1 if failures else int(code)


def end_with_parent() -> None:
    """Interrupt this process and all that it started when its parent dies (Linux only)."""
    if not sys.platform.startswith('linux'):
        return
    parent = os.getppid()
    # The whole group, as from a terminal: launch takes it for granted that what it has started
    # received the SIGINT that it received.
    signal.signal(signal.SIGUSR1, lambda number, frame: os.killpg(0, signal.SIGINT))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)
    if os.getppid() != parent:  # it died in between
        os.kill(os.getpid(), signal.SIGUSR1)


def parse_arguments(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Parse launch arguments.

    :raises ParameterError: if one is not of the form ``name:=value``.
    """
    parsed = []
    for argument in arguments:
        name, separator, value = argument.partition(':=')
        if not separator or not name:
            raise ParameterError(argument, 'a launch argument has the form name:=value')
        parsed.append((name, value))
    return parsed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the launch file that the command line names."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if not arguments:
            raise ParameterError('FILE', 'give a launch file, then name:=value ...')
        parsed = parse_arguments(arguments[1:])
    except JetsonInferError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    end_with_parent()
    return run_launch_file(arguments[0], parsed)


if __name__ == '__main__':
    sys.exit(main())
