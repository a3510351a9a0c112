# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Choosing images that differ: farthest-point selection.

After a first image drawn at random, each further one is the image whose smallest distance to those
already chosen is largest (Gonzalez, "Clustering to minimize the maximum intercluster distance",
1985, who shows that it covers all images within twice the radius of the best choice).  A camera
that stands still for a minute fills a random sample with one view; here it costs one image.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ['GRID', 'METHOD', 'farthest_points', 'image_features']

GRID = 8
"""Cells a side of the thumbnail that images are compared by."""

METHOD = (
    f'farthest-point selection over {GRID}x{GRID} thumbnails of the prepared image '
    '(mean and deviation of every channel in every cell)'
)


def image_features(prepared: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what an image is compared by: what it shows and how busy it is, cell by cell.

    :param prepared: ``(C, H, W)``, as the network takes it.
    :return: ``(2 * C * GRID * GRID,)``: of every channel the cells' means, then their standard
        deviations.  The last cells of a side take what does not divide evenly.
    """
    rows = np.linspace(0, prepared.shape[1], GRID + 1).astype(int)
    columns = np.linspace(0, prepared.shape[2], GRID + 1).astype(int)
    cells = (
        prepared[:, top:bottom, left:right]
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    )
    found = [(cell.mean((1, 2)), cell.std((1, 2))) for cell in cells]
    return np.array(found, np.float32).transpose(1, 2, 0).ravel()


def farthest_points(features: npt.NDArray[np.float32], count: int, seed: int) -> list[int]:
    """Choose rows that lie far from each other.

    :param features: ``(N, D)``.
    :param count: how many to choose; all where there are no more.
    :param seed: decides the first; the others follow from it.  Of equal distances the first row.
    :return: the rows' numbers, in the order of choice.
    """
    total = len(features)
    chosen = [int(np.random.default_rng(seed).integers(total))] if total and count > 0 else []
    nearest = np.full(total, np.inf)
    while 0 < len(chosen) < min(count, total):
        distance = np.square(features - features[chosen[-1]], dtype=np.float64).sum(axis=1)
        nearest = np.minimum(nearest, distance)
        nearest[chosen] = -1.0
        chosen.append(int(np.argmax(nearest)))
    return chosen
