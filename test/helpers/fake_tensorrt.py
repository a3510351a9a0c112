# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A strict stand-in for the module ``tensorrt``, for machines without a GPU.

It has the classes that the package's runtime touches, by the names and parameters of the version
asked for (a test holds both against the real modules), and is as unforgiving as they are: a run
without addresses, scratch memory, shapes or a profile fails, and so does the capture of a run that
still has to do what a change of shapes put off.  Engines run on the host twin; a plan is JSON::

    {"io": [["image", "in", "FLOAT", [-1, 3]], ["doubled", "out", "FLOAT", [-1, 3]]],
     "profiles": [{"image": [[1, 3], [2, 3], [4, 3]]}], "scratch": 512}

The outputs are the first input, doubled, in the output's type.
"""

from __future__ import annotations

import enum
import json
from types import SimpleNamespace

import numpy as np

from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.host_stream import HostFunction, HostStream

NO_ARGUMENTS = KernelArguments([('nothing', 'u8')])
ONE = (1, 1, 1)
DTYPES = {'FLOAT': np.float32, 'HALF': np.float16, 'INT32': np.int32, 'FP8': np.uint8}


class NumberedStream(HostStream):
    """A stream of the host twin that a handle leads back to, as CUDA's do."""

    @property
    def handle(self) -> int:
        return 1 + id(self)


