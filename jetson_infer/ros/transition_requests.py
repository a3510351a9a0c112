# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""How a lifecycle node takes requests for transitions: one at a time, and never on the executor.

rclpy runs a transition in the callback of its service, where it holds up the executor's thread, and
dies of a request that is not possible in the node's state (ros2/rclpy issue 1209).
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from lifecycle_msgs.msg import State, Transition, TransitionDescription
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.service import Service

from jetson_infer.ros.late_answers import LateService
from jetson_infer.ros.transition_gate import TransitionGate, TransitionRefused

__all__ = ['RCLError', 'RequestedTransitions']

RCLError = rclpy_implementation.RCLError

_SHUTDOWN_FROM = {
    'unconfigured': Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    'inactive': Transition.TRANSITION_INACTIVE_SHUTDOWN,
    'active': Transition.TRANSITION_ACTIVE_SHUTDOWN,
}
_NAMES = {
    Transition.TRANSITION_CONFIGURE: 'configure',
    Transition.TRANSITION_CLEANUP: 'clean up',
    Transition.TRANSITION_ACTIVATE: 'activate',
    Transition.TRANSITION_DEACTIVATE: 'deactivate',
    **dict.fromkeys(_SHUTDOWN_FROM.values(), 'shut down'),
}
_GIVES_WAY = ('configuring', 'activating', 'deactivating', 'cleaningup')
"""The states that a shutdown may be asked for in."""


