# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How a launch file makes a lifecycle node active, and hears that it could not.

By the answers of the node's own service.  What launch_ros goes by are messages on
``transition_event``: a node that configures, or refuses to, before launch and it have met on that
topic is waited for in vain, and stays inactive.
"""

from __future__ import annotations

import threading
from typing import Any

from launch import Event, EventHandler, LaunchContext
from launch.actions import LogInfo, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessStart
from launch_ros.actions import LifecycleNode
from launch_ros.ros_adapters import get_ros_node
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

__all__ = ['NotActivated', 'autostart', 'on_not_activated']

_TRANSITIONS = (
    (Transition.TRANSITION_CONFIGURE, 'configured'),
    (Transition.TRANSITION_ACTIVATE, 'activated'),
)
_LOOK_AROUND_S = 0.5  # how often a wait looks whether all is being shut down


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
        client = get_ros_node(context).create_client(ChangeState, f'{node.node_name}/change_state')
        context.add_completion_future(
            context.asyncio_loop.run_in_executor(None, _activate, context, client, node.node_name)
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


def _activate(context: LaunchContext, client: Any, node_name: str) -> None:
    """Ask for one transition after the other; on a thread of launch's pool."""
    while not client.wait_for_service(timeout_sec=_LOOK_AROUND_S):
        if context.is_shutdown:
            return
    for number, participle in _TRANSITIONS:
        succeeded = _ask(context, client, number)
        if succeeded is None:
            return
        if not succeeded:
            event = NotActivated(node_name, participle)
            context.asyncio_loop.call_soon_threadsafe(context.emit_event_sync, event)
            return


def _ask(context: LaunchContext, client: Any, transition: int) -> bool | None:
    """Ask for a transition; return whether it succeeded, or None where all is being shut down.

    Configuring may take minutes, in which an engine is built.
    """
    request = ChangeState.Request()
    request.transition.id = transition
    answered = threading.Event()
    answer = client.call_async(request)
    answer.add_done_callback(lambda _: answered.set())
    while not answered.wait(_LOOK_AROUND_S):
        if context.is_shutdown:
            answer.cancel()
            return None
    return bool(answer.result().success)
