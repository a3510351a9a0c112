# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Memory for intermediate results, kept from frame to frame."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ['Scratch']


class Scratch:
    """Named arrays whose memory is allocated once and grows only when a larger one is asked for.

    Used by one thread.
    """

    def __init__(self) -> None:
        self._blocks: dict[str, npt.NDArray[np.uint8]] = {}

    def array(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.uint8
    ) -> npt.NDArray[Any]:
        """Return a C-contiguous array with undefined contents.

        It shares its memory with every array of the same name: the next one with that name ends its
        life.
        """
        dtype = np.dtype(dtype)
        size = prod(shape) * dtype.itemsize
        block = self._blocks.get(name)
        if block is None or block.nbytes < size:
            block = self._blocks[name] = np.empty(size, np.uint8)
        return block[:size].view(dtype).reshape(shape)
