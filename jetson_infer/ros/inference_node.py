# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The base of the nodes that run a network on a stream of images."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, Generic, TypeVar

from rclpy.parameter import Parameter

from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.parameters import ParameterSpec, ParameterValue, Settings
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.errors import ParameterError
from jetson_infer.pipeline.frame import Frame
from jetson_infer.pipeline.opening import OpenHooks
from jetson_infer.pipeline.pipelines import OverlappingPipeline, Pipeline
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks
from jetson_infer.pipeline.variants import LoadedVariants
from jetson_infer.ros.health import Health, Running
from jetson_infer.ros.image_input import ImageInput
from jetson_infer.ros.inference_parameters import (
    COMMON_PARAMETERS,
    check_against_model,
    check_common,
    choose_variant,
    runner_settings,
)
from jetson_infer.ros.live_parameters import LiveParametersNode
from jetson_infer.ros.logging_bridge import RosLogHandler
from jetson_infer.ros.problems import ProblemLog
from jetson_infer.ros.variant_parameter import VariantParameter

__all__ = ['InferenceNode']

DRAIN_TIMEOUT_S = 10.0

R = TypeVar('R')


class InferenceNode(LiveParametersNode, Generic[R]):
    """Model, runner, input subscription, parameters and diagnostics of one network.

    Configure loads, verifies and warms up; activate subscribes; deactivate unsubscribes and
    finishes the frame in hand; cleanup releases the network.  Transitions run beside the executor,
    where parameters are set meanwhile: what both touch is touched with the parameters' lock held.

    :param node_name: the node's default name.
    :param task: the task that the model's card must name.
    :param parameters: the task's own parameters, after the common ones.
    """

    SLOW_PARAMETERS = frozenset({'variant'})

    def __init__(
        self, node_name: str, task: str, parameters: Sequence[ParameterSpec], **kwargs: Any
    ) -> None:
        self._task = task
        self._model: Model | None = None
        self._runner: FrameRunner[R] | None = None
        self._variant: VariantParameter[R] | None = None
        self._input: ImageInput | None = None
        self.account = FrameAccount()
        """What became of every frame since the node was made."""
        self._engine = self._engine_why = self._unvalidated = ''
        super().__init__(node_name, (*COMMON_PARAMETERS, *parameters), **kwargs)
        logger = self.get_logger()
        self._log_handler = RosLogHandler(logger)
        logging.getLogger('jetson_infer').addHandler(self._log_handler)
        self._problems = ProblemLog(lambda text: logger.warning(text))
        self._health = Health(self, self.account, self._problems, self._running)

    # -- for subclasses -----------------------------------------------------------------------

    @abstractmethod
    def open_pipeline(
        self, model: Model, settings: Settings, hooks: OpenHooks
    ) -> Pipeline[R] | OverlappingPipeline[R]:
        """Load the variant that the settings name.

        On the runner's loader thread, beside the frames.

        :param hooks: told how far it is, and asked whether to stop; it may take minutes.
        """

    @abstractmethod
    def take_pipeline(self, pipeline: Pipeline[R] | OverlappingPipeline[R]) -> None:
        """Take note of the pipeline that processes the frames from now on."""

    @abstractmethod
    def prepare_pipeline(self, pipeline: Pipeline[R] | OverlappingPipeline[R]) -> None:
        """Give a pipeline the live settings of the one before, just before it takes over."""

    @abstractmethod
    def open_outputs(self, model: Model, resources: ExitStack) -> None:
        """Create the publishers, each released by the stack."""

    @abstractmethod
    def deliver(self, frame: Frame, result: R, clock: StageClock) -> None:
        """Publish a frame's result and mark the stage ``publish``; on the worker's thread."""

    def card_defaults(self, model: Model) -> Mapping[str, ParameterValue]:
        """Return the parameters that the model's card has a value for."""
        return {}

    def task_values(self) -> Mapping[str, str]:
        """Return what the task adds to the diagnostics."""
        return {}

    def check_settings(self, settings: Settings, model: Model) -> None:
        """Check the task's own parameters against the model.

        :raises ParameterError: if they cannot work.
        """

    def apply_settings(self, settings: Settings) -> None:
        """Put the task's live parameters in force; called after every change of them."""

    # -- lifecycle ----------------------------------------------------------------------------

    def exits_on_fault(self) -> bool:
        """See :meth:`SafeLifecycleNode.exits_on_fault`: as the parameter says."""
        assert self._declared is not None
        return self._declared.snapshot().flag('exit_on_fault')

    def configure(self, resources: ExitStack) -> None:
        """Load the model, verify it against the parameters, and warm it up."""
        assert self._declared is not None
        resources.callback(self._forget_model)
        with self._declared.lock:
            self._locked = True
            self._declared.raise_problems(
                '. Set it right, for example with: ros2 param set '
                f'{self.get_fully_qualified_name()} {{name}} VALUE, then configure again'
            )
            wanted = self._declared.snapshot().text('model')
        self.report_progress(f'reading the model {wanted}')
        model, settings = self._take_model(load_model(find_model(wanted)))
        self.open_outputs(model, resources)
        runner, variants, pipeline = self._open_first(model, settings, resources)
        variants.preload([variant.name for variant in model.card.variants])
        self._begin(model, runner, variants, pipeline)
        why = f' ({self._engine_why})' if self._engine_why else ''
        self.get_logger().info(
            f'configured: {model.card.name}, variant {variants.current}, on {self._engine}{why}'
        )

    def activate(self) -> None:
        """Subscribe to the input."""
        assert self._declared is not None
        assert self._runner is not None
        settings = self._declared.snapshot()
        self._input = ImageInput(self, settings, self._runner.receive, self.fail)

    def deactivate(self) -> None:
        """Unsubscribe, then let the worker finish the frames it has."""
        self._unsubscribe()
        if self._runner is not None and not self._runner.drain(DRAIN_TIMEOUT_S):
            self.get_logger().error(
                f'the frame in work did not end within {DRAIN_TIMEOUT_S:g} s of deactivating'
            )

    def close(self) -> None:
        """Release everything before the node is destroyed."""
        super().close()
        logging.getLogger('jetson_infer').removeHandler(self._log_handler)

    def _take_model(self, model: Model) -> tuple[Model, Settings]:
        """Check a model against the parameters; from now on they are checked against it."""
        assert self._declared is not None
        if model.card.task != self._task:
            raise ParameterError(
                'model',
                f"'{model.card.name}' is a {model.card.task} model; this node needs one whose "
                f'task is {self._task}',
            )
        with self._declared.lock:
            self._declared.suggest(self.card_defaults(model))
            settings = self._declared.snapshot()
            check_common(settings)
            check_against_model(settings, model)
            self.check_settings(settings, model)
            self._model = model
        return model, settings

    def _open_first(
        self, model: Model, settings: Settings, resources: ExitStack
    ) -> tuple[FrameRunner[R], LoadedVariants[R], Pipeline[R] | OverlappingPipeline[R]]:
        """Open the chosen variant, and what runs it and others."""
        hooks = OpenHooks(self.report_progress, self.is_cancelled)
        opened: list[Pipeline[R] | OverlappingPipeline[R]] = []

        def open_first() -> Pipeline[R] | OverlappingPipeline[R]:
            opened.append(self.open_pipeline(model, settings, hooks))
            return opened[0]

        runner: FrameRunner[R] = FrameRunner(
            open_first,
            self.account,
            RunnerHooks(self.deliver, self._age_ms, self._problems.report, self.fail),
            runner_settings(settings),
        )
        resources.callback(runner.stop)
        resources.callback(self.call_sets_off, 'the node was cleaned up since')
        resources.callback(self._unsubscribe)
        variants = LoadedVariants(
            runner,
            lambda name: self._opener(model, name),
            choose_variant(model, settings.text('variant')).name,
            opened[0],
            settings.integer('keep_loaded'),
        )
        return runner, variants, opened[0]

    def _opener(
        self, model: Model, name: str
    ) -> Callable[[], Pipeline[R] | OverlappingPipeline[R]]:
        """Return what loads another variant for the caller's set; nothing is built for it."""
        assert self._declared is not None
        settings = self._declared.snapshot().replaced({'variant': name, 'engine_build': 'never'})
        called_off = self._late_sets.called_off()
        hooks = OpenHooks(self.report_progress, lambda: self.is_cancelled() or bool(called_off()))
        return lambda: self.open_pipeline(model, settings, hooks)

    def _begin(
        self,
        model: Model,
        runner: FrameRunner[R],
        variants: LoadedVariants[R],
        pipeline: Pipeline[R] | OverlappingPipeline[R],
    ) -> None:
        """Put in force what holds now: while the model was opened, live parameters were set."""
        assert self._declared is not None
        begun = False
        while not begun:
            name = choose_variant(model, self._declared.snapshot().text('variant')).name
            with variants.ready(name), self._declared.lock:
                settings = self._declared.snapshot()
                begun = choose_variant(model, settings.text('variant')).name == name
                if begun:
                    self._runner = runner
                    self._variant = VariantParameter(
                        model, variants, self._late_sets, self.get_logger()
                    )
                    self.take_pipeline(pipeline)
                    self.put_in_force(settings)

    def _forget_model(self) -> None:
        assert self._declared is not None
        with self._declared.lock:
            self._runner = None
            self._variant = None
            self._model = None
            self._engine = self._engine_why = self._unvalidated = ''
            self._locked = False

    def _unsubscribe(self) -> None:
        if self._input is not None:
            self._input.close()
            self._input = None

    def _age_ms(self, frame: Frame) -> float:
        return (self.get_clock().now().nanoseconds - frame.stamp_ns) * 1e-6

    # -- parameters ---------------------------------------------------------------------------

    def validate_settings(self, settings: Settings) -> None:
        """Check the parameters against each other, and against the model once there is one."""
        check_common(settings)
        if self._model is not None:
            check_against_model(settings, self._model)
            self.check_settings(settings, self._model)

    def takes_long(self, parameters: Sequence[Parameter]) -> bool:
        """Tell whether a variant has to be loaded."""
        variant = self._variant
        return variant is not None and variant.takes_long(parameters)

    def prepared(self, parameters: Sequence[Parameter]) -> AbstractContextManager[None]:
        """Have the variant among the parameters loaded within the block."""
        variant = self._variant
        return nullcontext() if variant is None else variant.prepared(parameters)

    def put_in_force(self, settings: Settings) -> None:
        """Have the next frame processed with these parameters, by the variant that they name."""
        if self._runner is not None and self._variant is not None:
            self._runner.settings = runner_settings(settings)
            self.apply_settings(settings)
            self._variant.put_in_force(settings, self.prepare_pipeline, self.take_pipeline)

    # -- diagnostics --------------------------------------------------------------------------

    def _running(self) -> Running | None:
        """Return what runs, for the diagnostics; on the executor's thread."""
        assert self._declared is not None
        with self._declared.lock:
            runner, model, variant = self._runner, self._model, self._variant
            if runner is None or model is None or variant is None:
                return None
            variants = variant.variants
            values = {
                'model': model.card.name,
                'variant': variants.current,
                'loaded': ', '.join(variants.loaded),
                'loading': variants.opening,
                'engine': self._engine,
                'engine_why': self._engine_why,
                'unvalidated': self._unvalidated,
                **self.task_values(),
            }
            warning = self._unvalidated
        subscription = self._input
        return Running(runner, subscription.watch if subscription else None, values, warning)
