# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The detections kernel: its reference and its source, held against the host's decoder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import host_kernels
from crowds import SIZE, STYLES, assert_equal_to_the_bit, crowd, decoder_for, on_host
from host_kernels import aligned_bytes
from jetson_infer.core.boxes import cxcywh_to_xyxy
from jetson_infer.core.decoders.candidates import Finishing
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.letterbox import RESIZE_MODES, Letterbox
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.kernels.candidates_reference import ROW
from jetson_infer.cuda.kernels.detections import (
    MOST,
    DetectionsKernel,
    FinishedResults,
    geometry_of,
)
from jetson_infer.cuda.kernels.detections_reference import (
    DETECTION,
    GEOMETRY,
    HEADER,
    LAYOUT,
    SETTINGS,
    detections_reference,
)
from jetson_infer.errors import DecoderError

needs_compiler = pytest.mark.skipif(host_kernels.COMPILER is None, reason=host_kernels.WHY_NOT)
FIT = Letterbox.fit((640, 480), SIZE)


@pytest.fixture(scope='module')
def device():
    with HostDevice() as device, device.current():
        yield device
        assert device.live() == {}


class Reference:
    """Finishes candidates by the reference."""

    def __init__(self, device, finishing, classes, capacity=MOST):
        self.finishing = finishing
        self.capacity = capacity
        with DetectionsKernel(device, finishing, classes, capacity) as kernel:
            self._kernel = kernel

    def settings(self, limits):
        written = aligned_bytes(self._kernel.settings_nbytes)
        written[:] = 0x5A
        self._kernel.write_settings(written, limits)
        return written

    def finish(self, rows, limits, letterbox):
        results = np.full(self._kernel.results_nbytes, 0x5A, np.uint8)
        scale = np.array(self.finishing.box_scale, np.float32)
        geometry = geometry_of(letterbox)[()]
        header, found = detections_reference(rows, self.settings(limits), scale, geometry)
        results[: HEADER.itemsize] = header.view(np.uint8)
        results[HEADER.itemsize :][: found.nbytes] = found.view(np.uint8)
        return FinishedResults(results).read()


class Source(Reference):
    """Finishes candidates by the kernel's source on a host compiler."""

    disorder = 0

    def finish(self, rows, limits, letterbox, count=None):
        packed = aligned_bytes(32 + self.capacity * ROW.itemsize)
        packed[:] = 0xFF
        packed[:4].view(np.int32)[0] = len(rows) if count is None else count
        packed[32:][: rows.nbytes] = rows.view(np.uint8)
        results = aligned_bytes(self._kernel.results_nbytes + 64)
        results[:] = 0x5A
        read = self.settings(limits)
        arguments = KernelArguments(
            [(name, 'u8') for name in ('candidates', 'settings', 'results')]
            + [('layout', LAYOUT), ('geometry', GEOMETRY)]
        )
        for name, array in (('candidates', packed), ('settings', read), ('results', results)):
            arguments[name] = array.ctypes.data
        arguments['layout'] = (self.finishing.box_scale, self.capacity)
        arguments['geometry'] = geometry_of(letterbox)
        threads = -(-self.capacity // 32) * 32
        program = host_kernels.host_kernels('detections.cu')
        program.run('finish', (1, 1, 1), (threads, 1, 1), arguments, packed, self.disorder)
        finished = FinishedResults(results[:-64]).read()
        written = HEADER.itemsize + len(finished.detections) * DETECTION.itemsize
        assert (results[written:] == 0x5A).all()
        return finished


def assert_finished_as_on_the_host(way, rows, limits, letterbox, classes, **card):
    """Compare detections, counts, and the error, if there is one."""
    (there, _), (here, _) = (decoder_for(classes, **card) for _ in range(2))
    expected, error = answer_of(lambda: on_host(there, rows, limits, letterbox))
    finished = way.finish(rows, limits, letterbox)
    counts = finished.non_finite, finished.inside_out, finished.above_one
    _, refused = answer_of(lambda: here.account(*counts))
    assert (finished.lost, refused) == (0, error)
    if expected is not None:
        assert_equal_to_the_bit(finished.detections, expected)
    assert here.dropped == there.dropped
    return finished.detections


def answer_of(call):
    """Return what a call returns, and what the decoder says against it."""
    try:
        return call(), ''
    except DecoderError as error:
        return None, str(error)


ANY_LIMITS = st.builds(
    DetectionLimits,
    st.just(0.0),
    st.sampled_from([0.0, 1 / 3, 0.45, 0.5, 0.999999999, 1.0]) | st.floats(0, 1),
    st.sampled_from([1, 2, 31, 32, 33, 300]) | st.integers(1, 2000),
    st.none() | st.frozensets(st.integers(-1, 80), max_size=40),
)
ANY_LETTERBOX = st.builds(
    Letterbox.fit,
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.just(SIZE),
    st.sampled_from(RESIZE_MODES),
)
ANY_CARD = st.sampled_from([{}, {}, {'normalized': True}, {'nms': False}])
ANY_STYLES = st.just(STYLES) | st.sets(st.sampled_from(STYLES), min_size=1).map(
    lambda styles: tuple(sorted(styles))
)
ANY_CLASSES = st.sampled_from([1, 2, 33, 80])
SEEDS = st.integers(0, 1 << 30)


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(0, 200), ANY_CLASSES, ANY_STYLES, ANY_LIMITS, ANY_LETTERBOX, ANY_CARD)
def test_the_reference_finishes_as_the_host(
    device, seed, count, classes, styles, limits, letterbox, card
):
    way = Reference(device, decoder_for(classes, **card)[1], classes)
    rows = crowd(seed, count, classes, styles)
    assert_finished_as_on_the_host(way, rows, limits, letterbox, classes, **card)


