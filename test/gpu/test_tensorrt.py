# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT on the GPU: tiny networks built, run and held against ONNX's own reference."""

import contextlib
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

import networks
from jetson_infer.core.shape_profiles import ShapeProfile, ShapeRange
from jetson_infer.cuda.adaptors import CountingMemory, FailingMemory, LimitedMemory
from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.tensorrt.api import is_installed, trt
from jetson_infer.engines.tensorrt.builder import build_plan
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.errors import DeviceMemoryError, EngineBuildError, SessionError

if not is_installed():
    pytest.skip('TensorRT is not installed', allow_module_level=True)

SMALL = ShapeProfile({'image': ShapeRange((1, 3, 16, 16), (1, 3, 32, 32), (2, 3, 48, 64))})
LARGE = ShapeProfile({'image': ShapeRange((1, 3, 16, 16), (1, 3, 80, 80), (1, 3, 96, 96))})
WITHIN = [(1, 3, 16, 16), (1, 3, 32, 32), (2, 3, 48, 64), (1, 3, 20, 63), (2, 3, 17, 17)]
BROKEN_PLANS = """
import sys
from pathlib import Path
from jetson_infer.cuda.pycuda_device import PycudaDevice
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.errors import EngineError

plan = Path(sys.argv[1]).read_bytes()
with PycudaDevice() as device, device.current():
    for broken in (b'', b'no engine' * 100, plan[:100], plan[: len(plan) // 2]):
        try:
            TensorRtSession(broken, device, source='x.plan')
        except EngineError as error:
            print(error, flush=True)
"""
strongly_typed_only = not hasattr(trt, 'BuilderFlag') or not hasattr(trt.BuilderFlag, 'FP16')


def build(path: Path, precision: str = 'fp32', **options):
    return build_plan(BuildRequest(path, precision, optimization_level=1, **options))


def two_convolutions(path: Path, shape, quantized: bool = False, kernel_shape=(3, 3)) -> Path:
    """Conv, Relu, Conv; with Q/DQ at the inputs of both, symmetric, per tensor.

    :param kernel_shape: their attribute, needed where weights come through a DQ; None for none.
    """
    random = np.random.default_rng(1)
    constants = {
        'w0': random.normal(0, 0.2, (16, 3, 3, 3)).astype(np.float32),
        'w1': random.normal(0, 0.1, (8, 16, 3, 3)).astype(np.float32),
        'zero': np.array(0, np.int8),
    }
    nodes = []

    def through_int8(name: str, scale: float) -> str:
        if not quantized:
            return name
        constants[f'{name}_scale'] = np.array(scale, np.float32)
        for operator, source, target in (
            ('QuantizeLinear', name, f'{name}_q'),
            ('DequantizeLinear', f'{name}_q', f'{name}_dq'),
        ):
            given = [source, f'{name}_scale', 'zero']
            nodes.append(helper.make_node(operator, given, [target], name=f'{target}_node'))
        return f'{name}_dq'

    def convolve(number: int, source: str, target: str, scale: float) -> None:
        weights = through_int8(f'w{number}', float(np.abs(constants[f'w{number}']).max()) / 127)
        given = [through_int8(source, scale), weights]
        attributes = {'pads': [1, 1, 1, 1]}
        if kernel_shape is not None:
            attributes['kernel_shape'] = list(kernel_shape)
        nodes.append(helper.make_node('Conv', given, [target], f'conv{number}', **attributes))

    convolve(0, 'image', 'a', 4 / 127)
    nodes.append(helper.make_node('Relu', ['a'], ['b'], name='relu'))
    convolve(1, 'b', 'features', 6 / 127)
    if not quantized:
        del constants['zero']
    output = [shape[0], 8, *shape[2:]]
    return networks.save(
        path,
        nodes,
        [networks.tensor('image', shape)],
        [networks.tensor('features', output)],
        constants,
    )


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('networks')


@pytest.fixture(scope='module')
def static(folder, context):
    path = two_convolutions(folder / 'static.onnx', (1, 3, 32, 32))
    return path, build(path)


@pytest.fixture(scope='module')
def dynamic(folder, context):
    path = two_convolutions(folder / 'dynamic.onnx', ('n', 3, 'h', 'w'))
    return path, build(path, profiles=(SMALL, LARGE))


