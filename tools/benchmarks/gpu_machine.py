# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where gpu_figures.py takes its figures: a GPU with TensorRT, or the host twin, to rehearse."""

from __future__ import annotations

import json
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from jetson_infer.core.cache_root import cache_root
from jetson_infer.cuda.device import Device
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.opening import open_device
from jetson_infer.engines.build_target import find_target
from jetson_infer.engines.engine_cache import EngineCache, EngineNotCached
from jetson_infer.engines.engine_order import order_engine
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import OpenedSession, choose_engine, open_session
from jetson_infer.engines.session import DeviceSession, Session
from jetson_infer.engines.tensorrt.api import trt
from jetson_infer.engines.tensorrt.build_job import start_build
from jetson_infer.engines.tensorrt.session import TensorRtSession


class Gpu:
    """A GPU, and TensorRT's engines from the cache."""

    engine = 'tensorrt'

    def describe(self) -> dict[str, Any]:
        found = find_target()
        target, device = found.require(), found.device
        assert device is not None
        return {
            'gpu': target.gpu,
            'compute_capability': '.'.join(map(str, target.compute_capability)),
            'multiprocessors': target.multiprocessors,
            'cuda_of_driver': device.driver,
            'tensorrt': target.tensorrt,
            'python': platform.python_version(),
            'numpy': np.__version__,
        }

    @contextmanager
    def device(self) -> Iterator[Device]:
        with open_device() as device, device.current():
            yield device

    def open_one(self, *arguments: Any, **options: Any) -> OpenedSession:
        return open_session(*arguments, **options)

    def host_session(self, model: Model, variant: Any) -> Session:
        """Open what runs on host arrays."""
        return open_session(model, variant, self.engine).session

    def device_session(self, model: Model, variant: Any, device: Device, adapt: Any):
        """Open an engine whose memory is adapted."""
        choice = choose_engine(model, variant, self.engine)
        assert choice.cached is not None
        return TensorRtSession(choice.cached.read_plan(), device, adapt=adapt)

    def bare_load(self, model: Model, variant: Any) -> Callable[[], None]:
        """Return what takes an engine in and lets it go, with TensorRT alone."""
        choice = choose_engine(model, variant, self.engine)
        assert choice.cached is not None
        plan = choice.cached.read_plan()
        logger = trt.Logger(trt.Logger.ERROR)

        def load() -> None:
            runtime = trt.Runtime(logger)
            engine = runtime.deserialize_cuda_engine(plan)
            assert engine is not None
            del engine, runtime

        return load

    def has_engine(self, model: Model, variant: Any) -> bool:
        """Tell whether an engine is in the cache."""
        try:
            order = order_engine(model, variant)
            EngineCache().find(
                order.model, order.variant, order.key(find_target().require()), digest=False
            )
        except EngineNotCached:
            return False
        return True

    def build(self, model: Model, variant: Any, patience_s: float) -> dict[str, Any]:
        """Build an engine, or take the one that is there.

        :raises TimeoutError: if it takes longer; the build is called off.
        """
        order, cache = order_engine(model, variant), EngineCache()
        target = find_target().require()
        began_s = time.monotonic()
        job = start_build(order, target, cache)
        try:
            engine = job.result(patience_s)
        except TimeoutError:
            job.cancel()
            raise
        return {
            'seconds': round(time.monotonic() - began_s, 1),
            'built_in_s': engine.build.get('seconds'),
            'precision': engine.build.get('precision'),
            'plan_bytes': engine.plan_bytes,
            'folder': str(engine.folder),
            'engine_of': f'{model.card.name} {variant.name}',
            'layers': json.loads(engine.layers.read_text()) if engine.layers.exists() else [],
        }

    @contextmanager
    def without_kernels(self) -> Iterator[bool]:
        """Put the compiled kernels aside, so that they are compiled anew; tell whether."""
        kernels = cache_root() / 'kernels'
        aside = kernels.with_name('kernels.aside')
        if kernels.exists():
            kernels.rename(aside)
        try:
            yield True
        finally:
            if aside.exists():
                shutil.rmtree(kernels, ignore_errors=True)
                aside.rename(kernels)

    def wrong_key(self, model: Model, variant: Any) -> dict[str, Any]:
        """Look for an engine where there is one of another GPU alone, whose plan is no plan."""
        order, cache = order_engine(model, variant), EngineCache()
        target = find_target().require()
        key = order.key(target)
        other = order.key(type(target)('5.1.2', 'Orin', (8, 7), 16))
        stored = cache.store('other_machine', order.variant, other, b'no plan', {})
        began_s = time.monotonic()
        try:
            cache.find('other_machine', order.variant, key)
            told = ''
        except EngineNotCached as error:
            told = str(error)
        seconds = time.monotonic() - began_s
        cache.remove(stored.folder)
        return {'found_out': 'TensorRT: built for 5.1.2' in told, 'ms': round(seconds * 1e3, 3)}


class Twin:
    """The host twin, with ONNX Runtime in the engine's place: no figure of it means anything."""

    engine = 'onnxruntime'

    def __init__(self) -> None:
        sys.path.insert(0, str(Path(__file__).parents[2] / 'test' / 'helpers'))

    def describe(self) -> dict[str, Any]:
        return {'gpu': 'the host twin: a rehearsal, no measurement', 'python': sys.version}

    @contextmanager
    def device(self) -> Iterator[Device]:
        with HostDevice() as device, device.current():
            yield device

    def open_one(self, model: Model, variant: Any, engine: str, threads: int) -> OpenedSession:
        from twin_engine import TwinSession

        class Owning(TwinSession):
            def close(self) -> None:
                with stack:
                    super().close()

        with ExitStack() as opening:
            device = opening.enter_context(HostDevice())
            opening.enter_context(device.current())
            session = Owning(model.files[variant.name], device)
            stack = opening.pop_all()
        return OpenedSession(session, 'the twin')

    def host_session(self, model: Model, variant: Any) -> Session:
        return open_session(model, variant, self.engine, 1).session

    def device_session(
        self, model: Model, variant: Any, device: Device, adapt: Any
    ) -> DeviceSession:
        from twin_engine import TwinSession

        return TwinSession(model.files[variant.name], device, adapt)

    def bare_load(self, model: Model, variant: Any) -> Callable[[], None]:
        return lambda: None

    def has_engine(self, model: Model, variant: Any) -> bool:
        return False

    def build(self, model: Model, variant: Any, patience_s: float) -> dict[str, Any]:
        order_engine(model, variant)
        return {'seconds': 0.0, 'folder': ''}

    @contextmanager
    def without_kernels(self) -> Iterator[bool]:
        yield False  # it compiles none

    def wrong_key(self, model: Model, variant: Any) -> dict[str, Any]:
        return {'found_out': None, 'ms': None}
