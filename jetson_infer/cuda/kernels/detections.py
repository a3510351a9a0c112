# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From the candidates of a frame to its detections, on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jetson_infer.core.closing import Closing
from jetson_infer.core.decoders.candidates import Finishing
from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.letterbox import Letterbox
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.kernels.candidates import (
    DEFAULT_CAPACITY,
    HEADER_NBYTES,
    candidates_nbytes,
)
from jetson_infer.cuda.kernels.candidates_reference import ROW
from jetson_infer.cuda.kernels.detections_reference import (
    DETECTION,
    GEOMETRY,
    HEADER,
    LAYOUT,
    SETTINGS,
    detections_reference,
)
from jetson_infer.cuda.kernels.program import Twin, load_program
from jetson_infer.cuda.memory import Buffer, aligned, check_room
from jetson_infer.cuda.stream import Stream

__all__ = ['MOST', 'DetectionsKernel', 'Finished', 'FinishedResults', 'geometry_of']

MOST = 1024
"""So many candidates, a thread each, are finished at most."""

_NAME = 'detections_finish'
_WARP = 32
_GRID = (1, 1, 1)


@dataclass(frozen=True)
class Finished:
    """What the device made of one frame.

    :param detections: in pixels of the camera's image, within it, best score first; copies.
    :param lost: how many more candidates there were than there was room for.  Nothing else is true
        then: decode the whole output instead.
    :param non_finite: how many candidates were dropped for a NaN or an infinity.
    :param inside_out: how many for a negative width or height.
    :param above_one: the greatest score that was cut to 1; 0 where none was.
    """

    detections: Detections
    lost: int
    non_finite: int
    inside_out: int
    above_one: np.float32


class FinishedResults:
    """Reads one lane's results, frame after frame.

    :param host: uint8 ``(results_nbytes,)``, always the same memory.
    """

    def __init__(self, host: npt.NDArray[np.uint8]) -> None:
        self._view(host)

    def _view(self, host: npt.NDArray[np.uint8]) -> None:
        # Once: making views takes longer than copying a frame's rows.
        header, rows = host[: HEADER.itemsize], host[HEADER.itemsize :].view(DETECTION)
        self._counts = header.view(np.int32)[:4]
        self._above_one = header.view(HEADER)['above_one']
        self._boxes, self._scores, self._class_ids = rows['box'], rows['score'], rows['class_id']

    def read(self) -> Finished:
        """Read what the device wrote, after its copy to the host has ended."""
        count, lost, non_finite, inside_out = self._counts.tolist()
        found = Detections(
            self._boxes[:count].copy(), self._scores[:count].copy(), self._class_ids[:count].copy()
        )
        return Finished(found, lost, non_finite, inside_out, self._above_one[0])

    def let_go(self) -> None:
        """Drop the views of the host's memory, which is closed next; no frame can come any more."""
        self._view(np.zeros(HEADER.itemsize, np.uint8))


