# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of a TensorRT engine on the device, allocated once for the largest shapes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.shape_profiles import Shape
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.memory import Buffer
from jetson_infer.cuda.staging import StagedBuffer
from jetson_infer.cuda.stream import Graph, Stream
from jetson_infer.engines.layer_times import LayerSample
from jetson_infer.engines.session import DeviceBinding
from jetson_infer.engines.tensorrt.binding_memory import BindingMemory
from jetson_infer.engines.tensorrt.engine_io import EngineIO
from jetson_infer.engines.tensorrt.execution import Execution
from jetson_infer.engines.tensorrt.graph_table import GraphTable
from jetson_infer.engines.tensorrt.runtime import Troubles
from jetson_infer.errors import DeviceMemoryError, SessionError

__all__ = ['TensorRtBinding']


class TensorRtBinding(DeviceBinding):
    """One execution context, its memory and its CUDA graphs; :meth:`TensorRtSession.bind` makes it.

    Everything is allocated by then, for the largest shapes of the profile; running and
    :meth:`reshape` allocate nothing of the device's memory.  A shape is run once when it is taken,
    which does what TensorRT puts off until the first run, and captured as a graph, which
    :meth:`enqueue` then replays in one call; where there are no graphs it enqueues every kernel.
    The graphs of the eight shapes used last are kept.

    Used on the thread where the device is current.

    :param execution: the context; closed with the binding.
    :param memory: its memory; closed with the binding.
    :param profile: the number of the execution's shape profile.
    :param shapes: the shape of every input, within that profile.
    :param stream: for :meth:`run` and for what a shape needs before its first run; borrowed.
    :param graphs: whether to capture graphs, where the machine can.
    :raises SessionError: if TensorRT refuses, or an output's shape depends on the data.
    :raises DeviceError: if the device is lost.
    """

    def __init__(
        self,
        io: EngineIO,
        execution: Execution,
        memory: BindingMemory,
        profile: int,
        shapes: Mapping[str, Shape],
        stream: Stream,
        troubles: Troubles,
        graphs: bool,
    ) -> None:
        self._io = io
        self._profile = profile
        self._memory = memory
        self._stream = stream
        self._troubles = troubles
        self._execution: Execution | None = execution
        self._run: Callable[[int], bool] = execution.run
        self._graph: Graph | None = None
        self._graphs = GraphTable(io.source, graphs)
        self._shapes: dict[str, Shape] = {}
        self._inputs: dict[str, npt.NDArray[Any]] = {}
        self._outputs: dict[str, npt.NDArray[Any]] = {}
        memory.connect(execution)
        for spec in io.inputs:  # the first run must not meet indices out of range
            stream.fill(memory.buffers[spec.name], 0)
        self._take(io.complete(shapes))

    @property
    def inputs(self) -> Mapping[str, npt.NDArray[Any]]:
        """See :attr:`Binding.inputs`; empty in a binding without host memory."""
        return MappingProxyType(self._inputs)

    @property
    def outputs(self) -> Mapping[str, npt.NDArray[Any]]:
        """See :attr:`Binding.outputs`; empty in a binding without host memory."""
        return MappingProxyType(self._outputs)

    @property
    def device_inputs(self) -> Mapping[str, Buffer]:
        """See :attr:`DeviceBinding.device_inputs`."""
        return self._buffers(self._io.inputs)

    @property
    def device_outputs(self) -> Mapping[str, Buffer]:
        """See :attr:`DeviceBinding.device_outputs`."""
        return self._buffers(self._io.outputs)

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """See :attr:`DeviceBinding.shapes`."""
        return MappingProxyType(self._shapes)

    @property
    def why_no_graph(self) -> str:
        """Why :meth:`enqueue` enqueues every kernel; empty where it replays a graph."""
        return self._graphs.why_none

    def enqueue(self, stream: Stream) -> None:
        """See :meth:`DeviceBinding.enqueue`."""
        if self._graph is not None:
            stream.replay(self._graph)
        else:
            self._run_kernels(stream)

    def run(self) -> Mapping[str, npt.NDArray[Any]]:
        """See :meth:`Binding.run`; uploads, infers, downloads and waits.

        :raises SessionError: if the engine fails, or the binding has no host memory.
        :raises DeviceError: if the device is lost.
        """
        self._check_open()
        if not self._inputs:
            raise SessionError(
                f'{self._io.source}: was bound without host memory; it runs by enqueue() alone'
            )
        for name, array in self._inputs.items():
            self._memory.staged[name].upload(self._stream, array.nbytes)
        self.enqueue(self._stream)
        for name, array in self._outputs.items():
            self._memory.staged[name].download(self._stream, array.nbytes)
        self._stream.synchronize()
        return self.outputs

    def reshape(self, shapes: Mapping[str, Shape]) -> None:
        """See :meth:`DeviceBinding.reshape`; costs one inference, and for a new shape its capture.

        The host arrays of :attr:`inputs` and :attr:`outputs` are new ones afterwards, of the new
        shapes and on the same memory.
        """
        self._check_open()
        complete = self._io.complete(shapes)
        if complete == self._input_shapes():
            return
        if not self._io.profiles[self._profile].admits(complete):
            raise SessionError(
                self._io.outside(complete, (self._io.profiles[self._profile],))
                + '; a binding keeps to the shape profile that it was made for'
            )
        before = self._input_shapes()
        try:
            self._take(complete)
        except (SessionError, DeviceMemoryError):
            self._take(before)
            raise

    def time_layers(self, runs: int) -> tuple[list[list[LayerSample]], list[float]]:
        """Run some times on what :attr:`inputs` hold, never by a graph, and time every layer.

        All later runs of this binding are slowed down by it too: close it afterwards.

        :return: the layers of every run in their order, and each run as a whole, in milliseconds on
            the host's clock.
        :raises SessionError: if the engine fails or does not tell, or there is no host memory.
        :raises DeviceError: if the device is lost.
        """
        self.run()
        assert self._execution is not None
        layers: list[list[LayerSample]] = []
        self._execution.watch_layers(lambda sample: layers[-1].append(sample))
        whole_ms = []
        for _ in range(runs):
            layers.append([])
            began_s = time.perf_counter()
            self._run_kernels(self._stream)
            self._stream.synchronize()
            whole_ms.append((time.perf_counter() - began_s) * 1e3)
            self._execution.report_layers()
        return layers, whole_ms

    def close(self) -> None:
        """Release the context, the graphs and the memory; may be called twice."""
        self._graph = None
        self._execution = None
        self._run = self._refuse
        self._inputs.clear()
        self._outputs.clear()
        with ExitStack() as stack:
            stack.callback(self._memory.close)
            stack.callback(self._graphs.close)

    def _take(self, inputs: dict[str, Shape]) -> None:
        """Set shapes, run once, capture."""
        assert self._execution is not None
        self._graph = None
        self._troubles.clear()
        outputs = self._execution.set_shapes(inputs)
        self._check_sizes(outputs)
        self._shapes = {**inputs, **outputs}
        self._inputs = self._arrays(self._io.inputs)
        self._outputs = self._arrays(self._io.outputs)
        # TensorRT puts off work that a change of shapes causes until the next run, and no graph
        # may hold it; this run is also what makes a graph captured earlier right again.
        self._run_kernels(self._stream)
        self._stream.synchronize()
        self._graph = self._graphs.get(tuple(inputs.items()), self._stream, self._capture_kernels)

    def _run_kernels(self, stream: Stream) -> None:
        """Queue one inference, kernel by kernel.

        :raises DeviceError: if the device is lost.
        :raises SessionError: if TensorRT refuses.
        """
        self._troubles.listen()
        if not self._run(stream.handle):
            self._troubles.fail('cannot run', stream)

    def _capture_kernels(self) -> None:
        """The same while the stream captures, where nobody can wait for it."""
        self._troubles.listen()
        if not self._run(self._stream.handle):
            raise self._troubles.failure('cannot run')

    def _input_shapes(self) -> dict[str, Shape]:
        return {spec.name: self._shapes[spec.name] for spec in self._io.inputs}

    def _check_sizes(self, outputs: Mapping[str, Shape]) -> None:
        for spec in self._io.outputs:
            nbytes = int(np.prod(outputs[spec.name], dtype=np.int64)) * spec.dtype.itemsize
            if nbytes > self._memory.buffers[spec.name].nbytes:
                raise SessionError(
                    f'{self._io.source}: the output {spec.name} {list(outputs[spec.name])} needs '
                    f'{nbytes} bytes; {self._memory.buffers[spec.name].nbytes} were laid out for '
                    'the largest shape of the profile'
                )

    def _arrays(self, specs: tuple[TensorSpec, ...]) -> dict[str, npt.NDArray[Any]]:
        staged = self._memory.staged
        return {
            spec.name: _view(staged[spec.name], spec, self._shapes[spec.name])
            for spec in specs
            if spec.name in staged
        }

    def _buffers(self, specs: tuple[TensorSpec, ...]) -> Mapping[str, Buffer]:
        return MappingProxyType({spec.name: self._memory.buffers[spec.name] for spec in specs})

    def _check_open(self) -> None:
        if self._execution is None:
            self._refuse(0)

    def _refuse(self, handle: int) -> bool:
        raise SessionError(f'{self._io.source}: the session is closed')


def _view(staged: StagedBuffer, spec: TensorSpec, shape: Shape) -> npt.NDArray[Any]:
    """Return the first bytes of the host's side as an array."""
    nbytes = int(np.prod(shape, dtype=np.int64)) * spec.dtype.itemsize
    return staged.host[:nbytes].view(spec.dtype).reshape(shape)
