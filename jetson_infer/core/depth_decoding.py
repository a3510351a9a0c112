# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a depth network's output to a depth image of the camera's image.

One output holds a number for every pixel of the network's input, or of a scaled input: the depth in
metres (Depth Anything V2 metric, ZoeDepth) or its inverse (Depth Anything, MiDaS: relative, without
a scale).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import OutputCard
from jetson_infer.core.decoders.outputs import find
from jetson_infer.core.depth_images import Depth
from jetson_infer.core.fields import Fields, shown
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.core.resampling import Resampler, Resize
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import CardError, DecoderError, InternalError

__all__ = ['DepthDecoder', 'make_depth_decoder']

VALUES = ('metres', 'inverse')
NEAREST_M, FARTHEST_M = 1e-9, 1e9
"""No depth is nearer or farther: such a number is 0 or infinite but for rounding."""
_LAYOUTS = '1x1xHxW, 1xHxW or 1xHxWx1'
_TYPES = (np.float32, np.float16)


class DepthDecoder:
    """Turns one frame's network output into a depth image of the source image.

    The letterbox's bars are cut off; what is left is scaled to the source image bilinearly, in what
    the network puts out: an inverse depth is scaled as such, in which a plane stays a plane, and
    inverted then.  Unknown pixels are never mixed into known ones; see
    :class:`~jetson_infer.core.resampling.Resampler`.

    Settings: ``output`` (its name; needed only where several outputs fit), ``values`` (``metres``,
    or ``inverse`` where nearer is larger; default metres), ``scale`` (multiplies the depth, so
    that it is ``scale * value``, or ``scale / value`` of inverse values; default 1), ``min_m`` and
    ``max_m`` (a depth that is less or more is unknown; in metres, or in the network's own unit
    where it has no scale).

    :param fields: the card's ``output.settings``.
    :param resize: what scales where it can, in NumPy's place.
    :raises CardError: if a setting is unknown or cannot work.
    """

    name = 'depth'
    allowed_settings = ('output', 'values', 'scale', 'min_m', 'max_m')

    def __init__(self, fields: Fields, resize: Resize | None = None) -> None:
        self._resize = resize
        self._wanted = fields.text('output') if fields.has('output') else None
        self._inverse = fields.choice('values', VALUES, default='metres') == 'inverse'
        self._scale = np.float32(fields.number('scale', 1e-9, 1e9, default=1.0))
        near = fields.number('min_m', 0, FARTHEST_M, default=0)
        far = fields.number('max_m', NEAREST_M, FARTHEST_M, default=FARTHEST_M)
        if near >= far:
            raise fields.error('max_m', f'{far:g} must be more than min_m, {near:g}')
        self._near, self._far = np.float32(max(near, NEAREST_M)), np.float32(far)
        self._output = ''
        self._resampler: Resampler | None = None
        self._geometry: object = None

    def check(self, outputs: tuple[TensorSpec, ...], input_size: tuple[int, int]) -> None:
        """Find the output to decode; once, before :meth:`decode`.

        An output that the card does not name has to be of the input's proportions, to a pixel.

        :param outputs: the network's outputs.
        :param input_size: width and height of the network's input.
        :raises DecoderError: if none fits, or several do, with what was found and expected.
        """
        width, height = input_size
        named = self._wanted is not None
        proportions = '' if named else f', H to W like the input, {height} to {width}'
        try:
            self._output = find(
                outputs,
                lambda output: _is_depth(output) and (named or _is_like(output.shape, input_size)),
                setting='output',
                expected=f'{_LAYOUTS} of float32 or float16{proportions}',
                name=self._wanted,
            ).name
        except DecoderError as error:
            found = ', '.join(str(output) for output in outputs) or 'none'
            raise DecoderError(
                f'decoder {self.name!r} cannot read this network: {error}. The network has the '
                f'outputs {found}'
            ) from None

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], letterbox: Letterbox) -> Depth:
        """Decode one frame.

        :param outputs: the network's outputs by name, as :meth:`check` saw them.
        :param letterbox: how the image was laid into the network's input.
        :return: float32 ``(H, W)`` at the source image's size, a new array; in metres, or in the
            network's own unit where it has no scale; NaN where unknown, which is also where the
            network put out NaN, an infinity, 0 or less.
        :raises DecoderError: if an output of dynamic shape turns out not to fit.
        """
        if not self._output:
            raise InternalError('DepthDecoder.decode was called before DepthDecoder.check')
        values = _plane_of(outputs[self._output], self._output)
        resampler = self._fitting((values.shape[0], values.shape[1]), letterbox)
        with np.errstate(invalid='ignore', over='ignore', divide='ignore'):
            numbers = values[resampler.window].astype(np.float32)
            depths = self._scale / numbers if self._inverse else self._scale * numbers
            known = (depths >= self._near) & (depths <= self._far)
        found = resampler.resample(numbers if self._inverse else depths, known)
        return np.divide(self._scale, found, out=found) if self._inverse else found

    def _fitting(self, shape: tuple[int, int], letterbox: Letterbox) -> Resampler:
        """Return what cuts and scales; every frame of a camera has the same geometry."""
        if self._resampler is None or self._geometry != (shape, letterbox):
            part, size = _part(shape, letterbox), letterbox.source_size
            self._resampler = Resampler(shape, part, size, self._resize)
            self._geometry = (shape, letterbox)
        return self._resampler


