# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How long a build may take, from how long earlier ones took."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.engine_key import EngineKey

__all__ = ['ExpectedTime', 'duration', 'expected_time']


@dataclass(frozen=True)
class ExpectedTime:
    """A guess, and what it rests on.

    :param seconds: the median of earlier builds.
    :param basis: which builds these are, for a person.
    """

    seconds: float
    basis: str

    def __str__(self) -> str:
        return f'about {duration(self.seconds)}, as {self.basis}'


def expected_time(built: Iterable[CachedEngine], key: EngineKey) -> ExpectedTime | None:
    """Guess from the engines in the cache how long one of a key takes to build.

    A build of the same network on the same kind of GPU is taken, the likest first; one on another
    GPU tells nothing.

    :return: None if there is none.
    """
    here = [
        engine
        for engine in built
        if engine.key.gpu == key.gpu
        and engine.key.multiprocessors == key.multiprocessors
        and engine.key.onnx_digest == key.onnx_digest
        and _seconds(engine) is not None
    ]
    likeness: tuple[tuple[str, Callable[[CachedEngine], bool]], ...] = (
        ('this engine took before', lambda engine: engine.key == key),
        (
            f'this network took in {key.precision} with this TensorRT',
            lambda engine: (
                (engine.key.precision, engine.key.tensorrt) == (key.precision, key.tensorrt)
            ),
        ),
        (
            f'this network took in {key.precision} with another TensorRT',
            lambda engine: engine.key.precision == key.precision,
        ),
        ('this network took in another precision', lambda engine: True),
    )
    for basis, alike in likeness:
        seconds = [_seconds(engine) or 0.0 for engine in here if alike(engine)]
        if seconds:
            return ExpectedTime(median(seconds), basis)
    return None


def duration(seconds: float) -> str:
    """Return a time for a person: ``'8 s'``, ``'2 min 52 s'``, ``'1 h 5 min'``."""
    total = round(seconds)
    if total < 60:
        return f'{total} s'
    if total < 3600:
        return f'{total // 60} min {total % 60} s'
    return f'{total // 3600} h {total % 3600 // 60} min'


def _seconds(engine: CachedEngine) -> float | None:
    seconds = engine.build.get('seconds')
    return float(seconds) if isinstance(seconds, (int, float)) and seconds >= 0 else None
