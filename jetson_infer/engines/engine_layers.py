# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The layers of a built engine, and the precision that is found in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ['EngineLayer', 'LayerTensor', 'PrecisionFound']

ORDER = ('fp4', 'int4', 'fp8', 'int8', 'bf16', 'fp16', 'fp32')
"""Precisions by their number of bits; the order in which they are named."""
SHOWN = 3


@dataclass(frozen=True)
class LayerTensor:
    """An input or output of a layer.

    :param name: its name in the engine.
    :param precision: one of :data:`ORDER`, or another type's name such as ``int32``; empty where
        the inspector does not tell.
    :param shape: its dimensions; -1 where dynamic.
    :param layout: how it lies in memory, in TensorRT's words.
    """

    name: str
    precision: str
    shape: tuple[int, ...]
    layout: str


@dataclass(frozen=True)
class EngineLayer:
    """One layer of a built engine, often several of the network's nodes in one.

    :param name: TensorRT's name for it, made of its nodes' names.
    :param kind: TensorRT's word for what it is: ``CaskConvolution``, ``Reformat``, ``Myelin``.
    :param precision: what it computes in: one of :data:`ORDER`; empty where nothing is computed,
        or the inspector does not tell.
    :param tactic: the kernel that was chosen; empty where not told.
    :param dla: whether the DLA runs it.
    :param nodes: the names of the ONNX file's nodes in it; empty where not told.
    """

    name: str
    kind: str
    precision: str
    inputs: tuple[LayerTensor, ...] = ()
    outputs: tuple[LayerTensor, ...] = ()
    tactic: str = ''
    dla: bool = False
    nodes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a value for :mod:`json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EngineLayer:
        """Read what :meth:`to_json` made."""
        tensors = {
            side: tuple(LayerTensor(**{**t, 'shape': tuple(t['shape'])}) for t in value[side])
            for side in ('inputs', 'outputs')
        }
        return cls(**{**value, **tensors, 'nodes': tuple(value.get('nodes', ()))})


@dataclass(frozen=True)
class PrecisionFound:
    """The precision found in an engine, beside the one that was asked for.

    :param asked: ``fp32``, ``fp16``, ``int8`` or ``mixed``.
    :param counts: computing layers by precision.
    :param above: names of computing layers in a higher precision than was asked for.
    """

    asked: str
    counts: Mapping[str, int]
    above: tuple[str, ...] = ()

    @classmethod
    def of(cls, asked: str, layers: Iterable[EngineLayer]) -> PrecisionFound:
        """Count the layers that compute."""
        computing = [layer for layer in layers if layer.precision in ORDER]
        counts = Counter(layer.precision for layer in computing)
        limit = {'fp32': 'fp32', 'fp16': 'fp16'}.get(asked, 'int8')
        above = [
            layer.name for layer in computing if ORDER.index(layer.precision) > ORDER.index(limit)
        ]
        return cls(
            asked, dict(sorted(counts.items(), key=lambda kv: ORDER.index(kv[0]))), tuple(above)
        )

    @property
    def found(self) -> str:
        """The precision for a person: ``'fp16'``, ``'int8+fp16'``; ``'unknown'`` if not told."""
        return '+'.join(self.counts) or 'unknown'

    @property
    def is_missing(self) -> bool:
        """Whether no layer has the precision that was asked for."""
        if self.asked == 'mixed':
            return self.counts.keys() <= {'fp32'} and bool(self.counts)
        return bool(self.counts) and self.asked not in self.counts

    def __str__(self) -> str:
        if not self.counts:
            return f'{self.asked} asked for; the engine does not tell what its layers compute in'
        counts = ', '.join(f'{count} in {name}' for name, count in self.counts.items())
        text = f'{self.asked} asked for; found {self.found} (layers: {counts})'
        if self.is_missing:
            return f'{text}: no layer has what was asked for'
        if self.above and self.asked in ('fp16', 'int8'):
            more = len(self.above) - SHOWN
            names = ', '.join(self.above[:SHOWN]) + (f' and {more} more' if more > 0 else '')
            text += f'; above {self.asked}: {names}'
        return text
