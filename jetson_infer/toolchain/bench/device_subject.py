# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline of one setting on a device, and its network alone beside it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

from jetson_infer.core.cards import VariantCard
from jetson_infer.core.detections import Detections
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.core.timing import StageClock
from jetson_infer.cuda.device import Device
from jetson_infer.engines.inputs import match_inputs
from jetson_infer.engines.models import Model
from jetson_infer.engines.session import DeviceBinding, DeviceSession
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.device_lanes import DEFAULT_LARGEST_IMAGE, DeviceMemory
from jetson_infer.pipeline.open_detection import open_detection
from jetson_infer.pipeline.pipelines import OverlappingPipeline, Pipeline
from jetson_infer.toolchain.bench.bare_network import BareNetwork, BareRun
from jetson_infer.toolchain.bench.device_result import Throughput, describe_device
from jetson_infer.toolchain.bench.settings import BenchSetting
from jetson_infer.toolchain.bench.subject import FrameCost, Subject

__all__ = ['DeviceSubject']


class DeviceSubject(Subject):
    """On a device; used on the thread where that is current.

    The network alone runs in two more bindings of the same session: one that replays a graph as
    the pipeline does, one that queues kernel by kernel.

    :param session: the loaded network; closed with the subject, and if it cannot be used.
    :param memory: how the pipeline's memory is laid out; for the largest image unless given.
    :raises JetsonInferError: if card and network do not fit, or memory runs out.
    """

    def __init__(
        self,
        setting: BenchSetting,
        images: Sequence[ImageView | CompressedView],
        model: Model,
        variant: VariantCard,
        session: DeviceSession,
        why: str = '',
        memory: DeviceMemory | None = None,
    ) -> None:
        super().__init__(setting, images, variant, why)
        self._model, self._variant = model, variant
        self._memory = memory or DeviceMemory(largest_image=_largest(images))
        self._heard: deque[Mapping[str, float]] = deque(maxlen=1)
        self.device_stages: list[Mapping[str, float]] = []
        """What each frame of :meth:`run_pipeline` took on the device's clock, by stage, in ms."""
        self.graph: list[BareRun] = []
        """The network alone, as the pipeline queues it."""
        self.kernels: list[BareRun] = []
        """The network alone, queued kernel by kernel."""
        with ExitStack() as stack:
            watched = _Watched(session)
            stack.callback(watched.close)
            device = session.device
            self.pipeline = DeviceDetectionPipeline(
                model, variant, watched, device, self._memory, observer=self._heard.append
            )
            stack.callback(self.pipeline.close)
            shapes = match_inputs(session.inputs, model.card, variant).shapes
            inside, bare = watched.bindings[0], []
            for graphs in (True, False):
                binding = session.bind(shapes, host=False, graphs=graphs)
                _copy_inputs(device, inside, binding)
                bare.append(BareNetwork(device, binding))
                stack.callback(bare[-1].close)
            self._graph, self._kernels = bare
            self._stack = stack.pop_all()
        self.engine = self.pipeline.engine
        self.device = device

    @property
    def transfer(self) -> str:
        """How bytes cross between the host and the device, and why so."""
        transfer = self.pipeline.transfer
        return f'{transfer.kind} memory, as {transfer.reason}'

    @property
    def why_no_graph(self) -> str:
        """Why an inference is not queued in one call; empty where it is."""
        return self._graph.why_no_graph

    def run_pipeline(self, number: int) -> FrameCost:
        """Take one image, by its number, the whole way, and wait for it."""
        cpu_ns = time.process_time_ns()
        clock = StageClock(time.monotonic_ns())
        found = self.pipeline.process(self.image(number), clock)
        cpu = (time.process_time_ns() - cpu_ns) * 1e-6
        self.device_stages.append(self._heard[-1])
        stages = dict(clock.milliseconds)
        # Reading the device's clock comes after the last stage and is none.
        return FrameCost(sum(stages.values()), cpu, cpu, stages, len(found))

    def run_bare(self) -> tuple[float, float]:
        """Run the network alone, as the pipeline queues it and kernel by kernel.

        :return: wall time and CPU time of the first, in ms.
        """
        self.run_graph()
        self.run_kernels()
        return self.graph[-1].wall, self.graph[-1].cpu

    def run_graph(self) -> None:
        """Run the network alone, as the pipeline queues it."""
        self.graph.append(self._graph.run())

    def run_kernels(self) -> None:
        """Run the network alone, queued kernel by kernel."""
        self.kernels.append(self._kernels.run())

    def forget(self) -> None:
        """Forget what was measured so far."""
        for series in (self.device_stages, self.graph, self.kernels):
            series.clear()

    def details(self) -> dict[str, Any]:
        """See :meth:`Subject.details`."""
        return {'device': describe_device(self)}

    def run_overlapped(self, frames: int) -> Throughput:
        """Take frames as fast as they can be taken, each begun while the one before is under way.

        :param frames: how many, at least 2.
        """
        depth, ends_ns = self.pipeline.depth, []
        clock = StageClock(time.monotonic_ns())
        under_way: deque[Any] = deque()
        cpu_ns, begin_ns = time.process_time_ns(), time.perf_counter_ns()
        for number in range(frames):
            if len(under_way) == depth:
                self.pipeline.finish(under_way.popleft(), clock)
                ends_ns.append(time.perf_counter_ns())
            under_way.append(self.pipeline.begin(self.image(number), clock))
        while under_way:
            self.pipeline.finish(under_way.popleft(), clock)
            ends_ns.append(time.perf_counter_ns())
        cpu_ms = (time.process_time_ns() - cpu_ns) * 1e-6 / frames
        periods = [(after - before) * 1e-6 for before, after in pairwise(ends_ns)]
        return Throughput((ends_ns[-1] - begin_ns) * 1e-9, tuple(periods), cpu_ms)

    def run_back_to_back(self, count: int) -> float:
        """Queue inferences alone, one after the other, and return how many seconds they take."""
        return self._graph.run_back_to_back(count) * 1e-3

    def paced_pipeline(self) -> Pipeline[Detections] | OverlappingPipeline[Detections]:
        """Open the pipeline once more: a device is closed by the thread that opened it."""
        return open_detection(
            self._model,
            self._variant,
            engine='tensorrt',
            largest_image=self._memory.largest_image,
        )

    def close(self) -> None:
        """See :meth:`Subject.close`."""
        self._stack.close()


