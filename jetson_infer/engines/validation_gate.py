# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What may run on a robot: the reference, and what was found as good as it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.engine_order import named_by
from jetson_infer.engines.models import Model
from jetson_infer.engines.verdict_key import EngineIdentity, is_reference, make_verdict_key
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.errors import EngineError, NotValidatedError

__all__ = ['ValidationGate', 'validate_command']

_SHOWN_FAILURES = 3
VALIDATE, MEND = 'Validate it', 'Mend it and validate it again'


def validate_command(model: str, variant: str, engine: str) -> str:
    """Return the command that validates a variant on an engine; the recording is the user's.

    :param model: the model's name or folder.
    """
    options = shlex.join(['--variant', variant, '--engine', engine])
    return f'jetson-infer validate {shlex.quote(model)} RECORDING {options}'


@dataclass(frozen=True)
class ValidationGate:
    """Admits a variant on an engine, or refuses it by name.

    :param allow_unvalidated: whether to admit what no verdict admits, with a warning.
    :param store: where verdicts are.
    """

    allow_unvalidated: bool = False
    store: VerdictStore = field(default_factory=VerdictStore)

    def admit(self, model: Model, variant: VariantCard, cached: CachedEngine | None) -> str:
        """Check that a variant may run.

        :param cached: the TensorRT engine that would run it; None for ONNX Runtime.
        :return: a warning where it runs though no verdict admits it; empty where one does, or
            where it is the reference.
        :raises NotValidatedError: if it may not run, with the reason and the command that
            validates it.
        """
        if is_reference(model, variant, cached):
            return ''
        reason, advice = self._refusal(model, variant, cached)
        if not reason:
            return ''
        if self.allow_unvalidated:
            return f'{reason}; it runs because allow_unvalidated is set'
        engine = 'onnxruntime' if cached is None else 'tensorrt'
        command = validate_command(named_by(model), variant.name, engine)
        raise NotValidatedError(f'{reason}. {advice}: {command} (or set allow_unvalidated: true)')

    def _refusal(
        self, model: Model, variant: VariantCard, cached: CachedEngine | None
    ) -> tuple[str, str]:
        """Return why a variant may not run and what to do with a command; empty if it may."""
        identity = EngineIdentity.of(cached)
        name = f'variant {variant.name} of {model.card.name} on {identity}'
        key = make_verdict_key(model, variant, identity)
        try:
            stored = self.store.find(key)
        except EngineError as error:
            return f'{name} was not validated: {error}', VALIDATE
        if stored is None:
            why = self.store.void(key)
            return f'{name} was not validated' + (f': {why}' if why else ''), VALIDATE
        if stored.verdict.passed:
            return '', ''
        told = '; '.join(check.sentence for check in stored.verdict.failures[:_SHOWN_FAILURES])
        on = f'{stored.data.get("name")} ({stored.at})'
        return f'{name} failed its validation on {on}: {told}', MEND
