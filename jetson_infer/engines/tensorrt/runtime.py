# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From a serialized engine to one that runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from jetson_infer.cuda.stream import Stream
from jetson_infer.engines.tensorrt.api import trt, version
from jetson_infer.engines.tensorrt.error_recorder import ErrorStack, open_recorder
from jetson_infer.engines.tensorrt.log import MessageLog, open_logger
from jetson_infer.engines.tensorrt.plugins import register_plugins
from jetson_infer.errors import DeviceError, DeviceMemoryError, EngineError, SessionError

__all__ = ['Troubles', 'load_engine', 'open_runtime']

LINES_KEPT = 200
NO_MEMORY = ('out of memory', 'outofmemory', 'allocation failed', 'failed_allocation')


@dataclass(frozen=True)
class Troubles:
    """What TensorRT said of one engine, and how to make an exception of it.

    :param source: where the engine came from, for messages.
    """

    source: str
    log: MessageLog = field(default_factory=lambda: MessageLog(keep=LINES_KEPT))
    errors: ErrorStack = field(default_factory=ErrorStack)

    def listen(self) -> None:
        """Have what TensorRT says on this thread from now on come here."""
        self.log.follow()

    def clear(self) -> None:
        """Listen, and forget what was said so far, before something that may fail."""
        self.listen()
        self.log.clear()
        self.errors.clear()

    def reasons(self) -> str:
        """Return what was said since, on one line."""
        return self.log.reasons(self.errors.texts)

    def failure(self, what: str) -> SessionError | DeviceMemoryError:
        """Return the exception for something that TensorRT did not do.

        :param what: such as ``'cannot run'``.
        """
        reasons = self.reasons()
        text = f'{self.source}: TensorRT {version()} {what}: {reasons}'
        if any(word in reasons.lower() for word in NO_MEMORY):
            return DeviceMemoryError(
                f'{text}; use a variant with a smaller input or precision, or fewer models on '
                'this device'
            )
        return SessionError(text)

    def fail(self, what: str, stream: Stream) -> NoReturn:
        """Raise for something that failed on a stream.

        :raises DeviceError: if the device is lost, as the stream tells.
        :raises SessionError: otherwise; the stream may be used again.
        """
        failure = self.failure(what)
        try:
            stream.synchronize()
        except DeviceError as error:
            raise DeviceError(f'{error}; {failure}') from error
        raise failure


def open_runtime(troubles: Troubles, dla_core: int | None = None) -> trt.Runtime:
    """Return TensorRT's runtime; the device must be current, as one without any can crash it.

    :param dla_core: the DLA core that an engine built for one is to run on.
    :raises SessionError: if there is none to be had.
    """
    tensorrt_logger = open_logger(troubles.log)
    register_plugins(tensorrt_logger)
    try:
        runtime = trt.Runtime(tensorrt_logger)
    except (TypeError, RuntimeError) as error:  # pybind's way to say that there is none
        raise SessionError(
            f'TensorRT {version()} finds no usable NVIDIA GPU and driver ({troubles.reasons()})'
        ) from error
    runtime.error_recorder = open_recorder(troubles.errors)
    if dla_core is not None:
        if dla_core >= runtime.num_DLA_cores:
            raise SessionError(
                f'{troubles.source}: is for DLA core {dla_core}, and this machine has '
                f'{runtime.num_DLA_cores or "none"}; build it for the GPU'
            )
        runtime.DLA_core = dla_core
    return runtime


def load_engine(
    runtime: trt.Runtime, plan: bytes | memoryview, troubles: Troubles
) -> trt.ICudaEngine:
    """Deserialize an engine.

    :raises EngineError: if TensorRT takes it for none of its own, with its reasons.
    :raises DeviceMemoryError: if there is not enough memory for it.
    """
    troubles.clear()
    if not len(plan):
        raise EngineError(f'{troubles.source}: is empty; build the engine again')
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is not None:
        return engine
    failure = troubles.failure(f'cannot read this engine of {len(plan)} bytes')
    if isinstance(failure, DeviceMemoryError):
        raise failure
    raise EngineError(
        f'{failure}. It is truncated, or was built by another version or for another GPU: build '
        'it again (jetson-infer build)'
    )