@needs_compiler
@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(0, 160), ANY_CLASSES, ANY_STYLES, ANY_LIMITS, ANY_LETTERBOX, ANY_CARD)
def test_the_source_finishes_as_the_host(
    device, seed, count, classes, styles, limits, letterbox, card
):
    way = Source(device, decoder_for(classes, **card)[1], classes, capacity=max(1, count))
    rows = crowd(seed, count, classes, styles)
    assert_finished_as_on_the_host(way, rows, limits, letterbox, classes, **card)


@needs_compiler
@settings(max_examples=200, deadline=None)
@given(SEEDS, st.integers(33, 200), ANY_STYLES, st.sampled_from([0.0, 0.3, 0.7, 1.0]))
def test_the_source_finishes_alike_in_whatever_order_warps_come(device, seed, count, styles, iou):
    way = Source(device, Finishing((1, 1), True), 2, count)
    way.disorder = seed + 1
    limits = DetectionLimits(0.0, iou, 1000)
    assert_finished_as_on_the_host(way, crowd(seed, count, 2, styles), limits, FIT, 2)


@needs_compiler
@pytest.mark.parametrize('count', [1, 1000, 1024])
@pytest.mark.parametrize('iou', [0.0, 0.5, 1.0])
@pytest.mark.parametrize('styles', [('spread',), ('heap', 'grid'), ('equal',), STYLES])
def test_the_source_finishes_as_many_as_there_is_room_for(device, count, iou, styles):
    way = Source(device, decoder_for(2)[1], 2)
    limits = DetectionLimits(0.0, iou, 1024)
    found = assert_finished_as_on_the_host(way, crowd(7, count, 2, styles), limits, FIT, 2)
    assert len(found) > 20 or count == 1 or (styles == ('equal',) and iou < 1)


@needs_compiler
@pytest.mark.parametrize('scale', [1e-44, 1e-22, 1e-20, 1.0, 1e18, 1e37])
def test_overlaps_at_the_very_threshold_are_told_as_on_the_host(device, scale):
    """Thresholds that are the overlap of two boxes, and the numbers next to it."""
    way, rows = Source(device, Finishing((1, 1), True), 1, 32), crowd(3, 2, 1, ('grid',))
    random = np.random.default_rng(5)
    suppressed = 0
    for _ in range(200):
        rows['box'][:, :2] = scale * random.normal(0, 1, (2, 2))
        rows['box'][:, 2:] = scale * random.uniform(9, 11, (2, 2))
        corners = cxcywh_to_xyxy(rows['box']).astype(float)
        sides = np.minimum(*corners[:, 2:]) - np.maximum(*corners[:, :2])
        area = (corners[:, 2:] - corners[:, :2]).prod(axis=1)
        exact = sides.prod() / (area.sum() - sides.prod())
        for threshold in (np.nextafter(exact, 0), exact, np.nextafter(exact, 1)):
            limits = DetectionLimits(0.0, float(threshold))
            suppressed += 2 - len(assert_finished_as_on_the_host(way, rows, limits, FIT, 1))
    assert suppressed == 200  # only by the threshold below their overlap


