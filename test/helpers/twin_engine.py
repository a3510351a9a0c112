# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""An engine for the host twin: ONNX Runtime on the twin's device memory, within its streams.

It stands where TensorRT stands on a GPU, so that everything around an engine runs without one:
inputs have to be put into device memory by work in a stream, and outputs are in device memory only
when the stream has come there.
"""

import numpy as np

from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.arguments import KernelArguments
from jetson_infer.engines.onnxruntime.session import OnnxRuntimeSession
from jetson_infer.engines.session import DeviceBinding, DeviceSession
from jetson_infer.errors import SessionError

ONE = (1, 1, 1)


class TwinBinding(DeviceBinding):
    """Device memory of the twin for every input and output."""

    def __init__(self, device, host_session, inputs, outputs, shapes, adapt):
        self._arguments = KernelArguments([('nothing', 'u8')])
        self._host = host_session.bind(shapes)
        self.runs = 0
        self.failing = None
        resource = adapt(device.memory('device'))
        self._device_inputs = {
            spec.name: resource.allocate(self._host.inputs[spec.name].nbytes) for spec in inputs
        }
        self._shapes = {name: array.shape for name, array in self._host.inputs.items()}
        self._host.run()
        self._specs = {spec.name: spec for spec in outputs}
        self._shapes.update({name: array.shape for name, array in self._host.outputs.items()})
        self._device_outputs = {
            name: resource.allocate(array.nbytes) for name, array in self._host.outputs.items()
        }
        self._reach = device.reach
        self._module = device.load_twins({'infer': self._infer})
        self._function = self._module.function('infer')

    inputs = property(lambda self: {})
    outputs = property(lambda self: {})
    device_inputs = property(lambda self: self._device_inputs)
    device_outputs = property(lambda self: self._device_outputs)
    shapes = property(lambda self: self._shapes)
    why_no_graph = 'the twin has none'

    def run(self):
        raise SessionError('bound without host memory')

    def reshape(self, shapes):
        raise SessionError('of fixed shapes')

    def enqueue(self, stream):
        if self.failing is not None:
            error, self.failing = self.failing, None
            raise error
        stream.launch(self._function, ONE, ONE, self._arguments)

    def _infer(self, reach, *_):
        self.runs += 1
        for name, buffer in self._device_inputs.items():
            array = self._host.inputs[name]
            array[...] = reach(buffer.address, buffer.nbytes).view(array.dtype).reshape(array.shape)
        for name, array in self._host.run().items():
            buffer = self._device_outputs[name]
            reach(buffer.address, buffer.nbytes)[:] = (
                np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            )

    def close(self):
        self._module.close()
        for buffer in (*self._device_inputs.values(), *self._device_outputs.values()):
            buffer.close()


class TwinSession(DeviceSession):
    """An ONNX file on the host twin."""

    engine = 'twin engine'
    device = property(lambda self: self._device)

    def __init__(self, path, device, adapt=lambda resource: resource):
        self._session = OnnxRuntimeSession(path, threads=1)
        self._device = device
        self._adapt = adapt
        self.bindings = []
        self.closed = 0

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._session.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._session.outputs

    def bind(self, shapes, host=True, graphs=True):
        assert not host
        binding = TwinBinding(
            self._device, self._session, self.inputs, self.outputs, shapes, self._adapt
        )
        self.bindings.append(binding)
        return binding

    def close(self):
        self.closed += 1
        for binding in self.bindings:
            binding.close()
        self._session.close()
