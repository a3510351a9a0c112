# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A ladder as JSON, and back: every value checked, every complaint naming file and key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from jetson_infer.core.fields import Fields, shown
from jetson_infer.core.ladder import (
    VERDICTS,
    DataUsed,
    Ladder,
    Measured,
    Quality,
    Recall,
    Rung,
    RungDigests,
    Times,
)
from jetson_infer.errors import CardError

__all__ = ['FORMAT', 'ladder_text', 'parse_ladder']

FORMAT = 1
ENGINES = ('tensorrt', 'onnxruntime')
_LARGEST_EXTENT = 65_535
_DIGESTS = ('onnx', 'reference', 'card', 'thresholds', 'engine')
_RUNG = (
    'variant', 'engine', 'engine_version', 'precision', 'size', 'verdict', 'failures', 'quality',
    'pipeline_ms', 'session_ms', 'energy_mj', 'device_memory_mb', 'digests',
)  # fmt: skip
_LADDER = (
    'format', 'model', 'measured', 'cost', 'validation', 'calibration', 'rungs', 'not_run', 'notes',
)  # fmt: skip


def ladder_text(ladder: Ladder) -> str:
    """Return the file's text; :func:`parse_ladder` reads it back as it was."""
    values = {
        'format': FORMAT,
        'model': ladder.model,
        'measured': asdict(ladder.measured),
        'cost': ladder.cost_kind,
        'validation': asdict(ladder.validation),
        'calibration': asdict(ladder.calibration) if ladder.calibration else None,
        'rungs': [asdict(rung) for rung in ladder.rungs],
        'not_run': dict(ladder.not_run),
        'notes': list(ladder.notes),
    }
    return json.dumps(values, indent=2, allow_nan=False) + '\n'


