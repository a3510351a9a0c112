# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a verdict is about: everything whose change makes it void."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass
from typing import Any

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.models import Model
from jetson_infer.engines.onnx_file import read_onnx
from jetson_infer.engines.onnxruntime.version import version

__all__ = ['EngineIdentity', 'VerdictKey', 'is_reference', 'make_verdict_key']

_TITLES = {
    'model': 'the model',
    'variant': 'the variant',
    'onnx': 'its ONNX file',
    'reference': "the reference's ONNX file",
    'card': 'input, output or labels in the card',
    'thresholds': 'its thresholds',
}
_ENGINE_TITLES = {
    'kind': 'the engine',
    'version': "the engine's version",
    'machine': "the processor's kind",
    'key': "the engine's key",
    'plan': 'the engine, which was built anew',
}


@dataclass(frozen=True)
class EngineIdentity:
    """An engine as far as it may change what comes out of a network.

    :param kind: ``tensorrt`` or ``onnxruntime``.
    :param version: its full version.
    :param machine: the processor's kind, on whose instructions an engine on the CPU depends; empty
        for TensorRT, whose key tells the GPU.
    :param key: with TensorRT, the digest of the engine's key.
    :param plan: with TensorRT, the SHA-256 of the plan: another build of the same key may choose
        other kernels.
    """

    kind: str
    version: str
    machine: str = ''
    key: str = ''
    plan: str = ''

    @classmethod
    def of(cls, cached: CachedEngine | None) -> EngineIdentity:
        """Return the identity of a TensorRT engine, or, without one, of ONNX Runtime here.

        :raises MissingDependencyError: if ONNX Runtime is asked for and not installed.
        """
        if cached is None:
            return cls('onnxruntime', version(), machine=platform.machine())
        return cls(
            'tensorrt', cached.key.tensorrt, key=cached.key.digest(), plan=cached.plan_digest
        )

    def __str__(self) -> str:
        return f'{self.kind} {self.version}'


@dataclass(frozen=True)
class VerdictKey:
    """What was validated.

    :param model: the model's name.
    :param variant: the variant's name.
    :param onnx: SHA-256 of the variant's ONNX file and its external data, in hex.
    :param reference: that of the reference.
    :param card: SHA-256 of what the card says of input, output, labels and the variant's size.
    :param thresholds: SHA-256 of the thresholds.
    :param engine: what ran it.
    """

    model: str
    variant: str
    onnx: str
    reference: str
    card: str
    thresholds: str
    engine: EngineIdentity

    def digest(self) -> str:
        """Return the key's SHA-256 in hex: equal for equal keys alone."""
        return _digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the key as JSON has it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> VerdictKey:
        """Read what :meth:`to_json` made.

        :raises ValueError: if it is something else.
        """
        try:
            engine = EngineIdentity(**value['engine'])
            return cls(**{**value, 'engine': engine})
        except (KeyError, TypeError) as error:
            raise ValueError(f"is no verdict's key: {error!r}") from error

    def differences(self, wanted: VerdictKey) -> list[str]:
        """Name what has changed from this key to another, each as a noun phrase."""
        found = [
            title for name, title in _TITLES.items() if getattr(self, name) != getattr(wanted, name)
        ]
        for name, title in _ENGINE_TITLES.items():
            before, after = getattr(self.engine, name), getattr(wanted.engine, name)
            if before != after:
                found.append(f'{title} ({before}, now {after})' if name == 'version' else title)
        return found


def is_reference(model: Model, variant: VariantCard, cached: CachedEngine | None) -> bool:
    """Tell whether this is what variants are held against: the first one, FP32, on ONNX Runtime.

    So is a variant under another name that is the same file at the same size.
    """
    first = model.card.variants[0]
    return (
        cached is None
        and first.precision == variant.precision == 'fp32'
        and variant.size == first.size
        and model.files[variant.name] == model.files[first.name]
    )


def make_verdict_key(model: Model, variant: VariantCard, engine: EngineIdentity) -> VerdictKey:
    """Return what a verdict on a variant has to be about, as the files are now.

    :raises ModelError: if an ONNX file cannot be read.
    """
    card = model.card
    first = card.variants[0]
    output = asdict(card.output)
    output.pop('source')
    thresholds = variant.depth_validation if card.task == 'depth' else variant.validation
    return VerdictKey(
        model=card.name,
        variant=variant.name,
        onnx=read_onnx(model.files[variant.name]).digest,
        reference=read_onnx(model.files[first.name]).digest,
        card=_digest([asdict(card.input), output, card.labels, variant.size, first.size]),
        thresholds=thresholds.digest(),
        engine=engine,
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
