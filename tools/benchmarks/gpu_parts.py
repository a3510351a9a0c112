# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of gpu_figures.py: each measures one thing and returns it with its verdicts."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

import numpy as np
import preprocess_kernel
from gpu_load import busy_processor
from gpu_references import (
    References,
    average_precision,
    relative_differences,
    run_network,
)
from gpu_verdicts import verdict

from jetson_infer.cuda.energy import open_meter
from jetson_infer.engines.models import Model
from jetson_infer.toolchain.bench.device_result import measure_throughput
from jetson_infer.toolchain.bench.measure import measure
from jetson_infer.toolchain.bench.open_subject import open_subject
from jetson_infer.toolchain.bench.settings import BenchSetting
from jetson_infer.toolchain.profile.result import as_dict
from jetson_infer.toolchain.profile.subject import profile_variant

COLD = """
import json, sys, time
began = time.monotonic()
from jetson_infer.engines.models import load_model
from jetson_infer.pipeline.open_detection import open_detection
model = load_model(sys.argv[1])
imported = time.monotonic()
pipeline = open_detection(model, model.variant(sys.argv[2]), engine=sys.argv[3])
opened = time.monotonic()
pipeline.close()
print(json.dumps({'import_s': imported - began, 'configure_s': opened - imported,
                  'engine': pipeline.engine}))
"""


def pipeline_part(
    machine,
    model: Model,
    variant: str,
    size: tuple[int, int],
    over_ms: float,
    frames: int,
    rounds: int = 1,
) -> dict[str, Any]:
    """Measure the pipeline beside the bare engine: criteria 1 and 2.

    A neighbour on the machine's processor lengthens a hundredth of the frames at any time: the
    verdicts are of the median round, and every round is told.
    """
    setting = BenchSetting(str(model.folder), variant, machine.engine, 1, size)
    with open_subject(setting, open_one=machine.open_one) as subject:
        of_rounds = []
        for _ in range(rounds):
            (measurement,) = measure([subject], frames)
            found = measurement.as_dict()
            of_rounds.append(_round_of(found))
        meter, why_none = open_meter(subject.device.identity)
        try:
            found['throughput'] = measure_throughput(subject, frames, meter)
        finally:
            if meter is not None:
                meter.close()
        found['throughput']['no_energy'] = why_none
    shown = 'x'.join(map(str, size))
    over, spread = (float(np.median(values)) for values in zip(*of_rounds))
    ratios, why_no_graph = found['device']['kernels_to_graph'], found['device']['why_no_graph']
    verdicts = [
        verdict('1', f'{variant} {shown}: pipeline beyond the graph, ms', over, over_ms),
        verdict('1', f'{variant} {shown}: p99 / p50', spread, 1.2),
    ]
    if why_no_graph:
        verdicts.append(verdict('2', f'{variant}: graphs ({why_no_graph})', 0, 1, most=False))
    else:
        verdicts += [
            verdict('2', f'{variant}: call, kernels / graph', ratios['call']['value'], 50, False),
            verdict('2', f'{variant}: wall, kernels / graph', ratios['wall']['value'], 1.8, False),
        ]
    told = {
        'model': model.card.name,
        'variant': variant,
        'precision': model.variant(variant).precision,
        'size': shown,
        'over_ms_and_p99_to_p50_of_rounds': of_rounds,
    }
    return {**told, **found, 'verdicts': verdicts}


def _round_of(found: dict[str, Any]) -> tuple[float, float]:
    """Return how many ms the pipeline takes beyond the bare engine, and its p99 / p50."""
    wall = found['pipeline_ms']
    over = wall['p50'] - found['bare_session_ms']['p50']
    return round(over, 4), round(wall['p99'] / wall['p50'], 3)


def pace_part(
    machine, model: Model, variant: str, size: tuple[int, int], hz: float, frames: int
) -> dict[str, Any]:
    """Measure the same at a camera's pace, in turn: what ran a frame ago has left the caches."""
    return {'hz': hz, **_in_turn(machine, model, variant, size, frames, f'at {hz:g} Hz', hz)}


def busy_part(
    machine, model: Model, variant: str, size: tuple[int, int], frames: int
) -> dict[str, Any]:
    """Measure the same while others keep the processor's memory busy, as on a robot."""
    with busy_processor() as count:
        found = _in_turn(machine, model, variant, size, frames, 'beside busy processes')
    return {'busy_processes': count, **found}


def _in_turn(
    machine,
    model: Model,
    variant: str,
    size: tuple[int, int],
    frames: int,
    condition: str,
    hz: float | None = None,
) -> dict[str, Any]:
    """Run the pipeline, and the network as a graph and kernel by kernel, in turn."""
    setting = BenchSetting(str(model.folder), variant, machine.engine, 1, size)
    with open_subject(setting, open_one=machine.open_one) as subject:
        walls: list[float] = []
        turns = (
            lambda number: walls.append(subject.run_pipeline(number).wall),
            lambda number: subject.run_graph(),
            lambda number: subject.run_kernels(),
        )
        for turn in turns:
            turn(0)
        subject.forget()
        walls.clear()
        next_s = time.monotonic()
        for number in range(frames):
            for turn in turns:
                if hz is not None:
                    next_s += 1 / hz
                    time.sleep(max(0.0, next_s - time.monotonic()))
                turn(number)
        graph, kernels = subject.graph, subject.kernels
        wall = {
            'pipeline': _percentiles(walls),
            'graph': _percentiles([run.wall for run in graph]),
            'kernels': _percentiles([run.wall for run in kernels]),
        }
        call = {
            'graph': _percentiles([run.call for run in graph]),
            'kernels': _percentiles([run.call for run in kernels]),
        }
    shown = f'{variant} {"x".join(map(str, size))} {condition}'
    over = wall['pipeline']['p50'] - wall['graph']['p50']
    calls, walls_ratio = (each['kernels']['p50'] / each['graph']['p50'] for each in (call, wall))
    verdicts = [
        verdict('2', f'{shown}: call, kernels / graph', calls, 50, False),
        verdict('2', f'{shown}: wall, kernels / graph', walls_ratio, 1.8, False),
    ]
    told = {'frames': frames, 'wall_ms': wall, 'call_ms': call, 'over_ms': round(over, 4)}
    return {**told, 'verdicts': verdicts}


