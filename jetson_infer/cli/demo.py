# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer demo`: play a recording to the detector, watch it live, and get a report."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from jetson_infer.cli import ros_environment
from jetson_infer.cli.children import ProcessGroup
from jetson_infer.cli.demo_plan import EVENTS, Plan, make_plan
from jetson_infer.cli.demo_run import follow
from jetson_infer.cli.demo_view import LiveView, PlainView
from jetson_infer.cli.ladder_text import short_lines
from jetson_infer.cli.ros_domain import hold_domain
from jetson_infer.cli.values import positive_number, time_s
from jetson_infer.cli.view import QuietView, View
from jetson_infer.dependencies import require
from jetson_infer.toolchain.recordings import Recording
from jetson_infer.toolchain.report.build import FILES, ReportOptions, build_report, prepare_folder
from jetson_infer.toolchain.report.ladder_panel import LadderPanel, find_panel
from jetson_infer.toolchain.report.machine import describe_machine
from jetson_infer.toolchain.report.run_record import RunRecord
from jetson_infer.toolchain.report.run_result import join_run

__all__ = ['add_arguments', 'run']

END_LIMIT_S = 5.0
"""How long the processes may take to end by themselves after the recording's end."""

LOG, ROS_LOG = 'log.txt', 'ros_log'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        '--recording', default='room_walk', help='rosbag2 folder, or the name of an installed one'
    )
    parser.add_argument('--model', help="model folder or name (default: the parameter file's)")
    parser.add_argument('--params-file', type=Path, help='parameters of the detector')
    parser.add_argument(
        '--duration', type=time_s, default=0.0, metavar='S', help='play S s of it (0: all)'
    )
    parser.add_argument(
        '--rate', type=positive_number, default=1.0, help='how much faster than recorded'
    )
    parser.add_argument(
        '--out', type=Path, default=Path('out/demo'), metavar='DIR', help='where the report goes'
    )
    parser.add_argument('--no-video', action='store_true', help='make no video')
    parser.add_argument('--image-topic', help='the camera (default: that with the most images)')
    parser.add_argument('--truth-topic', help='the true objects (default: found by its type)')
    parser.add_argument(
        '--plain', action='store_true', help='one line a second instead of the live view'
    )
    parser.add_argument('--json', action='store_true', help='print the summary alone, as JSON')


def run(options: argparse.Namespace) -> int:
    """Run the demo; see the module's text."""
    ros_environment.require_ros()
    plan = make_plan(options)
    prepare_folder(plan.folder, (*FILES, EVENTS, LOG))
    shutil.rmtree(plan.folder / ROS_LOG, ignore_errors=True)
    record = RunRecord()
    try:
        _play(options, plan, record)
        panel = find_panel(plan.model, plan.recording.name)
        summary = _report(options, plan, record, panel)
    except KeyboardInterrupt:
        kept = [name for name in (*FILES, EVENTS, LOG) if (plan.folder / name).exists()]
        _say(options, f'\ninterrupted; kept in {plan.folder}: {", ".join(kept) or "nothing"}')
        raise
    if options.json:
        print(json.dumps(summary, indent=2))
    else:
        _print_summary(summary)
        _print_ladder(panel)
    return 0


def _play(options: argparse.Namespace, plan: Plan, record: RunRecord) -> None:
    command = ros_environment.launch_command(
        'demo.launch.py',
        {
            **plan.launch_arguments,
            'model': options.model,
            'rate': options.rate,
            'duration': options.duration,
        },
    )
    environment = ros_environment.node_environment(plan.folder.resolve() / ROS_LOG)
    log = plan.folder / LOG
    with (
        hold_domain(environment) as environment['ROS_DOMAIN_ID'],
        ProcessGroup(command, environment, log) as processes,
        _view(options, plan) as view,
    ):
        for state in follow(processes, plan.folder / EVENTS, log, record):
            view.show(state)
        processes.wait(END_LIMIT_S)


def _view(options: argparse.Namespace, plan: Plan) -> View:
    if options.json:
        return QuietView()
    if options.plain or not sys.stdout.isatty():
        return PlainView(plan.working_score)
    console = require('rich.console', 'The live view').Console()
    return LiveView(plan.recording.name, console, plan.working_score)


def _report(
    options: argparse.Namespace, plan: Plan, record: RunRecord, panel: LadderPanel | None
) -> dict[str, Any]:
    with Recording.open(plan.recording) as recording:
        truth = plan.truth.name if plan.truth else None
        result = join_run(recording, record, plan.image.name, truth, plan.working_score)
        report = ReportOptions(
            plan.folder,
            not options.no_video,
            {**_facts(plan, record), **describe_machine()},
            shlex.join(['jetson-infer', *sys.argv[1:]]),
            datetime.now().astimezone().strftime('%Y-%m-%d %H:%M %Z'),
            panel,
        )
        progress = _Progress(not options.json)
        return build_report(result, recording, report, progress.show)


def _facts(plan: Plan, record: RunRecord) -> dict[str, str]:
    values = record.latest.values if record.latest else {}
    facts = {'recording': plan.recording.name}
    facts.update({n: values[n] for n in ('model', 'variant', 'engine') if values.get(n)})
    return facts


class _Progress:
    """Tells how far the report is, on a terminal that shows it in place."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted and sys.stderr.isatty()
        if wanted and not self._wanted:
            print('writing the report', flush=True)

    def show(self, done: int, total: int) -> None:
        if self._wanted:
            end = '\n' if done == total else '\r'
            print(f'writing the report: frame {done} of {total}', end=end, file=sys.stderr)


def _print_summary(summary: dict[str, Any]) -> None:
    frames, latency = summary['frames'], summary['latency_ms']
    share = f'({100 * frames["share"]:.1f} %)'
    lines = [f'frames     {frames["processed"]} of {frames["played"]} processed {share}']
    if latency['p50'] is not None:
        lines.append(
            f'latency    median {latency["p50"]:.1f} ms, p99 {latency["p99"]:.1f} ms, '
            'from image stamp to received detections'
        )
    if summary['accuracy'] and summary['accuracy']['ap50'] is not None:
        lines.append(f'AP50       {summary["accuracy"]["ap50"]:.3f}, mean of classes')
    lines += [f'{name:<10} {path}' for name, path in summary['files'].items() if path]
    print('\n' + '\n'.join(lines))


def _print_ladder(panel: LadderPanel | None) -> None:
    if panel is None:
        return
    if panel.ladder is None:
        print(f'\nladder     {panel.void}')
    else:
        print('\nladder     what else the model could run as, and what that costs; * on the front')
        print('\n'.join(f'  {line}' for line in short_lines(panel.ladder)))
    print(f'  to measure it here: {panel.command}')


def _say(options: argparse.Namespace, text: str) -> None:
    print(text, file=sys.stderr if options.json else sys.stdout, flush=True)
