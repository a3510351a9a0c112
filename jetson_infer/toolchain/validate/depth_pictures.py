# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The worst frames of a depth variant as pictures, in colours that a legend explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetson_infer.core.depth_images import Depth
from jetson_infer.dependencies import require
from jetson_infer.toolchain.report.pictures import to_jpeg
from jetson_infer.toolchain.report.svg import nice_ticks
from jetson_infer.toolchain.validate.depth_worst import DepthFrame

__all__ = ['UNKNOWN_RGB', 'DepthPictures', 'Scale', 'depth_scale', 'difference_scale', 'draw_depth']

UNKNOWN_RGB = (128, 128, 128)
"""The colour of what is unknown; none of a scale's colours is grey like it."""
_SIGNED = ((33, 90, 172), (146, 197, 222), (247, 247, 247), (244, 165, 130), (178, 24, 43))
"""RGB from nearer than the reference over as far to farther."""
_QUALITY = 92
Colours = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Scale:
    """Which colour stands for which value; what is beyond has the colour of the end.

    :param low: the value of the first colour.
    :param high: that of the last.
    :param colours: RGB, uint8 ``(256, 3)``.
    """

    low: float
    high: float
    colours: Colours

    @property
    def ticks(self) -> list[float]:
        """Round values within the scale."""
        signed = self.low < 0
        steps = nice_ticks(max(abs(self.low), abs(self.high)), 3 if signed else 5)[1:]
        both = [-step for step in reversed(steps)] + [0.0, *steps]
        return [tick for tick in both if self.low <= tick <= self.high]

    def paint(self, values: Depth) -> Colours:
        """Return values ``(h, w)`` as BGR; what is not finite in :data:`UNKNOWN_RGB`."""
        known = np.isfinite(values)
        span = (self.high - self.low) or 1.0
        places = (np.where(known, values, self.low) - self.low) / span * 255
        rgb = self.colours[np.clip(np.rint(places), 0, 255).astype(np.uint8)]
        rgb[~known] = UNKNOWN_RGB
        return rgb[..., ::-1]


@dataclass(frozen=True)
class DepthPictures:
    """One frame as JPEGs, side by side.

    :param frame: what is drawn.
    :param picture: the image.
    :param reference: the reference's depth.
    :param candidate: the variant's depth.
    :param difference: the variant's less the reference's.
    """

    frame: DepthFrame
    picture: bytes
    reference: bytes
    candidate: bytes
    difference: bytes


def depth_scale(frames: Sequence[DepthFrame]) -> Scale:
    """Return the scale of all depths: from near to far as the reference sees them.

    A variant that is far off is not to squeeze all others into one colour.
    """
    known = _known([frame.reference for frame in frames])
    low, high = np.percentile(known, (1, 99)) if len(known) else (0.0, 1.0)
    if high - low < 1e-3 * high:  # a plane: some colours around it
        low, high = 0.9 * low, 1.1 * high
    cv2 = require('cv2', 'Drawing frames')
    ramp = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    # Near is bright: what is close is what matters, and what is seen first.
    bgr = cv2.applyColorMap(255 - ramp, cv2.COLORMAP_INFERNO)
    return Scale(float(low), float(high), np.ascontiguousarray(bgr[:, 0, ::-1]))


def difference_scale(frames: Sequence[DepthFrame]) -> Scale:
    """Return the scale of one variant's differences in all of its frames, 0 in the middle."""
    known = np.abs(_known([frame.candidate - frame.reference for frame in frames]))
    top = float(np.percentile(known, 99)) if len(known) else 1.0
    top = top if top > 0.0 else (float(known.max()) if len(known) else 0.0) or 1.0
    stops = np.linspace(0, 255, len(_SIGNED))
    channels = [np.interp(np.arange(256), stops, band) for band in zip(*_SIGNED)]
    return Scale(-top, top, np.rint(np.stack(channels, axis=1)).astype(np.uint8))


def draw_depth(frame: DepthFrame, depths: Scale, differences: Scale) -> DepthPictures:
    """Draw a frame."""
    return DepthPictures(
        frame,
        to_jpeg(frame.picture),
        to_jpeg(depths.paint(frame.reference), quality=_QUALITY),
        to_jpeg(depths.paint(frame.candidate), quality=_QUALITY),
        to_jpeg(differences.paint(frame.candidate - frame.reference), quality=_QUALITY),
    )


def _known(depths: Sequence[Depth]) -> npt.NDArray[np.float32]:
    parts = [depth[np.isfinite(depth)] for depth in depths]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)
