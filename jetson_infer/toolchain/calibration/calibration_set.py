# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Gathering calibration data through exactly the preprocessing that the node uses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import ModelCard, VariantCard
from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.pipeline.preprocess import Preprocessor
from jetson_infer.toolchain.calibration.selection import farthest_points, image_features
from jetson_infer.toolchain.dataset import Dataset, Sample

__all__ = ['MINIMUM_FRAMES', 'CalibrationSet', 'Survey', 'gather', 'survey']

MINIMUM_FRAMES = 8
"""With fewer images the ranges of activations are those of chance."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Survey:
    """All images of a dataset at a glance.

    :param indices: the places in the dataset of the images that can be used.
    :param features: ``(len(indices), D)``, see :func:`image_features`.
    :param rejected: how many cannot be used, by reason.
    """

    indices: tuple[int, ...]
    features: npt.NDArray[np.float32]
    rejected: Mapping[str, int]


@dataclass(frozen=True)
class CalibrationSet:
    """Images as the network takes them.

    :param inputs: ``(N, C, H, W)``, or ``(N, H, W, C)`` where the card says so.
    :param sources: the images' names.
    :param indices: the images' places in the dataset.
    :param digest: SHA-256 in hex of the inputs.
    """

    inputs: npt.NDArray[np.generic]
    sources: tuple[str, ...]
    indices: tuple[int, ...]
    digest: str


def survey(
    dataset: Dataset,
    card: ModelCard,
    variant: VariantCard,
    progress: Progress = lambda done, total: None,
) -> Survey:
    """Prepare every image once and keep what it is compared by.

    :param progress: told how many images were looked at, of how many.
    :raises RecordingError: if none of the images can be used.
    """
    prepare = _Preparation(card, variant)
    indices, features = [], []
    for sample in dataset.frames():
        if prepare(sample):
            indices.append(sample.index)
            features.append(image_features(prepare.channels_first()))
        progress(sample.index + 1, dataset.count)
    rejected = dict(dataset.rejected)
    for reason, count in prepare.rejected.items():
        rejected[reason] = rejected.get(reason, 0) + count
    if not indices:
        told = ', '.join(f'{count} {reason}' for reason, count in rejected.items())
        raise RecordingError(f'{dataset.path}: the network can be given none of its images: {told}')
    return Survey(tuple(indices), np.array(features), rejected)


def gather(
    dataset: Dataset,
    card: ModelCard,
    variant: VariantCard,
    count: int,
    seed: int,
    seen: Survey,
) -> CalibrationSet:
    """Choose images that differ, and prepare them.

    :param count: how many; all where there are no more.
    :param seed: decides the first one.
    :param seen: from :func:`survey` of the same dataset.
    :raises RecordingError: if there are fewer than :data:`MINIMUM_FRAMES` to choose from, or fewer
        are asked for.
    """
    usable = len(seen.indices)
    if min(usable, count) < MINIMUM_FRAMES:
        what = f'{usable} can be used' if usable < MINIMUM_FRAMES else f'{count} are asked for'
        raise RecordingError(
            f'{dataset.path}: calibration needs at least {MINIMUM_FRAMES} images, and {what}; '
            'with fewer the measured ranges are those of chance: record more, or give --frames '
            f'{MINIMUM_FRAMES} or more'
        )
    wanted = {seen.indices[row] for row in farthest_points(seen.features, count, seed)}
    prepare = _Preparation(card, variant)
    inputs, sources, indices = [], [], []
    for sample in dataset.frames(wanted):
        if prepare(sample):
            inputs.append(prepare.array[0].copy())
            sources.append(sample.name)
            indices.append(sample.index)
    stacked = np.stack(inputs)
    digest = hashlib.sha256(stacked.tobytes()).hexdigest()
    return CalibrationSet(stacked, tuple(sources), tuple(indices), digest)


class _Preparation:
    """Prepares one image after the other into the same array, counting what it cannot."""

    def __init__(self, card: ModelCard, variant: VariantCard) -> None:
        self._nchw = card.input.layout == 'nchw'
        self._preprocessor = Preprocessor(card.input, variant.size)
        self.array = np.zeros(card.input.shape(variant.size), card.input.dtype)
        self.rejected: dict[str, int] = {}

    def __call__(self, sample: Sample) -> bool:
        try:
            self._preprocessor.prepare(sample.image, self.array)
        except FrameRejected as error:
            self.rejected[error.reason] = self.rejected.get(error.reason, 0) + 1
            return False
        return True

    def channels_first(self) -> npt.NDArray[np.float32]:
        image = self.array[0] if self._nchw else self.array[0].transpose(2, 0, 1)
        return np.asarray(image, np.float32)
