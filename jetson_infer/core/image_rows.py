# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an image message's bytes can be its rows."""

from __future__ import annotations

from jetson_infer.errors import FrameRejected

__all__ = ['check_rows']

_PAGE_BYTES = 4096


def check_rows(
    encoding: str, size: tuple[int, int], rows: int, pixel: tuple[int, int], step: int, length: int
) -> None:
    """Check the step and the length of a `sensor_msgs/Image`.

    The last row's padding may be missing, as many drivers leave it out.  What follows the last row
    is taken for the alignment of the driver's buffer as long as it is shorter than a row or a
    memory page.

    :param encoding: for messages.
    :param size: width and height in pixels.
    :param rows: rows of bytes.
    :param pixel: how many samples a pixel takes in its row, and of how many bytes.
    :param step: bytes from one row to the next.
    :param length: bytes in all.
    :raises FrameRejected: ``bad_step``, ``short_data``, ``long_data``.
    """
    width, height = size
    samples, itemsize = pixel
    row_bytes = width * samples * itemsize
    if step < row_bytes or step % itemsize:
        remedy = f'at least {row_bytes}' if step < row_bytes else f'a multiple of {itemsize}'
        raise FrameRejected(
            'bad_step',
            f'a {encoding} image of {width}x{height} has a step of {step} bytes; '
            f'it must be {remedy}',
        )
    least = step * (rows - 1) + row_bytes
    if length < least:
        raise FrameRejected(
            'short_data',
            f'{encoding} data of {length} bytes is too short: {rows} rows of {step} bytes, '
            f'the last one at least {row_bytes}, make {least}',
        )
    surplus = length - step * rows
    if surplus >= max(step, _PAGE_BYTES):
        raise FrameRejected(
            'long_data',
            f'{encoding} data of {length} bytes is {surplus} bytes longer than {rows} rows of '
            f'{step} bytes; its height, step or encoding is wrong',
        )
