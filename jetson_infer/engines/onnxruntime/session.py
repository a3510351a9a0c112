# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A session that ONNX Runtime runs on the CPU."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from jetson_infer.core.tensors import TensorSpec
from jetson_infer.dependencies import require
from jetson_infer.engines.onnxruntime.binding import OnnxRuntimeBinding
from jetson_infer.engines.onnxruntime.failures import explain_load_failure
from jetson_infer.engines.session import Session
from jetson_infer.errors import SessionError

__all__ = ['OnnxRuntimeSession']

logger = logging.getLogger(__name__)

MAX_AUTOMATIC_THREADS = 4
_DTYPES = {
    'tensor(float)': np.float32,
    'tensor(float16)': np.float16,
    'tensor(double)': np.float64,
    'tensor(uint8)': np.uint8,
    'tensor(int8)': np.int8,
    'tensor(uint16)': np.uint16,
    'tensor(int16)': np.int16,
    'tensor(int32)': np.int32,
    'tensor(int64)': np.int64,
    'tensor(bool)': np.bool_,
}


class OnnxRuntimeSession(Session):
    """A network loaded from an ONNX file.

    :param path: the ONNX file.
    :param threads: how many threads one inference uses; 0 for one a core that this process may
        use, at most 4, so that a robot's other work finds a core.
    :param trace: how the name of the file begins in which ONNX Runtime notes the time of every
        node, which slows it down; nothing is noted unless given.
    :raises MissingDependencyError: if ONNX Runtime is not installed.
    :raises SessionError: if the file cannot be loaded, with the remedy.
    """

    def __init__(self, path: Path, threads: int = 0, trace: Path | None = None) -> None:
        if threads < 0:
            raise SessionError(f'threads must be 0 (automatic) or more, not {threads}')
        self._runtime = require('onnxruntime', 'Running ONNX models on the CPU')
        self._path = Path(path)
        self._trace = trace
        self._threads = threads or min(available_cores(), MAX_AUTOMATIC_THREADS)
        self._bindings: list[OnnxRuntimeBinding] = []
        self._session: Any = self._load()
        self._inputs = self._specs(self._session.get_inputs())
        self._outputs = self._specs(self._session.get_outputs())

    @property
    def engine(self) -> str:
        """See :attr:`Session.engine`."""
        plural = 's' if self._threads > 1 else ''
        return f'onnxruntime {self._runtime.__version__} (CPU, {self._threads} thread{plural})'

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """See :attr:`Session.inputs`."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """See :attr:`Session.outputs`."""
        return self._outputs

    def bind(self, shapes: Mapping[str, tuple[int, ...]]) -> OnnxRuntimeBinding:
        """See :meth:`Session.bind`."""
        if self._session is None:
            raise SessionError(f'{self._path}: the session is closed')
        binding = OnnxRuntimeBinding(
            self._runtime, self._session, str(self._path), self._inputs, self._outputs, shapes
        )
        self._bindings.append(binding)
        return binding

    def close(self) -> None:
        """See :meth:`Session.close`."""
        for binding in self._bindings:
            binding.close()
        self._bindings.clear()
        self._session = None

    def end_trace(self) -> Path:
        """End noting times and return the file; for a session that was opened with `trace`.

        :raises SessionError: if the session is closed.
        """
        if self._session is None:
            raise SessionError(f'{self._path}: the session is closed')
        return Path(self._session.end_profiling())

    def _load(self) -> Any:
        options = _options(self._runtime, self._threads)
        if self._trace is not None:
            options.enable_profiling = True
            options.profile_file_prefix = str(self._trace)
        try:
            return self._runtime.InferenceSession(
                str(self._path), options, ['CPUExecutionProvider']
            )
        except Exception as error:  # ONNX Runtime's own exceptions have no common base but this
            raise SessionError(explain_load_failure(self._path, error)) from error

    def _specs(self, arguments: Sequence[Any]) -> tuple[TensorSpec, ...]:
        specs = []
        for argument in arguments:
            if argument.type not in _DTYPES:
                raise SessionError(
                    f'{self._path}: {argument.name} is of type {argument.type}, which cannot be '
                    f'exchanged with NumPy; export the model with {", ".join(_DTYPES)}'
                )
            shape = tuple(d if isinstance(d, int) and d >= 0 else -1 for d in argument.shape)
            specs.append(TensorSpec(argument.name, np.dtype(_DTYPES[argument.type]), shape))
        return tuple(specs)


def available_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _options(runtime: ModuleType, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    # Worker threads would otherwise spin for work after every run.  Measured with frames at 30 Hz
    # on two busy cores: 34 % of a core instead of 53 % to 110 %.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    options.log_severity_level = _severity(logger.getEffectiveLevel())
    return options


def _severity(level: int) -> int:
    """Return ONNX Runtime's severity (1 info, 2 warning, 3 error, 4 fatal) for a logging level."""
    for severity, threshold in ((1, logging.INFO), (2, logging.WARNING), (3, logging.ERROR)):
        if level <= threshold:
            return severity
    return 4
