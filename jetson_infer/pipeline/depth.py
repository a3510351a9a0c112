# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The depth pipeline: an image in, the depth of each of its pixels out."""

from __future__ import annotations

from contextlib import AbstractContextManager

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.depth_decoding import make_depth_decoder
from jetson_infer.core.depth_images import Depth
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.resampling import Resize
from jetson_infer.core.timing import StageClock
from jetson_infer.dependencies import require
from jetson_infer.engines.models import Model
from jetson_infer.engines.session import DeviceSession, Session
from jetson_infer.pipeline.host_network import HostNetwork
from jetson_infer.pipeline.pipelines import OneAtATime

__all__ = ['DepthPipeline']


class DepthPipeline(OneAtATime[Depth]):
    """One variant of a depth model, ready to run; one image at a time.

    Images are prepared on the host, and outputs decoded there, whatever runs the network.  Made and
    closed on one thread, where a device's session has its device current; used there, or on another
    one within :meth:`current`.

    :param model: the model.
    :param variant: which of its variants.
    :param session: the loaded network; closed with the pipeline, and left open if making this
        fails.
    :raises CardError, DecoderError, SessionError: if card and network do not fit.
    :raises DeviceMemoryError: if there is not enough memory.
    """

    def __init__(self, model: Model, variant: VariantCard, session: Session) -> None:
        card = model.card
        self.variant = variant
        self.engine = session.engine
        """What runs the network, for a person."""
        self.why = ''
        """Why it is this engine, for a person; set by whoever chose it."""
        self.unvalidated = ''
        """Why it should not run, though it may; set by whoever chose it."""
        self._device = session.device if isinstance(session, DeviceSession) else None
        self._decoder = make_depth_decoder(card.output, _resize_by_opencv())
        self._decoder.check(session.outputs, variant.size)
        self._network = HostNetwork(card, variant, session)
        whole = Letterbox.fit(variant.size, variant.size, card.input.resize)
        self._network.warm_up(lambda outputs: self._decoder.decode(outputs, whole))

    def current(self) -> AbstractContextManager[None]:
        """See :meth:`OverlappingPipeline.current`."""
        return super().current() if self._device is None else self._device.current()

    def process(self, image: ImageView | CompressedView, clock: StageClock) -> Depth:
        """Tell the depth of every pixel of one image.

        :return: float32 ``(H, W)`` at the image's size, a new array; in metres, or in the network's
            own unit where it has no scale; NaN where unknown.
        :raises FrameRejected: if the image cannot be used.
        :raises SessionError: if the engine fails on it.
        :raises DeviceError: if the device is lost.
        """
        outputs, letterbox = self._network.infer(image, clock)
        depth = self._decoder.decode(outputs, letterbox)
        clock.mark('decode')
        return depth

    def close(self) -> None:
        """Release the network; may be called twice."""
        self._network.close()


def _resize_by_opencv() -> Resize:
    """Return what scales depth images, several times faster than NumPy does."""
    cv2 = require('cv2', 'Scaling depth images')

    def resize(values: Depth, out: Depth) -> None:
        height, width = out.shape
        cv2.resize(values, (width, height), out, interpolation=cv2.INTER_LINEAR)

    return resize
