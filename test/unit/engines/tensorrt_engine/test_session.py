# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Sessions and bindings on the host twin, over the stand-in for TensorRT of every version."""

import json

import numpy as np
import pytest

from jetson_infer.cuda.adaptors import CountingMemory, FailingMemory, LimitedMemory
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.errors import DeviceError, DeviceMemoryError, EngineError, SessionError
from tensorrt_contract.bindings import VERSIONS

STATIC = {
    'io': [['image', 'in', 'FLOAT', [2, 3]], ['doubled', 'out', 'FLOAT', [2, 3]]],
    'scratch': 512,
}
DYNAMIC = {
    'io': [['image', 'in', 'FLOAT', [-1, 3]], ['doubled', 'out', 'FLOAT', [-1, 3]]],
    'profiles': [{'image': [[1, 3], [2, 3], [4, 3]]}, {'image': [[5, 3], [6, 3], [8, 3]]}],
    'scratch': 512,
}


def plan(base, **changes) -> bytes:
    return json.dumps({**base, **changes}).encode()


@pytest.fixture
def opened(tensorrt, device):
    """Open a session, and close it at the end."""
    sessions = []

    def open_session(base, changes=None, **options) -> TensorRtSession:
        sessions.append(
            TensorRtSession(plan(base, **(changes or {})), device, source='x.plan', **options)
        )
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def infer(binding, rows: int, seed: int) -> None:
    """Run once and hold the result against NumPy."""
    image = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
    binding.inputs['image'][...] = image
    assert np.array_equal(binding.run()['doubled'], image * 2)


def test_tells_what_it_takes_and_gives(opened, tensorrt):
    session = opened(DYNAMIC)
    assert [str(spec) for spec in session.inputs] == ['image float32[?x3]']
    assert [str(spec) for spec in session.outputs] == ['doubled float32[?x3]']
    assert [profile.inputs['image'].maximum for profile in session.profiles] == [(4, 3), (8, 3)]
    assert session.engine == f'tensorrt {tensorrt.__version__} (host twin)'
    assert [layer.name for layer in session.layers()] == ['a', 'b']


@pytest.mark.parametrize('graphs', [True, False])
def test_computes_what_the_network_computes(opened, graphs):
    binding = opened(STATIC, graphs=graphs).bind({})
    assert bool(binding.why_no_graph) is not graphs
    for seed in range(3):
        infer(binding, 2, seed)


def test_replays_a_graph_instead_of_enqueueing(opened):
    binding = opened(STATIC).bind({})
    runs = binding._execution._context.runs
    assert runs == 2  # once to settle, once to capture
    for seed in range(5):
        infer(binding, 2, seed)
    assert binding._execution._context.runs == runs


def test_enqueues_where_the_network_cannot_be_captured(opened, caplog):
    binding = opened(STATIC, {'uncapturable': True}).bind({})
    assert 'capturing' in binding.why_no_graph
    assert 'without a CUDA graph' in caplog.text
    infer(binding, 2, 0)
    infer(binding, 2, 1)


def test_shapes_change_within_the_profile_without_allocation(opened, device):
    counters = []

    def count(resource):
        counters.append(CountingMemory(resource))
        return counters[-1]

    session = opened(DYNAMIC, adapt=count)
    binding = session.bind({'image': (3, 3)})
    addresses = [b.address for b in (*binding.device_inputs.values(),
                                     *binding.device_outputs.values())]  # fmt: skip
    allocations = [counter.allocations for counter in counters]
    assert sum(allocations) > 0
    for step in range(1000):
        rows = 1 + step * 7 % 4
        binding.reshape({'image': (rows, 3)})
        assert dict(binding.shapes) == {'image': (rows, 3), 'doubled': (rows, 3)}
        infer(binding, rows, step)
    assert [counter.allocations for counter in counters] == allocations
    assert addresses == [b.address for b in (*binding.device_inputs.values(),
                                             *binding.device_outputs.values())]  # fmt: skip
    session.close()
    assert [counter.live for counter in counters] == [0] * len(counters)


def test_keeps_the_graphs_of_eight_shapes(opened, device):
    wide = {'profiles': [{'image': [[1, 3], [2, 3], [40, 3]]}]}
    binding = opened(DYNAMIC, wide).bind({'image': (1, 3)})
    for rows in [*range(1, 21), 20, 19, 1]:
        binding.reshape({'image': (rows, 3)})
        infer(binding, rows, rows)
    assert device.live()['graph'] == 8


