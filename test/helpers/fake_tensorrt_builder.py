# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The building half of ``fake_tensorrt``: parses real ONNX files, builds the stand-in's plans.

Every operator outside of ONNX's own is one that the parser does not know.  Settings are kept as
they were set (:data:`BUILT`), for a test to look at.
"""

from __future__ import annotations

import enum
import json
from types import SimpleNamespace

import onnx
from onnx import TensorProto, helper

import fake_tensorrt
from fake_tensorrt import DataType, Dims, Severity

ELEMENTS = {TensorProto.FLOAT: 'FLOAT', TensorProto.FLOAT16: 'HALF', TensorProto.INT32: 'INT32'}
SHOWN = {'FLOAT': 'FP32', 'HALF': 'FP16', 'INT32': 'INT32', 'INT8': 'INT8'}


class LayerType(enum.Enum):
    ELEMENTWISE, CONVOLUTION, QUANTIZE, DEQUANTIZE, CONSTANT = range(5)


LAYERS = {
    'Conv': LayerType.CONVOLUTION,
    'QuantizeLinear': LayerType.QUANTIZE,
    'DequantizeLinear': LayerType.DEQUANTIZE,
}


CONVOLUTION_REFUSED = (
    'Assertion failed: checkSpatialDims(kernel_tensor_ptr->getDimensions()) && "The input tensor '
    'shape misaligns with the input kernel shape."'
)


class BuilderFlag(enum.IntEnum):
    FP16, INT8, TF32, SPARSE_WEIGHTS, GPU_FALLBACK, OBEY_PRECISION_CONSTRAINTS = range(6)


class NetworkDefinitionCreationFlag(enum.IntEnum):
    EXPLICIT_BATCH, STRONGLY_TYPED = range(2)


class TacticSource(enum.IntEnum):
    CUBLAS, CUBLAS_LT, CUDNN, EDGE_MASK_CONVOLUTIONS = range(4)


class PreviewFeature(enum.Enum):
    PROFILE_SHARING_0806 = 0


class MemoryPoolType(enum.Enum):
    WORKSPACE = 0


class DeviceType(enum.Enum):
    GPU, DLA = range(2)


class ProfilingVerbosity(enum.Enum):
    LAYER_NAMES_ONLY, DETAILED = range(2)


class ErrorCode(enum.Enum):
    INVALID_GRAPH, UNSUPPORTED_NODE = range(2)


class ErrorCodeOf86:
    """How the parser of 8.6 gives its codes: the name is a method, and not the bare name."""

    def __init__(self, code):
        self._code = code

    def name(self):
        return str(self._code)


class IProgressMonitor:
    pass


class ITensor:
    def __init__(self, name, dtype, shape):
        self.name = name
        self.dtype = dtype
        self.shape = Dims(shape)
        self.is_shape_tensor = name.startswith('shape')


class ILayer:
    def __init__(self, name, kind, tensors):
        self.name = name
        self.type = kind
        self.precision = None
        self._tensors = tensors
        self.set_types = {}

    @property
    def num_outputs(self):
        return len(self._tensors)

    def get_output(self, index):
        return self._tensors[index]

    def set_output_type(self, index, dtype):
        self.set_types[index] = dtype


class INetworkDefinition:
    def __init__(self, flags):
        self.flags = flags
        self.inputs, self.outputs, self.layer_list = [], [], []

    num_inputs = property(lambda self: len(self.inputs))
    num_outputs = property(lambda self: len(self.outputs))
    num_layers = property(lambda self: len(self.layer_list))

    def get_input(self, index):
        return self.inputs[index]

    def get_output(self, index):
        return self.outputs[index]

    def get_layer(self, index):
        return self.layer_list[index]


class ParserError:
    def __init__(self, index, node):
        self._index, self._node = index, node

    def code(self):
        return ErrorCode.UNSUPPORTED_NODE

    def desc(self):
        if self._node.op_type == 'Conv':
            return CONVOLUTION_REFUSED
        return f'No importer registered for op: {self._node.op_type}.'

    def node(self):
        return self._index

    def node_name(self):
        return self._node.name

    def node_operator(self):
        return self._node.op_type

    def local_function_stack(self):
        return []


class OnnxParser:
    def __init__(self, network, logger):
        self._network, self._logger, self._errors = network, logger, []

    num_errors = property(lambda self: len(self._errors))

    def get_error(self, index):
        return self._errors[index]

    def parse_from_file(self, model):
        assert fake_tensorrt.plugins_registered, 'the network may name plugins'
        try:
            loaded = onnx.load(model)
        except Exception:  # noqa: BLE001 - protobuf's own
            self._logger.log(Severity.ERROR, 'ModelImporter: Failed to parse ONNX model')
            return False
        graph = loaded.graph
        for index, node in enumerate(graph.node):
            if not onnx.defs.has(node.op_type) or 'refused' in node.name:
                self._errors.append(ParserError(index, node))
        if self._errors:
            return False
        self._network.inputs = [_tensor(value) for value in graph.input]
        self._network.outputs = [_tensor(value) for value in graph.output]
        half = any(value.type.tensor_type.elem_type == TensorProto.FLOAT16 for value in graph.input)
        for node in graph.node:
            kind = LAYERS.get(node.op_type, LayerType.ELEMENTWISE)
            dtype = DataType.HALF if half else DataType.FLOAT
            tensors = [ITensor(name, dtype, ()) for name in node.output]
            self._network.layer_list.append(ILayer(node.name or node.op_type, kind, tensors))
        return True


def _tensor(value) -> ITensor:
    kind = value.type.tensor_type
    shape = [d.dim_value if d.HasField('dim_value') else -1 for d in kind.shape.dim]
    name = ELEMENTS.get(kind.elem_type)
    dtype = DataType[name] if name else helper.tensor_dtype_to_string(kind.elem_type)
    return ITensor(value.name, dtype, shape)


class IOptimizationProfile:
    def __init__(self):
        self.shapes = {}

    def set_shape(self, input, min, opt, max):  # noqa: A002 - TensorRT's names
        self.shapes[input] = [list(min), list(opt), list(max)]


class ITimingCache:
    def __init__(self, data):
        self.data = data

    def serialize(self):
        return self.data + b'+'


class IBuilderConfig:
    def __init__(self):
        self.set, self.limits, self.profiles, self.features = set(), {}, [], set()
        self.set.add('TF32')
        self.profiling_verbosity = None
        self.builder_optimization_level = 3
        self.default_device_type = DeviceType.GPU
        self.DLA_core = -1
        self.progress_monitor = None
        self.timing = None
        self.tactics = 0b1111

    def set_flag(self, flag):
        self.set.add(flag.name)

    def clear_flag(self, flag):
        self.set.discard(flag.name)

    def set_memory_pool_limit(self, pool, pool_size):
        self.limits[pool.name] = pool_size

    def add_optimization_profile(self, profile):
        self.profiles.append(profile.shapes)
        return len(self.profiles) - 1

    def get_tactic_sources(self):
        return self.tactics

    def set_tactic_sources(self, tactic_sources):
        self.tactics = tactic_sources
        return True

    def set_preview_feature(self, feature, enable):
        self.features.add(feature.name)

    def create_timing_cache(self, serialized_timing_cache):
        # Anything else than timings is taken as none, without a word.
        data = bytes(serialized_timing_cache)
        return ITimingCache(data if data.startswith(b'timings') else b'timings')

    def set_timing_cache(self, cache, ignore_mismatch):
        fits = b'another GPU' not in cache.data
        if fits:
            self.timing = cache
        return fits

    def get_timing_cache(self):
        return self.timing


BUILT = SimpleNamespace(config=None, fails='')
"""The settings of the last build; what the builder logs instead of building."""


class Builder:
    def __init__(self, logger):
        self._logger = logger
        self.error_recorder = None
        self.num_DLA_cores = 1

    def create_network(self, flags=0):
        return INetworkDefinition(flags)

    def create_builder_config(self):
        BUILT.config = IBuilderConfig()
        return BUILT.config

    def create_optimization_profile(self):
        return IOptimizationProfile()

    def build_serialized_network(self, network, config):
        monitor = config.progress_monitor
        if monitor is not None:
            monitor.phase_start('Building engine', None, 4)
            going = all(monitor.step_complete('Building engine', step) for step in range(4))
            monitor.phase_finish('Building engine')
            if not going:
                return None
        if BUILT.fails:
            self._logger.log(Severity.ERROR, BUILT.fails)
            return None
        return json.dumps(_plan(network, config)).encode()


def _plan(network, config) -> dict:
    words = [SHOWN['HALF' if 'FP16' in config.set else tensor.dtype.name] for tensor in
             (layer.get_output(0) for layer in network.layer_list)]  # fmt: skip
    return {
        'io': [
            [tensor.name, side, tensor.dtype.name, list(tensor.shape)]
            for side, tensors in (('in', network.inputs), ('out', network.outputs))
            for tensor in tensors
        ],
        'profiles': config.profiles,
        'layers': [
            {
                'Name': layer.name,
                'LayerType': 'PointWise',
                'Inputs': [{'Name': 'x', 'Format/Datatype': f'Row major linear {word} format'}],
                'Outputs': [],
            }
            for layer, word in zip(network.layer_list, words)
        ],
    }


CLASSES = (
    LayerType, BuilderFlag, NetworkDefinitionCreationFlag, TacticSource, PreviewFeature,
    MemoryPoolType, DeviceType, ProfilingVerbosity, ErrorCode, ITensor, ILayer, INetworkDefinition,
    ParserError, OnnxParser, IOptimizationProfile, ITimingCache, IBuilderConfig, Builder,
)  # fmt: skip
REMOVED_IN_11 = {
    BuilderFlag: ('FP16', 'INT8', 'OBEY_PRECISION_CONSTRAINTS'),
    NetworkDefinitionCreationFlag: ('EXPLICIT_BATCH',),
    TacticSource: ('CUBLAS', 'CUBLAS_LT', 'CUDNN'),
    PreviewFeature: ('PROFILE_SHARING_0806',),
}
SINCE_10 = {NetworkDefinitionCreationFlag: ('STRONGLY_TYPED',)}


def without(enumeration, names):
    """Return an enumeration without some of its members."""
    kept = {name: value for name, value in enumeration.__members__.items() if name not in names}
    base = enum.IntEnum if issubclass(enumeration, enum.IntEnum) else enum.Enum
    return base(enumeration.__name__, {name: value.value for name, value in kept.items()})


def add_builder(module: SimpleNamespace, monkeypatch) -> SimpleNamespace:
    """Add to a stand-in what its version has for building."""
    major = int(module.__version__.split('.')[0])
    for cls in CLASSES:
        removed = REMOVED_IN_11.get(cls, ()) if major >= 11 else ()
        removed += SINCE_10.get(cls, ()) if major < 10 else ()
        setattr(module, cls.__name__, without(cls, removed) if removed else cls)
    monkeypatch.setattr(BUILT, 'fails', '')
    if major >= 10:
        module.IProgressMonitor = IProgressMonitor
    else:
        for name in ('node_name', 'node_operator', 'local_function_stack'):
            monkeypatch.delattr(ParserError, name)
        monkeypatch.setattr(
            ParserError, 'code', lambda self: ErrorCodeOf86(ErrorCode.UNSUPPORTED_NODE)
        )
    if major >= 11:
        monkeypatch.delattr(ILayer, 'set_output_type')
    return module
