# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What became of every frame.

A frame is opened when it arrives and closed once, with an outcome.  Whatever the moment,
``received = processed + replaced + stale + rejected + shed + failed + waiting``.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from jetson_infer.errors import InternalError

__all__ = ['FrameAccount', 'FrameCounts', 'FrameTicket', 'Outcome']


class Outcome(enum.Enum):
    """What became of a frame."""

    PROCESSED = 'processed'
    """Inferred, decoded and published."""
    REPLACED = 'replaced'
    """A newer frame took its place before the worker was free."""
    STALE = 'stale'
    """Older than `stale_after_ms` when its turn came."""
    REJECTED = 'rejected'
    """Its data could not be used; counted by reason too."""
    SHED = 'shed'
    """Left out on purpose, to keep to `max_rate_hz`, or because the node was deactivating."""
    FAILED = 'failed'
    """The engine or our code failed on it."""


@dataclass(frozen=True)
class FrameCounts:
    """The account at one moment.

    :param received: frames opened so far.
    :param outcomes: closed frames by outcome; every outcome is present.
    :param rejected: rejected frames by reason.
    :param waiting: frames received and not yet closed.
    """

    received: int
    outcomes: Mapping[Outcome, int]
    rejected: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every frame is accounted for."""
        return self.received == sum(self.outcomes.values()) + self.waiting and self.outcomes[
            Outcome.REJECTED
        ] == sum(self.rejected.values())

    def as_dict(self) -> dict[str, int]:
        """Return the counters by their published names, such as ``rejected/bad_step``."""
        counters = {'received': self.received}
        counters.update({outcome.value: count for outcome, count in self.outcomes.items()})
        counters.update({f'rejected/{reason}': n for reason, n in sorted(self.rejected.items())})
        counters['waiting'] = self.waiting
        return counters


class FrameAccount:
    """Counts frames; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = 0
        self._waiting = 0
        self._outcomes = dict.fromkeys(Outcome, 0)
        self._rejected: dict[str, int] = {}

    def open(self) -> FrameTicket:
        """Count a frame as received."""
        with self._lock:
            self._received += 1
            self._waiting += 1
        return FrameTicket(self)

    def _close(self, outcome: Outcome, reason: str) -> None:
        with self._lock:
            self._waiting -= 1
            self._outcomes[outcome] += 1
            if outcome is Outcome.REJECTED:
                self._rejected[reason] = self._rejected.get(reason, 0) + 1

    def counts(self) -> FrameCounts:
        """Return the account at this moment.

        :raises InternalError: if a frame is not accounted for.
        """
        with self._lock:
            counts = FrameCounts(
                self._received, dict(self._outcomes), dict(self._rejected), self._waiting
            )
        if not counts.balanced:
            raise InternalError(f'the account of frames does not balance: {counts}')
        return counts


class FrameTicket:
    """One frame's place in the account."""

    __slots__ = ('_account', '_outcome')

    def __init__(self, account: FrameAccount) -> None:
        self._account = account
        self._outcome: Outcome | None = None

    @property
    def outcome(self) -> Outcome | None:
        """What became of the frame; None while it is open."""
        return self._outcome

    def close(self, outcome: Outcome, reason: str = '') -> None:
        """Say what became of the frame.

        :param reason: with `Outcome.REJECTED`, the fixed word to count it under.
        :raises InternalError: if the frame was closed before, or was rejected without a reason.
        """
        if self._outcome is not None:
            raise InternalError(f'a frame that was {self._outcome.value} is now {outcome.value}')
        if (outcome is Outcome.REJECTED) != bool(reason):
            raise InternalError('a reason goes with a rejected frame, and only with one')
        self._outcome = outcome
        self._account._close(outcome, reason)