def parse_ladder(text: str, source: str) -> Ladder:
    """Read a ladder's file.

    :param source: the file, for messages.
    :raises CardError: if something in it cannot be, naming the file, the key and what is allowed.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CardError(source, '', f'is cut or no JSON: {error}; measure it again') from error
    fields = Fields(value, source, '', _LADDER)
    version = fields.raw('format')
    if version != FORMAT or isinstance(version, bool):
        raise fields.error('format', f'is {shown(version)}, and this version reads {FORMAT}')
    rungs = tuple(
        _rung(Fields(item, source, f'rungs[{index}]', _RUNG))
        for index, item in enumerate(fields.items('rungs'))
    )
    ladder = Ladder(
        model=fields.text('model'),
        rungs=rungs,
        not_run=_texts(fields, 'not_run'),
        measured=_measured(fields),
        validation=_data(fields, 'validation'),
        calibration=_data(fields, 'calibration') if _given(fields, 'calibration') else None,
        notes=_sentences(fields, 'notes'),
    )
    _check(ladder, fields)
    return ladder


def _check(ladder: Ladder, fields: Fields) -> None:
    """Refuse a ladder that contradicts itself."""
    names = [rung.variant for rung in ladder.rungs]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise fields.error('rungs', f'variant {shown(double)} stands there twice')
    if [rung.variant for rung in ladder.ordered().rungs] != names:
        raise fields.error('rungs', 'must stand in the order of quality, best first')
    fields.choice('cost', (ladder.cost_kind,))


def _rung(fields: Fields) -> Rung:
    verdict, failures = fields.choice('verdict', VERDICTS), _sentences(fields, 'failures')
    if (verdict == 'failed') != bool(failures):
        wanted = 'must say what' if verdict == 'failed' else 'must be empty, as it has not'
        raise fields.error('failures', f'{wanted} failed')
    return Rung(
        variant=fields.text('variant'),
        engine=fields.choice('engine', ENGINES),
        engine_version=fields.text('engine_version'),
        precision=fields.text('precision'),
        size=_size(fields),
        verdict=verdict,
        failures=failures,
        quality=_quality(fields),
        pipeline_ms=_times(fields, 'pipeline_ms'),
        session_ms=_times(fields, 'session_ms'),
        energy_mj=_amount(fields, 'energy_mj'),
        device_memory_mb=_amount(fields, 'device_memory_mb'),
        digests=_digests(fields),
    )


def _quality(parent: Fields) -> Quality:
    prefix = parent.path('quality')
    fields = Fields(
        parent.raw('quality'), parent.source, prefix, ('ap50', 'ap', 'ap50_ratio', 'recall')
    )
    classes = fields.raw('recall')
    if not isinstance(classes, Mapping):
        raise fields.error('recall', f'must be a mapping of classes, not {shown(classes)}')
    recall = {}
    for label, item in classes.items():
        one = Fields(item, parent.source, f'{prefix}.recall.{label}', ('value', 'ratio'))
        recall[label] = Recall(_share(one, 'value', 1.0), _share(one, 'ratio', 1e6))
    return Quality(
        ap50=fields.number('ap50', 0.0, 1.0),
        ap=fields.number('ap', 0.0, 1.0),
        ap50_ratio=fields.number('ap50_ratio', 0.0, 1e6),
        recall=recall,
    )


def _times(parent: Fields, key: str) -> Times:
    fields = Fields(parent.raw(key), parent.source, parent.path(key), ('p50', 'p95'))
    median = fields.number('p50', 0.0, 1e9)
    return Times(median, fields.number('p95', median, 1e9))


def _digests(parent: Fields) -> RungDigests:
    fields = Fields(parent.raw('digests'), parent.source, parent.path('digests'), _DIGESTS)
    return RungDigests(**{name: fields.text(name) for name in _DIGESTS})


def _measured(parent: Fields) -> Measured:
    keys = ('at', 'machine', 'command', 'frames')
    fields = Fields(parent.raw('measured'), parent.source, 'measured', keys)
    return Measured(
        at=fields.text('at'),
        machine=_texts(fields, 'machine'),
        command=fields.text('command'),
        frames=fields.integer('frames', 1, 10_000_000),
    )


def _data(parent: Fields, key: str) -> DataUsed:
    keys = ('name', 'part', 'images', 'digest', 'truth')
    fields = Fields(parent.raw(key), parent.source, key, keys)
    return DataUsed(
        name=fields.text('name'),
        part=fields.text('part'),
        images=fields.integer('images', 1, 1_000_000_000),
        digest=fields.text('digest'),
        truth=_maybe_empty(fields, 'truth'),
    )


def _size(fields: Fields) -> tuple[int, int]:
    value = fields.items('size', 2)
    if len(value) != 2:
        raise fields.error('size', f'must be [width, height], not {shown(value)}')
    width, height = (
        fields.as_integer(f'size[{index}]', item, 1, _LARGEST_EXTENT)
        for index, item in enumerate(value)
    )
    return width, height


def _given(fields: Fields, key: str) -> bool:
    """Tell whether there is a value; a key that is missing is an error, null is none."""
    try:
        fields.raw(key)
    except CardError:
        if fields.has(key):
            return False
        raise
    return True


def _amount(fields: Fields, key: str) -> float | None:
    return fields.number(key, 0.0, 1e12) if _given(fields, key) else None


def _share(fields: Fields, key: str, most: float) -> float | None:
    return fields.number(key, 0.0, most) if _given(fields, key) else None


def _maybe_empty(fields: Fields, key: str) -> str:
    value = fields.raw(key)
    if not isinstance(value, str):
        raise fields.error(key, f'must be text, not {shown(value)}')
    return value


def _sentences(fields: Fields, key: str) -> tuple[str, ...]:
    items = fields.items(key, 0)
    return tuple(fields.as_text(f'{key}[{index}]', item) for index, item in enumerate(items))


def _texts(fields: Fields, key: str) -> dict[str, str]:
    value: Any = fields.raw(key)
    if not isinstance(value, Mapping):
        raise fields.error(key, f'must be a mapping of texts, not {shown(value)}')
    return {name: fields.as_text(f'{key}.{name}', item) for name, item in value.items()}
