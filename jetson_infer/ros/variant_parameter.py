# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The parameter `variant` of a configured node: from a set to the pipeline that takes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, TypeVar

from rclpy.parameter import Parameter

from jetson_infer.core.parameters import Settings
from jetson_infer.engines.models import Model
from jetson_infer.errors import InternalError, JetsonInferError, ParameterError
from jetson_infer.pipeline.runner import RunnerStopped
from jetson_infer.pipeline.variants import LoadedVariants
from jetson_infer.ros.inference_parameters import choose_variant
from jetson_infer.ros.work_queue import WorkQueue

__all__ = ['VariantParameter']

R = TypeVar('R')


class VariantParameter(Generic[R]):
    """Has the variant that a set names loaded before, and switched to once it is accepted.

    :param model: the model.
    :param variants: its loaded variants.
    :param late_sets: where sets that take long are done.
    :param logger: the node's logger.
    """

    def __init__(
        self,
        model: Model,
        variants: LoadedVariants[R],
        late_sets: WorkQueue,
        logger: Any,
    ) -> None:
        self._model = model
        self._late_sets = late_sets
        self._logger = logger
        self.variants = variants

    def takes_long(self, parameters: Sequence[Parameter]) -> bool:
        """Tell whether a set names a variant that has to be loaded."""
        name = self._named_in(parameters)
        return name is not None and name not in self.variants.loaded

    @contextmanager
    def prepared(self, parameters: Sequence[Parameter]) -> Iterator[None]:
        """Have the variant that a set names, if it names one, loaded within the block.

        :raises ParameterError: if it cannot be loaded.
        """
        with ExitStack() as stack:
            name = self._named_in(parameters)
            if name is not None:
                try:
                    stack.enter_context(self.variants.ready(name))
                except (JetsonInferError, InternalError) as error:
                    refusal = ParameterError('variant', self._why_not(name, error))
                    self._logger.error(str(refusal))
                    raise refusal from error
            yield

    def put_in_force(
        self, settings: Settings, prepare: Callable[[Any], None], taken: Callable[[Any], None]
    ) -> None:
        """Switch to the variant that the parameters name, where it is not in force.

        :param prepare: see :meth:`LoadedVariants.switch`.
        :param taken: likewise.
        """
        name = choose_variant(self._model, settings.text('variant')).name
        try:
            self.variants.switch(name, prepare, taken)
        except RunnerStopped:
            # The node is on its way out, for a reason that it tells; what was set holds for the
            # next time it is configured.
            self._logger.debug(f'{name} does not take over: no frame is processed any more')

    def _named_in(self, parameters: Sequence[Parameter]) -> str | None:
        """Return the variant that a set names; None if it names none, or none of this model's."""
        values = [parameter.value for parameter in parameters if parameter.name == 'variant']
        try:
            return choose_variant(self._model, str(values[-1])).name if values else None
        except ParameterError:
            return None  # refused with its reason when the parameters are checked

    def _why_not(self, name: str, error: Exception) -> str:
        why = self._late_sets.called_off()()
        if why:
            return f'not set to {name}: {why}'
        return f'{name} cannot be loaded, {self.variants.current} goes on: {error}'