def test_the_profile_that_admits_the_shape_is_taken(opened):
    session = opened(DYNAMIC)
    small, large = session.bind({'image': (4, 3)}), session.bind({'image': (7, 3)})
    for seed in range(3):  # side by side
        infer(small, 4, seed)
        infer(large, 7, seed)
    with pytest.raises(SessionError, match='keeps to the shape profile'):
        small.reshape({'image': (7, 3)})
    infer(small, 4, 9)  # as before


@pytest.mark.parametrize(
    ('shapes', 'told'),
    [
        ({'image': (9, 3)}, r'does not take image \[9, 3\].*minimum \[1, 3\].*maximum \[8, 3\]'),
        ({'image': (2, 4)}, r'image float32\[\?x3\] does not take the shape \[2, 4\]'),
        ({'image': (2,)}, 'does not take the shape'),
        ({}, 'is dynamic; its shape has to be given'),
        ({'image': (2, 3), 'picture': (1,)}, 'no input picture; its inputs: image'),
    ],
)
def test_a_shape_that_does_not_fit_is_named(opened, device, shapes, told):
    session = opened(DYNAMIC)
    with pytest.raises(SessionError, match=told):
        session.bind(shapes)
    binding = session.bind({'image': (2, 3)})
    if shapes:
        with pytest.raises(SessionError, match=told.replace('8, 3', '4, 3')):
            binding.reshape(shapes)
    infer(binding, 2, 0)


def test_without_host_memory_it_runs_on_the_device_alone(opened, device):
    binding = opened(STATIC).bind({}, host=False)
    assert dict(binding.inputs) == {}
    with pytest.raises(SessionError, match='without host memory'):
        binding.run()
    stream = device.stream()
    image = np.arange(6, dtype=np.float32)
    source = device.memory('pinned').allocate(24)
    source.host[:] = image.view(np.uint8)
    stream.copy(binding.device_inputs['image'], source, 24)
    binding.enqueue(stream)
    stream.copy(source, binding.device_outputs['doubled'], 24)
    stream.synchronize()
    assert np.array_equal(source.host.view(np.float32), image * 2)
    source.close()
    stream.close()


@pytest.mark.parametrize(
    ('changes', 'error', 'told'),
    [
        ({'io': [['x', 'in', 'FP8', [1]], ['y', 'out', 'FLOAT', [1]]]}, EngineError, 'type FP8'),
        ({'shape_inputs': ['image']}, EngineError, 'decide about shapes'),
        ({'locations': {'image': 'HOST'}}, EngineError, 'decide about shapes'),
        ({'formats': {'doubled': 'CHW2'}}, EngineError, 'laid out as Two wide channel'),
    ],
)
def test_an_engine_that_cannot_be_used_is_refused(opened, changes, error, told):
    with pytest.raises(error, match=told):
        opened(STATIC, changes)


def test_an_output_whose_shape_depends_on_the_data_is_refused(opened):
    session = opened(DYNAMIC, {'data_dependent': ['doubled']})
    with pytest.raises(SessionError, match=r'only running tells the shape of .*doubled\[\?x3\]'):
        session.bind({'image': (2, 3)})


def test_an_engine_whose_shapes_tensorrt_does_not_tell_is_refused(opened, device):
    """As 8.6 answers for an engine with an output whose shape depends on the data."""
    with pytest.raises(EngineError, match=r'tell the shape of image .*only running tells the sh'):
        opened(STATIC, {'rankless': ['image', 'doubled']})
    session = opened(STATIC)
    session._engine._plan['data_dependent'] = ['doubled']
    session._engine._plan['rankless'] = ['doubled']
    with pytest.raises(SessionError, match='only running tells the shape of the output doubled,'):
        session.bind({})


FLOAT = 'Row major linear FP32'
CONVOLUTION = {
    'Name': 'conv1 + relu1',
    'LayerType': 'CaskConvolution',
    'Inputs': [{'Name': 'image', 'Dimensions': [2, 3], 'Format/Datatype': FLOAT}],
    'Outputs': [],
    'Metadata': '[ONNX Layer: conv1]\x1e[ONNX Layer: relu1]',
}
CHANGED = {**CONVOLUTION, 'Name': 'conv2', 'Metadata': '[ONNX Layer: conv2]'}