class NumberedDevice(HostDevice):
    """The host twin with handles; :attr:`by_handle` finds a stream."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.by_handle: dict[int, NumberedStream] = {}

    def stream(self, priority: int = 0) -> NumberedStream:
        self.check('making a stream')
        stream = NumberedStream(self, 0, self._lazy)
        self.by_handle[stream.handle] = stream
        self.keep('stream', stream)
        return stream


class DataType(enum.Enum):
    FLOAT, HALF, INT32, FP8 = range(4)


class TensorIOMode(enum.Enum):
    NONE, INPUT, OUTPUT = range(3)


class TensorLocation(enum.Enum):
    DEVICE, HOST = range(2)


class TensorFormat(enum.Enum):
    LINEAR, CHW2 = range(2)


class ExecutionContextAllocationStrategy(enum.Enum):
    STATIC, ON_PROFILE_CHANGE, USER_MANAGED = range(3)


class LayerInformationFormat(enum.Enum):
    ONELINE, JSON = range(2)


class Severity(enum.Enum):
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class ErrorCodeTRT(enum.Enum):
    UNSPECIFIED_ERROR, INVALID_ARGUMENT = range(2)


class ILogger:
    Severity = Severity

    def log(self, severity, msg):
        raise NotImplementedError


class IErrorRecorder:
    pass


class IProfiler:
    def report_layer_time(self, layer_name, ms):
        raise NotImplementedError


class Dims:
    """Dimensions; a rank that is not known, None, makes their length -1, as in the real module."""

    def __init__(self, shape=()):
        self._shape = None if shape is None else tuple(int(d) for d in shape)

    def __len__(self):
        return -1 if self._shape is None else len(self._shape)

    def __getitem__(self, index):
        return (self._shape or ())[index]


loggers: dict[str, ILogger] = {}


class Runtime:
    def __init__(self, logger):
        if not isinstance(logger, ILogger):
            raise TypeError('incompatible constructor arguments')
        first = loggers.setdefault('of the process', logger)
        assert first is logger, 'TensorRT keeps the first logger that it is given'
        self._logger = logger
        self.error_recorder = None
        self.num_DLA_cores = 0
        self.DLA_core = -1

    def deserialize_cuda_engine(self, serialized_engine):
        assert plugins_registered, 'a plan may hold layers of plugins'
        try:
            plan = json.loads(bytes(serialized_engine))
        except ValueError:
            self._logger.log(Severity.ERROR, 'Serialization assertion magicTagRead == kMAGIC_TAG')
            return None
        return ICudaEngine(plan, self._logger)


class ICudaEngine:
    _sized_memory_alone = False

    def __init__(self, plan, logger):
        self._plan = plan
        self._logger = logger
        self._io = {name: (mode, kind, tuple(shape)) for name, mode, kind, shape in plan['io']}

    @property
    def num_io_tensors(self):
        return len(self._io)

    @property
    def num_optimization_profiles(self):
        return max(1, len(self._plan.get('profiles', ())))

    def get_tensor_name(self, index):
        return list(self._io)[index]

    def get_tensor_mode(self, name):
        return TensorIOMode.INPUT if self._io[name][0] == 'in' else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name):
        return DataType[self._io[name][1]]

    def get_tensor_shape(self, name):
        return Dims(None if name in self._plan.get('rankless', ()) else self._io[name][2])

    @property
    def num_layers(self):
        return len(self._layers)

    @property
    def _layers(self):
        return self._plan.get('layers', ['a', 'b'])

    def get_tensor_location(self, name):
        return TensorLocation[self._plan.get('locations', {}).get(name, 'DEVICE')]

    def get_tensor_format(self, name):
        return TensorFormat[self._plan.get('formats', {}).get(name, 'LINEAR')]

    def get_tensor_format_desc(self, name):
        return 'Two wide channel vectorized row major FP16 format'

    def is_shape_inference_io(self, name):
        return name in self._plan.get('shape_inputs', ())

    def get_tensor_profile_shape(self, name, profile_index):
        return [Dims(shape) for shape in self._plan['profiles'][profile_index][name]]

    def create_engine_inspector(self):
        return EngineInspector(self)

    @property
    def device_memory_size(self):
        return self._plan.get('scratch', 0)

    def get_device_memory_size_for_profile(self, profile_index):
        return self._plan.get('scratch', 0)

    def get_device_memory_size_for_profile_v2(self, profile_index):
        assert not hasattr(self, 'get_device_memory_size_for_profile'), 'ends the process on 10.7'
        return self._plan.get('scratch', 0)

    def create_execution_context(self, strategy=ExecutionContextAllocationStrategy.STATIC):
        if 'no_context' in self._plan:
            self._logger.log(Severity.ERROR, self._plan['no_context'])
            return None
        return IExecutionContext(self, strategy is ExecutionContextAllocationStrategy.USER_MANAGED)

    def create_execution_context_without_device_memory(self):
        return IExecutionContext(self, True)


class EngineInspector:
    """Tells of layers as 8.6 does: with control characters, and no layouts of dynamic shapes."""

    def __init__(self, engine):
        self._engine = engine
        self.execution_context = None

    def get_engine_information(self, format):  # noqa: A002 - TensorRT's name
        layers = ',\n'.join(
            self.get_layer_information(index, format) for index in range(self._engine.num_layers)
        )
        return f'{{"Layers": [{layers}],\n"Bindings": []\n}}'

    def get_layer_information(self, layer_index, format):  # noqa: A002 - TensorRT's name
        assert format is LayerInformationFormat.JSON
        layer = self._engine._layers[layer_index]
        if layer == 'no text':
            return '{"Name": '
        dynamic = any(min(shape, default=0) < 0 for _, _, shape in self._engine._io.values())
        if dynamic and not self._has_shapes() and not isinstance(layer, str):
            unknown = {'Format/Datatype': 'N/A due to dynamic shapes'}
            layer = {**layer, 'Inputs': [{**each, **unknown} for each in layer['Inputs']]}
        return json.dumps(layer, indent=1).replace('\\u001e', '\x1e')

    def _has_shapes(self):
        context = self.execution_context
        return context is not None and context._inferred == context._shapes


class IExecutionContext:
    def __init__(self, engine, user_managed):
        self._engine = engine
        self._user_managed = user_managed and engine._plan.get('scratch', 0) > 0
        self._scratch = 0
        self._profile = engine._plan.get('profile_in_force')
        self._shapes = {}
        self._addresses = {}
        self._settled = None  # the shapes for which nothing is put off
        self._inferred = None  # the shapes for which the inspector knows layouts
        self.error_recorder = None
        self.profiler = None
        self.enqueue_emits_profile = True
        self.runs = 0

    def set_optimization_profile_async(self, profile_index, stream_handle):
        self._device().by_handle[stream_handle]
        if self.active_optimization_profile == profile_index:
            raise AssertionError('a switch to the profile in force costs a synchronization')
        refused = profile_index >= self._engine.num_optimization_profiles
        if refused or profile_index == self._engine._plan.get('refuses_profile'):
            raise RuntimeError('Error in set optimization profile async.')
        self._profile = profile_index
        return True

    @property
    def active_optimization_profile(self):
        return -1 if self._profile is None else self._profile

    def set_input_shape(self, name, shape):
        assert isinstance(shape, Dims)
        shape = tuple(shape)
        own = self._engine._io[name][2]
        if self._profile is None or len(own) != len(shape):
            return self._error(f'set_input_shape {name}: no profile, or another rank')
        if min(own) < 0:
            low, _, high = self._engine.get_tensor_profile_shape(name, self._profile)
            if not all(a <= b <= c for a, b, c in zip(low, shape, high)):
                return self._error(f'set_input_shape {name}: out of the profile')
        self._shapes[name] = shape
        return True

    def infer_shapes(self):
        if self._user_managed and (not self._scratch or self._scratch % 256):
            raise RuntimeError('infer_shapes: no scratch memory')
        self._inferred = dict(self._shapes)
        return [n for n, (mode, _, _) in self._engine._io.items() if mode == 'in'
                and n not in self._shapes]  # fmt: skip

    def get_tensor_shape(self, name):
        mode, _, own = self._engine._io[name]
        if mode == 'in':
            return Dims(self._shapes[name])
        if name in self._engine._plan.get('data_dependent', ()):
            return Dims(None if name in self._engine._plan.get('rankless', ()) else own)
        first = next(iter(self._shapes.values()))
        return Dims(first[i] if d < 0 else d for i, d in enumerate(own))

    def get_max_output_size(self, name):
        return self._engine._plan.get('max_output', {}).get(name, -1)

    def set_tensor_address(self, name, memory):
        self._addresses[name] = memory
        return memory != 0 and name in self._engine._io

    def set_device_memory(self, memory, size):
        assert not hasattr(self._engine, 'get_device_memory_size_for_profile'), (
            'ends the process on 10.7'
        )
        assert size >= self._engine._plan.get('scratch', 0)
        self._scratch = memory

    def _set_memory(self, memory):
        assert not self._engine._sized_memory_alone, 'it has no size there'
        self._scratch = memory

    device_memory = property(None, _set_memory)

    def report_to_profiler(self):
        if self.profiler is None or self._engine._plan.get('tells_no_times'):
            return self._error('report_to_profiler: nothing was noted')
        assert not self.enqueue_emits_profile
        for number, layer in enumerate(self._engine._layers):
            name = layer if isinstance(layer, str) else layer['Name']
            self.profiler.report_layer_time(name, (number + 1) * 0.25)
        return True

    def execute_async_v3(self, stream_handle):
        self.runs += 1
        plan = self._engine._plan
        device = self._device()
        stream = device.by_handle[stream_handle]
        if len(self._addresses) < len(self._engine._io) or self.infer_shapes():
            return self._error('execute_async_v3: an address or a shape is missing')
        if self._user_managed and (not self._scratch or self._scratch % 256):
            return self._error('execute_async_v3: no scratch memory')
        if device.capturing:
            if plan.get('uncapturable'):
                return self._error('operation not permitted when stream is capturing')
            if self._settled != self._shapes:
                return self._error('execute_async_v3: deferred work while capturing')
        if plan.get('fails') or list(next(iter(self._shapes.values()))) == plan.get('fails_at'):
            return self._error('enqueueV3: Cask (Cask convolution execution)')
        self._settled = dict(self._shapes)
        stream.launch(HostFunction('engine', self._work()), ONE, ONE, NO_ARGUMENTS)
        return True

    def _work(self):
        shapes, addresses = dict(self._shapes), dict(self._addresses)
        outputs = {
            name: (kind, tuple(self.get_tensor_shape(name)))
            for name, (mode, kind, _) in self._engine._io.items()
            if mode == 'out'
        }
        name, (_, kind, _) = next(iter(self._engine._io.items()))

        def twin(reach, nothing):
            source = _array(reach, addresses[name], kind, shapes[name])
            for output, (output_kind, shape) in outputs.items():
                target = _array(reach, addresses[output], output_kind, shape)
                # A graph of shapes that the context has left since computes nonsense.
                target[...] = source * 2 if self._settled == shapes else -1

        return twin

    def _device(self):
        return device_of_fakes[-1]

    def _error(self, text):
        self._engine._logger.log(Severity.ERROR, text)
        if self.error_recorder is not None:
            self.error_recorder.report_error(ErrorCodeTRT.INVALID_ARGUMENT, text)
        return False


def _array(reach, address, kind, shape):
    dtype = np.dtype(DTYPES[kind])
    nbytes = int(np.prod(shape)) * dtype.itemsize
    return reach(address, nbytes).view(dtype).reshape(shape)


device_of_fakes: list[NumberedDevice] = []
"""The last one is where engines run."""

plugins_registered: list[str] = []
"""The names of the plugins' namespaces that were registered."""


