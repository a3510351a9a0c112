# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Choosing the engine that runs a model's variant on this machine."""

from __future__ import annotations

from typing import NamedTuple

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.models import Model
from jetson_infer.engines.onnxruntime.session import OnnxRuntimeSession
from jetson_infer.engines.session import Session
from jetson_infer.errors import SessionError

__all__ = ['ENGINES', 'OpenedSession', 'open_session']

ENGINES = ('auto', 'onnxruntime')


class OpenedSession(NamedTuple):
    """A session, which the caller closes, and why it is this engine, for a person."""

    session: Session
    why: str


def open_session(
    model: Model, variant: VariantCard, engine: str = 'auto', threads: int = 0
) -> OpenedSession:
    """Open a variant in an engine.

    :param engine: one of :data:`ENGINES`; ``auto`` takes the fastest that this machine has.
    :param threads: CPU threads of an engine that runs on the CPU; 0 for automatic.
    :raises SessionError: if there is no such engine, or it cannot load the file.
    :raises MissingDependencyError: if the engine is not installed.
    """
    if engine not in ENGINES:
        raise SessionError(f'there is no engine {engine!r}; there are {", ".join(ENGINES)}')
    session = OnnxRuntimeSession(model.files[variant.name], threads)
    asked = engine == 'onnxruntime'
    return OpenedSession(session, 'it was asked for' if asked else 'the only engine built in')