def test_layers_are_told_as_8_6_tells_them(opened):
    (layer,) = opened(STATIC, {'layers': [CONVOLUTION]}).layers()
    assert (layer.name, layer.precision) == ('conv1 + relu1', 'fp32')
    assert layer.nodes == ('conv1', 'relu1')


def test_a_layer_that_is_not_understood_leaves_the_others(opened, caplog):
    caplog.set_level('DEBUG', logger='jetson_infer.engines.tensorrt.inspector')
    layers = opened(STATIC, {'layers': [CONVOLUTION, 'no text', CHANGED]}).layers()
    assert [layer.name for layer in layers] == ['conv1 + relu1', 'conv2']
    (warning,) = [one for one in caplog.records if one.levelname == 'WARNING']
    assert 'not understood for 1 of 3 layers: no JSON' in warning.message
    assert '{"Layers": [{' in caplog.text  # for whoever reports it


def test_types_of_dynamic_layers_are_those_at_the_optimum(opened):
    told = {'layers': [CONVOLUTION], 'profile_in_force': 0}
    (layer,) = opened(DYNAMIC, told).layers()
    assert (layer.precision, layer.inputs[0].layout) == ('fp32', FLOAT)
    (layer,) = opened(DYNAMIC, {'layers': [CONVOLUTION]}).layers()  # no context has the profile
    assert (layer.precision, layer.inputs[0].layout) == ('', 'N/A due to dynamic shapes')
    (layer,) = opened(DYNAMIC, {**told, 'no_context': 'out of memory'}).layers()
    assert layer.precision == ''


@pytest.mark.parametrize('data', [b'', b'\x00cut', plan(STATIC)[:20]])
def test_a_broken_plan_is_refused_with_tensorrts_own_words(tensorrt, device, data):
    told = 'is empty' if not data else 'magicTagRead.*truncated.*jetson-infer build'
    with pytest.raises(EngineError, match=told):
        TensorRtSession(data, device, source='x.plan')


def test_a_dla_that_is_not_there_is_named(opened):
    with pytest.raises(SessionError, match='DLA core 0, and this machine has none'):
        opened(STATIC, dla_core=0)


def test_a_run_that_tensorrt_refuses_costs_that_run(opened):
    binding = opened(STATIC, graphs=False).bind({})
    binding._execution._context._engine._plan['fails'] = True
    with pytest.raises(SessionError, match=r'cannot run: enqueueV3: Cask'):
        binding.run()
    binding._execution._context._engine._plan['fails'] = False
    infer(binding, 2, 0)


def test_after_a_shape_that_fails_the_one_before_is_in_force(opened):
    binding = opened(DYNAMIC, {'fails_at': [3, 3]}).bind({'image': (2, 3)})
    with pytest.raises(SessionError, match=r'cannot run: enqueueV3: Cask'):
        binding.reshape({'image': (3, 3)})
    assert dict(binding.shapes) == {'image': (2, 3), 'doubled': (2, 3)}
    infer(binding, 2, 0)


@pytest.mark.parametrize('graphs', [True, False])
def test_a_lost_device_is_told_from_a_failing_run(opened, device, graphs):
    binding = opened(STATIC, graphs=graphs).bind({})
    device.fail_after(1)
    with pytest.raises(DeviceError, match='lost'):
        binding.run()


def test_memory_that_is_not_there_is_named_and_the_rest_given_back(opened, device):
    def budget(resource):
        return LimitedMemory(resource, 400) if resource.kind == 'device' else resource

    session = opened(STATIC, adapt=budget)
    before = device.live()
    with pytest.raises(DeviceMemoryError, match='of a budget of 400 bytes'):
        session.bind({})
    assert device.live() == before


def test_whichever_allocation_fails_nothing_is_left(opened, device):
    failing = []

    def fail(resource):
        failing.append(FailingMemory(resource))
        failing[-1].arm(after=count if resource.kind == 'device' else 9)
        return failing[-1]

    session = opened(STATIC, adapt=fail)
    before = device.live()
    for count in range(3):  # noqa: B007 - read by fail()
        with pytest.raises(DeviceMemoryError, match='told to fail'):
            session.bind({})
        assert device.live() == before
    count = 9
    infer(session.bind({}), 2, 0)


