# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Point cloud messages as NumPy views: checked, and copied only where their bytes demand it.

Whatever a `sensor_msgs/PointCloud2` can lie about is found here, before anything is computed from
it.  Fields are read by the offsets, datatypes and byte order that the message itself gives.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from jetson_infer.errors import FrameRejected

if TYPE_CHECKING:
    import array

    Buffer = bytes | bytearray | memoryview | array.array[int] | npt.NDArray[np.uint8]

__all__ = ['COORDINATES', 'CloudView', 'PointField', 'Points', 'wrap_cloud']

COORDINATES = ('x', 'y', 'z')
_DATATYPES = ('i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'f4', 'f8')  # PointField's 1 to 8
_PADDING = ('', '_')  # names that PCL and drivers give to bytes that mean nothing
_PAGE_BYTES = 4096

_Field = tuple[str, int, int, int]  # name, offset, datatype, count


class PointField(Protocol):
    """What a `sensor_msgs/PointField` has."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def offset(self) -> int: ...  # noqa: D102

    @property
    def datatype(self) -> int: ...  # noqa: D102

    @property
    def count(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class Points:
    """Points as numbers.

    :param values: float32 ``(N, C)``; read-only and a view on the message's bytes where these lie
        as the columns do, else a copy.
    :param names: the columns' fields.
    :param dropped: how many points of the message were left out since a value is not finite.
    """

    values: npt.NDArray[np.float32]
    names: tuple[str, ...]
    dropped: int


@dataclass(frozen=True)
class CloudView:
    """A cloud, as a read-only view on somebody else's bytes.

    :param points: structured ``(height, width)``, one field a field of the message, in the
        sender's byte order; rows may lie apart.
    """

    points: npt.NDArray[Any]

    @property
    def count(self) -> int:
        """How many points the message has, those included that are not finite."""
        return int(self.points.size)

    @property
    def names(self) -> tuple[str, ...]:
        """The fields' names; none in a cloud without points."""
        return self.points.dtype.names or ()

    def columns(self, names: Sequence[str] = COORDINATES) -> Points:
        """Return the points whose values are finite, in the message's order.

        Every value is looked at, whether or not the message claims to be dense.

        :param names: the fields that are wanted, one column each.
        :raises FrameRejected: ``missing_field``, or ``bad_field`` where a field has several values.
        """
        if not self.count:
            return Points(np.empty((0, len(names)), np.float32), tuple(names), 0)
        for name in names:
            self._check_column(name)
        values = self._view(names)
        if values is None:
            values = np.empty((self.count, len(names)), np.float32)
            with np.errstate(over='ignore', invalid='ignore'):
                for column, name in enumerate(names):
                    values[:, column] = self.points[name].reshape(-1)
        if _all_finite(values):
            return Points(values, tuple(names), 0)
        finite = np.isfinite(values).all(axis=1)
        dropped = self.count - int(np.count_nonzero(finite))
        return Points(values[finite], tuple(names), dropped)

    def _check_column(self, name: str) -> None:
        if name not in self.names:
            raise FrameRejected(
                'missing_field', f"the cloud has no field '{name}'; it has {', '.join(self.names)}"
            )
        shape = self.points.dtype[name].shape
        if shape:
            raise FrameRejected(
                'bad_field', f"the cloud's field '{name}' has {shape[0]} values a point, not one"
            )

    def _view(self, names: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Return the columns without a copy, or None if the bytes do not lie so."""
        if any(self.points.dtype[name] != np.dtype(np.float32) for name in names):
            return None
        offsets = [_offset(self.points.dtype, name) for name in names]
        steps = {int(step) for step in np.diff(offsets)} or {4}
        if len(steps) != 1:
            return None
        first = self.points[names[0]]
        grid = np.lib.stride_tricks.as_strided(
            first, (*first.shape, len(names)), (*first.strides, steps.pop()), writeable=False
        )
        return grid.reshape(-1, len(names))


def wrap_cloud(
    fields: Sequence[PointField],
    width: int,
    height: int,
    point_step: int,
    row_step: int,
    is_bigendian: bool | int,
    data: Buffer,
) -> CloudView:
    """View the fields of a `sensor_msgs/PointCloud2` as an array of points, without a copy.

    A cloud without points is whole, whatever its other fields say: sensors that see nothing send
    it.  Fields named ``_`` or nothing at all are padding.  A count of 0 stands for 1, as in PCL.

    :param fields: the message's; in any order.
    :param row_step: bytes from one row to the next; not looked at where there is one row.
    :param data: the bytes, C-contiguous.  What follows the last point is taken for the alignment of
        the driver's buffer as long as it is shorter than a row or a memory page (4096 bytes).
    :raises FrameRejected: ``missing_field`` (no x, y or z), ``unknown_datatype``, ``bad_field`` (a
        coordinate of several values, two fields of one name), ``overlapping_fields``,
        ``bad_step`` (a field or a row goes beyond its step), ``short_data``, ``long_data`` (more
        than alignment explains: the width, the height or a step is wrong).
    """
    if width * height == 0:
        return CloudView(np.empty((height, width), []))
    told = tuple((str(f.name), int(f.offset), int(f.datatype), int(f.count)) for f in fields)
    dtype = _layout(told, int(point_step), bool(is_bigendian))
    step = point_step * width if height == 1 else row_step
    if step < point_step * width:
        raise FrameRejected(
            'bad_step',
            f'a cloud of {width}x{height} points of {point_step} bytes has a row_step of '
            f'{row_step} bytes; it must be at least {point_step * width}',
        )
    _check_length(width, height, point_step, step, _length(data))
    points: npt.NDArray[Any] = np.ndarray((height, width), dtype, data, 0, (step, point_step))
    points.flags.writeable = False
    return CloudView(points)


def _check_length(width: int, height: int, point_step: int, row_step: int, length: int) -> None:
    least = row_step * (height - 1) + point_step * width
    told = f'{width}x{height} points of {point_step} bytes, rows {row_step} bytes apart'
    if length < least:
        raise FrameRejected(
            'short_data', f'cloud data of {length} bytes is too short: {told}, make {least}'
        )
    surplus = length - row_step * height
    if surplus >= max(row_step, _PAGE_BYTES):
        raise FrameRejected(
            'long_data',
            f'cloud data of {length} bytes is {surplus} bytes longer than {told}; its width, '
            'height or a step is wrong',
        )


@functools.lru_cache(maxsize=16)  # a topic keeps to one layout
def _layout(fields: tuple[_Field, ...], point_step: int, is_bigendian: bool) -> np.dtype[Any]:
    """Return the structured type of one point.

    :raises FrameRejected: see :func:`wrap_cloud`.
    """
    for name, _, datatype, _ in fields:
        if not 1 <= datatype <= len(_DATATYPES):
            raise FrameRejected(
                'unknown_datatype',
                f"the cloud's field '{name}' is of the datatype {datatype}; known are 1 to "
                f'{len(_DATATYPES)} (INT8 to FLOAT64)',
            )
    named = [field for field in fields if field[0] not in _PADDING]
    names = [name for name, *_ in named]
    order = '>' if is_bigendian else '<'
    types = [np.dtype(order + _DATATYPES[datatype - 1]) for _, _, datatype, _ in named]
    counts = [max(1, count) for *_, count in named]
    offsets = [offset for _, offset, *_ in named]
    _check_names(names, counts)
    spans = [
        (at, at + t.itemsize * n, name) for at, t, n, name in zip(offsets, types, counts, names)
    ]
    _check_spans(spans, point_step)
    formats = [t if n == 1 else (t, (n,)) for t, n in zip(types, counts)]
    return np.dtype(
        {'names': names, 'formats': formats, 'offsets': offsets, 'itemsize': point_step}
    )


def _check_names(names: Sequence[str], counts: Sequence[int]) -> None:
    for name in COORDINATES:
        if name not in names:
            raise FrameRejected(
                'missing_field',
                f"the cloud has no field '{name}'; it has {', '.join(names) or 'none at all'}",
            )
    for place, (name, count) in enumerate(zip(names, counts)):
        if name in names[:place]:
            raise FrameRejected('bad_field', f"two of the cloud's fields are named '{name}'")
        if name in COORDINATES and count != 1:
            raise FrameRejected(
                'bad_field', f"the cloud's field '{name}' has {count} values a point, not one"
            )


def _check_spans(spans: Sequence[tuple[int, int, str]], point_step: int) -> None:
    before, owner = 0, ''
    for begin, end, name in sorted(spans):
        if begin < before:
            raise FrameRejected(
                'overlapping_fields',
                f"the cloud's fields '{owner}' and '{name}' overlap: one ends at byte {before} of "
                f'a point, the other begins at {begin}',
            )
        if end > point_step:
            raise FrameRejected(
                'bad_step',
                f"the cloud's field '{name}' takes bytes {begin} to {end} of a point, and its "
                f'point_step is {point_step}',
            )
        before, owner = end, name


def _all_finite(values: npt.NDArray[np.float32]) -> bool:
    """Tell whether all values are finite, four times as fast as looking at each."""
    with np.errstate(invalid='ignore'):
        # A sum with a value that is not finite is not finite; no sum of float32 overflows here.
        return bool(np.isfinite(values.sum(dtype=np.float64)))


def _length(data: Buffer) -> int:
    # NumPy's stubs tell of its arrays' buffers from Python 3.12 on.
    return memoryview(data).nbytes  # type: ignore[arg-type]


def _offset(dtype: np.dtype[Any], name: str) -> int:
    fields = dtype.fields
    assert fields is not None  # a structured type has them
    return int(fields[name][1])
