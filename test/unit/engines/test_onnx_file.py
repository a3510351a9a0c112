# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What is read of an ONNX file, held against the onnx package."""

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import networks
from jetson_infer.engines.onnx_file import read_onnx
from jetson_infer.errors import ModelError

BUNDLED = sorted((Path(__file__).parents[3] / 'models').rglob('*.onnx'))
WEIGHTS = np.arange(48, dtype=np.float32).reshape(4, 12)


def with_external_weights(folder: Path, location: str = 'weights.bin') -> Path:
    """Write a network whose only weights lie in a file of their own."""
    path = networks.save(
        folder / 'network.onnx',
        [helper.make_node('Add', ['x', 'w'], ['y'])],
        [networks.tensor('x', (4, 12))],
        [networks.tensor('y', (4, 12))],
        {'w': WEIGHTS},
    )
    model = onnx.load(str(path))
    (folder / location).parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(
        model, str(path), save_as_external_data=True, location=location, size_threshold=0
    )
    assert (folder / location).stat().st_size == WEIGHTS.nbytes
    return path


def external_tensor(name: str, location: str) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {'location': location, 'offset': '0', 'length': '8'}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor


def message(field: int, content: bytes) -> bytes:
    """Wrap a serialized message as a field of another one."""
    length, size = [], len(content)
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([field << 3 | 2, *length, size]) + content


@pytest.mark.parametrize('path', BUNDLED, ids=lambda path: path.name)
def test_bundled_networks_as_onnx_reads_them(path):
    found, model = read_onnx(path), onnx.load(str(path))
    shell = ['sha256sum', path.name]
    if found.external:
        others = ' '.join(str(file.relative_to(path.parent)) for file in found.external)
        shell = ['sh', '-c', f'(sha256sum < {path.name}; sha256sum {others}) | sha256sum']
    told = subprocess.run(shell, cwd=path.parent, capture_output=True, text=True, check=True)
    assert found.digest == told.stdout.split()[0]
    assert found.operators == {node.op_type for node in model.graph.node}
    for specs, values in ((found.inputs, model.graph.input), (found.outputs, model.graph.output)):
        assert [spec.name for spec in specs] == [value.name for value in values]
        for spec, value in zip(specs, values, strict=True):
            kind = value.type.tensor_type
            assert spec.shape == tuple(d.dim_value for d in kind.shape.dim)
            assert spec.dtype == helper.tensor_dtype_to_np_dtype(kind.elem_type)
    bare = onnx.load(str(path), load_external_data=False)
    locations = {
        entry.value
        for tensor in bare.graph.initializer
        for entry in tensor.external_data
        if entry.key == 'location'
    }
    assert {file.name for file in found.external} == locations


DTYPES = st.sampled_from(
    [np.float32, np.float16, np.float64, np.uint8, np.int8, np.int32, np.int64, np.bool_]
)
SHAPES = st.lists(st.integers(1, 2**40) | st.sampled_from(['batch', 'N']), max_size=5)


@given(
    inputs=st.dictionaries(st.text(min_size=1, max_size=6), st.tuples(DTYPES, SHAPES), max_size=4),
    weights=st.sets(st.text(min_size=1, max_size=6), max_size=3),
    metadata=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)
def test_any_inputs_as_onnx_writes_them(tmp_path_factory, inputs, weights, metadata):
    values = [networks.tensor(name, shape, dtype) for name, (dtype, shape) in inputs.items()]
    tensors = [numpy_helper.from_array(np.zeros(3, np.float32), name) for name in sorted(weights)]
    graph = helper.make_graph([], 'g', values, [networks.tensor('y', ('?', 3))], tensors)
    model = helper.make_model(graph)
    helper.set_model_props(model, metadata)
    path = tmp_path_factory.mktemp('m') / 'm.onnx'
    path.write_bytes(model.SerializeToString())
    found = read_onnx(path)
    assert {spec.name: (spec.dtype, spec.shape) for spec in found.inputs} == {
        name: (np.dtype(dtype), tuple(-1 if isinstance(d, str) else d for d in shape))
        for name, (dtype, shape) in inputs.items()
        if name not in weights  # an old network's weights are inputs too, with a value
    }
    assert found.outputs[0].shape == (-1, 3)
    assert found.metadata == metadata


def test_external_weights_count_into_the_digest(tmp_path):
    path = with_external_weights(tmp_path, 'sub/weights.bin')
    first = read_onnx(path)
    assert first.external == (tmp_path / 'sub/weights.bin',)
    assert first.inputs[0].name == 'x'
    shell = '(sha256sum < network.onnx; sha256sum sub/weights.bin) | sha256sum'
    printed = subprocess.check_output(['bash', '-c', shell], cwd=tmp_path, text=True)
    assert first.digest == printed.split()[0]
    content = bytearray((tmp_path / 'sub/weights.bin').read_bytes())
    content[-1] ^= 1
    (tmp_path / 'sub/weights.bin').write_bytes(content)
    assert read_onnx(path).digest != first.digest


