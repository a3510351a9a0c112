# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Making a ladder, step by step; every step that has ended is kept, whatever ends the next one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.ladder import DataUsed, Ladder, Measured
from jetson_infer.engines.build_target import FoundTarget, find_target
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.ladders import write_ladder
from jetson_infer.engines.models import Model, load_model
from jetson_infer.engines.select import choose_engine
from jetson_infer.engines.tensorrt.build_process import BUILDER
from jetson_infer.engines.verdicts import StoredVerdict, VerdictStore
from jetson_infer.errors import EngineBuildError, JetsonInferError, ModelError
from jetson_infer.toolchain.dataset import Dataset
from jetson_infer.toolchain.ladder.build import build_engine
from jetson_infer.toolchain.ladder.measure import Costs, measure_costs, some_images
from jetson_infer.toolchain.ladder.picture import draw_front
from jetson_infer.toolchain.ladder.plan import (
    Images,
    Step,
    held_verdict,
    is_rung_of_reference,
    plan_steps,
)
from jetson_infer.toolchain.ladder.progress import LadderReport, QuantizeProgress
from jetson_infer.toolchain.ladder.rungs import Found, compare_alone, make_rung
from jetson_infer.toolchain.ladder.split import Part
from jetson_infer.toolchain.ladder.workspace import MadeFrom, Source, record_file, sources_of
from jetson_infer.toolchain.quantize.job import QuantizeSettings, quantize
from jetson_infer.toolchain.quantize.write import files_of, write_in_place
from jetson_infer.toolchain.report.machine import describe_machine
from jetson_infer.toolchain.validate.collect import Data, read_data
from jetson_infer.toolchain.validate.validation import Validator

__all__ = ['LadderSettings', 'Made', 'make_ladder']

_ROOM = 4
"""Quantizing writes about two files of the size of the one that it reads, and drafts of them."""


@dataclass(frozen=True)
class LadderSettings:
    """What is asked for.

    :param engine: ``tensorrt`` or ``onnxruntime``; see :func:`~.plan.choose_engine_kind`.
    :param quantize: how to quantize.
    :param frames: validate on so many images, spread evenly; None for all.
    :param measured_frames: measure each rung's times over so many frames.
    :param threads: CPU threads of an engine on the CPU; 0 for automatic, as in a node.
    :param command: the command line, for whoever wants to do it again.
    :param builder: what builds TensorRT engines, as ``module:function``.
    """

    engine: str
    quantize: QuantizeSettings = field(default_factory=QuantizeSettings)
    frames: int | None = None
    measured_frames: int = 100
    threads: int = 0
    command: str = ''
    builder: str = BUILDER


@dataclass(frozen=True)
class Made:
    """What came of it.

    :param ladder: the ladder, as it was written.
    :param model: the model with all its variants.
    :param file: the ladder's file.
    :param not_quantized: what could not be quantized, by the source's name, with the reason.
    """

    ladder: Ladder
    model: Model
    file: Path
    not_quantized: Mapping[str, str]


def make_ladder(
    work: Model,
    images: Images,
    settings: LadderSettings,
    report: LadderReport,
    store: VerdictStore | None = None,
) -> Made:
    """Make a model's ladder and write it into the model's folder.

    A variant that cannot be quantized, built or run does not keep the others from it.

    :param work: the model, which gets the new variants and the ladder.
    :param images: of :func:`~.plan.choose_images`.
    :param report: told of every step.
    :param store: where verdicts are kept.
    :raises RecordingError: if the images are too few, or the reference finds nothing in them.
    :raises JetsonInferError: if the reference cannot be run, or something cannot be written.
    """
    return _Job(work, images, settings, report, store or VerdictStore()).run()


