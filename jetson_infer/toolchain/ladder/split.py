# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""One recording for two purposes: its first part calibrates, its last part validates.

Between the two lies a gap, since two images in a row show nearly the same: without it the last
images that a network was calibrated with would stand beside the first that it is judged on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.calibration.calibration_set import MINIMUM_FRAMES
from jetson_infer.toolchain.dataset import Dataset, Sample

__all__ = ['CALIBRATION_SHARE', 'GAP_SHARE', 'LEAST_IMAGES', 'Part', 'split_in_time']

CALIBRATION_SHARE, GAP_SHARE = 0.4, 0.1
"""Of the images, in the order of recording; what comes after them validates."""

LEAST_IMAGES = int(2 * MINIMUM_FRAMES / CALIBRATION_SHARE)
"""So many images give a first part that can be calibrated with, and measured on."""


class Part(Dataset):
    """Some images of a dataset in a row, as a dataset; its owner closes the whole.

    :param whole: the dataset.
    :param first: the place of the first image.
    :param end: that of the first image that is not in it.
    """

    def __init__(self, whole: Dataset, first: int, end: int) -> None:
        self._whole = whole
        self._places = range(first, end)
        self.labels_of_truth = whole.labels_of_truth
        self.rejected = {}

    def __str__(self) -> str:
        first, last = self._places[0] + 1, self._places[-1] + 1
        return f'images {first} to {last} of {self._whole.count}'

    @property
    def path(self) -> Path:
        """See :attr:`Dataset.path`."""
        return self._whole.path

    @property
    def topic(self) -> str:
        """See :attr:`Dataset.topic`."""
        return self._whole.topic

    @property
    def count(self) -> int:
        """How many images are in the part."""
        return len(self._places)

    @property
    def has_truth(self) -> bool:
        """See :attr:`Dataset.has_truth`."""
        return self._whole.has_truth

    @property
    def depth_count(self) -> int:
        """How many true depth images the whole has; a part gives them with its own images."""
        return self._whole.depth_count

    @property
    def complaint(self) -> str:
        """See :attr:`Dataset.complaint`."""
        return self._whole.complaint

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the whole and of which part this is."""
        text = f'{self._whole.digest} {self._places.start} {self._places.stop}'
        return hashlib.sha256(text.encode()).hexdigest()

    def frames(self, indices: Collection[int] | None = None) -> Iterator[Sample]:
        """Iterate over the part's images; see :meth:`Dataset.frames`.

        :param indices: places within the part.
        """
        wanted = self._places if indices is None else {self._places[index] for index in indices}
        for sample in self._whole.frames(wanted):
            self.rejected = self._whole.rejected
            yield replace(sample, index=sample.index - self._places.start)
        self.rejected = self._whole.rejected

    def close(self) -> None:
        """Leave the whole open: its owner closes it."""


def split_in_time(whole: Dataset) -> tuple[Part, Part]:
    """Return the part that calibrates and the part that validates.

    :raises RecordingError: if there are too few images for both.
    """
    if whole.count < LEAST_IMAGES:
        whole_ones = 'whole images' if whole.complaint else 'images'
        raise RecordingError(
            f'{whole.path}: holds {whole.count} {whole_ones}; to calibrate on its first '
            f'{CALIBRATION_SHARE:.0%} and validate on its last '
            f'{1 - CALIBRATION_SHARE - GAP_SHARE:.0%} it takes {LEAST_IMAGES}: record more, or '
            'calibrate with another one: --calibration RECORDING'
        )
    end = int(whole.count * CALIBRATION_SHARE)
    begin = int(whole.count * (CALIBRATION_SHARE + GAP_SHARE))
    return Part(whole, 0, end), Part(whole, begin, whole.count)
