# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The command `jetson-infer <verb>`: finds the verb, runs it, and turns its errors into exit codes.

Exit codes: 0 done, 1 failed (one message, no traceback), 2 used wrongly, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from jetson_infer import __version__
from jetson_infer.errors import JetsonInferError

__all__ = ['VERBS', 'main']

VERBS = {
    'doctor': 'tell what is installed, what is missing, and why nothing arrives',
    'demo': 'play a recording to the detector, watch it live, and get a report and a video',
    'play': 'publish a recording on its topics, or tell what it holds',
    'build': 'build TensorRT engines of a model, or show what building them would do',
    'quantize': 'make INT8 and mixed-precision variants from a recording, measured layer by layer',
    'validate': 'hold variants of a model against its FP32 reference, on recorded data',
    'ladder': 'make, validate and measure every variant of a model, and draw quality against cost',
    'bench': 'measure what a pipeline costs beside its network alone, stage by stage',
    'profile': 'tell how long each layer of a network takes, and in which precision',
}
"""Every verb and what it does, from the first look to the last measurement; the
module of the same name holds its options and its work."""

DEBUG_VARIABLE = 'JETSON_INFER_DEBUG'


class Interrupted(KeyboardInterrupt):
    """Ended by a signal other than Ctrl-C's; handled as that is.

    :param number: the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    :param arguments: the command line without the program's name; the process's own when None.
    :return: the exit code.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = '--debug' in arguments or bool(os.environ.get(DEBUG_VARIABLE))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        parser = _make_parser(arguments)
        options = parser.parse_args(arguments)
        if options.verb is None:
            parser.print_help()
            return 2
        return int(_verb(options.verb).run(options))
    except JetsonInferError as error:
        if debug:
            raise
        print(f'jetson-infer: {error}', file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as interrupt:
        return 128 + (interrupt.number if isinstance(interrupt, Interrupted) else signal.SIGINT)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)


def _verb(name: str):  # type: ignore[no-untyped-def] # a module with add_arguments() and run()
    return importlib.import_module(f'jetson_infer.cli.{name}')


def _make_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        '--debug', action='store_true', help=f'show tracebacks (or set {DEBUG_VARIABLE}=1)'
    )
    parser = argparse.ArgumentParser(
        prog='jetson-infer',
        description="Neural networks on a robot's Jetson: the toolchain around the ROS 2 nodes.",
        epilog='jetson-infer VERB --help tells what a verb takes.',
    )
    parser.add_argument('--version', action='version', version=f'jetson-infer {__version__}')
    verbs = parser.add_subparsers(dest='verb', metavar='VERB')
    for name, summary in VERBS.items():
        verb = verbs.add_parser(
            name, parents=[common], help=summary, description=summary[0].upper() + summary[1:] + '.'
        )
        # The options of a verb that is not asked for are not loaded: --help stays instant.
        if name in arguments:
            _verb(name).add_arguments(verb)
    return parser


if __name__ == '__main__':
    sys.exit(main())
