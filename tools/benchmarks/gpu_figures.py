#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Take all figures that the package promises for a GPU, in one go, and say which hold.

Builds engines of YOLOv8n's architecture and of scene_detector, and measures: the pipeline beyond
the bare graph, graph replay beside queueing kernels, preprocessing beside a device copy and OpenCV,
allocations, memory after many rounds, FP32 outputs and AP50 beside ONNX Runtime's, cold configure.

Where ONNX Runtime and the recording are, once (no GPU needed):

    PYTHONPATH=. python tools/benchmarks/gpu_figures.py --prepare figures.in

On the machine with the GPU, with TensorRT, PyCUDA, OpenCV, PyYAML:

    PYTHONPATH=. python tools/benchmarks/gpu_figures.py --inputs figures.in --out figures.out

Each part is tried by itself and written when it ends: ``figures.json``, ``figures.md``, and every
engine with the timings of kernels as ``engines.tar``. A folder with these, given by ``--engines``,
spares the next run their builds. ``--minutes`` ends the run in time: a part that would not fit is
left out.
``--twin`` rehearses all of it on the host twin in small.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tarfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gpu_memory_parts as memory
import gpu_parts as parts
import gpu_references
import gpu_tables
import preprocess_kernel
import yaml
from gpu_machine import Gpu, Twin

from jetson_infer.core.cache_root import cache_root
from jetson_infer.engines.models import load_model
from jetson_infer.errors import JetsonInferError

SCENES = Path(__file__).resolve().parents[2] / 'models' / 'scene_detector'
REFERENCES, YOLO, SCENE = 'references.npz', 'yolov8n_like', 'scene_detector'
RESERVE_S = 60.0
"""What a build leaves for the parts after it."""

ROUNDS = 5
"""How often what is promised in milliseconds is measured."""

CHANGING = ((640, 480), (1920, 1080), (320, 240), (1280, 720), (640, 360))


class Figures:
    """Runs parts within a time, and writes what they found as they end."""

    def __init__(self, out: Path, minutes: float) -> None:
        self._out = out
        self._end_s = time.monotonic() + minutes * 60
        self.found: dict[str, Any] = {'parts': {}}
        out.mkdir(parents=True, exist_ok=True)

    @property
    def left_s(self) -> float:
        return self._end_s - time.monotonic()

    def run(self, name: str, need_s: float, part: Callable[[], dict[str, Any]]) -> bool:
        """Run a part if there is time for it; whatever it raises is noted and ends it alone."""
        began_s = time.monotonic()
        if self.left_s < need_s:
            result = {'left_out': f'{self.left_s:.0f} s were left, and it needs {need_s:.0f} s'}
        else:
            try:
                result = part()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the other parts go on
                result = {'error': f'{type(error).__name__}: {error}'}
                traceback.print_exc()
        result['seconds_of_part'] = round(time.monotonic() - began_s, 2)
        self.found['parts'][name] = result
        self.write()
        told = result.get('error') or result.get('left_out') or 'done'
        print(f'{name}: {told} ({result["seconds_of_part"]:.1f} s)', flush=True)
        return 'error' not in result and 'left_out' not in result

    def write(self) -> None:
        text = json.dumps(self.found, indent=1, default=str)
        (self._out / 'figures.json').write_text(text + '\n')
        (self._out / 'figures.md').write_text(as_table(self.found))


def as_table(found: dict[str, Any]) -> str:
    """Return the verdicts, and what went wrong, as Markdown."""
    lines = [
        ', '.join(f'{key} {value}' for key, value in found.get('machine', {}).items()),
        '',
        '| criterion | what | measured | wanted | |',
        '|---|---|---:|---:|---|',
    ]
    for part in found['parts'].values():
        for line in part.get('verdicts', ()):
            columns = [line[key] for key in ('number', 'what', 'value', 'limit')]
            columns.append('yes' if line['passed'] else '**no**')
            lines.append(f'| {" | ".join(map(str, columns))} |')
    lines.append('')
    for name, part in found['parts'].items():
        said = part.get('error') or part.get('left_out')
        if said:
            lines.append(f'- {name}: {said.splitlines()[0]}')
    return '\n'.join(lines) + '\n' + gpu_tables.tables(found)


