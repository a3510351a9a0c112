# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What whoever opens a pipeline may do meanwhile: hear how far it is, and call it off.

Opening loads a network, and may build an engine for it, which takes minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jetson_infer.errors import JetsonInferError

__all__ = ['NO_HOOKS', 'OpenHooks', 'OpeningCancelled']


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