def init_libnvinfer_plugins_of_a_module():
    """Return the function of a module that was not used yet."""
    plugins_registered.clear()

    def init_libnvinfer_plugins(logger, namespace):
        assert isinstance(logger, ILogger)
        assert not plugins_registered, 'once in a process is enough'
        plugins_registered.append(namespace)
        return True

    return init_libnvinfer_plugins


SINCE_10 = (
    (ICudaEngine, 'get_device_memory_size_for_profile'),
    (ICudaEngine, 'get_device_memory_size_for_profile_v2'),
    (IExecutionContext, 'set_device_memory'),
)
UNTIL_10 = (
    (ICudaEngine, 'get_device_memory_size_for_profile'),
    (ICudaEngine, 'device_memory_size'),
    (ICudaEngine, 'create_execution_context_without_device_memory'),
)
MODULE = (
    DataType, TensorIOMode, TensorLocation, TensorFormat, LayerInformationFormat, ErrorCodeTRT,
    ILogger, IErrorRecorder, IProfiler, Dims, Runtime, ICudaEngine, IExecutionContext,
    EngineInspector,
)  # fmt: skip


def fake_module(version: str, monkeypatch) -> SimpleNamespace:
    """Return a module that has what this version has, and no more."""
    major = int(version.split('.')[0])
    module = SimpleNamespace(__version__=version, **{cls.__name__: cls for cls in MODULE})
    monkeypatch.setattr(ICudaEngine, '_sized_memory_alone', major > 10)
    module.init_libnvinfer_plugins = init_libnvinfer_plugins_of_a_module()
    if major >= 10:
        module.ExecutionContextAllocationStrategy = ExecutionContextAllocationStrategy
    for since, cls, name in [
        *((10, *pair) for pair in SINCE_10),
        *((-10, *pair) for pair in UNTIL_10),
    ]:
        if (since > 0 and major < since) or (since < 0 and major > -since):
            monkeypatch.delattr(cls, name)
    if major < 10:
        monkeypatch.setattr(
            ICudaEngine,
            'create_execution_context',
            lambda self: None if 'no_context' in self._plan else IExecutionContext(self, False),
        )
    return module