@pytest.mark.parametrize('tensorrt', VERSIONS[1:], indirect=True)
def test_a_context_that_tensorrt_has_no_memory_for(opened):
    session = opened(STATIC, {'no_context': 'Requested amount of GPU memory: out of memory'})
    with pytest.raises(DeviceMemoryError, match=r'makes no execution context.*smaller'):
        session.bind({})


def test_200_rounds_leave_nothing_behind(tensorrt, device):
    for seed in range(200):
        with TensorRtSession(plan(DYNAMIC), device) as session:
            infer(session.bind({'image': (2, 3)}), 2, seed)
        assert device.live() == {}


def test_closed_is_closed(opened):
    session = opened(STATIC)
    binding = session.bind({})
    session.close()
    session.close()
    for use in (binding.run, lambda: session.bind({}), session.layers):
        with pytest.raises(SessionError, match='the session is closed'):
            use()


LAYERS = [
    {'Name': 'conv', 'LayerType': 'CaskConvolution',
     'Inputs': [{'Format/Datatype': 'Row major linear FP16 format'}]},
    {'Name': 'copy', 'LayerType': 'Reformat'},
]  # fmt: skip


def test_layers_are_timed_without_a_graph_and_with_their_precision(opened, device):
    session = opened(STATIC, {'layers': LAYERS})
    binding = session.bind({}, graphs=False)
    assert binding.why_no_graph == 'graphs are switched off'
    before = device.live()
    session.bind({})  # takes memory, and gives it back below
    timed = session.time_layers(session._bindings[-1], 5)
    assert device.live() == before
    assert [(one.name, one.kind, one.precision) for one in timed.layers] == [
        ('conv', 'CaskConvolution', 'fp16'),
        ('copy', 'Reformat', ''),
    ]
    assert [one.times_ms for one in timed.layers] == [(0.25,) * 5, (0.5,) * 5]
    assert timed.total_ms == 0.75
    assert len(timed.observed_ms) == 5
    infer(binding, 2, 0)  # the others go on


def test_an_engine_that_tells_no_times_says_so_and_leaves_nothing(opened, device):
    session = opened(STATIC, {'tells_no_times': True})
    before = device.live()
    with pytest.raises(SessionError, match='does not tell how long its layers take'):
        session.time_layers(session.bind({}, graphs=False), 2)
    assert device.live() == before


def test_a_device_lost_while_a_shape_is_taken_is_told_from_a_failing_engine(opened, device):
    binding = opened(DYNAMIC, {'fails_at': [3, 3]}).bind({'image': (2, 3)})
    device.lose(DeviceError('an illegal memory access was encountered'))
    with pytest.raises(DeviceError, match=r'an illegal memory access .*Cask convolution'):
        binding.reshape({'image': (3, 3)})


def test_several_sessions_share_the_logger_and_keep_their_messages_apart(opened):
    sessions = [opened(DYNAMIC, {'fails_at': [rows, 3]}) for rows in (2, 3)]
    bindings = [session.bind({'image': (4, 3)}, graphs=False) for session in sessions]
    for rows, session, binding in zip((2, 3), sessions, bindings):
        others = [other for other in sessions if other is not session]
        before = [other._troubles.log.lines for other in others]
        with pytest.raises(SessionError, match='Cask convolution'):
            binding.reshape({'image': (rows, 3)})
        infer(binding, 4, rows)
        assert [other._troubles.log.lines for other in others] == before
    sessions.pop(0).close()  # TensorRT still holds the logger that it was opened with
    with pytest.raises(SessionError, match='Cask convolution'):
        bindings[1].reshape({'image': (3, 3)})


def test_a_profile_that_tensorrt_refuses_is_named_with_its_reason(opened, device):
    session = opened(DYNAMIC, {'refuses_profile': 1})
    with pytest.raises(SessionError, match=r'does not take shape profile 1 \(Error in set opt'):
        session.bind({'image': (6, 3)})
    assert device.live() == {'stream': 1}  # the session's
    infer(session.bind({'image': (3, 3)}), 3, 0)


def test_a_profile_in_force_is_not_set_again(opened):
    infer(opened(DYNAMIC, {'profile_in_force': 0}).bind({'image': (3, 3)}), 3, 0)
