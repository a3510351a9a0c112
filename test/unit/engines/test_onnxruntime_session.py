# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import gc
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import networks
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.engines.models import load_model
from jetson_infer.engines.onnxruntime.session import OnnxRuntimeSession
from jetson_infer.engines.select import open_session
from jetson_infer.errors import MissingDependencyError, SessionError

pytest.importorskip('onnxruntime')


def test_specs(tmp_path):
    file = networks.nonzero(tmp_path / 'n.onnx', ('rows', 5))
    with OnnxRuntimeSession(file) as session:
        assert session.inputs == (TensorSpec('image', np.dtype(np.float32), (-1, 5)),)
        assert session.outputs == (
            TensorSpec('places', np.dtype(np.int64), (2, -1)),
            TensorSpec('doubled', np.dtype(np.float32), (-1, 5)),
        )
        assert session.engine.startswith('onnxruntime ')


@pytest.mark.parametrize('dtype', [np.float32, np.float16, np.int32, np.int64, np.float64])
def test_inputs_and_outputs_are_shared_not_copied(tmp_path, dtype):
    with OnnxRuntimeSession(networks.doubling(tmp_path / 'd.onnx', dtype=dtype)) as session:
        binding = session.bind({})
        image, doubled = binding.inputs['image'], binding.outputs['doubled']
        for value in (1, 2, 3):
            image[...] = value
            assert binding.run()['doubled'] is doubled
            assert (doubled == 2 * value).all()
        assert doubled.dtype == dtype


def test_two_bindings_of_one_session_are_apart(tmp_path):
    with OnnxRuntimeSession(networks.doubling(tmp_path / 'd.onnx')) as session:
        first, second = session.bind({}), session.bind({})
        first.inputs['image'][...] = 1
        second.inputs['image'][...] = 5
        first.run()
        second.run()
        assert (first.outputs['doubled'] == 2).all()
        assert (second.outputs['doubled'] == 10).all()


def test_an_output_of_changing_shape(tmp_path):
    with OnnxRuntimeSession(networks.nonzero(tmp_path / 'n.onnx')) as session:
        binding = session.bind({})
        image = binding.inputs['image']
        for count in (3, 20, 0, 1):
            image[...] = 0
            image.flat[:count] = 1
            outputs = binding.run()
            np.testing.assert_array_equal(outputs['places'], np.stack(np.nonzero(image)))
            np.testing.assert_array_equal(outputs['doubled'], image * 2)


def test_a_view_of_a_dynamic_output_keeps_its_memory(tmp_path):
    with OnnxRuntimeSession(networks.nonzero(tmp_path / 'n.onnx', (300, 300))) as session:
        binding = session.bind({})
        binding.inputs['image'][...] = 1
        kept = binding.run()['places']
        expected = kept.copy()
        for _ in range(5):
            binding.run()
        gc.collect()
    np.testing.assert_array_equal(kept, expected)


def test_a_dynamic_input_is_bound_at_a_shape(tmp_path):
    with OnnxRuntimeSession(networks.doubling(tmp_path / 'd.onnx', (1, 3, 'h', 'w'))) as session:
        for size in (2, 7):
            binding = session.bind({'image': (1, 3, size, size)})
            binding.inputs['image'][...] = size
            assert binding.run()['doubled'].shape == (1, 3, size, size)
            assert (binding.outputs['doubled'] == 2 * size).all()


@pytest.mark.parametrize(
    ('shapes', 'says'),
    [
        ({}, 'has to be given'),
        ({'image': (1, 3, 4)}, r'does not take the shape \[1, 3, 4\]'),
        ({'image': (1, 4, 4, 4)}, r'does not take the shape'),
        ({'picture': (1, 3, 4, 4)}, 'no input picture; its inputs: image'),
    ],
)
def test_shapes_that_do_not_fit(tmp_path, shapes, says):
    file = networks.doubling(tmp_path / 'd.onnx', (1, 3, 'h', 'w'))
    with OnnxRuntimeSession(file) as session, pytest.raises(SessionError, match=says):
        session.bind(shapes)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