def _percentiles(values: list[float]) -> dict[str, float]:
    return dict(zip(('p50', 'p95', 'p99'), np.percentile(values, (50, 95, 99)).round(4).tolist()))


def kernel_part(
    machine, size: tuple[int, int], network: tuple[int, int], rounds: int
) -> dict[str, Any]:
    """Measure the preprocessing kernel beside a device copy and OpenCV: criterion 3."""
    options = argparse.Namespace(
        size=size, encoding='bgr8', network=network, dtype='float32', layout='nchw'
    )
    with machine.device() as device, ExitStack() as stack:
        contest = preprocess_kernel.Contest(device, options, stack)
        contest.check()
        ways = contest.ways()
        for number in range(rounds + 5):
            for way in random.sample(ways, len(ways)):
                time_ms = way.measure()
                if number >= 5:
                    way.times_ms.append(time_ms)
    median = {way.name: way.median_ms for way in ways}
    cold = median['kernel, cold']
    return {
        'median_ms': median,
        'rounds': rounds,
        'verdicts': [
            verdict('3', 'kernel / copy of as many bytes, cold', cold / median['copy, cold'], 2.5),
            verdict(
                '3',
                "OpenCV's chain with the upload / kernel",
                median['OpenCV + upload'] / cold,
                10,
                False,
            ),
        ],
    }


def equality_part(machine, model: Model, variant: str, references: References) -> dict[str, Any]:
    """Hold FP32 outputs against ONNX Runtime's: half of criterion 5."""
    with machine.host_session(model, model.variant(variant)) as session:
        found = run_network(session, references)
    relative = relative_differences(found, references.outputs)
    return {
        'relative': relative,
        'verdicts': [
            verdict('5', f'FP32 {name}, largest difference / largest value', value, 1e-3)
            for name, value in relative.items()
        ],
    }


def precision_part(
    machine, model: Model, variants: tuple[str, str], references: References
) -> dict[str, Any]:
    """Compare the AP50 of two precisions on the recording: the other half of criterion 5."""
    found, on_host = {}, {}
    for name in variants:
        # Memory is laid out for this size: what is larger would be prepared on the host.
        setting = BenchSetting(str(model.folder), name, machine.engine, 1, references.size)
        with open_subject(setting, open_one=machine.open_one) as subject:
            found[name] = average_precision(subject.pipeline, references, model.card.labels)
            on_host[name] = dict(subject.pipeline.prepared_on_host)
    first, second = found.values()
    return {
        'ap50': found,
        'ap50_onnxruntime': references.ap50,
        'frames': len(references.images),
        'prepared_on_host': on_host,
        'verdicts': [
            verdict('5', f'AP50 of {variants[0]} less {variants[1]}', abs(first - second), 0.005),
            verdict(
                '5',
                'of these frames, prepared on the host',
                sum(sum(counts.values()) for counts in on_host.values()),
                0,
            ),
        ],
    }


def cold_part(machine, model: Model, variant: str, processes: int) -> dict[str, Any]:
    """Configure in fresh processes, and look for an engine of another machine: criterion 6."""
    arguments = [sys.executable, '-c', COLD, str(model.folder), variant, machine.engine]
    first_s = None
    with machine.without_kernels() as kept_aside:
        if kept_aside:
            first_s = _run_cold(arguments)['configure_s']
    runs = [_run_cold(arguments) for _ in range(processes)]
    configured = [run['configure_s'] for run in runs]
    wrong = machine.wrong_key(model, model.variant(variant))
    return {
        'runs': runs,
        'wrong_key': wrong,
        'note': 'with the kernels compiled: the first configuring ever compiles them too, see '
        'first_s',
        'first_s': first_s,
        'verdicts': [
            verdict('6', 'cold configure with a cached engine, the slowest, s', max(configured), 3),
            verdict(
                '6',
                'a wrong key is found before the plan is read',
                wrong['found_out'] or 0,
                1,
                False,
            ),
        ],
    }


def _run_cold(arguments: list[str]) -> dict[str, Any]:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f'the process failed:\n{done.stderr[-2000:]}')
    return json.loads(done.stdout.splitlines()[-1])


def profile_part(machine, model: Model, variant: str, runs: int) -> dict[str, Any]:
    """Time the layers."""
    chosen = model.variant(variant)
    times, why = profile_variant(model, chosen, machine.engine, 1, runs)
    found = as_dict(model, chosen, times, why)
    found['layers'] = sorted(found['layers'], key=lambda layer: -layer['ms'])
    return {**found, 'verdicts': []}
