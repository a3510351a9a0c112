# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How a launch file makes a lifecycle node active, and hears that it could not.

By the answers of the node's own service.  What launch_ros goes by are messages on
``transition_event``: a node that configures, or refuses to, before launch and it have met on that
topic is waited for in vain, and stays inactive.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from launch import Event, EventHandler, LaunchContext
from launch.actions import LogInfo, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessStart
from launch_ros.actions import LifecycleNode
from launch_ros.ros_adapters import get_ros_node
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

__all__ = ['NotActivated', 'autostart', 'on_not_activated']

_WAY = (
    (Transition.TRANSITION_CONFIGURE, 'configured', State.PRIMARY_STATE_UNCONFIGURED),
    (Transition.TRANSITION_ACTIVATE, 'activated', State.PRIMARY_STATE_INACTIVE),
)
"""The transitions, what a node is then, and where each begins; it leads to the next state."""
_PRIMARY_STATES = (
    State.PRIMARY_STATE_UNCONFIGURED,
    State.PRIMARY_STATE_INACTIVE,
    State.PRIMARY_STATE_ACTIVE,
    State.PRIMARY_STATE_FINALIZED,
)
_STEP_S = 0.5  # how often a wait looks whether launch ends
_LOOK_S = 2.0  # how often it is looked whether an answer that has not come can come still


class NotActivated(Event):
    """A lifecycle node refused a transition on its way to active.

    :param node_name: with its namespace.
    :param participle: what it could not be: ``configured`` or ``activated``.
    """

    name = 'jetson_infer.autostart.NotActivated'

    def __init__(self, node_name: str, participle: str) -> None:
        self.node_name = node_name
        self.participle = participle


def autostart(node: LifecycleNode) -> list[Any]:
    """Return handlers that configure and activate a node whenever its process starts.

    A node that refuses stays up as it is and says why on its log and on /diagnostics; launch tells
    that it did, and emits :class:`NotActivated`.  Humble's launch has no `autostart` of its own.
    """

    def begin(context: LaunchContext) -> None:
        services = _Services(context, node.node_name)
        context.add_completion_future(
            context.asyncio_loop.run_in_executor(None, _activate, context, services, node.node_name)
        )

    def tell(context: LaunchContext) -> list[Any]:
        event = context.locals.event
        return [LogInfo(msg=f'{event.node_name} could not be {event.participle}; its log says why')]

    return [
        RegisterEventHandler(
            OnProcessStart(target_action=node, on_start=[OpaqueFunction(function=begin)])
        ),
        RegisterEventHandler(
            EventHandler(
                matcher=lambda event: (
                    isinstance(event, NotActivated) and event.node_name == node.node_name
                ),
                entities=[OpaqueFunction(function=tell)],
            )
        ),
    ]


def on_not_activated(entities: list[Any]) -> RegisterEventHandler:
    """Return a handler that runs actions when any node refuses to become active."""
    return RegisterEventHandler(
        EventHandler(matcher=lambda event: isinstance(event, NotActivated), entities=entities)
    )


def _activate(context: LaunchContext, services: _Services, node_name: str) -> None:
    """Ask for one transition after the other; on a thread of launch's pool."""
    try:
        for transition, participle, start in _WAY:
            if not _carry_out(services, transition, start):
                event = NotActivated(node_name, participle)
                context.asyncio_loop.call_soon_threadsafe(context.emit_event_sync, event)
                return
    except Exception:
        if not context.is_shutdown:  # else the clients may have gone in the middle of a call
            raise


def _carry_out(services: _Services, transition: int, start: int) -> bool:
    """Ask for a transition until it is known what came of it; return whether it succeeded.

    Configuring may take minutes, in which an engine is built.  An answer may also never come: a
    service's answer to a client that it has not met within 100 ms is dropped (rmw_fastrtps).  Then
    the node's state tells; where it has not moved, asking once more does no harm.
    """
    while True:
        answer = services.change_state(transition)
        at_rest = 0
        while not services.came(answer):
            state = services.state()
            if state in _PRIMARY_STATES and state != start:
                return state == start + 1
            at_rest = at_rest + 1 if state == start else 0
            if at_rest == 2:
                break
        else:
            # Of two requests the second is refused, while or after the first is carried out.
            return answer.result().success or services.settled_state() == start + 1


class _ShuttingDown(Exception):
    """Launch ends: nobody waits for the node any more."""


class _Services:
    """The services of a lifecycle node, as a thread that may wait uses them."""

    def __init__(self, context: LaunchContext, node_name: str) -> None:
        self._context = context
        node = get_ros_node(context)
        self._change_state = node.create_client(ChangeState, f'{node_name}/change_state')
        self._get_state = node.create_client(GetState, f'{node_name}/get_state')

    def change_state(self, transition: int) -> Any:
        """Ask for a transition; return the answer's future."""
        request = ChangeState.Request()
        request.transition.id = transition
        return self._call(self._change_state, request)

    def state(self) -> int | None:
        """Ask for the state's number; None if no answer came."""
        answer = self._call(self._get_state, GetState.Request())
        return int(answer.result().current_state.id) if self.came(answer) else None

    def settled_state(self) -> int:
        """Wait for the end of the transition under way, if there is one; return the state then."""
        while (state := self.state()) is None or state not in _PRIMARY_STATES:
            time.sleep(_STEP_S)
        return state

    def came(self, answer: Any) -> bool:
        """Wait a little for an answer.

        :raises _ShuttingDown: if launch ends meanwhile.
        """
        came = threading.Event()
        answer.add_done_callback(lambda _: came.set())
        self._until(came.wait, _LOOK_S)
        return bool(answer.done())

    def _call(self, client: Any, request: Any) -> Any:
        self._until(client.wait_for_service)
        return client.call_async(request)

    def _until(self, wait: Callable[[float], bool], limit_s: float = math.inf) -> None:
        deadline = time.monotonic() + limit_s
        while not wait(_STEP_S) and time.monotonic() < deadline:
            if self._context.is_shutdown:
                raise _ShuttingDown
