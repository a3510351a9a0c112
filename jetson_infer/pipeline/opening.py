# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Opening a pipeline, and what its owner may do meanwhile: hear how far it is, and call it off.

Opening loads a network, and may build an engine for it, which takes minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol, TypeVar

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.models import Model
from jetson_infer.engines.select import BuildPolicy, open_session
from jetson_infer.engines.session import Session
from jetson_infer.engines.validation_gate import ValidationGate
from jetson_infer.errors import JetsonInferError

__all__ = ['NO_HOOKS', 'OpenHooks', 'OpeningCancelled', 'open_pipeline']


class _Told(Protocol):
    """A pipeline, which is told why it runs on its engine."""

    why: str
    unvalidated: str


P = TypeVar('P', bound=_Told)


class OpeningCancelled(JetsonInferError):
    """The opening of a pipeline that was called off; nothing of it is left open."""


@dataclass(frozen=True)
class OpenHooks:
    """The two things that long work asks of its owner; both are quick and safe on any thread.

    :param report: told what is being done, as a phrase that completes ``configuring: ...``, such as
        ``building an engine (step 12 of 40)``; as often as it changes.
    :param cancelled: whether to stop; to be asked ten times a second, and between steps.
    """

    report: Callable[[str], None]
    cancelled: Callable[[], bool]

    def begin(self, what: str) -> None:
        """Report what is about to be done, unless the work was called off.

        :raises OpeningCancelled: if it was.
        """
        if self.cancelled():
            raise OpeningCancelled(f'cancelled before {what}')
        self.report(what)


def _nobody_hears(what: str) -> None:
    """Take a report that nobody waits for."""


NO_HOOKS = OpenHooks(report=_nobody_hears, cancelled=lambda: False)
"""Nobody listens and nobody calls off."""


def open_pipeline(
    model: Model,
    variant: VariantCard,
    make: Callable[[Session], P],
    *,
    engine: str,
    threads: int,
    build: str,
    hooks: OpenHooks,
    gate: ValidationGate | None,
) -> P:
    """Load a variant on an engine and make its pipeline.

    :param make: makes it of the loaded network, which it owns then; leaves that open if it fails.
    :param engine: ``auto`` or an engine's name; this and the rest as the pipelines' own openers.
    :raises NotValidatedError: if the gate refuses.
    :raises JetsonInferError: if anything about it cannot work; nothing is left open then.
    """
    hooks.begin('choosing an engine')
    policy = BuildPolicy(build, hooks.report, hooks.cancelled)
    with ExitStack() as undo:
        session, why, unvalidated = open_session(model, variant, engine, threads, policy, gate)
        undo.callback(session.close)
        hooks.begin('allocating and warming up')
        pipeline = make(session)
        pipeline.why, pipeline.unvalidated = why, unvalidated
        undo.pop_all()
    return pipeline
