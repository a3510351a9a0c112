# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A session that TensorRT runs on a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from jetson_infer.core.shape_profiles import Shape, ShapeProfile
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.device import Device
from jetson_infer.engines.engine_layers import EngineLayer
from jetson_infer.engines.layer_times import NetworkTimes, gather
from jetson_infer.engines.session import DeviceSession
from jetson_infer.engines.tensorrt.api import trt, version
from jetson_infer.engines.tensorrt.binding import TensorRtBinding
from jetson_infer.engines.tensorrt.binding_memory import Adapt, BindingMemory
from jetson_infer.engines.tensorrt.engine_io import read_io
from jetson_infer.engines.tensorrt.execution import Execution
from jetson_infer.engines.tensorrt.inspector import inspect_engine
from jetson_infer.engines.tensorrt.inspector_text import clean_name
from jetson_infer.engines.tensorrt.runtime import Troubles, load_engine, open_runtime
from jetson_infer.errors import SessionError

__all__ = ['TensorRtSession']


class TensorRtSession(DeviceSession):
    """A serialized engine, loaded.

    Everything happens on the thread where the device is current, :meth:`close` included.  That the
    plan is what it should be, and was built for this GPU and version, is checked by the cache that
    it comes from: TensorRT may crash on a file that was tampered with.

    :param plan: the serialized engine; not needed any more afterwards.
    :param device: where it runs; current on this thread, and borrowed.
    :param source: where the plan came from, for messages.
    :param dla_core: the DLA core of an engine that was built for one.
    :param graphs: whether bindings capture CUDA graphs, where the machine can.
    :param priority: of the stream of :meth:`Binding.run`; lower is more urgent.
    :param adapt: wraps the device's memory resources, to count or to limit what bindings take.
    :param owned: closed at the end of :meth:`close`, and if the session cannot be opened; the
        device, where it is the session's own.
    :raises MissingDependencyError: if TensorRT is not installed.
    :raises EngineError: if the plan is none of this version's, or cannot be used here.
    :raises DeviceMemoryError: if there is not enough memory.
    """

    def __init__(
        self,
        plan: bytes | memoryview,
        device: Device,
        *,
        source: str = 'the engine',
        dla_core: int | None = None,
        graphs: bool = True,
        priority: int = 0,
        adapt: Adapt = lambda resource: resource,
        owned: ExitStack | None = None,
    ) -> None:
        self._device = device
        self._use_graphs = graphs
        self._adapt = adapt
        self._bindings: list[TensorRtBinding] = []
        self._version = version()
        self._troubles = Troubles(source)
        self._runtime: trt.Runtime | None = None
        self._engine: trt.ICudaEngine | None = None
        with ExitStack() as stack:
            if owned is not None:
                stack.push(owned)
            stack.callback(self._let_go)
            self._runtime = open_runtime(self._troubles, dla_core)
            self._engine = load_engine(self._runtime, plan, self._troubles)
            self._io = read_io(self._engine, self._troubles)
            self._stream = device.stream(priority)
            stack.callback(self._stream.close)
            self._stack = stack.pop_all()

    @property
    def device(self) -> Device:
        """See :attr:`DeviceSession.device`."""
        return self._device

    @property
    def engine(self) -> str:
        """See :attr:`Session.engine`."""
        return f'tensorrt {self._version} ({self._device.name})'

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """See :attr:`Session.inputs`."""
        return self._io.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """See :attr:`Session.outputs`."""
        return self._io.outputs

    @property
    def profiles(self) -> tuple[ShapeProfile, ...]:
        """The shapes that the engine takes: one profile or several, each with all inputs."""
        return self._io.profiles

    def layers(self) -> tuple[EngineLayer, ...]:
        """Return the engine's layers, as its inspector shows them.

        :raises SessionError: if the session is closed.
        """
        return inspect_engine(self._open_engine())

    def time_layers(self, binding: TensorRtBinding, runs: int) -> NetworkTimes:
        """Time every layer, in runs of a binding that is closed afterwards.

        :param binding: of this session, with its inputs filled.
        :param runs: how many, at least 1.
        :raises SessionError: if the engine fails, or does not tell.
        :raises DeviceError: if the device is lost.
        """
        inspected = {layer.name: layer for layer in self.layers()}

        def describe(name: str) -> tuple[str, str]:
            layer = inspected.get(clean_name(name))
            return ('', '') if layer is None else (layer.kind, layer.precision)

        try:
            samples, whole_ms = binding.time_layers(runs)
        finally:
            self._bindings.remove(binding)
            binding.close()
        return NetworkTimes(self.engine, gather(samples, describe), tuple(whole_ms))

    def bind(
        self, shapes: Mapping[str, Shape], host: bool = True, graphs: bool = True
    ) -> TensorRtBinding:
        """Allocate inputs, outputs and scratch memory for the profile that admits the shapes.

        The first such profile is taken; the binding can be reshaped within it.

        :param shapes: see :meth:`Session.bind`.
        :param host: whether to have host arrays for :meth:`Binding.run`; without, the binding runs
            by :meth:`DeviceBinding.enqueue` alone and takes no page-locked memory.
        :param graphs: whether to capture CUDA graphs, where the session does and the machine can.
        :raises SessionError: if a shape is missing or outside of all profiles, or an output's shape
            depends on the data.
        :raises DeviceMemoryError: if there is not enough memory; what was taken is given back.
        :raises DeviceError: if the device is lost.
        """
        engine = self._open_engine()
        complete = self._io.complete(shapes)
        profile = self._io.choose_profile(complete)
        execution = Execution(engine, self._io, profile, self._stream, self._troubles)
        with ExitStack() as undo:
            memory = BindingMemory(self._device, execution, self._io, profile, host, self._adapt)
            undo.callback(memory.close)
            binding = TensorRtBinding(
                self._io,
                execution,
                memory,
                profile,
                complete,
                self._stream,
                self._troubles,
                self._use_graphs and graphs,
            )
            undo.pop_all()
        self._bindings.append(binding)
        return binding

    def close(self) -> None:
        """See :meth:`Session.close`."""
        with self._stack as stack:
            for binding in self._bindings:
                stack.callback(binding.close)
            self._bindings.clear()

    def _let_go(self) -> None:
        self._engine = None
        self._runtime = None

    def _open_engine(self) -> trt.ICudaEngine:
        if self._engine is None:
            raise SessionError(f'{self._troubles.source}: the session is closed')
        return self._engine