def image_of(shape, seed: int = 0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def reference(path: Path, image):
    model = onnx.load(str(path))
    model.opset_import[0].version = 21  # the same operators; the reference has no older Q and DQ
    (expected,) = ReferenceEvaluator(model).run(None, {'image': image})
    return expected


def distance(actual, expected) -> float:
    """The largest difference, in parts of the largest value."""
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


def infer(binding, image):
    binding.inputs['image'][...] = image
    return binding.run()['features'].copy()


@contextlib.contextmanager
def opened(plan: bytes, device, **options):
    with TensorRtSession(plan, device, **options) as session:
        yield session


def test_float32_is_the_reference(static, any_device):
    path, built = static
    assert built.precision.found == 'fp32'
    assert built.tensorrt == trt.__version__
    with opened(built.plan, any_device) as session:
        binding = session.bind({})
        for seed in range(3):
            image = image_of((1, 3, 32, 32), seed)
            assert distance(infer(binding, image), reference(path, image)) < 1e-4
        assert [str(spec) for spec in session.inputs] == ['image float32[1x3x32x32]']
        assert session.layers() == built.layers


def test_a_graph_computes_what_enqueueing_computes(static, any_device):
    _, built = static
    image = image_of((1, 3, 32, 32))
    results = []
    for graphs in (True, False):
        with opened(built.plan, any_device, graphs=graphs) as session:
            binding = session.bind({})
            captured = graphs and session._stream.can_capture
            assert (binding.why_no_graph == '') is captured
            results += [infer(binding, image) for _ in range(3)]
    assert all(np.array_equal(result, results[0]) for result in results)


@pytest.mark.skipif(strongly_typed_only, reason='this version takes types from the file alone')
def test_float16(folder, device):
    path = networks.convolving(folder / 'wide.onnx', 128, 64, 3)  # large enough that it pays
    built = build(path, 'fp16')
    assert 'fp16' in built.precision.counts, str(built.precision)
    with opened(built.plan, device) as session:
        image = image_of((1, 3, 128, 128))
        assert distance(infer(session.bind({}), image), reference(path, image)) < 1e-2


def test_int8_from_q_and_dq(folder, device):
    path = two_convolutions(folder / 'int8.onnx', (1, 3, 32, 32), quantized=True)
    built = build(path, 'int8')
    assert 'int8' in built.precision.counts, str(built.precision)
    with opened(built.plan, device) as session:
        image = image_of((1, 3, 32, 32))
        assert distance(infer(session.bind({}), image), reference(path, image)) < 0.02


def test_a_convolution_without_its_kernels_shape_is_refused_with_the_remedy(folder, context):
    path = two_convolutions(folder / 'bare.onnx', (1, 3, 32, 32), quantized=True, kernel_shape=None)
    told = r"(?s)node \d+ 'conv0' \(Conv\): .*\[UNSUPPORTED_NODE\]\n.*kernel_shape"
    with pytest.raises(EngineBuildError, match=told):
        build(path, 'int8')


@pytest.mark.skipif(strongly_typed_only, reason='this version takes types from the file alone')
def test_a_layer_is_kept_in_float32(static, device):
    path, _ = static
    built = build(path, 'mixed', float32_layers=('conv1',))
    kept = [layer for layer in built.layers if 'conv1' in layer.name and layer.precision]
    assert [layer.precision for layer in kept] == ['fp32'], built.layers


def test_a_strongly_typed_network_says_what_it_cannot_be(static, context):
    path, _ = static
    told = 'Convert the file to float16'
    if not hasattr(trt.NetworkDefinitionCreationFlag, 'STRONGLY_TYPED'):
        told = 'has no strongly typed networks'
    with pytest.raises(EngineBuildError, match=told):
        build(path, 'fp16', strongly_typed=True)


def test_shapes_within_the_profile(dynamic, any_device):
    path, built = dynamic
    with opened(built.plan, any_device) as session:
        assert session.profiles == (SMALL, LARGE)
        binding = session.bind({'image': WITHIN[0]})
        for step in range(3 * len(WITHIN)):  # every shape again after the others
            shape = WITHIN[step * 2 % len(WITHIN)]
            binding.reshape({'image': shape})
            for seed in range(2):
                image = image_of(shape, step + seed)
                assert distance(infer(binding, image), reference(path, image)) < 1e-4
        with pytest.raises(SessionError, match=r'maximum \[2, 3, 48, 64\]'):
            binding.reshape({'image': (1, 3, 80, 80)})


def test_layers_of_dynamic_shapes_tell_their_types(dynamic):
    _, built = dynamic
    assert built.precision.found == 'fp32'
    computing = [layer for layer in built.layers if layer.precision]
    assert {'conv0', 'conv1'} <= {node for layer in computing for node in layer.nodes}
    assert all('dynamic' not in layer.inputs[0].layout for layer in computing), computing


def test_shapes_change_without_allocation(dynamic, device):
    path, built = dynamic
    counters = []

    def count(resource):
        counters.append(CountingMemory(resource))
        return counters[-1]

    expected = {shape: reference(path, image_of(shape)) for shape in WITHIN}
    with opened(built.plan, device, adapt=count) as session:
        binding = session.bind({'image': WITHIN[0]})
        addresses = {name: b.address for name, b in binding.device_outputs.items()}
        for shape in WITHIN:
            binding.reshape({'image': shape})
        before, free = [c.allocations for c in counters], device.free_bytes()
        for step in range(1000):
            shape = WITHIN[step * 3 % len(WITHIN)]
            binding.reshape({'image': shape})
            result = infer(binding, image_of(shape))
            if step % 20 == 0:
                assert distance(result, expected[shape]) < 1e-4
        assert [c.allocations for c in counters] == before
        assert device.free_bytes() >= free
        assert addresses == {name: b.address for name, b in binding.device_outputs.items()}
    assert [c.live for c in counters] == [0] * len(counters)


def test_bindings_of_both_profiles_run_side_by_side(dynamic, device):
    path, built = dynamic
    with opened(built.plan, device) as session, contextlib.ExitStack() as stack:
        shapes = [(1, 3, 32, 32), (1, 3, 32, 32), (1, 3, 96, 96)]
        bindings = [session.bind({'image': shape}) for shape in shapes]
        streams = [stack.enter_context(contextlib.closing(device.stream())) for _ in shapes]
        images = [image_of(shape, seed) for seed, shape in enumerate(shapes)]
        for binding, image in zip(bindings, images):
            infer(binding, image * 0)
            binding.inputs['image'][...] = image
        for binding, stream in zip(bindings, streams):
            binding._memory.staged['image'].upload(stream, binding.inputs['image'].nbytes)
            binding.enqueue(stream)
            binding._memory.staged['features'].download(stream, binding.outputs['features'].nbytes)
        for binding, stream, image in zip(bindings, streams, images):
            stream.synchronize()
            assert distance(binding.outputs['features'], reference(path, image)) < 1e-4


def test_without_host_memory(static, device):
    path, built = static
    image = image_of((1, 3, 32, 32))
    with opened(built.plan, device) as session, contextlib.ExitStack() as stack:
        binding = session.bind({}, host=False)
        stream = stack.enter_context(contextlib.closing(device.stream()))
        pinned = stack.enter_context(device.memory('pinned').allocate(1 * 8 * 32 * 32 * 4))
        pinned.host[: image.nbytes] = image.reshape(-1).view(np.uint8)
        stream.copy(binding.device_inputs['image'], pinned, image.nbytes)
        binding.enqueue(stream)
        stream.copy(pinned, binding.device_outputs['features'], pinned.nbytes)
        stream.synchronize()
        result = pinned.host.view(np.float32).reshape(1, 8, 32, 32)
        assert distance(result, reference(path, image)) < 1e-4


def test_a_broken_plan_is_refused(static, tmp_path, context):
    path = tmp_path / 'x.plan'
    path.write_bytes(static[1].plan)
    script = tmp_path / 'broken.py'
    script.write_text(BROKEN_PLANS)
    result = subprocess.run(  # in a process of its own, should TensorRT crash
        [sys.executable, str(script), str(path)], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    lines = result.stdout.splitlines()
    assert (result.returncode, len(lines)) == (0, 4), result.stdout + result.stderr
    assert 'is empty' in lines[0]
    assert all('build it again' in line for line in lines[1:])


def test_what_cannot_be_parsed_is_named(tmp_path, context):
    nodes = [
        helper.make_node('Relu', ['image'], ['a'], name='first'),
        helper.make_node('NotThere', ['a'], ['b'], name='second', domain='own'),
    ]
    one = [networks.tensor(name, (1, 3)) for name in ('image', 'b')]
    model = helper.make_model(
        helper.make_graph(nodes, 'g', one[:1], one[1:]),
        opset_imports=[helper.make_opsetid('', 17), helper.make_opsetid('own', 1)],
        ir_version=8,
    )
    onnx.save(model, str(tmp_path / 'x.onnx'))
    told = r"(?s)node 1 'second' \(NotThere\): .*\[[A-Z_]+\]\n.*plug-in"
    with pytest.raises(EngineBuildError, match=told):
        build(tmp_path / 'x.onnx')
    (tmp_path / 'y.onnx').write_bytes(b'\x0a\x05cut')
    with pytest.raises(EngineBuildError, match='cannot parse it'):
        build(tmp_path / 'y.onnx')


def test_a_shape_that_depends_on_the_data_is_refused(tmp_path, device):
    plan = build(networks.nonzero(tmp_path / 'x.onnx')).plan
    told = 'only running tells the shape of (the output places|an output)'  # 8.6: of which is not
    with pytest.raises(SessionError, match=told), opened(plan, device) as session:
        session.bind({})


def test_memory_that_is_not_there(static, device):
    _, built = static

    def limited(resource):
        return LimitedMemory(resource, 1000) if resource.kind == 'device' else resource

    with opened(built.plan, device, adapt=limited) as session:
        before = device.live()
        with pytest.raises(DeviceMemoryError, match='budget of 1000 bytes'):
            session.bind({})
        assert device.live() == before


def test_whichever_allocation_fails_the_next_bind_works(static, device):
    path, built = static
    failing = {}

    def adapt(resource):
        return failing.setdefault(resource.kind, FailingMemory(resource))

    image = image_of((1, 3, 32, 32))
    with opened(built.plan, device, adapt=adapt) as session:
        session.bind({}).close()
        before = device.live()
        for kind, memory in failing.items():
            memory.arm()
            with pytest.raises(DeviceMemoryError, match=f'{kind} memory: it was told to fail'):
                session.bind({})
            assert device.live() == before
        assert distance(infer(session.bind({}), image), reference(path, image)) < 1e-4


def resident_mib() -> float:
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / (1 << 20)


def test_200_rounds_leave_nothing_behind(dynamic, device):
    _, built = dynamic
    figures = []
    for _ in range(200):
        with opened(built.plan, device) as session:
            infer(session.bind({'image': (1, 3, 32, 32)}), image_of((1, 3, 32, 32)))
        figures.append((device.free_bytes() / (1 << 20), resident_mib()))
    (free_10, resident_10), (free_200, resident_200) = figures[9], figures[-1]
    assert free_10 - free_200 < 4, figures[9::38]
    assert resident_200 - resident_10 < 40, figures[9::38]


def test_progress_log_and_timings(static, tmp_path, context, caplog):
    path, _ = static
    caplog.set_level(logging.DEBUG, logger='jetson_infer')
    told = []
    cache = tmp_path / 'timings'
    request = BuildRequest(path, optimization_level=1, timing_cache=cache)
    first = build_plan(request, told.append)
    assert list(dict.fromkeys(p.phases[0] for p in told)) == ['parse', 'build', 'inspect']
    assert any(len(p.phases) > 1 for p in told) is hasattr(trt, 'IProgressMonitor')
    assert first.log.count('\n') > 3
    cache.write_bytes(first.timing_cache)
    second = build_plan(request)
    assert 'taken anew' not in caplog.text
    assert len(second.timing_cache) >= len(first.timing_cache) > 0
    cache.write_bytes(b'of another GPU')
    assert build_plan(request).plan
    assert 'not written by this version' in caplog.text
    assert 'taken anew' in caplog.text


@pytest.mark.skipif(not hasattr(trt, 'IProgressMonitor'), reason='this version cannot be stopped')
def test_a_build_is_cancelled(static, context):
    path, _ = static
    told = []
    with pytest.raises(EngineBuildError, match='was cancelled'):
        build_plan(BuildRequest(path), told.append, lambda: len(told) > 10)
