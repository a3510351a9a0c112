# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured: a model, on an engine, on images of a kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.engines.select import ENGINES
from jetson_infer.errors import JetsonInferError

__all__ = ['SYNTHETIC', 'BenchError', 'BenchSetting', 'parse_size']

SYNTHETIC = ('size', 'encoding')
"""What is chosen of synthetic images only."""

_SIZE = re.compile('([0-9]{1,5})x([0-9]{1,5})')


class BenchError(JetsonInferError):
    """A measurement cannot be made as asked."""


@dataclass(frozen=True)
class BenchSetting:
    """One thing to measure.

    :param model: a model's name or folder.
    :param variant: one of its variants, or ``auto``.
    :param engine: one of :data:`~jetson_infer.engines.select.ENGINES`.
    :param threads: CPU threads of an engine on the CPU; 0 for automatic.
    :param size: width and height of synthetic images, in pixels.
    :param encoding: of synthetic images, as ROS names it.
    :param recording: a recording's name or path, whose camera images are taken instead of
        synthetic ones; empty for those.
    """

    model: str = 'scene_detector'
    variant: str = 'auto'
    engine: str = 'auto'
    threads: int = 1
    size: tuple[int, int] = (640, 480)
    encoding: str = 'bgr8'
    recording: str = ''

    @property
    def images(self) -> str:
        """What images these are, for a person."""
        if self.recording:
            return f'recording {Path(self.recording).name}'
        return f'{_shown(self.size)} {self.encoding}'

    def changed(self, text: str) -> BenchSetting:
        """Return this setting with changes such as ``threads=2,size=1920x1080``.

        :raises BenchError: if a key is unknown or a value cannot be.
        """
        values: dict[str, object] = {}
        for part in filter(None, (part.strip() for part in text.split(','))):
            key, equals, value = (piece.strip() for piece in part.partition('='))
            if key not in _READERS or not equals or not value:
                raise BenchError(
                    f'{part!r} is no change of a setting; give KEY=VALUE, several with commas '
                    f'between them; keys: {", ".join(_READERS)}'
                )
            values[key] = _READERS[key](value)
        if not values:
            raise BenchError(f'{text!r} changes nothing; keys: {", ".join(_READERS)}')
        recording = values.get('recording', self.recording)
        synthetic = [key for key in SYNTHETIC if key in values]
        if recording and synthetic:
            raise BenchError(
                f"the images of the recording '{recording}' have a size and an encoding of their "
                f'own; leave {" and ".join(synthetic)} out, or the recording'
            )
        return replace(self, **values)  # type: ignore[arg-type] # read by key, above

    def difference(self, other: BenchSetting) -> str:
        """Return in what this one differs from another, as ``key=value, ...``; else ``same``."""
        mine, theirs = asdict(self), asdict(other)
        parts = [f'{key}={_shown(mine[key])}' for key in mine if mine[key] != theirs[key]]
        return ', '.join(parts) or 'same'

    def as_dict(self) -> dict[str, object]:
        """Return the values for a program, the size as ``WxH``, and what images these are."""
        values = {key: _shown(value) for key, value in asdict(self).items()}
        return {**values, 'images': self.images}


def parse_size(text: str) -> tuple[int, int]:
    """Read ``640x480``.

    :raises BenchError: if it is not a width and a height of at least 2 pixels.
    """
    match = _SIZE.fullmatch(text)
    if match is None or min(size := (int(match[1]), int(match[2]))) < 2:
        raise BenchError(f'{text!r} is no image size; give WIDTHxHEIGHT in pixels: 640x480')
    return size


def _threads(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 256:
        raise BenchError(f'threads={text}: give a number from 0 (automatic) to 256')
    return int(text)


def _choice(what: str, choices: Mapping[str, object]):  # type: ignore[no-untyped-def]
    def read(text: str) -> str:
        if text not in choices:
            raise BenchError(f'{what}={text}: there is none such; there are {", ".join(choices)}')
        return text

    return read


def _shown(value: object) -> object:
    return 'x'.join(map(str, value)) if isinstance(value, tuple) else value


_READERS = {
    'model': str,
    'variant': str,
    'engine': _choice('engine', dict.fromkeys(ENGINES)),
    'threads': _threads,
    'size': parse_size,
    'encoding': _choice('encoding', ENCODINGS),
    'recording': str,
}
