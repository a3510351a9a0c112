# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A lifecycle node that survives what rclpy's does not, and whose transitions may take minutes.

rclpy's LifecycleNode, on Humble and on Jazzy alike, dies of an invalid transition request, drops
the exception of a transition callback without a word, and answers nothing while one runs.  Here
the first is answered with success = False (ros/transition_requests.py); the second is logged, with
the choice of what it means: an error of the user's leaves the node where it was, a defect of ours
takes it to unconfigured; and a transition that is asked for through the service runs on a thread of
its own, while the executor goes on with services and timers.

Everything that a configured node holds is entered on one ExitStack; cleanup, shutdown and error
close it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from lifecycle_msgs.msg import Transition
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from jetson_infer.errors import JetsonInferError
from jetson_infer.ros.shutdown import shut_down
from jetson_infer.ros.transition_gate import TransitionRefused
from jetson_infer.ros.transition_requests import RCLError, RequestedTransitions

__all__ = ['ConfiguringCancelled', 'RCLError', 'SafeLifecycleNode']

_WAY_OUT = {
    'active': Transition.TRANSITION_DEACTIVATE,
    'inactive': Transition.TRANSITION_CLEANUP,
}
"""The transition that takes a node with a fault to ErrorProcessing."""


class ConfiguringCancelled(JetsonInferError):
    """Configuring was called off, by a shutdown request or by a signal."""


class _Faulted(Exception):
    """Ends a transition's work because of the fault that is pending."""