class DetectionsKernel(Closing):
    """Finishes frames: corners, validity, classes, suppression, the camera image's pixels.

    To the bit what :meth:`Decoder.decode_candidates` and the way into the image make of the same
    candidates.  The limits are read on the device from a buffer of settings; the geometry goes with
    every call.  Used by the thread on which the device is current.

    :param device: where it runs; the host twin computes the same in NumPy.
    :param finishing: as :attr:`CandidateLayout.finishing` describes it.
    :param classes: how many classes there are.
    :param capacity: how many candidates the candidates kernel has room for, 1 to :data:`MOST`.
    :raises ValueError: if the capacity is another.
    :raises KernelError: if the kernel cannot be compiled or loaded.
    """

    def __init__(
        self,
        device: Device,
        finishing: Finishing,
        classes: int,
        capacity: int = DEFAULT_CAPACITY,
    ) -> None:
        if not 1 <= capacity <= MOST:
            raise ValueError(f'room for {capacity} candidates: it must be 1 to {MOST}')
        self._finishing = finishing
        self._capacity = capacity
        self._class_words = -(-classes // 32)
        self._module = load_program(device, 'detections.cu', {}, {_NAME: self._twin()})
        self._function = self._module.function(_NAME)
        self._block = (aligned(capacity, _WARP), 1, 1)
        self._letterbox: Letterbox | None = None
        self._arguments = KernelArguments(
            [
                ('candidates', 'u8'),
                ('settings', 'u8'),
                ('results', 'u8'),
                ('layout', LAYOUT),
                ('geometry', GEOMETRY),
            ]
        )
        self._arguments['layout'] = (finishing.box_scale, capacity)

    @property
    def candidates_nbytes(self) -> int:
        """The size of the candidates kernel's results."""
        return candidates_nbytes(self._capacity)

    @property
    def settings_nbytes(self) -> int:
        """The size of the buffer of settings."""
        return SETTINGS.itemsize + 4 * self._class_words

    @property
    def results_nbytes(self) -> int:
        """The size of the buffer of results."""
        return HEADER.itemsize + self._capacity * DETECTION.itemsize

    def written_nbytes(self, limits: DetectionLimits) -> int:
        """Return how many bytes of the results may be written under some limits."""
        return HEADER.itemsize + min(limits.max_detections, self._capacity) * DETECTION.itemsize

    def write_settings(self, settings: npt.NDArray[np.uint8], limits: DetectionLimits) -> None:
        """Write the limits under which the next frames are finished.

        :param settings: uint8 ``(settings_nbytes,)`` on the host, to be copied to the device; or
            mapped memory.
        """
        record = settings[: SETTINGS.itemsize].view(SETTINGS)
        record['iou_threshold'] = record['near_threshold'] = limits.iou_threshold
        # No intersection over union is greater than 1.
        record['suppress'] = self._finishing.suppress and limits.iou_threshold < 1
        record['max_detections'] = min(limits.max_detections, self._capacity)
        wanted = np.ones(32 * self._class_words, np.bool_)
        if limits.class_ids is not None:
            wanted[:] = np.isin(np.arange(len(wanted)), list(limits.class_ids))
        settings[SETTINGS.itemsize : self.settings_nbytes] = np.packbits(wanted, bitorder='little')

    def enqueue(
        self,
        stream: Stream,
        candidates: Buffer,
        settings: Buffer,
        results: Buffer,
        letterbox: Letterbox,
    ) -> None:
        """Queue the end of one frame, behind :meth:`CandidatesKernel.enqueue`.

        :param candidates: the candidates kernel's results, on the device.
        :param settings: on the device, as :meth:`write_settings` made it.
        :param results: on the device; their first :meth:`written_nbytes` are to be copied to the
            host for :class:`FinishedResults`.
        :param letterbox: the geometry of the frame's image.
        :raises ValueError: if a buffer is too small.
        :raises DeviceError: if the device is lost.
        """
        check_room(candidates, self.candidates_nbytes)
        check_room(settings, self.settings_nbytes)
        check_room(results, self.results_nbytes)
        arguments = self._arguments
        arguments['candidates'] = candidates.address
        arguments['settings'] = settings.address
        arguments['results'] = results.address
        if letterbox is not self._letterbox:  # a camera's frames have one
            arguments['geometry'] = geometry_of(letterbox)
            self._letterbox = letterbox
        stream.launch(self._function, _GRID, self._block, arguments)

    def example(self) -> FinishedResults:
        """Return results as a device could have written them, of a frame with nothing in it."""
        return FinishedResults(np.zeros(HEADER.itemsize + DETECTION.itemsize, np.uint8))

    def close(self) -> None:
        """Release the kernel; may be called twice."""
        self._module.close()

    def _twin(self) -> Twin:
        def run(
            reach: Callable[[int, int], npt.NDArray[np.uint8]],
            candidates: int,
            settings: int,
            results: int,
            layout: np.void,
            geometry: np.void,
        ) -> None:
            packed = reach(candidates, self.candidates_nbytes)
            target = reach(results, self.results_nbytes)
            header, rows = target[: HEADER.itemsize].view(HEADER), target[HEADER.itemsize :]
            count, capacity = int(packed[:4].view(np.int32)[0]), int(layout['capacity'])
            header['count'], header['lost'] = 0, max(0, count - capacity)
            if count > capacity:
                return
            chosen = packed[HEADER_NBYTES:].view(ROW)[:count]
            limits = reach(settings, self.settings_nbytes)
            header[:], found = detections_reference(chosen, limits, layout['box_scale'], geometry)
            rows[: found.nbytes] = found.view(np.uint8)

        return run


def geometry_of(letterbox: Letterbox) -> npt.NDArray[np.void]:
    """Tell the kernel how boxes find back to the image: a record of :data:`GEOMETRY`, ``()``."""
    record = np.zeros((), GEOMETRY)
    record['scale'] = letterbox.scale_x, letterbox.scale_y
    record['pad'] = letterbox.pad_x, letterbox.pad_y
    record['size'] = letterbox.source_size
    return record
