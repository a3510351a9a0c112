# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A node whose parameters may take long to put in force, and that answers everything meanwhile.

rclpy sets parameters in the callback of the service, on the executor's thread.  A set that has
something to prepare first, such as a network to load, is done here on a thread of its own instead,
with rclpy's own callback, and answered when it is in force or refused.  The executor goes on with
other services, timers and sets.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.parameter import Parameter
from rclpy.service import Service

from jetson_infer.core.parameters import ParameterSpec, Settings
from jetson_infer.errors import ParameterError
from jetson_infer.ros.late_answers import LateService
from jetson_infer.ros.lifecycle import RCLError, SafeLifecycleNode
from jetson_infer.ros.parameters import DeclaredParameters
from jetson_infer.ros.work_queue import WorkQueue

__all__ = ['LiveParametersNode']


class LiveParametersNode(SafeLifecycleNode):
    """A lifecycle node whose live parameters are in force when the set returns.

    What a set puts in force is touched with the parameters' lock held; what it prepares is not, so
    that reading and setting others goes on.  Sets that prepare something are done in the order in
    which they were asked for.  One whose value another set has replaced meanwhile is refused.

    :param node_name: the node's default name.
    :param parameters: the declaration.
    """

    SLOW_PARAMETERS: ClassVar[frozenset[str]] = frozenset()
    """Parameters whose values may have to be prepared."""

    def __init__(self, node_name: str, parameters: Sequence[ParameterSpec], **kwargs: Any) -> None:
        # Set first: rclpy declares parameters of its own during construction.
        self._declared: DeclaredParameters | None = None
        self._locked = False
        self._late_sets = WorkQueue('jetson_infer late sets')
        super().__init__(node_name, **kwargs)
        self._declared = DeclaredParameters(
            self, parameters, locked=lambda: self._locked, validate=self.validate_settings
        )
        for service in list(self.services):
            if service.srv_type in (SetParameters, SetParametersAtomically):
                self._answer_late(service)

    # -- for subclasses -----------------------------------------------------------------------

    @abstractmethod
    def validate_settings(self, settings: Settings) -> None:
        """Check a whole set of values.

        :raises ParameterError: if they cannot work.
        """

    def takes_long(self, parameters: Sequence[Parameter]) -> bool:
        """Tell whether a set, in the declared types or not, has to prepare something."""
        return False

    def prepared(self, parameters: Sequence[Parameter]) -> AbstractContextManager[None]:
        """Have what a set needs at hand within the block; the parameters' lock is not held.

        :raises ParameterError: if that cannot be; the set is refused with it.
        """
        return nullcontext()

    @abstractmethod
    def put_in_force(self, settings: Settings) -> None:
        """Put the live parameters in force; with the parameters' lock held."""

    def call_sets_off(self, why: str) -> None:
        """Have the sets that are prepared still refused, and wait for their end.

        Not with the parameters' lock held.

        :param why: for a person, as a clause.
        """
        self._late_sets.call_off(why)
        self._late_sets.wait_idle()

    def end_transitions(self, timeout_s: float | None = None) -> bool:
        """Call off transitions and sets that are under way, and wait for their end."""
        begin_s = time.monotonic()
        self._late_sets.close('the node is ending')
        if not super().end_transitions(timeout_s):
            return False
        if timeout_s is not None:
            timeout_s = max(0.0, timeout_s - (time.monotonic() - begin_s))
        return self._late_sets.wait_idle(timeout_s)

    # -- setting ------------------------------------------------------------------------------

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """Set parameters one by one, as :meth:`set_parameters_atomically` does."""
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set parameters, in their declared types, and put them in force at the next frame."""
        declared = self._declared
        if declared is None:
            return super().set_parameters_atomically(parameter_list)
        parameters = declared.coerce(parameter_list)
        if self.takes_long(parameters):
            with declared.lock:
                checked = declared.check(parameters)
            if not checked.successful:
                return checked
        try:
            self._raise_replaced(parameters)
            with self.prepared(parameters), declared.lock:
                self._raise_replaced(parameters)
                return self._set_now(declared, parameters)
        except ParameterError as error:
            return SetParametersResult(successful=False, reason=str(error))

    def _set_now(
        self, declared: DeclaredParameters, parameters: list[Parameter]
    ) -> SetParametersResult:
        result = super().set_parameters_atomically(parameters)
        if result.successful:
            declared.note_set(parameters)
            self.put_in_force(declared.snapshot())
            slow = self._slow(parameters)
            if slow is not None and not self._late_sets.is_here():
                self._late_sets.call_off(f'it was set to {slow.value} since')
        return result

    def _slow(self, parameters: Sequence[Parameter]) -> Parameter | None:
        return next((p for p in parameters if p.name in self.SLOW_PARAMETERS), None)

    def _raise_replaced(self, parameters: Sequence[Parameter]) -> None:
        """Refuse a set that was called off before it was in force."""
        slow, why = self._slow(parameters), self._late_sets.called_off()()
        if slow is not None and why:
            raise ParameterError(slow.name, f'not set to {slow.value}: {why}')

    # -- answering ----------------------------------------------------------------------------

    def _answer_late(self, theirs: Service) -> None:
        """Take the place of rclpy's service, whose callback goes on doing the work."""

        def work(request: Any, response: Any) -> Any:
            try:
                return theirs.callback(request, response)
            except RCLError:
                # A signal may shut the context down in the middle of a call into rcl.
                if self.context.ok():
                    raise
                return response

        def answer(request: Any, response: Any) -> Any:
            parameters = [Parameter.from_parameter_msg(p) for p in request.parameters]
            if not self.takes_long(parameters):
                return theirs.callback(request, response)
            return self._late_sets.submit(lambda: work(request, response))

        self._services[self._services.index(theirs)] = LateService(theirs, answer)