class SafeLifecycleNode(RequestedTransitions):
    """Base of the nodes.

    Subclasses override :meth:`configure`, :meth:`activate` and :meth:`deactivate`, raise what
    goes wrong, and return nothing.  These run one at a time, beside the executor's callbacks.
    """

    def __init__(self, node_name: str, **kwargs: Any) -> None:
        # Set first: rclpy declares parameters of its own during construction.
        self._resources = ExitStack()
        self._fault: BaseException | None = None
        self._recovered = False
        self.ended_by_fault = False
        """Whether the process is to end, and not well, because of a fault."""
        self.last_error = ''
        """Why the node is not where it was asked to be; empty once a later transition worked."""
        self.progress = ''
        """What is being done while the node is configuring."""
        super().__init__(node_name, **kwargs)
        self._fault_guard = self.create_guard_condition(self._on_fault)

    # -- for subclasses -----------------------------------------------------------------------

    def configure(self, resources: ExitStack) -> None:
        """Acquire what the node needs, each on the stack; raise to stay unconfigured.

        What takes long asks :meth:`is_cancelled` ten times a second, and raises when it is.
        """

    def activate(self) -> None:
        """Begin to work; raise to stay inactive."""

    def deactivate(self) -> None:
        """Stop working and finish what was begun."""

    def exits_on_fault(self) -> bool:
        """Tell whether the process is to end when a fault has made the node unconfigured."""
        return False

    def report_progress(self, what: str) -> None:
        """Say what is being done while the node is configuring; may be called on any thread."""
        self.progress = what

    def is_cancelled(self) -> bool:
        """Tell whether configuring is to stop, for whatever reason; on any thread."""
        return self.is_called_off() or self._fault is not None

    def fail(self, error: BaseException) -> None:
        """Take the node through ErrorProcessing to unconfigured; may be called on any thread."""
        self._fault = error
        self._fault_guard.trigger()

    def close(self) -> None:
        """Release everything, whatever the state, before the node is destroyed.

        A transition that is under way is called off and waited for.
        """
        self.end_transitions()
        self._resources.close()

    # -- transitions --------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Acquire everything or nothing."""
        self.progress = ''
        self._fault = None  # an unconfigured node holds nothing that could have failed

        def work() -> None:
            with ExitStack() as resources:
                self._configure_unless_called_off(resources)
                self._raise_fault()
                self._resources = resources.pop_all()
            self.last_error = ''

        return self._guarded('configure', work)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Enable the publishers, then begin to work."""

        def work() -> None:
            self._raise_fault()
            super(SafeLifecycleNode, self).on_activate(state)
            try:
                self.activate()
            except BaseException:
                super(SafeLifecycleNode, self).on_deactivate(state)
                raise
            self._raise_fault()
            self.last_error = ''

        return self._guarded('activate', work)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Finish what was begun, then disable the publishers."""

        def work() -> None:
            self._raise_fault()
            self.deactivate()
            super(SafeLifecycleNode, self).on_deactivate(state)
            self._raise_fault()

        return self._guarded('deactivate', work, on_refusal=TransitionCallbackReturn.ERROR)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything."""

        def work() -> None:
            self._raise_fault()
            self._resources.close()

        return self._guarded('clean up', work, on_refusal=TransitionCallbackReturn.ERROR)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Finish what was begun and release everything."""

        def work() -> None:
            if state.label == 'active':
                self.deactivate()
            self._resources.close()

        return self._guarded('shut down', work, on_refusal=TransitionCallbackReturn.ERROR)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything and return to unconfigured, so that the node can be used again."""
        self.get_logger().warning('releasing everything after an error; configure again to resume')
        self._recovered = True
        super().on_deactivate(state)
        return self._guarded(
            'recover from the error',
            self._resources.close,
            on_refusal=TransitionCallbackReturn.FAILURE,
        )

    def _configure_unless_called_off(self, resources: ExitStack) -> None:
        try:
            self.configure(resources)
        except JetsonInferError as error:
            if self.is_called_off():
                raise self._cancelled() from error
            raise
        if self.is_called_off():
            raise self._cancelled()

    def _cancelled(self) -> ConfiguringCancelled:
        while_ = f' while {self.progress}' if self.progress else ''
        return ConfiguringCancelled(f'cancelled after {self.transition_elapsed_s:.1f} s{while_}')

    def _guarded(
        self,
        what: str,
        work: Callable[[], None],
        on_refusal: TransitionCallbackReturn = TransitionCallbackReturn.FAILURE,
    ) -> TransitionCallbackReturn:
        """Run a transition's work.

        :param on_refusal: the answer to an error that the user can mend; a fault and any other
            error are an ERROR.
        """
        try:
            work()
        except Exception as error:  # noqa: BLE001 - rclpy would drop it without a word
            fault, self._fault = self._fault, None
            refused = fault is None and isinstance(error, JetsonInferError)
            if self.context.ok():  # else a signal has ended it in the middle of the work
                self._tell(what, fault or error)
            return on_refusal if refused else TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def _tell(self, what: str, error: BaseException) -> None:
        if isinstance(error, ConfiguringCancelled):
            self.last_error = f'cannot {what}: {error}'
            self.get_logger().warning(self.last_error)
        elif isinstance(error, JetsonInferError):
            self.last_error = f'cannot {what}: {error}'
            self.get_logger().error(self.last_error)
        else:
            self.last_error = f'cannot {what}: {type(error).__name__}: {error}'
            trace = ''.join(traceback.format_exception(type(error), error, error.__traceback__))
            self.get_logger().error(f'{self.last_error}\n{trace}')

    # -- faults ---------------------------------------------------------------------------------

    def transition_ended(self) -> None:
        """End because of a fault, or look again at one that came meanwhile."""
        recovered, self._recovered = self._recovered, False
        if recovered and self.context.ok() and self.exits_on_fault():
            self.get_logger().fatal('the process ends after the error, as exit_on_fault asks')
            self.ended_by_fault = True
            shut_down()
        elif self._fault is not None:
            self._fault_guard.trigger()

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise _Faulted

    def _on_fault(self) -> None:
        """On the executor's thread: leave through a transition that the pending fault fails."""
        fault = self._fault
        step = _WAY_OUT.get(self.state)
        if step is not None and fault is not None:
            try:
                self.begin_transition(step)
            except TransitionRefused:
                return  # the one under way fails of it, or it is looked at again at its end
        elif self._is_settled() and self._fault is fault:
            self._fault = None  # nothing is held that could have failed