@pytest.mark.parametrize(
    ('spoil', 'says'),
    [
        (Path.unlink, 'no such file'),
        (cut, 'copy it again'),
        (lambda file: file.write_bytes(b''), 'copy it again'),
        (lambda file: file.write_text('no network'), 'copy it again'),
        (lambda file: file.write_bytes(os.urandom(1000)), 'onnx'),
    ],
)
def test_a_file_that_is_no_network(tmp_path, spoil, says):
    file = networks.convolving(tmp_path / 'network.onnx')
    spoil(file)
    with pytest.raises(SessionError, match=says) as caught:
        OnnxRuntimeSession(file)
    assert str(caught.value).startswith(str(file))


def foreign_operation(file: Path) -> None:
    nodes = [helper.make_node('EfficientNMS_TRT', ['x'], ['y'], domain='TRT')]
    graph = helper.make_graph(
        nodes, 'g', [networks.tensor('x', (1,))], [networks.tensor('y', (1,))]
    )
    opsets = [helper.make_opsetid('', 17), helper.make_opsetid('TRT', 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(file))


def from_the_future(file: Path) -> None:
    model = onnx.load(str(networks.doubling(file)))
    model.ir_version = 99
    onnx.save(model, str(file))


def without_its_weights(file: Path) -> None:
    onnx.save(
        onnx.load(str(networks.convolving(file))),
        str(file),
        save_as_external_data=True,
        location='weights.data',
        size_threshold=0,
    )
    (file.parent / 'weights.data').unlink()


@pytest.mark.parametrize(
    ('write', 'says'),
    [
        (foreign_operation, 'an operation that ONNX Runtime does not have'),
        (from_the_future, 'export it with an older opset'),
        (without_its_weights, 'copy that file beside the model'),
    ],
)
def test_a_network_that_onnx_runtime_cannot_run(tmp_path, write, says):
    write(tmp_path / 'network.onnx')
    with pytest.raises(SessionError, match=says) as caught:
        OnnxRuntimeSession(tmp_path / 'network.onnx')
    assert 'onnxruntime_src' not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_failing_run_is_told_and_the_binding_runs_again(tmp_path):
    file = networks.looking_up(tmp_path / 'l.onnx')
    with OnnxRuntimeSession(file) as session:
        binding = session.bind({})
        binding.inputs['index'][...] = 99
        with pytest.raises(SessionError, match=r'l\.onnx: ONNX Runtime failed'):
            binding.run()
        binding.inputs['index'][...] = 2
        assert binding.run()['found'].item() == 20.0


def test_negative_threads(tmp_path):
    with pytest.raises(SessionError, match='threads'):
        OnnxRuntimeSession(networks.doubling(tmp_path / 'd.onnx'), threads=-1)


def test_use_after_close(tmp_path):
    session = OnnxRuntimeSession(networks.doubling(tmp_path / 'd.onnx'))
    binding = session.bind({})
    binding.inputs['image'][...] = 1
    doubled = binding.run()['doubled']
    session.close()
    session.close()
    assert (doubled == 2).all()
    with pytest.raises(SessionError, match='closed'):
        binding.run()
    with pytest.raises(SessionError, match='closed'):
        session.bind({})


def resident_kib() -> int:
    return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGESIZE') // 1024


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_opening_and_closing_leaks_nothing(tmp_path):
    file = networks.convolving(tmp_path / 'c.onnx', size=256)  # 8 MiB of output a binding

    def once() -> None:
        with OnnxRuntimeSession(file, threads=2) as session:
            session.bind({}).run()

    threads = []
    for rounds in (5, 20):
        for _ in range(rounds):
            once()
        gc.collect()
        threads.append((resident_kib(), len(os.listdir('/proc/self/task'))))
    (before, tasks_before), (after, tasks_after) = threads
    assert tasks_after <= tasks_before
    # 20 leaked sessions would be 160 MiB and more; the allocator may keep a few blocks of 8 MiB.
    assert after - before < 80 * 1024


def test_select_says_why(tmp_path):
    model = load_model(networks.write_model(tmp_path / 'tiny'))
    for engine in ('auto', 'onnxruntime'):
        opened = open_session(model, model.variant(), engine, threads=1)
        with opened.session as session:
            assert '1 thread)' in session.engine
        assert opened.why
    with pytest.raises(SessionError, match="no engine 'tensort'; there are auto, tensorrt, on"):
        open_session(model, model.variant(), 'tensort')


def test_without_onnx_runtime_the_remedy_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(MissingDependencyError, match='pip install onnxruntime'):
        OnnxRuntimeSession(networks.doubling(tmp_path / 'd.onnx'))
