# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What every decoder has: a name, checked settings, a check of the network's outputs, counts.

To add a decoder: write a subclass with a ``name`` in a module of its own, import that module in
this folder's ``__init__``, and describe the layout in docs/model_cards.md.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from jetson_infer.core.boxes import nms
from jetson_infer.core.decoders.candidates import CandidateLayout, Candidates
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.fields import Fields
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import CardError, DecoderError, InternalError

__all__ = ['Decoder', 'Outputs']

Outputs = Mapping[str, npt.NDArray[Any]]

_SCORE_TOLERANCE = 0.05  # by which rounding in float16 or int8 may lift a score above 1


class Decoder(ABC):
    """Turns one frame's network outputs into detections, in pixels of the network's input.

    :param fields: the card's ``output.settings``.
    :param labels: the class names; their number must fit the network.
    :raises CardError: if a setting is unknown or cannot work.
    """

    name: ClassVar[str]
    allowed_settings: ClassVar[tuple[str, ...]] = ()
    registry: ClassVar[dict[str, type[Decoder]]] = {}
    """Every decoder by its name."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if 'name' in cls.__dict__:
            Decoder.registry[cls.name] = cls

    def __init__(self, fields: Fields, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.input_size = (0, 0)
        self._checked = False
        self._dropped = {'non_finite': 0, 'inside_out': 0, 'unlabelled': 0}

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many candidates were dropped so far, and why; running totals.

        ``non_finite``: a NaN or an infinity; ``inside_out``: a negative width or height;
        ``unlabelled``: a class for which the card has no label.
        """
        return MappingProxyType(self._dropped)

    @property
    def non_finite(self) -> int:
        """How many candidates were dropped so far for a NaN or an infinity; a running total."""
        return self._dropped['non_finite']

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
            advice = f'. Decoders that fit these outputs: {", ".join(others)}' if others else ''
            raise DecoderError(
                f'decoder {self.name!r} cannot read this network: {error}. The card has '
                f'{len(self.labels)} labels; the network has the outputs {found}{advice}'
            ) from None
        self.input_size = input_size
        self._checked = True

    def decode(self, outputs: Outputs, limits: DetectionLimits) -> Detections:
        """Decode one frame.

        :param outputs: the network's outputs by name, as :meth:`check` saw them.
        :param limits: which candidates become detections.
        :return: detections in pixels of the network's input, best score first; never a NaN.
        :raises DecoderError: if an output of dynamic shape turns out not to fit, or if scores
            exceed 1, which only logits do.
        """
        if not self._checked:
            raise InternalError('Decoder.decode was called before Decoder.check')
        with np.errstate(invalid='ignore', over='ignore'):  # what is not finite is dropped
            return self._decode(outputs, limits)

    def device_candidates(self, outputs: Sequence[TensorSpec]) -> CandidateLayout | None:
        """Tell how a device may choose the candidates in this decoder's place.

        :param outputs: the network's outputs as they are bound; after :meth:`check`.
        :return: what to choose from; None where the whole outputs have to come to the host: other
            decoders than the YOLO family, shapes not known yet, other types than float32 and
            float16.
        :raises DecoderError: if an output of dynamic shape turns out not to fit.
        """
        if not self._checked:
            raise InternalError('Decoder.device_candidates was called before Decoder.check')
        return self._device_candidates({output.name: output for output in outputs})

    def decode_candidates(self, candidates: Candidates, limits: DetectionLimits) -> Detections:
        """Decode the candidates that a device chose by :meth:`device_candidates`.

        The result is that of :meth:`decode` on the whole outputs, and so are the counts of what was
        dropped, whatever order the candidates come in: provided that they are all of those that
        reach these limits' score threshold.

        :param candidates: those that the device chose.
        :param limits: as the device chose by; a higher score threshold may come too late for it,
            and is applied here.
        :raises DecoderError: if scores exceed 1, which only logits do.
        :raises InternalError: if this decoder has no candidates.
        """
        if not self._checked:
            raise InternalError('Decoder.decode_candidates was called before Decoder.check')
        with np.errstate(invalid='ignore', over='ignore'):
            return self._decode_candidates(candidates.in_order(), limits)

    def account(self, non_finite: int, inside_out: int, highest: np.float32) -> None:
        """Count what a device dropped that made detections in this decoder's place, and judge.

        :param non_finite: how many candidates it dropped for a NaN or an infinity.
        :param inside_out: how many for a negative width or height.
        :param highest: the highest score of the others, or of those above 1.
        :raises DecoderError: if scores exceed 1, which only logits do.
        """
        self._dropped['non_finite'] += non_finite
        self._dropped['inside_out'] += inside_out
        self._check_scores(highest)

    def _device_candidates(self, outputs: Mapping[str, TensorSpec]) -> CandidateLayout | None:
        return None

    def _decode_candidates(self, candidates: Candidates, limits: DetectionLimits) -> Detections:
        raise InternalError(f'decoder {self.name!r} decodes whole outputs, not candidates')

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
        if not len(scores):
            return Detections.empty()
        if limits.class_ids is not None or not self._all_usable(boxes, scores, class_ids):
            rows = self._usable(boxes, scores, class_ids, limits)
            if not len(rows):
                return Detections.empty()
            boxes, scores, class_ids = boxes[rows], scores[rows], class_ids[rows]
            self._check_scores(scores.max())
            scores = np.minimum(scores, 1)
        if suppress:
            best = nms(boxes, scores, class_ids, limits.iou_threshold, limits.max_detections)
        else:
            best = np.argsort(-scores, kind='stable')[: limits.max_detections]
        return Detections(
            boxes[best].astype(np.float32, copy=False),
            scores[best].astype(np.float32, copy=False),
            class_ids[best].astype(np.int32, copy=False),
        )

    def _check_scores(self, highest: Any) -> None:
        if highest > 1 + _SCORE_TOLERANCE:
            raise DecoderError(
                f'scores reach {highest:.3g}, and a score is at most 1; does the network '
                f"emit logits? See the setting 'activation' of the decoders that have it"
            )

    def _all_usable(
        self, boxes: npt.NDArray[Any], scores: npt.NDArray[Any], class_ids: npt.NDArray[Any]
    ) -> bool:
        """Tell, for the usual frame and in few steps, that nothing has to be dropped or cut.

        A sum that is finite has finite terms; one that overflows, or is not a number, is looked at
        term by term.
        """
        return bool(
            scores.max() <= 1
            and class_ids.dtype.kind in 'iu'
            and class_ids.min() >= 0
            and class_ids.max() < len(self.labels)
            and math.isfinite(boxes.sum())
            and (boxes[:, 2:] >= boxes[:, :2]).all()
        )

    def _usable(
        self,
        boxes: npt.NDArray[Any],
        scores: npt.NDArray[Any],
        class_ids: npt.NDArray[Any],
        limits: DetectionLimits,
    ) -> npt.NDArray[np.intp]:
        """Return the rows that can be shown and are asked for; count the others."""
        finite = np.isfinite(boxes).all(axis=1) & np.isfinite(scores) & np.isfinite(class_ids)
        upright = (boxes[:, 2] >= boxes[:, 0]) & (boxes[:, 3] >= boxes[:, 1])
        labelled = (class_ids >= 0) & (class_ids < len(self.labels))
        usable = finite & upright & labelled
        if not usable.all():
            self._dropped['non_finite'] += int(np.count_nonzero(~finite))
            self._dropped['inside_out'] += int(np.count_nonzero(finite & ~upright))
            self._dropped['unlabelled'] += int(np.count_nonzero(finite & upright & ~labelled))
        if limits.class_ids is not None:
            usable &= np.isin(class_ids, list(limits.class_ids))
        return np.flatnonzero(usable)