@needs_compiler
def test_the_source_finishes_nothing_where_candidates_were_lost(device):
    way = Source(device, Finishing((1, 1), True), 2, 50)
    finished = way.finish(crowd(1, 50, 2), DetectionLimits(), FIT, count=61)
    assert (finished.lost, len(finished.detections)) == (11, 0)


class OnTwin:
    """The kernel with its buffers on a host twin."""

    def __init__(self, device, classes=3, capacity=64):
        self.decoder, finishing = decoder_for(classes)
        self.kernel = DetectionsKernel(device, finishing, classes, capacity)
        self.device, self.stream = device, device.stream()
        nbytes = self.kernel.settings_nbytes, self.kernel.results_nbytes
        memory, pinned = device.memory('device'), device.memory('pinned')
        self.candidates = memory.allocate(self.kernel.candidates_nbytes)
        self.settings, self.results = (memory.allocate(size) for size in nbytes)
        self.on_host, self.read = (pinned.allocate(size) for size in nbytes)
        self.reader = FinishedResults(self.read.host)

    def put(self, rows, count=None):
        packed = self.device.host_view(self.candidates)
        packed[:4].view(np.int32)[0] = len(rows) if count is None else count
        packed[32:][: rows.nbytes] = rows.view(np.uint8)

    def run(self, limits, letterbox=FIT):
        self.kernel.write_settings(self.on_host.host, limits)
        self.stream.copy(self.settings, self.on_host, self.kernel.settings_nbytes)
        self.kernel.enqueue(self.stream, self.candidates, self.settings, self.results, letterbox)
        self.stream.copy(self.read, self.results, self.kernel.written_nbytes(limits))
        self.stream.synchronize()
        return self.reader.read()

    def close(self):
        self.reader.let_go()
        for resource in (self.candidates, self.settings, self.results, self.on_host, self.read):
            resource.close()
        self.stream.close()
        self.kernel.close()


@pytest.fixture
def twin():
    with HostDevice(lazy=True) as device, device.current():
        way = OnTwin(device)
        yield way
        way.close()
        assert device.live() == {}


def test_limits_and_geometry_hold_from_the_next_call_on(twin):
    rows = crowd(2, 60, 3, ('spread', 'heap', 'grid'))
    twin.put(rows)
    for iou, most, classes, size in (
        (0.5, 300, None, (640, 480)),
        (0.1, 300, None, (640, 480)),
        (0.1, 5, None, (640, 480)),
        (0.1, 300, frozenset([1]), (331, 77)),
        (0.5, 300, None, (640, 480)),
    ):
        limits, letterbox = DetectionLimits(0.0, iou, most, classes), Letterbox.fit(size, SIZE)
        expected = on_host(twin.decoder, rows, limits, letterbox)
        assert len(expected) > 3
        assert_equal_to_the_bit(twin.run(limits, letterbox).detections, expected)


def test_results_that_were_read_stay_as_they_are(twin):
    rows = crowd(2, 60, 3)
    twin.put(rows)
    first = twin.run(DetectionLimits(0.0)).detections
    boxes = first.boxes.copy()
    twin.put(crowd(3, 60, 3))
    twin.run(DetectionLimits(0.0))
    np.testing.assert_array_equal(first.boxes, boxes)


def test_candidates_without_room_are_counted(twin):
    twin.put(crowd(2, 60, 3), count=100)
    finished = twin.run(DetectionLimits())
    assert (finished.lost, len(finished.detections)) == (36, 0)


def test_no_more_crosses_than_may_be_written(twin):
    assert twin.kernel.written_nbytes(DetectionLimits(max_detections=5)) == 32 + 5 * 32
    assert twin.kernel.written_nbytes(DetectionLimits()) == twin.kernel.results_nbytes


def test_what_cannot_work_is_refused(twin):
    for capacity in (0, MOST + 1):
        with pytest.raises(ValueError, match=f'room for {capacity} candidates: it must be 1 to'):
            DetectionsKernel(twin.device, Finishing((1, 1), True), 3, capacity)
    with pytest.raises(ValueError, match=f'must have {twin.kernel.candidates_nbytes} bytes'):
        twin.kernel.enqueue(twin.stream, twin.settings, twin.settings, twin.results, FIT)


def test_structures_are_as_the_kernel_has_them():
    sizes = [dtype.itemsize for dtype in (HEADER, DETECTION, SETTINGS, LAYOUT, GEOMETRY)]
    assert sizes == [32, 32, 32, 12, 24]
