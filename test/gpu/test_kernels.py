# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Every kernel on the device equals its NumPy reference to the bit."""

import numpy as np
import pytest

from crowds import SIZE as CROWD_SIZE
from crowds import STYLES, assert_equal_to_the_bit, crowd, decoder_for, on_host
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.letterbox import RESIZE_MODES, Letterbox
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.kernels.backend import target_of
from jetson_infer.cuda.kernels.candidates import CandidatesKernel
from jetson_infer.cuda.kernels.candidates_reference import ROW, candidates_reference
from jetson_infer.cuda.kernels.compiler import COMPILERS, compile_kernels
from jetson_infer.cuda.kernels.detections import DetectionsKernel, FinishedResults
from jetson_infer.cuda.kernels.geometry import GEOMETRY, SUPPORTED, RawImage, geometry_of
from jetson_infer.cuda.kernels.kernel_cache import KernelCache
from jetson_infer.cuda.kernels.preprocess import VARIANTS, PreprocessKernel
from jetson_infer.cuda.kernels.preprocess_reference import preprocess_reference
from jetson_infer.cuda.kernels.program import options_of, read_source
from jetson_infer.errors import KernelError
from raw_images import IMAGENET, RAW, bytes_of, card, noise, possible
from yolo_outputs import LAYOUTS, decoder_of, random_output

CANARY = 0x5A
VARIANT_CARDS = [
    card(layout, colour, resize, 114, RAW if dtype == 'uint8' else IMAGENET, dtype)
    for dtype in ('float32', 'float16', 'uint8')
    for colour, resize in zip(('rgb', 'bgr', 'grey'), RESIZE_MODES)
    for layout in (('nchw', 'nhwc') if colour != 'grey' else ('nchw',))
]


class Bench:
    """Buffers on the device that are closed together, and a stream."""

    def __init__(self, device):
        self._device = device
        self.stream = device.stream()
        self._open = [self.stream]

    def room(self, nbytes, kind='device'):
        buffer = self._device.memory(kind).allocate(nbytes)
        self._open.append(buffer)
        return buffer

    def put(self, array, room=None, offset=0):
        """Upload an array behind `offset` bytes; return the buffer that begins with it."""
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        pinned = self.room(len(data), 'pinned')
        pinned.host[:] = data
        whole = self.room((room or len(data)) + offset)
        part = whole.part(offset, whole.nbytes - offset) if offset else whole
        self.stream.copy(part, pinned, len(data))
        return part

    def get(self, buffer, nbytes=None):
        """Download a buffer, uint8 ``(N,)``."""
        pinned = self.room(nbytes or buffer.nbytes, 'pinned')
        self.stream.copy(pinned, buffer, pinned.nbytes)
        self.stream.synchronize()
        return pinned.host.copy()

    def close(self):
        self.stream.synchronize()
        for resource in reversed(self._open):
            resource.close()


@pytest.fixture
def bench(device):
    bench = Bench(device)
    yield bench
    bench.close()


