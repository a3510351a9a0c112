# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""ROS parameters from one declaration: descriptions, ranges, validation, and a snapshot."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from jetson_infer.core.parameters import ParameterSpec, ParameterValue, Settings
from jetson_infer.errors import ParameterError

__all__ = ['DeclaredParameters']


class DeclaredParameters:
    """The parameters of one node.

    Values given at start-up (launch files, parameter files, ``-p``) that cannot work do not end
    the node: the default stands in for them, and :meth:`raise_problems` names them, so that the
    node refuses to configure until they are set right.

    :param node: the node that owns them.
    :param specs: the declaration.
    :param locked: tells whether the node is configured, so that only live parameters may change.
    :param validate: checks a whole set of values against each other and against the model; raises
        ParameterError.
    """

    def __init__(
        self,
        node: Node,
        specs: Sequence[ParameterSpec],
        *,
        locked: Callable[[], bool],
        validate: Callable[[Settings], None],
    ) -> None:
        self._node = node
        self._specs = {spec.name: spec for spec in specs}
        self._locked = locked
        self._validate = validate
        self._problems: dict[str, str] = {}
        self.lock = threading.RLock()
        """Held while parameters are set; who holds it finds them and what hangs on them at rest."""
        self.given: set[str] = set()
        """Parameters that somebody has set, at start-up or since."""
        for spec in specs:
            self._declare(spec)
        node.add_on_set_parameters_callback(self._on_set)

    def snapshot(self) -> Settings:
        """Return every value in its declared type."""
        return Settings(
            {
                name: spec.check(_plain(self._node.get_parameter(name).value))
                for name, spec in self._specs.items()
            }
        )

    def raise_problems(self, advice: str = '') -> None:
        """Name the start-up values that could not be used.

        :param advice: what to do about it; ``{name}`` in it stands for the first of them.
        :raises ParameterError: if there are any that were not set right since.
        """
        if self._problems:
            first = next(iter(self._problems))
            told = '; '.join(f'{name}: {text}' for name, text in self._problems.items())
            raise ParameterError(first, told.partition(': ')[2] + advice.format(name=first))

    def coerce(self, parameters: Sequence[Parameter]) -> list[Parameter]:
        """Return the parameters in their declared types where that loses nothing."""
        return [self._coerced(parameter) for parameter in parameters]

    def check(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        """Tell whether a set of these, in their declared types, would be accepted."""
        return self._on_set(parameters)

    def note_set(self, parameters: Sequence[Parameter]) -> None:
        """Take note that somebody has set these successfully."""
        for parameter in parameters:
            self._problems.pop(parameter.name, None)
            self.given.add(parameter.name)

    def suggest(self, values: Mapping[str, ParameterValue]) -> None:
        """Set parameters that nobody has given, such as the thresholds a model's card suggests."""
        suggested = {name: value for name, value in values.items() if name not in self.given}
        self._node.set_parameters(
            [_parameter(name, self._specs[name].check(value)) for name, value in suggested.items()]
        )
        self.given.difference_update(suggested)

    def _declare(self, spec: ParameterSpec) -> None:
        # Declared loosely first, only to see what was given: a strict declaration would raise.
        probe = ParameterDescriptor(dynamic_typing=True)
        given = _plain(self._node.declare_parameter(spec.name, None, probe).value)
        self._node.undeclare_parameter(spec.name)
        value = spec.default
        if given is not None:
            self.given.add(spec.name)
            try:
                value = spec.check(given)
            except ParameterError as error:
                self._problems[spec.name] = str(error).partition(': ')[2]
        descriptor = _descriptor(spec)
        if isinstance(value, tuple):
            # An empty list has no type of its own in rclpy; one with a type is set afterwards.
            self._node.declare_parameter(
                spec.name, Parameter.Type.STRING_ARRAY, descriptor, ignore_override=True
            )
            self._node.set_parameters([_parameter(spec.name, value)])
        else:
            self._node.declare_parameter(spec.name, value, descriptor, ignore_override=True)

    def _coerced(self, parameter: Parameter) -> Parameter:
        spec = self._specs.get(parameter.name)
        if spec is None:
            return parameter
        try:
            return _parameter(spec.name, spec.check(_plain(parameter.value)))
        except ParameterError:
            return parameter  # refused with its reason in _on_set, or by rclpy's own type check

    def _on_set(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        try:
            current = self.snapshot()
            proposed: dict[str, ParameterValue] = {}
            for parameter in parameters:
                spec = self._specs.get(parameter.name)
                if spec is None:
                    continue
                value = spec.check(_plain(parameter.value))
                if not spec.live and self._locked() and value != current[spec.name]:
                    raise ParameterError(
                        spec.name,
                        'changes only while the node is unconfigured; deactivate and clean up '
                        'first',
                    )
                proposed[spec.name] = value
            self._validate(current.replaced(proposed))
        except ParameterError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)


def _plain(value: Any) -> Any:
    """Return a parameter's value without the array type that rclpy may wrap it in."""
    return list(value) if isinstance(value, array) else value


def _parameter(name: str, value: ParameterValue) -> Parameter:
    if isinstance(value, tuple):
        return Parameter(name, Parameter.Type.STRING_ARRAY, list(value))
    return Parameter(name, value=value)


def _descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(
        description=spec.description, additional_constraints=spec.constraints
    )
    if spec.minimum is not None and spec.maximum is not None:
        if isinstance(spec.default, float):
            descriptor.floating_point_range = [
                FloatingPointRange(from_value=spec.minimum, to_value=spec.maximum, step=0.0)
            ]
        else:
            descriptor.integer_range = [
                IntegerRange(from_value=int(spec.minimum), to_value=int(spec.maximum), step=1)
            ]
    return descriptor
