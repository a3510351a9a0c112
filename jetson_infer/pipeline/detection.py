# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The detection pipeline: an image in, boxes in that image's pixels out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import Model
from jetson_infer.engines.session import Session
from jetson_infer.pipeline.host_network import HostNetwork

__all__ = ['DetectionPipeline', 'in_image']


class DetectionPipeline:
    """One variant of a detection model, ready to run; used on one thread.

    :param model: the model.
    :param variant: which of its variants.
    :param session: the loaded network; closed with the pipeline.
    :raises CardError, DecoderError, ModelError, SessionError: if card and network do not fit.
    """

    def __init__(self, model: Model, variant: VariantCard, session: Session) -> None:
        card = model.card
        self.labels = card.labels
        self.variant = variant
        self.engine = session.engine
        """What runs the network, for a person."""
        self.why = ''
        """Why it is this engine, for a person; set by whoever chose it."""
        self.unvalidated = ''
        """Why it should not run, though it may; set by whoever chose it."""
        self._decoder = make_decoder(card.output, card.labels)
        self._decoder.check(session.outputs, variant.size)
        self._network = HostNetwork(card, variant, session)
        self.limits = card.output.defaults
        """Which candidates become detections; may be replaced at any moment, from any thread."""
        self._network.warm_up(lambda outputs: self._decoder.decode(outputs, DetectionLimits()))

    def process(self, image: ImageView | CompressedView, clock: StageClock) -> Detections:
        """Find objects in one image.

        :return: boxes in pixels of the source image, within it, best score first.
        :raises FrameRejected: if the image cannot be used.
        :raises SessionError: if the engine fails on it.
        """
        limits = self.limits
        outputs, letterbox = self._network.infer(image, clock)
        detections = in_image(self._decoder.decode(outputs, limits), letterbox)
        clock.mark('decode')
        return detections

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many candidates were dropped so far because they cannot be boxes, by reason."""
        return self._decoder.dropped

    def close(self) -> None:
        """Release the network; may be called twice."""
        self._network.close()


def in_image(found: Detections, letterbox: Letterbox) -> Detections:
    """Return detections in pixels of the source image, within it.

    :param found: in pixels of the network's input.
    """
    boxes = letterbox.to_source(found.boxes, clip=True)
    # What the network sees in the letterbox's bars has no place in the image.
    has_area = boxes[:, 2:] > boxes[:, :2]
    if has_area.all():
        return Detections(boxes, found.scores, found.class_ids)
    inside = np.flatnonzero(has_area.all(axis=1))
    return Detections(boxes[inside], found.scores[inside], found.class_ids[inside])
