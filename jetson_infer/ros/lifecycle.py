# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A lifecycle node that survives what rclpy's does not.

rclpy's LifecycleNode, on Humble and on Jazzy alike, dies of an invalid transition request and
drops the exception of a transition callback without a word.  Here the first is answered with
success = False, and the second is logged, with the choice of what it means: an error of the
user's leaves the node where it was, a defect of ours takes it to unconfigured.

Everything that a configured node holds is entered on one ExitStack; cleanup, shutdown and error
close it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from jetson_infer.errors import JetsonInferError

__all__ = ['SafeLifecycleNode']

RCLError = rclpy_implementation.RCLError


class SafeLifecycleNode(LifecycleNode):
    """Base of the nodes.

    Subclasses override :meth:`configure`, :meth:`activate` and :meth:`deactivate`, raise what
    goes wrong, and return nothing.
    """

    def __init__(self, node_name: str, **kwargs: Any) -> None:
        # Set first: rclpy declares parameters of its own during construction.
        self._resources = ExitStack()
        self._fault: BaseException | None = None
        self.last_error = ''
        """Why the node is not where it was asked to be; empty once a later transition worked."""
        super().__init__(node_name, **kwargs)
        self._fault_guard = self.create_guard_condition(self._on_fault)

    # -- for subclasses -----------------------------------------------------------------------

    def configure(self, resources: ExitStack) -> None:
        """Acquire what the node needs, each on the stack; raise to stay unconfigured."""

    def activate(self) -> None:
        """Begin to work; raise to stay inactive."""

    def deactivate(self) -> None:
        """Stop working and finish what was begun."""

    @property
    def state(self) -> str:
        """The lifecycle state's label, such as ``active``."""
        label: str = self._state_machine.current_state[1]
        return label

    def fail(self, error: BaseException) -> None:
        """Take the node through ErrorProcessing to unconfigured; may be called on any thread."""
        self._fault = error
        self._fault_guard.trigger()

    def close(self) -> None:
        """Release everything, whatever the state, before the node is destroyed."""
        self._resources.close()

    def destroy_node(self) -> None:
        """Destroy the node, and the state machine, which would keep the node's handle alive."""
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    # -- transitions --------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Acquire everything or nothing."""

        def work() -> None:
            with ExitStack() as resources:
                self.configure(resources)
                self._resources = resources.pop_all()
            self.last_error = ''

        return self._guarded('configure', work)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Enable the publishers, then begin to work."""

        def work() -> None:
            super(SafeLifecycleNode, self).on_activate(state)
            try:
                self.activate()
            except BaseException:
                super(SafeLifecycleNode, self).on_deactivate(state)
                raise
            self.last_error = ''

        return self._guarded('activate', work)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Finish what was begun, then disable the publishers."""

        def work() -> None:
            self.deactivate()
            super(SafeLifecycleNode, self).on_deactivate(state)

        return self._guarded('deactivate', work, on_refusal=TransitionCallbackReturn.ERROR)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything."""
        return self._guarded(
            'clean up', self._resources.close, on_refusal=TransitionCallbackReturn.ERROR
        )

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
        super().on_deactivate(state)
        return self._guarded(
            'recover from the error',
            self._resources.close,
            on_refusal=TransitionCallbackReturn.FAILURE,
        )

    def _guarded(
        self,
        what: str,
        work: Callable[[], None],
        on_refusal: TransitionCallbackReturn = TransitionCallbackReturn.FAILURE,
    ) -> TransitionCallbackReturn:
        """Run a transition's work.

        :param on_refusal: the answer to an error that the user can mend; any other is an ERROR.
        """
        try:
            if self._fault is not None:
                fault, self._fault = self._fault, None
                raise fault
            work()
        except JetsonInferError as error:
            self.last_error = f'cannot {what}: {error}'
            self.get_logger().error(self.last_error)
            return on_refusal
        except Exception as error:  # noqa: BLE001 - rclpy would drop it without a word
            if not self.context.ok():
                # A signal has ended the context in the middle of the work; there is no fault.
                return TransitionCallbackReturn.ERROR
            self.last_error = f'cannot {what}: {type(error).__name__}: {error}'
            self.get_logger().error(f'{self.last_error}\n{traceback.format_exc()}')
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    # -- rclpy's gaps ---------------------------------------------------------------------------

    def _LifecycleNodeMixin__change_state(self, transition_id: int) -> TransitionCallbackReturn:  # noqa: N802
        """Answer an invalid request instead of dying of it (ros2/rclpy issue 1209)."""
        try:
            # The name is mangled: it is the mixin's own method that is wrapped here.
            return super()._LifecycleNodeMixin__change_state(transition_id)
        except RCLError as error:
            possible = sorted({label for _, label, *_ in self._state_machine.available_transitions})
            self.get_logger().warning(
                f'transition {transition_id} is not possible in state {self.state} '
                f'(possible: {", ".join(possible)}): {error}'
            )
            return TransitionCallbackReturn.FAILURE

    def _on_fault(self) -> None:
        """On the executor's thread: leave through a transition that the pending fault fails."""
        if self.state == 'active':
            self.trigger_deactivate()
        elif self.state == 'inactive':
            self.trigger_cleanup()
        else:
            self._fault = None
