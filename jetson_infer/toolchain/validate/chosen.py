# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Which images of a dataset variants are validated on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.dataset import Dataset

__all__ = ['ChosenImages', 'Progress', 'counted', 'digest_of', 'notes_on']

Progress = Callable[[str, int, int], None]
"""Told what is done, how many frames are done, and of how many."""


@dataclass(frozen=True)
class ChosenImages:
    """Which images of a dataset are used.

    :param dataset: the open dataset.
    :param indices: the places of the images, rising.
    :param digest: SHA-256 in hex of the dataset and of the choice.
    :param notes: what a person should know of the data, as sentences.
    """

    dataset: Dataset
    indices: tuple[int, ...]
    digest: str
    notes: tuple[str, ...] = ()

    @property
    def truth_kind(self) -> str:
        """What the variants are held against, for a person."""
        return "the reference's own output"

    def told_of(self, rejected: Mapping[int, str]) -> str:
        """Say that images cannot be used after all.

        :param rejected: why, by the place in the dataset; at least one.
        :raises RecordingError: if none is left.
        """
        told = (
            f'{len(rejected)} of {len(self.indices)} images cannot be used; the first: '
            f'{next(iter(rejected.values()))}'
        )
        if len(rejected) == len(self.indices):
            raise RecordingError(f'{self.dataset.path}: {told}')
        return told


def digest_of(dataset: Dataset, indices: Sequence[int]) -> str:
    """Return the SHA-256 in hex of a dataset and of a choice of its images."""
    return hashlib.sha256(f'{dataset.digest} {list(indices)}'.encode()).hexdigest()


def notes_on(dataset: Dataset) -> list[str]:
    """Return what a person should know of a dataset after a pass over it, as sentences."""
    notes = [dataset.complaint] if dataset.complaint else []
    if dataset.rejected:
        total = sum(dataset.rejected.values())
        notes.append(f'{total} images cannot be used: {counted(dataset.rejected)}')
    return notes


def counted(reasons: Mapping[str, int]) -> str:
    """Return how often each reason was found, as a list for a person."""
    return ', '.join(f'{count} {reason}' for reason, count in sorted(reasons.items()))
