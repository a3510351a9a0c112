# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What every decoder has: a name, checked settings, a check of the network's outputs, a count.

To add a decoder: write a subclass with a ``name`` in a module of its own, import that module in
this folder's ``__init__``, and describe the layout in docs/models.md.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from jetson_infer.core.boxes import nms
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.fields import Fields
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import CardError, DecoderError

__all__ = ['Decoder', 'Outputs']

Outputs = Mapping[str, npt.NDArray[Any]]


class Decoder(ABC):
    """Turns one frame's network outputs into detections, in pixels of the network's input.

    :param fields: the card's ``output.settings``.
    :param labels: the class names; their number must fit the network.
    :raises CardError: if a setting is unknown or cannot work.
    """

    name: ClassVar[str]
    allowed_settings: ClassVar[tuple[str, ...]] = ()
    registry: ClassVar[dict[str, type[Decoder]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if 'name' in cls.__dict__:
            Decoder.registry[cls.name] = cls

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.input_size = (0, 0)
        self._non_finite = 0
        self._inverted = 0

    @property
    def non_finite(self) -> int:
        """How many candidates were dropped so far for a NaN or an infinity; a running total."""
        return self._non_finite

    @property
    def inverted(self) -> int:
        """How many candidates were dropped so far for a negative width or height."""
        return self._inverted

    def check(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        """Find the outputs to decode; once, before :meth:`decode`.

        :param outputs: the network's outputs.
        :param input_size: width and height of the network's input.
        :raises DecoderError: if they do not fit, with what was found, what is expected, and the
            decoders that would fit.
        """
        try:
            self._match(outputs, input_size)
        except DecoderError as error:
            others = self._others_that_fit(outputs, input_size)
            found = ', '.join(str(output) for output in outputs) or 'none'
            advice = f'; a decoder that fits these outputs: {", ".join(others)}' if others else ''
            raise DecoderError(
                f'decoder {self.name!r} cannot read this network: {error}. '
                f"The network's outputs: {found}; the card has {len(self.labels)} labels{advice}"
            ) from None
        self.input_size = input_size

    def decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        """Decode one frame.

        :param outputs: the network's outputs by name, as :meth:`check` saw them.
        :param limits: which candidates become detections.
        :return: detections in pixels of the network's input, best score first; never a NaN.
        :raises DecoderError: if an output of dynamic shape turns out not to fit.
        """
        with np.errstate(invalid='ignore', over='ignore'):  # what is not finite is dropped below
            return self._decode(outputs, limits)

    @abstractmethod
    def _match(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        """Choose the outputs, or raise DecoderError with what is expected."""

    @abstractmethod
    def _decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        """Decode without minding floating-point warnings."""

    def _others_that_fit(
        self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]
    ) -> list[str]:
        fitting = []
        for name, kind in Decoder.registry.items():
            try:
                fields = Fields({}, '', 'output.settings', kind.allowed_settings)
                kind(fields, self.labels)._match(outputs, input_size)
            except (DecoderError, CardError):
                continue
            if name != self.name:
                fitting.append(name)
        return fitting

    def _finish(
        self,
        boxes: npt.NDArray[Any],
        scores: npt.NDArray[Any],
        class_ids: npt.NDArray[Any],
        limits: DetectionLimits,
        suppress: bool,
    ) -> Detections:
        """Drop what cannot be shown, suppress or sort, limit.

        :param boxes: ``(N, 4)`` corners; candidates that already reach the score threshold.
        :param suppress: whether overlapping boxes of one class have to be suppressed here.
        """
        usable = np.isfinite(boxes).all(axis=1) & np.isfinite(scores)
        self._non_finite += len(usable) - int(np.count_nonzero(usable))
        upright = (boxes[:, 2] >= boxes[:, 0]) & (boxes[:, 3] >= boxes[:, 1])
        self._inverted += int(np.count_nonzero(usable & ~upright))
        usable &= upright
        if limits.class_ids is not None:
            usable &= np.isin(class_ids, list(limits.class_ids))
        rows = np.flatnonzero(usable)
        if not len(rows):
            return Detections.empty()
        boxes, scores, class_ids = boxes[rows], scores[rows], class_ids[rows]
        if suppress:
            best = nms(boxes, scores, class_ids, limits.iou_threshold, limits.max_detections)
        else:
            best = np.argsort(-scores, kind='stable')[: limits.max_detections]
        return Detections(
            boxes[best].astype(np.float32, copy=False),
            scores[best].astype(np.float32, copy=False),
            class_ids[best].astype(np.int32, copy=False),
        )
