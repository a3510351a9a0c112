# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A loaded network that takes images from the host's memory and leaves its outputs there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import ModelCard, VariantCard
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.engines.session import Session
from jetson_infer.pipeline.preprocess import Preprocessor

__all__ = ['HostNetwork', 'HostOutputs']

_WARM_UP_RUNS = 2

HostOutputs = Mapping[str, npt.NDArray[np.generic]]


class HostNetwork:
    """One variant's network with its inputs and outputs bound, and what prepares images for it.

    Made, used and closed as its session is: of a device, where that is current.

    :param card: the model's card.
    :param variant: which of its variants.
    :param session: the loaded network; closed with this, and left open if making this fails.
    :raises CardError: if card and network do not fit.
    :raises SessionError, DeviceMemoryError: if its inputs and outputs cannot be allocated.
    """

    def __init__(self, card: ModelCard, variant: VariantCard, session: Session) -> None:
        self._session = session
        self._preprocessor = Preprocessor(card.input, variant.size)
        wanted = match_inputs(session.inputs, card, variant)
        self._binding = session.bind(wanted.shapes)
        for name, array in wanted.constants.items():
            self._binding.inputs[name][...] = array
        self._input = self._binding.inputs[wanted.image]

    def infer(
        self, image: ImageView | CompressedView, clock: StageClock
    ) -> tuple[HostOutputs, Letterbox]:
        """Prepare an image and run the network; marks `preprocess` and `infer`.

        :return: the outputs by name, which are valid until the next run and no longer than until
            :meth:`close`, and how the image was laid into the input.
        :raises FrameRejected: if the image cannot be used.
        :raises SessionError: if the engine fails on it.
        """
        letterbox = self._preprocessor.prepare(image, self._input)
        clock.mark('preprocess')
        outputs = self._binding.run()
        clock.mark('infer')
        return outputs, letterbox

    def warm_up(self, decode: Callable[[HostOutputs], object]) -> None:
        """Let the engine make its lazy choices now rather than at the first frame.

        :param decode: what the outputs are given to, which are those of zeros.
        :raises SessionError: if the engine fails.
        """
        self._input[...] = np.zeros((), self._input.dtype)
        for _ in range(_WARM_UP_RUNS):
            decode(self._binding.run())

    def close(self) -> None:
        """Release the network; may be called twice."""
        # The session's memory is closed with it, and must not be viewed any more then.
        self._preprocessor.let_go()
        self._input = np.empty_like(self._input)
        self._session.close()