def prepare(folder: Path, size: tuple[int, int], frames: int) -> None:
    """Write what the run on the GPU needs and cannot make itself."""
    import yolov8n_like

    folder.mkdir(parents=True, exist_ok=True)
    yolov8n_like.write_model(folder / YOLO, size)
    gpu_references.write(folder / REFERENCES, SCENES, 'room_walk', frames)


def copied_card(source: Path, target: Path, precisions: tuple[str, ...], level: int | None) -> Path:
    """Write a card of the first variant in several precisions, beside links to its files."""
    card = yaml.safe_load((source / 'model.yaml').read_text())
    first = card['variants'][0]
    variants = []
    for precision in precisions:
        variant = {**first, 'name': precision, 'precision': precision}
        if level is not None:
            variant['tensorrt'] = {'optimization_level': level}
        variants.append(variant)
    card['variants'] = variants
    target.mkdir(parents=True, exist_ok=True)
    (target / 'model.yaml').write_text(yaml.safe_dump(card, sort_keys=False))
    link = target / first['onnx']
    if not link.exists():
        os.symlink((source / first['onnx']).resolve(), link)
    return target


def keep(engine: dict[str, Any], out: Path) -> None:
    """Pack an engine, and all timings, for the next run."""
    root = cache_root()
    if engine['folder']:
        folder = Path(engine['folder'])
        with tarfile.open(
            out / 'engines.tar', 'a'
        ) as archive:  # of one file twice, the last counts
            archive.add(folder, folder.relative_to(root))
            if (root / 'timing').exists():
                archive.add(root / 'timing', 'timing')


def take(folder: Path) -> None:
    """Unpack what an earlier run kept; its own files, so they are trusted."""
    for file in sorted(folder.glob('*.tar')):
        with tarfile.open(file) as archive:
            archive.extractall(cache_root())


def build_and(
    figures: Figures, machine, folder: Path, variant: str, out: Path, need_s: float
) -> bool:
    """Build an engine, and keep it; one that is there already needs no time."""
    model = load_model(folder)
    if machine.has_engine(model, model.variant(variant)):
        need_s = 1.0

    def part() -> dict[str, Any]:
        built = machine.build(model, model.variant(variant), max(1.0, figures.left_s - RESERVE_S))
        keep(built, out)
        return built

    return figures.run(f'build {model.card.name} {variant}', need_s, part)