class _Watched(DeviceSession):
    """A session whose bindings are known."""

    def __init__(self, session: DeviceSession) -> None:
        self._session = session
        self.bindings: list[DeviceBinding] = []

    @property
    def engine(self) -> str:
        return self._session.engine

    @property
    def device(self) -> Device:
        return self._session.device

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._session.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._session.outputs

    def bind(
        self, shapes: Mapping[str, tuple[int, ...]], host: bool = True, graphs: bool = True
    ) -> DeviceBinding:
        self.bindings.append(self._session.bind(shapes, host, graphs))
        return self.bindings[-1]

    def close(self) -> None:
        self._session.close()


def _copy_inputs(device: Device, source: DeviceBinding, target: DeviceBinding) -> None:
    """Give one binding the inputs of another: what a network sees may change what it costs."""
    stream = device.stream()
    try:
        for name, buffer in target.device_inputs.items():
            stream.copy(buffer, source.device_inputs[name], buffer.nbytes)
        stream.synchronize()
    finally:
        stream.close()


def _largest(images: Sequence[ImageView | CompressedView]) -> tuple[int, int]:
    """Return a size that every raw image fits; that of compressed ones is known too late."""
    sizes = [image.size for image in images if isinstance(image, ImageView)]
    if len(sizes) < len(images):
        sizes.append(DEFAULT_LARGEST_IMAGE)
    return max(width for width, _ in sizes), max(height for _, height in sizes)