def make_depth_decoder(output: OutputCard, resize: Resize | None = None) -> DepthDecoder:
    """Make the decoder of a card whose task is depth.

    :param output: the card's output.
    :param resize: see :class:`DepthDecoder`.
    :raises CardError: if the card names another one, or a setting is unknown or cannot work.
    """
    if output.decoder != DepthDecoder.name:
        raise CardError(
            output.source,
            'output.decoder',
            f'must be {DepthDecoder.name!r}, the decoder of the task depth, '
            f'not {shown(output.decoder)}',
        )
    settings = DepthDecoder.allowed_settings
    fields = Fields(output.settings, output.source, 'output.settings', settings)
    return DepthDecoder(fields, resize)


def _part(shape: tuple[int, int], letterbox: Letterbox) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the image within an output, in the output's pixels."""
    height, width = shape
    network_width, network_height = letterbox.network_size
    inner_width, inner_height = letterbox.inner_size
    return (
        letterbox.pad_x * width / network_width,
        letterbox.pad_y * height / network_height,
        (letterbox.pad_x + inner_width) * width / network_width,
        (letterbox.pad_y + inner_height) * height / network_height,
    )


def _is_depth(output: TensorSpec) -> bool:
    """Tell whether an output may hold one number a pixel."""
    return output.dtype in _TYPES and _plane(output.shape) is not None


def _plane(shape: Sequence[int]) -> tuple[int, int] | None:
    """Return height and width of a depth image of a shape, -1 where not known yet; None if none."""
    if len(shape) not in (3, 4) or shape[0] not in (1, -1):
        return None
    if len(shape) == 3:
        return shape[1], shape[2]
    if shape[1] == 1:
        return shape[2], shape[3]
    if shape[3] == 1:
        return shape[1], shape[2]
    return (-1, -1) if -1 in (shape[1], shape[3]) else None


def _is_like(shape: Sequence[int], input_size: tuple[int, int]) -> bool:
    """Tell whether a depth image may have the input's proportions, to a pixel."""
    plane = _plane(shape)
    if plane is None or -1 in plane:
        return plane is not None
    (height, width), (input_width, input_height) = plane, input_size
    difference = abs(width * input_height - height * input_width)
    return min(plane) > 1 and difference <= max(input_width, input_height)


def _plane_of(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return a view ``(H, W)`` of one frame's output.

    :raises DecoderError: if an output of dynamic shape turns out not to fit.
    """
    plane = _plane(array.shape)
    if plane is None or min(plane) < 1:
        raise DecoderError(
            f'{name} has shape {list(array.shape)}, not [1, 1, H, W], [1, H, W] or [1, H, W, 1]'
        )
    return array.reshape(plane)
