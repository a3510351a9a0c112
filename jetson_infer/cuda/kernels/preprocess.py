# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a camera's bytes to the network's input in one kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.cards import InputCard
from jetson_infer.core.closing import Closing
from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.kernels.geometry import GEOMETRY, SUPPORTED, RawImage, geometry_of
from jetson_infer.cuda.kernels.packing import Packing, packing_of
from jetson_infer.cuda.kernels.preprocess_reference import preprocess_reference
from jetson_infer.cuda.kernels.program import Twin, load_program
from jetson_infer.cuda.memory import Buffer, aligned
from jetson_infer.cuda.stream import Function, Stream

__all__ = ['VARIANTS', 'PreprocessKernel']

_TARGETS = {'float32': 0, 'float16': 1, 'uint8': 2}
_COLOURS = {'rgb': 0, 'bgr': 1, 'grey': 2}
VARIANTS = tuple(
    {'TARGET': target, 'COLOUR': colour, 'PLANAR': planar}
    for target in _TARGETS.values()
    for colour in _COLOURS.values()
    for planar in (0, 1)
    if planar or colour != _COLOURS['grey']  # with one channel both layouts are the same bytes
)
"""The definitions of every program that there is."""

_BLOCK = (32, 4, 1)
_PIXELS = 2  # of a row, a thread
_WORD = 4
_ALIGNMENTS = {'yuv420': 2, 'rgb': 1, 'bgr': 1}
"""To what the rows of a kind have to be aligned for loads of words; all others to words."""
_MAX_PLANS = 16


@dataclass(frozen=True)
class _Plan:
    """What is the same for every image of one kind."""

    letterbox: Letterbox
    geometry: np.void
    grid: tuple[int, int, int]
    plain: Function
    words: Function | None
    packing: Packing | None
    target_nbytes: int