def test_a_network_that_moved_is_the_same(tmp_path):
    (tmp_path / 'a').mkdir()
    path = with_external_weights(tmp_path / 'a')
    first = read_onnx(path).digest
    (tmp_path / 'a').rename(tmp_path / 'b')
    (tmp_path / 'b/network.onnx').rename(tmp_path / 'b/renamed.onnx')
    assert read_onnx(tmp_path / 'b/renamed.onnx').digest == first


def test_external_weights_are_found_wherever_they_hide(tmp_path):
    """In a constant of a branch of an If, in a list of tensors, in a function, sparse."""
    names = [f'{name}.bin' for name in ('constant', 'branch', 'sparse', 'function')]
    for name in names:
        (tmp_path / name).write_bytes(bytes(8))
    constant, branch, sparse, function = (external_tensor(name, name) for name in names)
    inner = helper.make_graph([], 'then', [], [networks.tensor('z', (2,))], [branch])
    nodes = [
        helper.make_node('Constant', [], ['c'], value=constant),
        helper.make_node('If', ['x'], ['y'], then_branch=inner, else_branch=inner),
    ]
    graph = helper.make_graph(
        nodes, 'g', [networks.tensor('x', (1,), np.bool_)], [networks.tensor('y', (2,))]
    )
    entry = graph.sparse_initializer.add()
    entry.values.CopyFrom(sparse)
    made = helper.make_function(
        'ours', 'F', [], ['w'], [helper.make_node('Constant', [], ['w'], value=function)], []
    )
    model = helper.make_model(graph, functions=[made])
    (tmp_path / 'm.onnx').write_bytes(model.SerializeToString())
    found = read_onnx(tmp_path / 'm.onnx')
    assert {file.name for file in found.external} == set(names)
    assert found.operators == {'Constant', 'If'}
    assert [spec.name for spec in found.inputs] == ['x']
    assert [spec.name for spec in found.outputs] == ['y']


def test_missing_external_weights_are_named(tmp_path):
    path = with_external_weights(tmp_path)
    (tmp_path / 'weights.bin').unlink()
    with pytest.raises(ModelError, match=r'weights\.bin cannot be read.*copy that file too'):
        read_onnx(path)


@pytest.mark.parametrize('location', ['/etc/passwd', '../other.bin', 'a/../../b', ''])
def test_external_weights_outside_of_the_folder_are_refused(tmp_path, location):
    graph = helper.make_graph(
        [], 'g', [], [networks.tensor('y', (2,))], [external_tensor('w', location)]
    )
    (tmp_path / 'm.onnx').write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(ModelError, match='must lie in the folder'):
        read_onnx(tmp_path / 'm.onnx')


def test_an_input_that_numpy_has_no_type_for(tmp_path):
    value = helper.make_tensor_value_info('x', TensorProto.BFLOAT16, [1])
    graph = helper.make_graph([], 'g', [value], [networks.tensor('y', (2,))])
    (tmp_path / 'm.onnx').write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(ModelError, match='x is of ONNX type 16'):
        read_onnx(tmp_path / 'm.onnx')


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r'm\.onnx: cannot be read: No such file'):
        read_onnx(tmp_path / 'm.onnx')


@pytest.mark.parametrize(
    'content',
    [b'', b'not an ONNX file at all', b'<html>', b'\x00' * 100, b'\xff' * 100, b'\x3a\x7f'],
)
def test_what_is_no_onnx_file(tmp_path, content):
    (tmp_path / 'm.onnx').write_bytes(content)
    with pytest.raises(ModelError, match='is no ONNX file'):
        read_onnx(tmp_path / 'm.onnx')


def test_messages_nested_without_end(tmp_path):
    content = b''
    for _ in range(40):
        for field in (6, 5, 1):  # an attribute's graph, a node's attribute, a graph's node
            content = message(field, content)
    (tmp_path / 'm.onnx').write_bytes(message(7, content))
    with pytest.raises(ModelError, match='nested deeper'):
        read_onnx(tmp_path / 'm.onnx')


@pytest.fixture(scope='module')
def small(tmp_path_factory) -> bytes:
    path = networks.emitting(
        tmp_path_factory.mktemp('m') / 'm.onnx', {'y': np.zeros((1, 6), np.float32)}
    )
    return path.read_bytes()


def digest_or_complaint(path: Path) -> str:
    try:
        return read_onnx(path).digest
    except ModelError as error:
        return str(error)


def test_a_file_cut_anywhere_is_told_or_lacks_only_its_last_fields(small, tmp_path):
    path, told = tmp_path / 'm.onnx', 0
    for end in range(len(small)):
        path.write_bytes(small[:end])
        found = digest_or_complaint(path)
        assert found != hashlib.sha256(small).hexdigest()
        told += f'({end} bytes)' in found or 'holds no graph' in found
    assert told > 0.9 * len(small)


@given(data=st.data())
def test_a_damaged_file_never_ends_in_another_error(small, tmp_path_factory, data):
    content = bytearray(small)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp('m') / 'm.onnx'
    path.write_bytes(content)
    assert len(digest_or_complaint(path)) < 1000
