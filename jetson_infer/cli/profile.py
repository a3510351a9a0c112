# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer profile`: how long each layer of a network takes, and in which precision."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from jetson_infer.cli.profile_text import as_text
from jetson_infer.cli.values import whole_number
from jetson_infer.engines.models import find_model, load_model
from jetson_infer.engines.select import ENGINES
from jetson_infer.toolchain.profile.picture import draw
from jetson_infer.toolchain.profile.result import as_dict, as_trace
from jetson_infer.toolchain.profile.subject import profile_variant
from jetson_infer.toolchain.report.machine import describe_machine

__all__ = ['add_arguments', 'run']

RESULT, TRACE, PICTURE = 'profile.json', 'trace.json', 'profile.svg'
SHOWN = 25
UNLIMITED = 200  # characters a line, where the output is no terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument('model', metavar='MODEL', help='model folder or name')
    parser.add_argument('--variant', default='auto', metavar='NAME', help='one of its variants')
    parser.add_argument(
        '--engine', choices=ENGINES, default='auto', help='what runs the network (auto)'
    )
    parser.add_argument(
        '--threads',
        type=whole_number(0, 256),
        default=1,
        metavar='N',
        help='CPU threads (1; 0: automatic)',
    )
    parser.add_argument(
        '--runs', type=whole_number(1, 10000), default=50, metavar='N', help='how many (50)'
    )
    parser.add_argument(
        '--most',
        type=whole_number(0, 100000),
        default=SHOWN,
        metavar='N',
        help=f'how many layers to show, the longest first ({SHOWN}; 0: all)',
    )
    parser.add_argument('--json', action='store_true', help='print the result as JSON')
    parser.add_argument(
        '--out',
        type=Path,
        metavar='DIR',
        help=f'write {RESULT}, {PICTURE}, and {TRACE} for https://ui.perfetto.dev there',
    )


def run(options: argparse.Namespace) -> int:
    """Profile, and print what was found."""
    model = load_model(find_model(options.model))
    variant = model.variant(options.variant)
    times, why = profile_variant(model, variant, options.engine, options.threads, options.runs)
    profile: dict[str, Any] = as_dict(model, variant, times, why)
    profile['machine'] = describe_machine()
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / RESULT).write_text(json.dumps(profile, indent=2) + '\n')
        trace = as_trace(times, f'{model.card.name}, {variant.name}')
        (options.out / TRACE).write_text(json.dumps(trace) + '\n')
        (options.out / PICTURE).write_text(draw(profile))
    if options.json:
        print(json.dumps(profile, indent=2))
        return 0
    width = shutil.get_terminal_size((UNLIMITED, 0)).columns if sys.stdout.isatty() else UNLIMITED
    if options.engine == 'auto':
        print(f'{times.engine}: {why}\n')
    print(as_text(profile, options.most, width))
    return 0
