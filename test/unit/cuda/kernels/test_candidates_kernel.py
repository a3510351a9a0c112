# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The candidates kernel: its reference, its source on a host compiler, and its way on a device."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import host_kernels
from host_kernels import aligned_bytes
from jetson_infer.core.decoders.candidates import CandidateLayout
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.kernels.candidates import LAYOUT, CandidatesKernel
from jetson_infer.cuda.kernels.candidates_reference import ROW, candidates_reference
from yolo_outputs import LAYOUTS, decoder_of, random_output


def setting(name='YOLOv8', classes=3, anchors=100, channels_first=True, dtype='float32', seed=0):
    """Return an output and how it lies."""
    spec, output = random_output(LAYOUTS[name], classes, anchors, channels_first, dtype, seed)
    return output, decoder_of(LAYOUTS[name], classes, spec).device_candidates((spec,))


def one_by_one(output, layout, threshold):
    """Choose in plain Python, as the definition has it."""
    table = output[0].T if layout.channels_first else output[0]
    for anchor, row in enumerate(table.astype(np.float32)):
        classes = row[layout.first_class : layout.first_class + layout.classes]
        best = 0
        for class_id in range(1, layout.classes):
            if np.isnan(classes[best]):
                break
            if classes[class_id] > classes[best] or np.isnan(classes[class_id]):
                best = class_id
        score = classes[best]
        if layout.objectness == 'factor':
            with np.errstate(invalid='ignore', over='ignore'):
                score = row[4] * score
        elif layout.objectness == 'only':
            score = row[4]
        if score < threshold or (layout.objectness != 'none' and row[4] < threshold):
            continue
        yield (*row[:4], score, best, anchor)


def assert_rows(here, there):
    """Compare row by row, and NaN with NaN."""
    assert here['anchor'].tolist() == there['anchor'].tolist()
    for name in ('box', 'score', 'class_id'):
        np.testing.assert_array_equal(here[name], there[name], err_msg=name)


ANY_SETTING = (
    st.sampled_from(sorted(LAYOUTS)),
    st.sampled_from([1, 3, 9, 80]),
    st.integers(1, 200),
    st.booleans(),
    st.sampled_from(['float32', 'float16']),
    st.integers(0, 1000),
)
THRESHOLDS = st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.999])


@given(*ANY_SETTING, THRESHOLDS)
def test_the_reference_chooses_what_the_definition_does(
    name, classes, anchors, channels_first, dtype, seed, threshold
):
    output, layout = setting(name, classes, anchors, channels_first, dtype, seed)
    raw = layout.threshold(DetectionLimits(score_threshold=threshold))
    rows = candidates_reference(output, layout, raw)
    expected = list(one_by_one(output, layout, raw))
    assert len(rows) == len(expected)
    for row, (x, y, width, height, score, class_id, anchor) in zip(rows, expected):
        np.testing.assert_array_equal(row['box'], [x, y, width, height])
        np.testing.assert_array_equal(row['score'], score)
        assert (row['class_id'], row['anchor']) == (class_id, anchor)