class RequestedTransitions(LifecycleNode):
    """A lifecycle node that answers while a transition is under way.

    A transition that is asked for through the service ``~/change_state`` runs on a thread of its
    own; one through ``trigger_configure()`` and its like on the caller's.  While one is under way
    another one is refused, with the reason in the log, except a shutdown: it calls off configuring,
    waits for the end of any other transition, and is carried out then.
    """

    _service_change_state: Service

    def __init__(self, node_name: str, **kwargs: Any) -> None:
        self._gate = TransitionGate(self._is_settled)
        super().__init__(node_name, **kwargs)
        theirs = self._service_change_state
        ours = LateService(theirs, self._answer_change_request)
        self._services[self._services.index(theirs)] = self._service_change_state = ours

    @property
    def state(self) -> str:
        """The lifecycle state's label, such as ``active`` or ``configuring``."""
        label: str = self._state_machine.current_state[1]
        return label

    @property
    def transition_elapsed_s(self) -> float:
        """How long the transition under way has taken so far; 0 if there is none."""
        return self._gate.elapsed_s

    def is_called_off(self) -> bool:
        """Tell whether the transition under way is to give up, where it can; on any thread."""
        return self._gate.cancelled or not self.context.ok()

    def end_transitions(self, timeout_s: float | None = None) -> bool:
        """Call off the transition under way, refuse any other, and wait for its end.

        :return: whether it ended in time.
        """
        self._gate.close()
        return self._gate.wait_idle(timeout_s)

    def trigger_shutdown(self) -> TransitionCallbackReturn:
        """Shut down, from whatever state."""
        return self._LifecycleNodeMixin__change_state(self._shutdown_id())

    def destroy_node(self) -> None:
        """Destroy the node, and the state machine, which would keep the node's handle alive."""
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    def begin_transition(self, transition_id: int) -> Future[bool]:
        """Carry out a transition on a thread of its own; the future tells whether it succeeded.

        :raises TransitionRefused: if it may not begin now.
        """
        waits = self._enter(transition_id)
        succeeded: Future[bool] = Future()

        def work() -> None:
            try:
                code = self._carry_out(transition_id, waits)
                succeeded.set_result(code == TransitionCallbackReturn.SUCCESS)
            except BaseException:
                succeeded.set_result(False)
                raise

        threading.Thread(target=work, name=_name(transition_id), daemon=True).start()
        return succeeded

    def transition_ended(self) -> None:
        """Do what had to wait for the end of a transition; called on its thread."""

    # -- one transition -------------------------------------------------------------------------

    def _enter(self, transition_id: int) -> bool:
        is_shutdown = transition_id in _SHUTDOWN_FROM.values()
        return self._gate.enter(_name(transition_id), last=is_shutdown)

    def _carry_out(self, transition_id: int, waits: bool) -> TransitionCallbackReturn:
        if waits:
            try:
                self._gate.wait_turn(_name(transition_id))
            except TransitionRefused as refusal:
                return self._refuse(refusal)
            transition_id = self._shutdown_id()  # the state is another one by now
        try:
            # The name is mangled: it is the mixin's own method that is meant here.
            return super()._LifecycleNodeMixin__change_state(transition_id)
        except RCLError as error:
            if self.context.ok():  # else a signal has ended it in the middle of the transition
                self._tell_impossible(transition_id, error)
            return TransitionCallbackReturn.FAILURE
        finally:
            self.transition_ended()
            self._gate.leave()

    def _refuse(self, refusal: TransitionRefused) -> TransitionCallbackReturn:
        if self.context.ok():
            self.get_logger().warning(str(refusal))
        return TransitionCallbackReturn.FAILURE

    def _tell_impossible(self, transition_id: int, error: Exception) -> None:
        possible = sorted({label for _, label, *_ in self._state_machine.available_transitions})
        self.get_logger().warning(
            f'transition {transition_id} is not possible in state {self.state} '
            f'(possible: {", ".join(possible)}): {error}'
        )

    def _is_settled(self) -> bool:
        number: int = self._state_machine.current_state[0]
        return number < State.TRANSITION_STATE_CONFIGURING

    def _shutdown_id(self) -> int:
        return _SHUTDOWN_FROM.get(self.state, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)

    # -- what rclpy calls -----------------------------------------------------------------------

    def _LifecycleNodeMixin__change_state(self, transition_id: int) -> TransitionCallbackReturn:  # noqa: N802
        """Carry out what `trigger_configure()` and its like ask for, on their thread."""
        try:
            waits = self._enter(transition_id)
        except TransitionRefused as refusal:
            return self._refuse(refusal)
        return self._carry_out(transition_id, waits)

    def _answer_change_request(self, request: Any, response: Any) -> Any:
        """Begin what the service is asked for; return a future of the response."""
        try:
            succeeded = self.begin_transition(self._requested(request.transition))
        except TransitionRefused as refusal:
            self._refuse(refusal)
            response.success = False
            return response
        answer: Future[Any] = Future()

        def send(done: Future[bool]) -> None:
            response.success = done.result()
            answer.set_result(response)

        succeeded.add_done_callback(send)
        return answer

    def _requested(self, transition: Transition) -> int:
        """Return the number of a transition that is asked for by its label or its number."""
        if not transition.label:
            return int(transition.id)
        if transition.label == 'shutdown':
            return self._shutdown_id()
        try:
            return int(self._state_machine.get_transition_by_label(transition.label))
        except RCLError as error:
            raise TransitionRefused(
                f"there is no transition '{transition.label}' in state {self.state}"
            ) from error

    def _LifecycleNodeMixin__on_get_available_transitions(  # noqa: N802
        self, request: Any, response: Any
    ) -> Any:
        """Offer what may be asked for; rclpy offers what the transition under way ends with."""
        if self._is_settled():
            return super()._LifecycleNodeMixin__on_get_available_transitions(request, response)
        number, label = self._state_machine.current_state
        if label in _GIVES_WAY:
            offer = TransitionDescription()
            offer.transition = Transition(
                id=Transition.TRANSITION_UNCONFIGURED_SHUTDOWN, label='shutdown'
            )
            offer.start_state = State(id=number, label=label)
            offer.goal_state = State(id=State.PRIMARY_STATE_FINALIZED, label='finalized')
            response.available_transitions.append(offer)
        return response


def _name(transition_id: int) -> str:
    return _NAMES.get(transition_id, f'carry out transition {transition_id}')