class _Job:
    def __init__(
        self,
        work: Model,
        images: Images,
        settings: LadderSettings,
        report: LadderReport,
        store: VerdictStore,
    ) -> None:
        self._model = work
        self._images = images
        self._settings = settings
        self._report = report
        self._store = store
        self._found = FoundTarget(None, None)
        self._engines: dict[str, CachedEngine] = {}
        self._not_quantized: dict[str, str] = {}
        self._not_run: dict[str, str] = {}
        self._notes: list[str] = []
        self._number, self._total = 0, 0
        self._digest = ''

    def run(self) -> Made:
        settings, labels = self._settings, self._model.card.labels
        if settings.engine == 'tensorrt':
            self._found = find_target()
        data = read_data(self._images.validation, labels, settings.frames)
        self._store.check_writable(self._model.card.name)
        self._digest = data.digest
        steps = plan_steps(self._model, settings.engine, self._store, data.digest)
        self._total = len(steps)
        for source in sources_of(self._model):
            step = next(s for s in steps if str(s) == f'quantize {source.variant.name}')
            self._take(step, partial(self._quantize, source))
        if settings.engine == 'tensorrt':
            for variant in self._model.card.variants:
                self._take(Step('build', variant.name), partial(self._build, variant))
        # After quantizing: the verdicts' keys are made of the model with all its variants.
        validator = Validator(self._model, data, self._store, self._told)
        found: dict[str, Found] = {}
        for variant in self._model.card.variants:
            if variant.name not in self._not_run:
                self._take(
                    Step('validate', variant.name),
                    partial(self._validate, variant, validator, found),
                )
        if not found:
            told = '; '.join(f'{name}: {why}' for name, why in self._not_run.items())
            raise ModelError(f'{self._model.folder}: none of its variants can be run: {told}')
        costs = self._measure(validator.data, found)
        figures = next((each.figures for each in found.values() if each.figures), None)
        return self._write(
            validator.data, found, costs, figures or compare_alone(self._model, validator)
        )

    def _take(self, step: Step, work: Callable[[], str]) -> None:
        """Do a step, unless it is done, and tell what came of it."""
        self._number += 1
        self._report.begin(step, self._number, max(self._total, self._number))
        self._report.end(step.done or work())

    def _told(self, what: str, done: int, total: int) -> None:
        self._report.progress(done / max(total, 1), what)

    def _quantize(self, source: Source) -> str:
        """Quantize a variant of full precision, and write what is made of it."""
        dataset = self._images.calibration
        newest = int((self._found.tensorrt or '0').partition('.')[0]) >= 11
        settings = replace(self._settings.quantize, strongly_typed=newest)
        if dataset is None:
            return 'nothing to calibrate with'
        variant, name = source.variant, source.variant.name
        self._check_room(variant)
        made = MadeFrom.of(self._model.files[name], dataset, self._images.whole, asdict(settings))
        progress = QuantizeProgress(self._report.progress)
        try:
            result = quantize(self._model, variant, dataset, settings, progress.show)
        except (ModelError, EngineBuildError) as error:
            self._not_quantized[name] = str(error)
            return f'cannot be quantized: {error}'
        kinds = {*source.missing, *(['mixed_trt11'] if newest else [])}
        files = files_of(self._model, variant, result, kinds)
        # In front of the card, which comes last and makes variants of the files.
        files = {record_file(name): made.content(), **files}
        before = {each.name for each in self._model.card.variants}
        self._model = write_in_place(self._model, files)
        added = [each.name for each in self._model.card.variants if each.name not in before]
        self._notes += [f'{name}: {note}' for note in result.notes]
        return f'wrote {", ".join(added)}'

    def _check_room(self, variant: VariantCard) -> None:
        """Say that the disk is full before a minute of work, not after."""
        needed = _ROOM * self._model.files[variant.name].stat().st_size
        free = shutil.disk_usage(self._model.folder).free
        if free < needed:
            raise ModelError(
                f'{self._model.folder}: {free / 1e6:.1f} MB are free there, and the quantized '
                f'variants of {variant.name} may need {needed / 1e6:.1f} MB. Make room, or name '
                'another folder with --out'
            )

    def _build(self, variant: VariantCard) -> str:
        try:
            engine, new = build_engine(
                self._model, variant, self._found, self._settings.builder, self._report.progress
            )
        except JetsonInferError as error:
            self._not_run[variant.name] = str(error)
            return f'cannot be built: {error}'
        self._engines[variant.name] = engine
        return 'built' if new else 'the engine is there'

    def _validate(self, variant: VariantCard, validator: Validator, found: dict[str, Found]) -> str:
        """Compare a variant with the reference, or take the verdict that still holds."""
        settings, cached = self._settings, self._engines.get(variant.name)
        if is_rung_of_reference(self._model, variant, settings.engine):
            found[variant.name] = Found(variant, None, None, cached)
            return self._run_reference(validator)
        held = self._held(variant)
        try:
            if held is None:
                choice = choose_engine(self._model, variant, settings.engine)
                result = validator.validate(variant, choice)
                verdict, figures = result.verdict, result.comparison.to_json()
            else:
                verdict, figures = held.verdict, dict(held.figures)
        except JetsonInferError as error:
            if variant == self._model.card.variants[0]:
                raise
            self._not_run[variant.name] = str(error)
            return f'cannot be run: {error}'
        found[variant.name] = Found(variant, verdict, figures, cached)
        what = 'passed' if verdict.passed else 'FAILED: ' + verdict.failures[0].sentence
        return what if held is None else f'{what} at {held.at}, which still holds'

    def _run_reference(self, validator: Validator) -> str:
        """Run the reference if something is to be compared with it, in a step of its own."""
        engine = self._settings.engine
        others = [
            each
            for each in self._model.card.variants
            if not is_rung_of_reference(self._model, each, engine) and self._held(each) is None
        ]
        if not others:
            return 'the reference, held to nothing'
        return f'the reference, run on {len(validator.reference.detections)} images'

    def _held(self, variant: VariantCard) -> StoredVerdict | None:
        """Return the verdict of an earlier run that still holds."""
        engine = self._settings.engine
        return held_verdict(self._model, variant, engine, self._store, self._digest)

    def _measure(self, data: Data, found: Mapping[str, Found]) -> list[Costs]:
        costs: list[Costs] = []

        def work() -> str:
            settings = self._settings
            images = some_images(self._model, data.dataset, data.indices)
            measured, why_none = measure_costs(
                self._model,
                [each.variant for each in found.values()],
                settings.engine,
                images,
                settings.measured_frames,
                settings.threads,
                lambda done, total: self._told('all variants in turn', done, total),
            )
            costs.extend(measured)
            if why_none:
                self._notes.append(f'no energy was measured: {why_none}')
            return f'{len(costs)} variants, {settings.measured_frames} frames each'

        self._take(Step('measure'), work)
        return costs

    def _write(
        self,
        data: Data,
        found: Mapping[str, Found],
        costs: Sequence[Costs],
        figures: Mapping[str, Any],
    ) -> Made:
        rungs = tuple(
            make_rung(self._model, each, cost, figures) for each, cost in zip(found.values(), costs)
        )
        ladder = Ladder(
            model=self._model.card.name,
            rungs=rungs,
            not_run=dict(self._not_run),
            measured=Measured(
                at=datetime.now(timezone.utc).isoformat(timespec='seconds'),
                machine=self._machine(),
                command=self._settings.command or 'jetson-infer ladder',
                frames=self._settings.measured_frames,
            ),
            validation=_used(data.dataset, len(data.indices), data.digest, data.truth_kind),
            calibration=_calibration(self._images.calibration),
            notes=(*data.notes, *self._notes),
        ).ordered()
        written: list[Path] = []

        def work() -> str:
            written.append(write_ladder(self._model.folder, ladder, draw_front(ladder)))
            return str(written[0])

        self._take(Step('write'), work)
        return Made(ladder, load_model(self._model.folder), written[0], self._not_quantized)

    def _machine(self) -> dict[str, str]:
        machine = describe_machine()
        if self._found.device is not None:
            machine['GPU'] = self._found.device.name
        return machine


def _calibration(dataset: Dataset | None) -> DataUsed | None:
    return None if dataset is None else _used(dataset, dataset.count, dataset.digest)


def _used(dataset: Dataset, images: int, digest: str, truth: str = '') -> DataUsed:
    if isinstance(dataset, Part):
        part = str(dataset)
    else:
        part = 'all images' if images == dataset.count else f'{images} of {dataset.count} images'
    return DataUsed(dataset.path.name, part, images, digest, truth)
