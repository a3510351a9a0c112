# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The key of an engine: everything that can make it wrong for a machine or a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from jetson_infer.core.shape_profiles import ShapeProfile
from jetson_infer.errors import EngineError

__all__ = ['EngineKey']

_FORMAT = 1
_SHOWN_DIGITS = 12
_TITLES = {
    'onnx_digest': 'ONNX file',
    'tensorrt': 'TensorRT',
    'gpu': 'GPU',
    'compute_capability': 'compute capability',
    'multiprocessors': 'multiprocessors of the GPU',
    'precision': 'precision asked for',
    'profiles': 'shape profiles',
    'flags': 'flags',
    'dla_core': 'DLA core',
    'calibration_digest': 'calibration data',
}


@dataclass(frozen=True, eq=False)
class EngineKey:
    """What an engine was built from, for and how; two engines of one key are interchangeable.

    :param onnx_digest: SHA-256 of the ONNX file and its external data, in hex.
    :param tensorrt: the full version of TensorRT; a plan runs in no other.
    :param gpu: the GPU's name.
    :param compute_capability: its major and minor compute capability.
    :param multiprocessors: how many it has; boards of one family share name and capability.
    :param precision: the precision asked for; the one found is told beside the engine.
    :param profiles: the shapes that it was built for; empty for a network of fixed shapes.
    :param flags: the builder's other settings, by name; values that JSON has.
    :param dla_core: the deep learning accelerator that it was built for, or None.
    :param calibration_digest: SHA-256 of the data that a quantized file was calibrated with, as the
        file tells; empty where it does not.
    """

    onnx_digest: str
    tensorrt: str
    gpu: str
    compute_capability: tuple[int, int]
    multiprocessors: int
    precision: str
    profiles: tuple[ShapeProfile, ...] = ()
    flags: Mapping[str, Any] = field(default_factory=dict)
    dla_core: int | None = None
    calibration_digest: str = ''

    def __post_init__(self) -> None:
        object.__setattr__(self, 'compute_capability', tuple(self.compute_capability))
        object.__setattr__(self, 'profiles', tuple(self.profiles))
        # As JSON gives it back: a tuple and a list of the same values are the same flag.
        object.__setattr__(self, 'flags', json.loads(json.dumps(dict(self.flags), sort_keys=True)))

    def __eq__(self, other: object) -> bool:
        # By what is written: True and 1 are two values of a flag, though equal in Python.
        return isinstance(other, EngineKey) and self.digest() == other.digest()

    def __hash__(self) -> int:
        return hash(self.digest())

    def digest(self) -> str:
        """Return the key's SHA-256 in hex: equal for equal keys alone."""
        text = json.dumps({'format': _FORMAT, **self.to_json()}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def differences(self, wanted: EngineKey) -> list[str]:
        """Name what differs, this key's side first.

        :param wanted: the key of the engine that is asked for.
        :return: one text a field, such as ``TensorRT: built for 8.6.1, wanted 10.3.0``; empty for
            equal keys.
        """
        found = []
        for name, title in _TITLES.items():
            own, other = getattr(self, name), getattr(wanted, name)
            if name == 'flags':
                found += _flag_differences(own, other)
            elif own != other:
                built, asked = _shown(name, own), _shown(name, other)
                found.append(f'{title}: built for {built}, wanted {asked}')
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the key as what :mod:`json` writes."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values['compute_capability'] = list(self.compute_capability)
        values['profiles'] = [profile.to_json() for profile in self.profiles]
        return values

    @classmethod
    def from_json(cls, value: object) -> EngineKey:
        """Read what :meth:`to_json` made.

        :raises EngineError: if it is something else.
        """
        try:
            values: dict[str, Any] = dict(value)  # type: ignore[call-overload] # checked by trying
            values['profiles'] = tuple(ShapeProfile.from_json(p) for p in values['profiles'])
            key = cls(**values)
            if key.to_json() != value:
                raise ValueError('a field of another type')
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EngineError(f"is not an engine's key: {error!r}") from error
        return key

    def __str__(self) -> str:
        major, minor = self.compute_capability
        return (
            f'{self.precision} for {self.gpu} (compute capability {major}.{minor}), TensorRT '
            f'{self.tensorrt}, key {self.digest()[:_SHOWN_DIGITS]}'
        )


def _shown(name: str, value: Any) -> str:
    if name.endswith('_digest'):
        return f'SHA-256 {value[:_SHOWN_DIGITS]}...' if value else 'none'
    if name == 'compute_capability':
        return '.'.join(map(str, value))
    if name == 'profiles':
        return ' | '.join(map(str, value)) if value else 'fixed shapes'
    return 'none' if value is None else str(value)


def _flag_differences(own: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [
        f'{name}: built with {_flag(own, name)}, wanted {_flag(other, name)}'
        for name in sorted({*own, *other})
        if _flag(own, name) != _flag(other, name)
    ]


def _flag(flags: Mapping[str, Any], name: str) -> str:
    return json.dumps(flags[name], sort_keys=True) if name in flags else 'no such flag'
