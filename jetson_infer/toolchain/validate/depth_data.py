# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The images that depth variants are validated on, and how far away what is in them truly is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jetson_infer.core.depth_images import Depth
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.dataset import Dataset, open_dataset
from jetson_infer.toolchain.validate.chosen import ChosenImages, counted, digest_of, notes_on

__all__ = ['DepthData', 'fit_truth', 'open_depth_dataset', 'read_depth_data', 'spread']


@dataclass(frozen=True)
class DepthData(ChosenImages):
    """Which images of a dataset are used, and in how many of them the true depth is known.

    :param with_truth: the places in the dataset of those whose true depth is known.
    """

    with_truth: frozenset[int] = frozenset()

    @property
    def truth_kind(self) -> str:
        """What the variants are held against, for a person."""
        if not self.with_truth:
            return "the reference's own depth"
        if len(self.with_truth) == len(self.indices):
            return 'true depth'
        return f"true depth in {len(self.with_truth)}, the reference's own in all"

    def without(self, rejected: Mapping[int, str]) -> DepthData:
        """Return the data without images that cannot be used after all.

        :param rejected: why, by the place in the dataset.
        :raises RecordingError: if none is left.
        """
        if not rejected:
            return self
        told = self.told_of(rejected)
        return replace(
            self,
            indices=tuple(index for index in self.indices if index not in rejected),
            notes=(*self.notes, told),
            with_truth=self.with_truth - set(rejected),
        )

    def without_truth(self, unfit: Mapping[int, str]) -> DepthData:
        """Return the data without true depths that do not fit their images.

        :param unfit: why, by the image's place in the dataset.
        :raises RecordingError: if all are such: then a comparison with them was meant.
        """
        if not unfit:
            return self
        told = (
            f'{len(unfit)} of {len(self.with_truth)} true depths do not fit their images and are '
            f'left out; the first: {next(iter(unfit.values()))}'
        )
        if set(unfit) >= self.with_truth:
            raise RecordingError(f'{self.dataset.path}: {told}')
        return replace(self, notes=(*self.notes, told), with_truth=self.with_truth - set(unfit))


def open_depth_dataset(path: str | Path, topic: str, depth_topic: str) -> tuple[Dataset, str]:
    """Open a dataset with its true depth where it has one.

    :param topic: the camera's; see :func:`jetson_infer.toolchain.dataset.open_dataset`.
    :param depth_topic: that of the true depth; empty for the one that there may be.
    :return: the dataset, and why it has no true depth, empty where it has.
    :raises RecordingError: if nothing can be read, or a topic that is named is not there.
    """
    if depth_topic:
        return open_dataset(path, topic, depth_topic=depth_topic), ''
    try:
        return open_dataset(path, topic, depth_topic=''), ''
    except RecordingError as error:
        plain = open_dataset(path, topic)  # what is wrong without depth, too, is told as such
        if not plain.topic:
            return plain, 'a folder of images has no true depth'
        return plain, f'there is no true depth: {error}'


def read_depth_data(dataset: Dataset, frames: int | None = None, why: str = '') -> DepthData:
    """Choose a dataset's images and see which have a true depth.

    :param frames: how many images, spread evenly, those with a true depth first; None for all.
    :param why: why there is no true depth, as a sentence; empty where there is.
    :raises RecordingError: if there are no images, or none has a true depth though others have.
    """
    usable: list[int] = []
    known: list[int] = []
    for sample in dataset.frames():
        usable.append(sample.index)
        if sample.depth is not None:
            known.append(sample.index)
    if dataset.depth_count and not known:
        raise RecordingError(f'{dataset.path}: {_no_pair(dataset, len(usable))}')
    notes = [*notes_on(dataset), *([why] if why else [])]
    if dataset.rejected_depths:
        notes.append(
            f'{sum(dataset.rejected_depths.values())} true depths cannot be read: '
            f'{counted(dataset.rejected_depths)}'
        )
    indices = spread(usable, frames, known)
    with_truth = frozenset(known).intersection(indices)
    if with_truth and len(with_truth) < len(indices):
        notes.append(
            f'the true depth of {len(with_truth)} of {len(indices)} images is known; in the others '
            'variants are held against the reference alone'
        )
    digest = digest_of(dataset, indices)
    return DepthData(dataset, tuple(indices), digest, tuple(notes), with_truth)


def spread(usable: Sequence[int], frames: int | None, known: Collection[int]) -> list[int]:
    """Choose images at equal distances; where one with a truth is near the place, that one.

    True depth is often there a few times a minute alone, and equal distances would miss it.

    :param usable: the images, rising.
    :param frames: how many; None for all.
    :param known: those with a truth.
    :return: the chosen ones, rising; exactly so many.
    """
    if frames is None or frames >= len(usable):
        return list(usable)
    has = np.isin(np.array(usable), list(known))
    # Sections of all images, one for each that is chosen: so none can be chosen twice.
    limits = np.linspace(0, len(usable), frames + 1)
    chosen = []
    for first, last in zip(np.round(limits[:-1]).astype(int), np.round(limits[1:]).astype(int)):
        middle = (first + last - 1) / 2
        places = np.arange(first, last)
        preferred = places[has[first:last]] if has[first:last].any() else places
        chosen.append(usable[int(preferred[np.argmin(np.abs(preferred - middle))])])
    return chosen


def fit_truth(truth: Depth, shape: tuple[int, int]) -> Depth:
    """Return a true depth at an image's size, without making up depths that nobody measured.

    Of a larger truth, each pixel takes the one at its centre.  Of a smaller one, each true pixel is
    put at the image's pixel at its centre, and the others are unknown: repeated, one measurement
    would count several times.

    :param truth: ``(h, w)`` in metres, of the same field of view.
    :param shape: the image's height and width.
    :return: float32 ``(H, W)``; NaN where unknown.
    :raises ValueError: if the proportions differ by more than a pixel: then it is not the depth of
        this image, and nobody knows where in it a pixel belongs.
    """
    (height, width), (own_height, own_width) = shape, truth.shape
    if (height, width) == (own_height, own_width):
        return truth
    # The wider of the two scaled to the other's height, or the other way round: off by pixels.
    scale = max(width / own_width, height / own_height)
    off = max(abs(own_width * scale - width), abs(own_height * scale - height))
    if off > max(1.0, scale):
        raise ValueError(
            f'a true depth of {own_width}x{own_height} is of other proportions than the image of '
            f'{width}x{height}, so that nobody knows where its pixels belong; record depth that is '
            "registered to the camera's image"
        )
    if own_height >= height and own_width >= width:
        return truth[np.ix_(_centres(height, own_height), _centres(width, own_width))]
    sparse = np.full(shape, np.nan, np.float32)
    rows, columns = _centres(own_height, height), _centres(own_width, width)
    sparse[np.ix_(rows, columns)] = truth
    return sparse


def _centres(few: int, many: int) -> np.ndarray:
    """Return, of so many places, those at the centres of a few of the same extent; all differ."""
    places = (np.arange(few) + 0.5) * (many / few)
    return np.minimum(places.astype(np.int64), many - 1)


def _no_pair(dataset: Dataset, images: int) -> str:
    told = f'none of its {images} images has a true depth, though there are {dataset.depth_count}'
    if dataset.rejected_depths:
        return f'{told}: these cannot be read: {counted(dataset.rejected_depths)}'
    return (
        f'{told}: their stamps do not agree with those of the images; record depth with the '
        "stamps of the camera's images, or name another topic with --depth-topic"
    )
