# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""One transition at a time, whoever asks for it and on whichever thread.

A transition that is asked for while another one is under way is refused at once: a state machine
keeps no queue, and who asks cannot know what state the node will be in.  Only a shutdown is let
wait: there is nothing after it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from jetson_infer.errors import JetsonInferError

__all__ = ['TransitionGate', 'TransitionRefused']

_LOOK_S = 0.005


class TransitionRefused(JetsonInferError):
    """A transition that may not begin now, and why."""


class TransitionGate:
    """Lets transitions in, one after the other.

    Every :meth:`enter` that returned is followed by :meth:`leave`, where it returned True by
    :meth:`wait_turn` before; on any thread.

    :param settled: whether the node is in a primary state.  The state machine reaches it, and tells
        the world, a moment before the transition leaves: who reacts to that is let wait, as is who
        comes a moment before the state machine begins to move.
    """

    def __init__(self, settled: Callable[[], bool]) -> None:
        self._settled = settled
        self._changed = threading.Condition()
        self._name = ''
        self._since = 0.0
        self._last_waits = False
        self._cancelled = False
        self._closed = False

    @property
    def cancelled(self) -> bool:
        """Whether somebody waits for the transition under way to give up."""
        return self._cancelled

    @property
    def elapsed_s(self) -> float:
        """How long the transition under way has taken so far; 0 if there is none."""
        with self._changed:
            return time.monotonic() - self._since if self._name else 0.0

    def enter(self, name: str, *, last: bool = False) -> bool:
        """Let a transition begin, or be the next one; does not wait for another one's work.

        :param name: what it is called in messages: ``configure``.
        :param last: whether it is a shutdown, which calls off what is under way and comes next.
        :return: whether another one is under way still, so that its turn has to be waited for.
        :raises TransitionRefused: if it may not begin now.
        """
        with self._changed:
            while self._name and not last and self._settled() and not self._closed:
                self._changed.wait(_LOOK_S)
            if self._closed:
                raise TransitionRefused(f'cannot {name}: the node is ending')
            if self._last_waits:
                raise TransitionRefused(f'cannot {name}: a shutdown was asked for already')
            if not self._name:
                self._begin(name)
                return False
            if not last:
                raise TransitionRefused(f'cannot {name} now: {self._under_way()}')
            self._last_waits = self._cancelled = True
            return True

    def wait_turn(self, name: str) -> None:
        """Wait until the one transition under way has left, and begin.

        :raises TransitionRefused: if the gate was closed meanwhile; there is nothing to leave then.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._name)
            self._last_waits = False
            if self._closed:
                self._changed.notify_all()
                raise TransitionRefused(f'cannot {name}: the node is ending')
            self._begin(name)

    def leave(self) -> None:
        """End the transition under way."""
        with self._changed:
            self._name = ''
            self._cancelled = self._closed
            self._changed.notify_all()

    def close(self) -> None:
        """Call off what is under way, and let nothing in any more; may be called twice."""
        with self._changed:
            self._closed = self._cancelled = True
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float | None = None) -> bool:
        """Wait until no transition is under way or waiting; tell whether that came to pass."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not self._name and not self._last_waits, timeout_s
            )

    def _begin(self, name: str) -> None:
        self._name = name
        self._since = time.monotonic()
        self._cancelled = False

    def _under_way(self) -> str:
        return f"'{self._name}' has been under way for {time.monotonic() - self._since:.1f} s"