class PreprocessKernel(Closing):
    """Scales, reorders and normalizes camera images into a network's input, on the device.

    It writes the whole input, padding included, and reads of the image what it samples; each image
    takes one launch.  The pixels are those of the host's way (pipeline/preprocess.py) within one
    level of 255 (docs/kernels.md).  Used by the thread on which the device is current.

    :param device: where it runs; the host twin computes the same in NumPy.
    :param card: the network's input.
    :param dtype: the type of the input as it is bound, float32, float16 or uint8; None: the card's.
    :raises ValueError: for another type, or uint8 with a mean or scale.
    :raises KernelError: if the kernels cannot be compiled or loaded.
    """

    def __init__(self, device: Device, card: InputCard, dtype: npt.DTypeLike = None) -> None:
        self._card = card
        self._dtype = np.dtype(dtype or card.dtype)
        plain = set(card.mean) == {0.0} and set(card.scale) == {1.0}
        if self._dtype.name not in _TARGETS or (self._dtype == np.uint8 and not plain):
            raise ValueError(
                'the network input must be float32 or float16, or uint8 with mean 0 and scale 1, '
                f'not {self._dtype} with mean {card.mean} and scale {card.scale}'
            )
        self._planar = card.layout == 'nchw' or card.channels == 1
        definitions = {
            'TARGET': _TARGETS[self._dtype.name],
            'COLOUR': _COLOURS[card.colour],
            'PLANAR': int(self._planar),
        }
        self._module = load_program(device, 'preprocess.cu', definitions, self._twins())
        self._functions = {
            name: self._module.function(f'preprocess_{name}') for name in _function_names()
        }
        self._arguments = KernelArguments(
            [('source', 'u8'), ('target', 'u8'), ('geometry', GEOMETRY)]
        )
        self._plans: dict[tuple[RawImage, tuple[int, int]], _Plan] = {}

    def target_nbytes(self, size: tuple[int, int]) -> int:
        """Return the bytes of the network's input for a size (width, height)."""
        return int(np.prod(self._card.shape(size))) * self._dtype.itemsize

    def packing(self, image: RawImage, size: tuple[int, int]) -> Packing | None:
        """Tell which rows of an image suffice, where leaving out the others is worth it.

        Copy those to the device's buffer, and :meth:`enqueue` the packed image: the network sees
        the same to the bit.

        :param image: how the image's bytes lie where they are.
        :param size: width and height of the network's input.
        :return: None where the image is best copied as it is.
        :raises ValueError: as :meth:`enqueue`.
        """
        return (self._plans.get((image, size)) or self._new_plan(image, size)).packing

    def enqueue(
        self,
        stream: Stream,
        image: RawImage,
        source: Buffer,
        target: Buffer,
        size: tuple[int, int],
    ) -> Letterbox:
        """Queue the preparation of one image.

        :param image: how the image's bytes lie in `source`.
        :param source: ``device`` or ``mapped``; holds the image from its beginning on.  Whole words
            are loaded where it begins at a word and has room for the image in whole words.
        :param target: ``device`` or ``mapped``; becomes the network's input, ``(1, C, H, W)`` or
            ``(1, H, W, C)`` as the card says.
        :param size: width and height of the network's input.
        :return: the geometry, which takes boxes back to the image.
        :raises ValueError: if a buffer is too small or misaligned, or the encoding is not among
            :data:`~jetson_infer.cuda.kernels.geometry.SUPPORTED`.
        :raises DeviceError: if the device is lost.
        """
        plan = self._plans.get((image, size)) or self._new_plan(image, size)
        self._check(image, source, target, plan.target_nbytes)
        whole = source.address % _WORD == 0 and source.nbytes >= aligned(image.nbytes, _WORD)
        arguments = self._arguments
        arguments['source'] = source.address
        arguments['target'] = target.address
        arguments['geometry'] = plan.geometry
        function = plan.words if whole and plan.words else plan.plain
        stream.launch(function, plan.grid, _BLOCK, arguments)
        return plan.letterbox

    def close(self) -> None:
        """Release the kernels; may be called twice."""
        self._module.close()

    def _new_plan(self, image: RawImage, size: tuple[int, int]) -> _Plan:
        if image.encoding not in SUPPORTED:
            raise ValueError(
                f"the kernel reads {', '.join(SUPPORTED)}, not '{image.encoding}'; convert it on "
                'the host first'
            )
        letterbox = Letterbox.fit(image.size, size, self._card.resize)
        columns, rows, _ = _BLOCK
        width, height = size
        grid = (-(-width // (columns * _PIXELS)), -(-height // rows), 1)
        alignment = _ALIGNMENTS.get(ENCODINGS[image.encoding].kind, _WORD)
        in_pairs = image.width > 1 and image.step % alignment == 0
        geometry = geometry_of(image, letterbox, self._card)
        plan = _Plan(
            letterbox,
            geometry,
            grid,
            self._functions[image.encoding],
            self._functions.get(f'{image.encoding}_words') if in_pairs else None,
            packing_of(image, geometry),
            self.target_nbytes(size),
        )
        if len(self._plans) == _MAX_PLANS:
            self._plans.clear()
        self._plans[image, size] = plan
        return plan

    def _check(self, image: RawImage, source: Buffer, target: Buffer, needed: int) -> None:
        if source.nbytes < image.nbytes or target.nbytes < needed:
            raise ValueError(
                f'{image} of {image.nbytes} bytes does not lie in {source!r}, or the input of '
                f'{needed} bytes not in {target!r}'
            )
        if target.address % (_PIXELS * self._dtype.itemsize):
            raise ValueError(
                f'{target!r} is not aligned to {_PIXELS * self._dtype.itemsize} bytes, which are '
                'written at once'
            )

    def _twins(self) -> dict[str, Twin]:
        colour, planar, dtype = self._card.colour, self._planar, self._dtype

        def twin(name: str) -> Twin:
            encoding = name.removesuffix('_words')

            def run(
                reach: Callable[[int, int], npt.NDArray[np.uint8]],
                source: int,
                target: int,
                geometry: np.void,
            ) -> None:
                width, height, step = (int(geometry[name]) for name in ('width', 'height', 'step'))
                rows = int(geometry['packed'] * geometry['inner_height']) or None
                data = reach(source, RawImage(encoding, width, height, step, rows).nbytes)
                result: npt.NDArray[Any] = preprocess_reference(
                    data, encoding, geometry, colour, planar, dtype
                )
                reach(target, result.nbytes)[:] = result.reshape(-1).view(np.uint8)

            return run

        return {f'preprocess_{name}': twin(name) for name in _function_names()}


def _function_names() -> list[str]:
    with_words = [f'{encoding}_words' for encoding in SUPPORTED if encoding != 'mono8']
    return [*SUPPORTED, *with_words]
