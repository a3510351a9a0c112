# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a YOLO network's output to the few candidates that are worth decoding, on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetson_infer.core.closing import Closing
from jetson_infer.core.decoders.candidates import CandidateLayout, Candidates
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.kernels.candidates_reference import ROW, candidates_reference
from jetson_infer.cuda.kernels.program import Twin, load_program
from jetson_infer.cuda.memory import Buffer, check_room
from jetson_infer.cuda.stream import Stream

__all__ = ['DEFAULT_CAPACITY', 'LAYOUT', 'CandidatesKernel', 'Chosen', 'candidates_nbytes']

DEFAULT_CAPACITY = 1024
"""Candidates that cross to the host at most: 33 kB.  Crowded scenes have a few hundred."""

SETTINGS_NBYTES = 4
HEADER_NBYTES = 32
LAYOUT = np.dtype([('anchors', 'i4'), ('channels', 'i4'), ('classes', 'i4'), ('capacity', 'i4')])
"""The kernel's ``Layout``, member by member (candidates.cu)."""

_BLOCK = (32, 8, 1)
_EXAMPLES = 32


def candidates_nbytes(capacity: int) -> int:
    """Return the size of what takes so many candidates and their number."""
    return HEADER_NBYTES + capacity * ROW.itemsize


@dataclass(frozen=True)
class Chosen:
    """What the device chose of one frame.

    :param candidates: in the order of their anchors; copies.
    :param lost: how many more reached the threshold than there was room for.  Which of them are
        here is then chance: decode the whole output instead.
    """

    candidates: Candidates
    lost: int


class CandidatesKernel(Closing):
    """Chooses the candidates of one output: threshold, best class, packing.

    The threshold is read on the device from a buffer of settings, so that it changes live in a
    captured graph; whoever fills that buffer on the host copies it within the graph.  Used by the
    thread on which the device is current.

    :param device: where it runs; the host twin computes the same in NumPy.
    :param layout: as :meth:`Decoder.device_candidates` describes it.
    :param capacity: how many candidates there is room for, at least 1.
    :raises ValueError: if there is no anchor, no class or no room.
    :raises KernelError: if the kernels cannot be compiled or loaded.
    """

    def __init__(
        self, device: Device, layout: CandidateLayout, capacity: int = DEFAULT_CAPACITY
    ) -> None:
        if min(layout.anchors, layout.classes, capacity) < 1:
            raise ValueError(
                f'{layout.anchors} anchors, {layout.classes} classes and room for {capacity} '
                'candidates: each must be at least 1'
            )
        self._layout = layout
        self._capacity = capacity
        order = 'first' if layout.channels_first else 'last'
        name = f'candidates_{order}_{layout.dtype.name}_{layout.objectness}'
        self._module = load_program(device, 'candidates.cu', {}, {name: self._twin()})
        self._function = self._module.function(name)
        anchors_a_block = _BLOCK[0] if layout.channels_first else _BLOCK[1]
        self._grid = (-(-layout.anchors // anchors_a_block), 1, 1)
        self._arguments = KernelArguments(
            [('output', 'u8'), ('settings', 'u8'), ('results', 'u8'), ('layout', LAYOUT)]
        )
        self._arguments['layout'] = (layout.anchors, layout.channels, layout.classes, capacity)

    @property
    def settings_nbytes(self) -> int:
        """The size of the buffer of settings."""
        return SETTINGS_NBYTES

    @property
    def results_nbytes(self) -> int:
        """The size of the buffer of results."""
        return candidates_nbytes(self._capacity)

    @property
    def output_nbytes(self) -> int:
        """The size of the network's output."""
        return self._layout.anchors * self._layout.channels * self._layout.dtype.itemsize

    def write_settings(self, settings: npt.NDArray[np.uint8], limits: DetectionLimits) -> None:
        """Write the limits by which the next frames are chosen.

        :param settings: uint8 ``(settings_nbytes,)`` on the host, to be copied to the device; or
            mapped memory.
        """
        settings[:SETTINGS_NBYTES].view(np.float32)[0] = self._layout.threshold(limits)

    def enqueue(self, stream: Stream, output: Buffer, settings: Buffer, results: Buffer) -> None:
        """Queue the choice of one frame's candidates; may be captured.

        :param output: the network's output, on the device.
        :param settings: on the device, as :meth:`write_settings` made it.
        :param results: on the device; to be copied to the host for :meth:`read`.
        :raises ValueError: if a buffer is too small.
        :raises DeviceError: if the device is lost.
        """
        check_room(output, self.output_nbytes)
        check_room(settings, self.settings_nbytes)
        check_room(results, self.results_nbytes)
        stream.fill(results, 0, HEADER_NBYTES)
        arguments = self._arguments
        arguments['output'] = output.address
        arguments['settings'] = settings.address
        arguments['results'] = results.address
        stream.launch(self._function, self._grid, _BLOCK, arguments)

    def read(self, results: npt.NDArray[np.uint8]) -> Chosen:
        """Read what was chosen.

        :param results: uint8 ``(results_nbytes,)``, on the host, after the copy has ended.
        """
        count = int(results[:4].view(np.int32)[0])
        stored = min(count, self._capacity)
        rows = results[HEADER_NBYTES : HEADER_NBYTES + stored * ROW.itemsize].view(ROW)
        # A device writes them as they come.  The copy is the host's own: page-locked memory is
        # read once.
        rows = rows[rows['anchor'].argsort()]
        candidates = Candidates(
            rows['box'], rows['score'], rows['class_id'], rows['anchor'], ordered=True
        )
        return Chosen(candidates, count - stored)

    def example(self) -> npt.NDArray[np.uint8]:
        """Return results as a device could have written them, on the host.

        They are 32 candidates, some of which overlap, that every decoder shows and none drops:
        within a pixel, a cell or the whole input, whatever its boxes are measured in.
        """
        results = np.zeros(self.results_nbytes, np.uint8)
        count = min(_EXAMPLES, self._capacity)
        results[:4].view(np.int32)[0] = count
        rows = results[HEADER_NBYTES:].view(ROW)[:count]
        number = np.arange(count)
        place = number % (_EXAMPLES - _EXAMPLES // 4)  # a quarter lies where others do
        rows['box'][:, 0], rows['box'][:, 1] = 0.1 + 0.1 * (place % 8), 0.1 + 0.1 * (place // 8)
        rows['box'][:, 2:] = 0.1
        rows['score'] = (20.0 if self._layout.logits else 1.0) - 0.001 * number
        rows['anchor'] = number[::-1]
        return results

    def close(self) -> None:
        """Release the kernels; may be called twice."""
        self._module.close()

    def _twin(self) -> Twin:
        layout = self._layout

        def run(
            reach: Callable[[int, int], npt.NDArray[np.uint8]],
            output: int,
            settings: int,
            results: int,
            numbers: np.void,
        ) -> None:
            values = reach(output, self.output_nbytes).view(layout.dtype)
            threshold = reach(settings, SETTINGS_NBYTES).view(np.float32)[0]
            rows = candidates_reference(values, layout, threshold)
            capacity = int(numbers['capacity'])
            count = reach(results, HEADER_NBYTES)[:4].view(np.int32)
            # As on a device, they arrive in no order that could be counted on.
            arrived = rows[::-1][:capacity]
            count += len(rows)
            target = reach(results + HEADER_NBYTES, capacity * ROW.itemsize).view(ROW)
            target[: len(arrived)] = arrived

        return run