def prepared(bench, kernel, input_card, image, size, room=None, offset=0):
    """Return what the kernel writes, and what it should."""
    data = bytes_of(image)
    source = bench.put(data, room or -(-len(data) // 4) * 4, offset)
    nbytes = kernel.target_nbytes(size)
    target = bench.room(nbytes + 64)
    bench.stream.fill(target, CANARY)
    raw = RawImage.of(image)
    letterbox = kernel.enqueue(bench.stream, raw, source, target, size)
    expected = preprocess_reference(
        data,
        raw.encoding,
        geometry_of(raw, letterbox, input_card),
        input_card.colour,
        input_card.layout == 'nchw',
        input_card.dtype,
    )
    written = bench.get(target)
    assert (written[nbytes:] == CANARY).all(), 'written beyond the end'
    return written[:nbytes], expected.reshape(-1).view(np.uint8)


@pytest.mark.parametrize(
    'input_card', VARIANT_CARDS, ids=lambda c: f'{c.dtype}-{c.colour}-{c.layout}'
)
def test_preprocessing_equals_its_reference(device, bench, input_card):
    cases = [((131, 77), (66, 70), 3), ((64, 48), (64, 48), 0), ((10, 9), (65, 33), 4),
             ((1, 5), (7, 3), 1), ((320, 240), (64, 64), 0)]  # fmt: skip
    with PreprocessKernel(device, input_card) as kernel:
        for encoding in SUPPORTED:
            for number, (source, size, padding) in enumerate(cases):
                image = noise(encoding, possible(encoding, source), padding, seed=number)
                for offset in (0, 1):  # where whole words can be loaded, and where not
                    here, expected = prepared(bench, kernel, input_card, image, size, offset=offset)
                    np.testing.assert_array_equal(here, expected, f'{encoding} {source} {offset}')


@pytest.mark.parametrize('encoding', ['bgr8', 'nv12', 'uyvy'])
def test_a_whole_camera_image_equals_its_reference(device, bench, encoding):
    input_card = card(numbers=IMAGENET, dtype='float16')
    with PreprocessKernel(device, input_card) as kernel:
        image = noise(encoding, (3840, 2160))
        here, expected = prepared(bench, kernel, input_card, image, (640, 640))
    np.testing.assert_array_equal(here, expected)


@pytest.mark.parametrize('encoding', ['bgr8', 'rgba8', 'uyvy', 'mono8'])
@pytest.mark.parametrize('size', [(1920, 1080), (3840, 2160), (2000, 1500)])
def test_packed_rows_give_the_same(device, bench, encoding, size):
    input_card, network = card(dtype='float16'), (640, 640)
    image = noise(encoding, size)
    with PreprocessKernel(device, input_card) as kernel:
        raw = RawImage.of(image)
        packing = kernel.packing(raw, network)
        data = np.empty(packing.image.nbytes, np.uint8)
        packing.copy(image.pixels, data)
        source, target = bench.put(data), bench.room(kernel.target_nbytes(network))
        letterbox = kernel.enqueue(bench.stream, packing.image, source, target, network)
        here = bench.get(target).view(np.float16)
    geometry = geometry_of(raw, letterbox, input_card)
    expected = preprocess_reference(bytes_of(image), encoding, geometry, 'rgb', True, 'float16')
    np.testing.assert_array_equal(here, expected.reshape(-1))


def test_mapped_memory_is_read_and_written_in_place(device, bench):
    if not device.can_map_host_memory:
        pytest.skip('this device cannot map host memory')
    input_card, image, size = card(), noise('bgr8', (160, 120)), (64, 64)
    data = bytes_of(image)
    with PreprocessKernel(device, input_card) as kernel:
        source, target = (bench.room(n, 'mapped') for n in (len(data), kernel.target_nbytes(size)))
        source.host[:] = data
        letterbox = kernel.enqueue(bench.stream, RawImage.of(image), source, target, size)
        bench.stream.synchronize()
        geometry = geometry_of(RawImage.of(image), letterbox, input_card)
        expected = preprocess_reference(data, 'bgr8', geometry, 'rgb', True, 'float32')
        np.testing.assert_array_equal(target.host.view(np.float32), expected.reshape(-1))


def test_rows_behind_two_gigabytes_are_found(device, bench):
    """Offsets are computed with 64 bits: an image of few rows that lie far apart."""
    if device.free_bytes() < 6 << 30:
        pytest.skip('less than 6 GiB of device memory are free')
    step, rows, width = 1 << 29, 9, 64
    whole = bench.room(step * (rows - 1) + width)
    pixels = np.random.default_rng(0).integers(0, 256, (rows, width), np.uint8)
    for number, row in enumerate(pixels):
        bench.stream.copy(whole, bench.put(row), width, target_offset=number * step)
    input_card = card(colour='grey', resize='stretch', numbers=RAW, dtype='uint8')
    with PreprocessKernel(device, input_card) as kernel:
        target = bench.room(kernel.target_nbytes((width, rows)))
        image = RawImage('mono8', width, rows, step)
        kernel.enqueue(bench.stream, image, whole, target, (width, rows))
        np.testing.assert_array_equal(bench.get(target).reshape(rows, width), pixels)


class Choosing:
    """A candidates kernel with its buffers."""

    def __init__(self, device, bench, layout, output, **more):
        self.kernel = CandidatesKernel(device, layout, **more)
        self._bench = bench
        self._output = bench.put(output)
        self.on_host = bench.room(self.kernel.settings_nbytes, 'pinned')
        self._settings = bench.room(self.kernel.settings_nbytes)
        self._results = bench.room(self.kernel.results_nbytes)
        self._read = bench.room(self.kernel.results_nbytes, 'pinned')

    def enqueue(self):
        stream = self._bench.stream
        stream.copy(self._settings, self.on_host, self.kernel.settings_nbytes)
        self.kernel.enqueue(stream, self._output, self._settings, self._results)
        stream.copy(self._read, self._results, self.kernel.results_nbytes)

    def chosen(self):
        self._bench.stream.synchronize()
        return self.kernel.read(self._read.host)

    def run(self, limits):
        self.kernel.write_settings(self.on_host.host, limits)
        self.enqueue()
        return self.chosen()


def assert_chosen(chosen, expected):
    candidates = chosen.candidates.in_order()
    assert chosen.lost == 0
    np.testing.assert_array_equal(candidates.anchors, expected['anchor'])
    np.testing.assert_array_equal(candidates.boxes, expected['box'])
    np.testing.assert_array_equal(candidates.scores, expected['score'])
    np.testing.assert_array_equal(candidates.class_ids, expected['class_id'])


@pytest.mark.parametrize('dtype', ['float32', 'float16'])
@pytest.mark.parametrize('channels_first', [True, False])
@pytest.mark.parametrize('name', LAYOUTS)
def test_candidates_are_those_of_the_reference_and_decode_as_the_whole(
    device, bench, name, channels_first, dtype
):
    for seed, (classes, anchors) in enumerate([(80, 8400), (1, 31), (3, 33), (37, 1000)]):
        spec, output = random_output(LAYOUTS[name], classes, anchors, channels_first, dtype, seed)
        decoder, whole = (decoder_of(LAYOUTS[name], classes, spec) for _ in range(2))
        layout = decoder.device_candidates((spec,))
        choosing = Choosing(device, bench, layout, output, capacity=layout.anchors)
        for threshold in (0.001, 0.25, 0.5, 0.9):
            limits = DetectionLimits(score_threshold=threshold)
            chosen = choosing.run(limits)
            assert_chosen(chosen, candidates_reference(output, layout, layout.threshold(limits)))
            found = decoder.decode_candidates(chosen.candidates, limits)
            expected = whole.decode({spec.name: output}, limits)
            np.testing.assert_array_equal(found.boxes, expected.boxes)
            np.testing.assert_array_equal(found.scores, expected.scores)
            np.testing.assert_array_equal(found.class_ids, expected.class_ids)
        assert decoder.dropped == whole.dropped
        choosing.kernel.close()


def test_candidates_without_room_are_counted(device, bench):
    spec, output = random_output(LAYOUTS['YOLOv8'], 80, 8400)
    layout = decoder_of(LAYOUTS['YOLOv8'], 80, spec).device_candidates((spec,))
    choosing = Choosing(device, bench, layout, output, capacity=100)
    limits = DetectionLimits(score_threshold=0.5)
    chosen = choosing.run(limits)
    everything = candidates_reference(output, layout, layout.threshold(limits))
    assert len(chosen.candidates) == 100
    assert chosen.lost == len(everything) - 100 > 0
    assert len(set(chosen.candidates.anchors.tolist())) == 100
    choosing.kernel.close()


def test_a_captured_graph_sees_a_threshold_that_changes(device, bench):
    if not bench.stream.can_capture:
        pytest.skip('CUDA graphs need cuda.bindings, which is not installed')
    spec, output = random_output(LAYOUTS['YOLOv8'], 80, 8400)
    layout = decoder_of(LAYOUTS['YOLOv8'], 80, spec).device_candidates((spec,))
    choosing = Choosing(device, bench, layout, output, capacity=8400)
    choosing.run(DetectionLimits())
    with bench.stream.capture() as capture:
        choosing.enqueue()
    for threshold in (0.9, 0.1, 0.4):
        limits = DetectionLimits(score_threshold=threshold)
        choosing.kernel.write_settings(choosing.on_host.host, limits)
        bench.stream.replay(capture.graph)
        expected = candidates_reference(output, layout, layout.threshold(limits))
        assert_chosen(choosing.chosen(), expected)
    capture.graph.close()
    choosing.kernel.close()


class FinishingFrames:
    """A detections kernel with its buffers."""

    def __init__(self, device, bench, finishing, classes, capacity=1024):
        self.kernel = DetectionsKernel(device, finishing, classes, capacity)
        self._bench = bench
        self._candidates = bench.room(self.kernel.candidates_nbytes)
        self._packed = bench.room(self.kernel.candidates_nbytes, 'pinned')
        self.on_host = bench.room(self.kernel.settings_nbytes, 'pinned')
        self._settings = bench.room(self.kernel.settings_nbytes)
        self._results = bench.room(self.kernel.results_nbytes)
        self._read = bench.room(self.kernel.results_nbytes, 'pinned')

    def put(self, rows, count=None):
        self._packed.host[:4].view(np.int32)[0] = len(rows) if count is None else count
        self._packed.host[32:][: rows.nbytes] = rows.view(np.uint8)
        self._bench.stream.copy(self._candidates, self._packed, self._packed.nbytes)

    def run(self, limits, letterbox):
        stream = self._bench.stream
        self.kernel.write_settings(self.on_host.host, limits)
        stream.copy(self._settings, self.on_host, self.on_host.nbytes)
        self.kernel.enqueue(stream, self._candidates, self._settings, self._results, letterbox)
        stream.copy(self._read, self._results, self.kernel.written_nbytes(limits))
        stream.synchronize()
        return FinishedResults(self._read.host).read()

    def repeated_ms(self, device, letterbox, times=100):
        """Return how long the kernel takes, one after the other."""
        stream = self._bench.stream
        begun, ended = device.event(timing=True), device.event(timing=True)
        stream.record(begun)
        for _ in range(times):
            self.kernel.enqueue(stream, self._candidates, self._settings, self._results, letterbox)
        stream.record(ended)
        ended.synchronize()
        milliseconds = ended.elapsed_ms(begun) / times
        begun.close()
        ended.close()
        return milliseconds


def assert_finished_as_on_the_host(finishing, rows, limits, letterbox, decoder):
    before = dict(decoder.dropped)
    expected = on_host(decoder, rows, limits, letterbox)
    finishing.put(rows)
    finished = finishing.run(limits, letterbox)
    assert finished.lost == 0
    assert_equal_to_the_bit(finished.detections, expected)
    assert finished.non_finite == decoder.dropped['non_finite'] - before['non_finite']
    assert finished.inside_out == decoder.dropped['inside_out'] - before['inside_out']


@pytest.mark.parametrize('card', [{}, {'normalized': True}, {'nms': False}], ids=str)
def test_frames_are_finished_as_by_the_hosts_decoder(device, bench, card):
    random = np.random.default_rng(0)
    for classes in (1, 2, 33, 80):
        decoder, how = decoder_for(classes, **card)
        finishing = FinishingFrames(device, bench, how, classes)
        for seed in range(60):
            rows = crowd(seed, int(random.choice([0, 1, 31, 32, 33, 40, 100, 500, 1024])), classes)
            wanted = frozenset(random.integers(-1, 81, 20).tolist()) if seed % 3 == 0 else None
            limits = DetectionLimits(
                0.0,
                float(random.choice([0.0, 1 / 3, 0.45, 0.5, 0.999999999, 1.0])),
                int(random.choice([1, 32, 33, 300, 2000])),
                wanted,
            )
            size = tuple(random.integers(1, 3000, 2).tolist())
            letterbox = Letterbox.fit(size, CROWD_SIZE, RESIZE_MODES[seed % 3])
            assert_finished_as_on_the_host(finishing, rows, limits, letterbox, decoder)
        finishing.kernel.close()


@pytest.mark.parametrize('style', STYLES)
def test_a_full_house_of_every_style_is_finished_alike_again_and_again(device, bench, style):
    """What races would spoil: the same candidates, twenty times."""
    decoder, how = decoder_for(2)
    finishing, letterbox = (
        FinishingFrames(device, bench, how, 2),
        Letterbox.fit((99, 71), CROWD_SIZE),
    )
    rows = crowd(1, 1024, 2, (style,))
    for iou in (0.0, 0.5, 1.0):
        limits = DetectionLimits(0.0, iou, 1024)
        for _ in range(20):
            assert_finished_as_on_the_host(finishing, rows, limits, letterbox, decoder)
    finishing.kernel.close()


@pytest.mark.parametrize('capacity', [1, 33, 50])
def test_lost_candidates_end_a_frame_early(device, bench, capacity):
    _, how = decoder_for(2)
    finishing = FinishingFrames(device, bench, how, 2, capacity)
    finishing.put(crowd(1, capacity, 2), count=capacity + 7)
    finished = finishing.run(DetectionLimits(), Letterbox.fit((99, 71), CROWD_SIZE))
    assert (finished.lost, len(finished.detections)) == (7, 0)
    finishing.kernel.close()


def test_finishing_a_full_house_takes_less_than_a_millisecond(device, bench):
    _, how = decoder_for(2)
    finishing, letterbox = (
        FinishingFrames(device, bench, how, 2),
        Letterbox.fit((99, 71), CROWD_SIZE),
    )
    for count, styles in ((40, ('heap', 'spread')), (1024, ('spread',)), (1024, ('heap', 'grid'))):
        finishing.put(crowd(1, count, 2, styles))
        finishing.run(DetectionLimits(0.0, 0.5, 1024), letterbox)
        milliseconds = finishing.repeated_ms(device, letterbox)
        print(f'{count} candidates of {styles}: {1000 * milliseconds:.1f} us')
        assert milliseconds < 1
    finishing.kernel.close()


def test_ptx_for_an_older_gpu_gives_the_same(device, bench):
    """What a compiler that does not know this GPU yet makes: the driver compiles it."""
    compiler = next(filter(None, (opened(opener) for opener in COMPILERS)), None)
    if compiler is None:
        pytest.skip('no CUDA compiler on this machine')
    wanted = device.compute_capability[0] * 10 + device.compute_capability[1]
    compiler_of_then = type('Older', (), {
        'identity': compiler.identity,
        'architectures': lambda _: [a for a in compiler.architectures() if a < wanted],
    })()  # fmt: skip
    target = target_of(compiler_of_then, device.compute_capability)
    assert target.startswith('compute_')
    input_card, image, size = card(), noise('bgr8', (64, 48)), (32, 32)
    text = read_source('preprocess.cu')
    image_of_kernels = compiler.compile(text, options_of(VARIANTS[1]), target, 'preprocess.cu')
    assert VARIANTS[1] == {'TARGET': 0, 'COLOUR': 0, 'PLANAR': 1}
    data = bytes_of(image)
    raw = RawImage.of(image)
    geometry = geometry_of(raw, Letterbox.fit(image.size, size), input_card)
    source, target_buffer = bench.put(data), bench.room(32 * 32 * 3 * 4)
    arguments = KernelArguments([('source', 'u8'), ('target', 'u8'), ('geometry', GEOMETRY)])
    arguments['source'], arguments['target'] = source.address, target_buffer.address
    arguments['geometry'] = geometry
    module = device.load_module(image_of_kernels)
    bench.stream.launch(module.function('preprocess_bgr8'), (1, 8, 1), (32, 4, 1), arguments)
    here = bench.get(target_buffer).view(np.float32)
    module.close()
    expected = preprocess_reference(data, 'bgr8', geometry, 'rgb', True, 'float32')
    np.testing.assert_array_equal(here, expected.reshape(-1))


def opened(opener):
    try:
        return opener()
    except KernelError:
        return None


def test_kernels_are_compiled_once(device, tmp_path):
    cache = KernelCache(tmp_path)
    text = read_source('candidates.cu')
    try:
        first = compile_kernels(text, (), device.compute_capability, 'candidates.cu', cache=cache)
    except KernelError as error:
        pytest.skip(str(error))
    (path,) = tmp_path.iterdir()
    written = path.stat().st_mtime_ns
    again = compile_kernels(text, (), device.compute_capability, 'candidates.cu', cache=cache)
    assert again == first
    assert path.stat().st_mtime_ns == written
    device.load_module(first).close()


def test_the_rows_are_as_the_kernel_writes_them():
    assert (GEOMETRY.itemsize, ROW.itemsize) == (104, 32)