def run_all(options: argparse.Namespace) -> Figures:
    """Run every part."""
    small, machine = options.twin, Twin() if options.twin else Gpu()
    if small:
        preprocess_kernel.CACHE_BYTES = 1 << 20
    figures = Figures(options.out, options.minutes)
    figures.found['machine'] = machine.describe()
    figures.found['command'] = ' '.join(sys.argv)
    work = options.work or options.out.with_name(f'{options.out.name}.work')
    level = options.optimization_level
    yolo = copied_card(options.inputs / YOLO, work / YOLO, ('fp16', 'fp32'), level)
    scene = copied_card(SCENES, work / SCENE, ('fp32', 'fp16'), level)
    frames, rounds = (12, 3) if small else (options.frames, 200)
    sizes = ((64, 48), (96, 70)) if small else ((640, 480), (1920, 1080))

    figures.run(
        'preprocessing', 15,
        lambda: parts.kernel_part(
            machine, *(((160, 120), (64, 64)) if small else ((3840, 2160), (640, 640))), frames),
    )  # fmt: skip
    if build_and(figures, machine, yolo, 'fp16', options.out, 1 if small else 200):
        model = load_model(yolo)
        for size, over_ms in zip(sizes, (0.40, 1.0)):
            figures.run(
                f'pipeline fp16 {size[0]}x{size[1]}', 10,
                lambda s=size, over=over_ms: parts.pipeline_part(
                    machine, model, 'fp16', s, over, frames, 2 if small else ROUNDS),
            )  # fmt: skip
        figures.run(
            'pipeline fp16 at the pace of a camera', 35,
            lambda: parts.pace_part(
                machine, model, 'fp16', sizes[0], 30.0, 3 if small else 300),
        )  # fmt: skip
        figures.run(
            'pipeline fp16 beside busy processes', 15,
            lambda: parts.busy_part(machine, model, 'fp16', sizes[0], 3 if small else 300),
        )  # fmt: skip
        figures.run(
            'cold configure', 15, lambda: parts.cold_part(machine, model, 'fp16', 1 if small else 3)
        )
        figures.run(
            'allocations', 10,
            lambda: memory.allocation_part(
                machine, model, 'fp16', sizes if small else CHANGING, 1000 if not small else 20),
        )  # fmt: skip
        figures.run('profile', 5, lambda: parts.profile_part(machine, model, 'fp16', frames))
    references = gpu_references.read(options.inputs / REFERENCES)
    scenes = load_model(scene)
    if build_and(figures, machine, scene, 'fp32', options.out, 1 if small else 120):
        figures.run(
            'FP32 outputs', 5, lambda: parts.equality_part(machine, scenes, 'fp32', references)
        )
        figures.run('rounds', 40, lambda: memory.rounds_part(machine, scenes, 'fp32', rounds))
        if build_and(figures, machine, scene, 'fp16', options.out, 1 if small else 100):
            figures.run(
                'AP50 of FP16', 15,
                lambda: parts.precision_part(machine, scenes, ('fp16', 'fp32'), references),
            )  # fmt: skip
    more(figures, machine, options, sizes[0], frames)
    return figures


def more(figures: Figures, machine, options, size: tuple[int, int], frames: int) -> None:
    """Measure the models that were given, in the time that is left."""
    for given in options.also:
        place, _, variant = given.partition(':')
        folder = Path(place)
        model = load_model(folder)
        name = variant or model.variant().name
        if build_and(figures, machine, folder, name, options.out, 1 if options.twin else 200):
            figures.run(
                f'pipeline {model.card.name} {name}', 10,
                lambda m=model, v=name: parts.pipeline_part(machine, m, v, size, 0.40, frames),
            )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--prepare', type=Path, metavar='DIR', help='write the inputs and end')
    parser.add_argument('--inputs', type=Path, metavar='DIR', help='what --prepare wrote')
    parser.add_argument('--out', type=Path, default=Path('out/gpu_figures'), metavar='DIR')
    parser.add_argument('--work', type=Path, metavar='DIR',
                        help="for the models' cards (beside --out)")  # fmt: skip
    parser.add_argument('--engines', type=Path, metavar='DIR', help="an earlier run's --out")
    parser.add_argument('--also', action='append', default=[], metavar='FOLDER[:VARIANT]',
                        help="measure this variant too (the model's first)")  # fmt: skip
    parser.add_argument('--minutes', type=float, default=8.0, help='end in time (8)')
    parser.add_argument('--frames', type=int, default=400, help='of each measurement (400)')
    parser.add_argument('--optimization-level', type=int, choices=range(6), metavar='N')
    parser.add_argument('--network', type=int, nargs=2, default=(640, 640), metavar=('W', 'H'),
                        help='with --prepare: the size of the network (640 640)')  # fmt: skip
    parser.add_argument('--images', type=int, default=300,
                        help="with --prepare: how many of the recording's (300)")  # fmt: skip
    parser.add_argument('--twin', action='store_true', help='rehearse on the host twin')
    options = parser.parse_args()
    if options.prepare is not None:
        prepare(options.prepare, tuple(options.network), options.images)
        return 0
    if options.inputs is None:
        parser.error('give --inputs, which --prepare writes')
    if options.engines is not None:
        take(options.engines)
    try:
        figures = run_all(options)
    except JetsonInferError as error:
        sys.exit(str(error))
    print(as_table(figures.found))
    complete = all('verdicts' in p or 'folder' in p for p in figures.found['parts'].values())
    return 0 if complete else 1


if __name__ == '__main__':
    sys.exit(main())