def run_source(output, layout, threshold, capacity=1000):
    """Run the kernel's source on a host compiler; return the count and the rows, sorted."""
    values = aligned_bytes(output.nbytes)
    values[:] = output.reshape(-1).view(np.uint8)
    limits = np.array([threshold], np.float32)
    results = aligned_bytes(32 + capacity * ROW.itemsize + 64)
    results[:] = 0x5A
    results[:32] = 0
    arguments = KernelArguments(
        [('output', 'u8'), ('settings', 'u8'), ('results', 'u8'), ('layout', LAYOUT)]
    )
    arguments['output'], arguments['settings'] = values.ctypes.data, limits.ctypes.data
    arguments['results'] = results.ctypes.data
    arguments['layout'] = (layout.anchors, layout.channels, layout.classes, capacity)
    order, a_block = ('first', 32) if layout.channels_first else ('last', 8)
    program = host_kernels.host_kernels('candidates.cu')
    program.run(
        f'{order}_{layout.dtype.name}_{layout.objectness}',
        (-(-layout.anchors // a_block), 1, 1),
        (32, 8, 1),
        arguments,
        values,
    )
    count = int(results[:4].view(np.int32)[0])
    stored = min(count, capacity)
    assert (results[32 + stored * ROW.itemsize :] == 0x5A).all()
    rows = results[32 : 32 + stored * ROW.itemsize].view(ROW)
    return count, rows[np.argsort(rows['anchor'])]


needs_compiler = pytest.mark.skipif(host_kernels.COMPILER is None, reason=host_kernels.WHY_NOT)


@needs_compiler
@settings(max_examples=150)
@given(*ANY_SETTING, THRESHOLDS)
def test_the_source_chooses_what_its_reference_does(
    name, classes, anchors, channels_first, dtype, seed, threshold
):
    output, layout = setting(name, classes, anchors, channels_first, dtype, seed)
    raw = layout.threshold(DetectionLimits(score_threshold=threshold))
    expected = candidates_reference(output, layout, raw)
    count, rows = run_source(output, layout, raw)
    assert count == len(expected)
    assert_rows(rows, expected)


@needs_compiler
@pytest.mark.parametrize('channels_first', [True, False])
def test_the_source_counts_what_there_is_no_room_for(channels_first):
    output, layout = setting(anchors=200, channels_first=channels_first)
    expected = candidates_reference(output, layout, np.float32(0.1))
    assert len(expected) > 50
    count, rows = run_source(output, layout, np.float32(0.1), capacity=50)
    assert count == len(expected)
    assert len(rows) == 50
    assert_rows(rows, expected[np.isin(expected['anchor'], rows['anchor'])])


@needs_compiler
def test_the_source_has_a_kernel_for_every_layout():
    names = {
        f'{order}_{dtype}_{objectness}'
        for order in ('first', 'last')
        for dtype in ('float32', 'float16')
        for objectness in ('none', 'factor', 'only')
    }
    assert set(host_kernels.host_kernels('candidates.cu').names) == names


class OnTwin:
    """The kernel with its buffers on a host twin."""

    def __init__(self, device, layout, **more):
        self.kernel = CandidatesKernel(device, layout, **more)
        self.stream = device.stream()
        self.device = device
        sizes = [self.kernel.output_nbytes, self.kernel.settings_nbytes, self.kernel.results_nbytes]
        self.buffers = [device.memory('device').allocate(nbytes) for nbytes in sizes]
        self.output, self.settings, self.results = self.buffers
        self.on_host = device.memory('pinned').allocate(self.kernel.settings_nbytes)
        self.read = device.memory('pinned').allocate(self.kernel.results_nbytes)

    def put(self, output):
        self.device.host_view(self.output)[:] = output.reshape(-1).view(np.uint8)

    def enqueue(self):
        self.stream.copy(self.settings, self.on_host, self.kernel.settings_nbytes)
        self.kernel.enqueue(self.stream, self.output, self.settings, self.results)
        self.stream.copy(self.read, self.results, self.kernel.results_nbytes)

    def chosen(self):
        self.stream.synchronize()
        return self.kernel.read(self.read.host)

    def close(self):
        for resource in (*self.buffers, self.on_host, self.read, self.stream, self.kernel):
            resource.close()


@pytest.fixture
def device():
    with HostDevice(lazy=True) as device, device.current():
        yield device
        assert device.live() == {}


def limits_of(threshold):
    return DetectionLimits(score_threshold=threshold)


@pytest.mark.parametrize('name', LAYOUTS)
def test_detections_by_way_of_the_device_are_the_hosts(device, name):
    spec, output = random_output(LAYOUTS[name], 3, 300)
    decoder, whole = (decoder_of(LAYOUTS[name], 3, spec) for _ in range(2))
    way = OnTwin(device, decoder.device_candidates((spec,)))
    way.put(output)
    for threshold in (0.3, 0.6):
        limits = limits_of(threshold)
        way.kernel.write_settings(way.on_host.host, limits)
        way.enqueue()
        chosen = way.chosen()
        found = decoder.decode_candidates(chosen.candidates, limits)
        expected = whole.decode({spec.name: output}, limits)
        np.testing.assert_array_equal(found.boxes, expected.boxes)
        np.testing.assert_array_equal(found.scores, expected.scores)
        assert chosen.lost == 0
    assert decoder.dropped == whole.dropped
    way.close()


def test_a_captured_graph_sees_a_threshold_that_changes(device):
    output, layout = setting(anchors=200)
    way = OnTwin(device, layout)
    way.put(output)
    with way.stream.capture() as capture:
        way.enqueue()
    for threshold in (0.6, 0.1, 0.4):
        way.kernel.write_settings(way.on_host.host, limits_of(threshold))
        way.stream.replay(capture.graph)
        expected = candidates_reference(output, layout, np.float32(threshold))
        assert len(way.chosen().candidates) == len(expected)  # not added to those before
    capture.graph.close()
    way.close()


def test_candidates_without_room_are_counted(device):
    output, layout = setting(anchors=200)
    way = OnTwin(device, layout, capacity=20)
    way.put(output)
    way.kernel.write_settings(way.on_host.host, limits_of(0.1))
    way.enqueue()
    chosen = way.chosen()
    assert len(chosen.candidates) == 20
    assert chosen.lost == len(candidates_reference(output, layout, np.float32(0.1))) - 20
    way.close()


def test_what_cannot_work_is_refused(device):
    _, layout = setting()
    nothing = CandidateLayout('o', True, 0, 7, 3, 'none', False, np.dtype('f4'))
    with pytest.raises(ValueError, match='0 anchors, 3 classes and room for 1024 candidates'):
        CandidatesKernel(device, nothing)
    with pytest.raises(ValueError, match='room for 0 candidates'):
        CandidatesKernel(device, layout, capacity=0)
    way = OnTwin(device, layout)
    with pytest.raises(ValueError, match=f'must have {way.kernel.output_nbytes} bytes'):
        way.kernel.enqueue(way.stream, way.settings, way.settings, way.results)
    way.close()
