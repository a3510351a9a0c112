# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The exceptions of jetson_infer.

Every message tells a person what happened, the numbers, and what to do next.  An exception that is
raised for a *frame* carries a ``reason``, a short fixed word under which the frame is counted; an
exception raised at *configure* names the file and the key that cannot work.

``InternalError`` stands apart on purpose: it is our defect, not the user's.
"""

from __future__ import annotations

__all__ = [
    'CardError',
    'DecoderError',
    'DeviceError',
    'DeviceMemoryError',
    'EngineBuildError',
    'EngineError',
    'FrameRejected',
    'InternalError',
    'JetsonInferError',
    'KernelError',
    'MissingDependencyError',
    'ModelError',
    'NotValidatedError',
    'ParameterError',
    'RecordingError',
    'SessionError',
]


class JetsonInferError(Exception):
    """Base of everything that a user can meet and mend."""


class InternalError(RuntimeError):
    """A defect of jetson_infer itself; please report it with the traceback."""


class FrameRejected(JetsonInferError):
    """An input frame that cannot be used; it costs that frame only.

    :param reason: the fixed word under which the frame is counted, such as ``bad_step``.
    :param message: what is wrong with this frame, with its numbers.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class CardError(JetsonInferError):
    """A model card that cannot work.

    :param source: the file the card came from.
    :param key: the dotted key within it, such as ``variants[1].onnx``; empty for the whole file.
    :param message: what is wrong and what is allowed.
    """

    def __init__(self, source: str, key: str, message: str) -> None:
        where = f'{source}: {key}' if key else source
        super().__init__(f'{where}: {message}')
        self.source = source
        self.key = key


class ModelError(JetsonInferError):
    """A model folder or one of its files that is missing or cannot be used."""


class SessionError(JetsonInferError):
    """An engine that cannot be loaded or that failed while it ran."""


class DeviceError(JetsonInferError):
    """A device that failed and took everything on it along; the node has to be configured anew."""


class DeviceMemoryError(JetsonInferError):
    """Memory that a device, a budget or the host did not give, with what was asked for and left."""


class EngineError(SessionError):
    """A serialized engine that may not be used: truncated, foreign, or built for something else."""


class NotValidatedError(SessionError):
    """A variant on an engine that no verdict admits, with the command that validates it."""


class EngineBuildError(SessionError):
    """An engine that could not be built, with every reason the builder or the parser gave."""


class KernelError(SessionError):
    """A CUDA kernel that could not be compiled or loaded, with what is missing."""


class DecoderError(JetsonInferError):
    """Network outputs that do not fit the decoder which the card names."""


class ParameterError(JetsonInferError):
    """A parameter value that cannot work.

    :param name: the parameter's name.
    :param message: what is wrong with the value and what is allowed.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f'{name}: {message}')
        self.name = name


class RecordingError(JetsonInferError):
    """A recording that cannot be read."""


class MissingDependencyError(JetsonInferError):
    """An optional dependency that the requested work needs and that is not installed.

    :param module: the Python module that could not be imported.
    :param purpose: what it is needed for, as a noun phrase: ``'reading recordings'``.
    :param remedy: the command that installs it.
    """

    def __init__(self, module: str, purpose: str, remedy: str) -> None:
        super().__init__(f"{purpose} needs the Python module '{module}'; install it: {remedy}")
        self.module = module
        self.remedy = remedy
