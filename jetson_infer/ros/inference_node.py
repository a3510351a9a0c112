# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The base of the nodes that run a network on a stream of images."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image

from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.parameters import ParameterSpec, ParameterValue, Settings
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.engines.select import may_use_device
from jetson_infer.errors import InternalError, JetsonInferError, ParameterError
from jetson_infer.pipeline.frame import Frame
from jetson_infer.pipeline.opening import OpenHooks
from jetson_infer.pipeline.pipelines import OverlappingPipeline, Pipeline
from jetson_infer.pipeline.runner import FrameRunner, RunnerHooks
from jetson_infer.pipeline.variants import LoadedVariants
from jetson_infer.ros import conversions
from jetson_infer.ros.arrivals import ArrivalWatch
from jetson_infer.ros.health import Health, Running
from jetson_infer.ros.inference_parameters import (
    COMMON_PARAMETERS,
    check_common,
    choose_variant,
    runner_settings,
)
from jetson_infer.ros.lifecycle import SafeLifecycleNode
from jetson_infer.ros.logging_bridge import RosLogHandler
from jetson_infer.ros.message_thread import MessageThread
from jetson_infer.ros.parameters import DeclaredParameters
from jetson_infer.ros.problems import ProblemLog
from jetson_infer.ros.qos import input_profile

__all__ = ['InferenceNode']

DRAIN_TIMEOUT_S = 10.0

R = TypeVar('R')


class InferenceNode(SafeLifecycleNode, Generic[R]):
    """Model, runner, input subscription, parameters and diagnostics of one network.

    Configure loads, verifies and warms up; activate subscribes; deactivate unsubscribes and
    finishes the frame in hand; cleanup releases the network.  Transitions run beside the executor,
    where parameters are set meanwhile: what both touch is touched with the parameters' lock held.

    :param node_name: the node's default name.
    :param task: the task that the model's card must name.
    :param parameters: the task's own parameters, after the common ones.
    """

    def __init__(
        self, node_name: str, task: str, parameters: Sequence[ParameterSpec], **kwargs: Any
    ) -> None:
        self._task = task
        self._model: Model | None = None
        self._runner: FrameRunner[R] | None = None
        self._variants: LoadedVariants[R] | None = None
        self._messages: MessageThread | None = None
        self._watch: ArrivalWatch | None = None
        self._locked = False
        self._declared: DeclaredParameters | None = None
        self.account = FrameAccount()
        """What became of every frame since the node was made."""
        self._engine = self._engine_why = self._unvalidated = ''
        super().__init__(node_name, **kwargs)
        logger = self.get_logger()
        self._log_handler = RosLogHandler(logger)
        logging.getLogger('jetson_infer').addHandler(self._log_handler)
        self._problems = ProblemLog(lambda text: logger.warning(text))
        self._declared = DeclaredParameters(
            self,
            (*COMMON_PARAMETERS, *parameters),
            locked=lambda: self._locked,
            validate=self._validate,
        )
        self._health = Health(self, self.account, self._problems, self._running)

    # -- for subclasses -----------------------------------------------------------------------

    @abstractmethod
    def open_pipeline(
        self, model: Model, settings: Settings, hooks: OpenHooks
    ) -> Pipeline[R] | OverlappingPipeline[R]:
        """Load the variant that the settings name.

        On the worker's thread; where no device is involved, and frames come, on another one.

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
        resources.callback(self._unsubscribe)
        variant = choose_variant(model, settings.text('variant'))
        self._variants = self._load_others(runner, model, variant.name, opened[0], settings)
        with self._declared.lock:
            self._runner = runner
            self.take_pipeline(opened[0])
            # Live parameters, the variant among them, may have changed while it was opened.
            self._put_in_force(runner)
            set_since = choose_variant(model, self._declared.snapshot().text('variant'))
            self._variants.switch(set_since.name, self.prepare_pipeline, self.take_pipeline)
        why = f' ({self._engine_why})' if self._engine_why else ''
        self.get_logger().info(
            f'configured: {model.card.name}, variant {variant.name}, on {self._engine}{why}'
        )

    def _load_others(
        self,
        runner: FrameRunner[R],
        model: Model,
        name: str,
        pipeline: Pipeline[R] | OverlappingPipeline[R],
        settings: Settings,
    ) -> LoadedVariants[R]:
        """Load what is to be kept ready beside the variant that begins."""
        variants = LoadedVariants(
            runner,
            lambda other: self._open_variant(runner, model, other),
            name,
            pipeline,
            settings.integer('keep_loaded'),
        )
        variants.preload([variant.name for variant in model.card.variants])
        return variants

    def _open_variant(
        self, runner: FrameRunner[R], model: Model, name: str
    ) -> Pipeline[R] | OverlappingPipeline[R]:
        """Load another variant while the one in force goes on; nothing is built for it."""
        assert self._declared is not None
        settings = self._declared.snapshot().replaced({'variant': name, 'engine_build': 'never'})
        hooks = OpenHooks(self.report_progress, self.is_cancelled)

        def work() -> Pipeline[R] | OverlappingPipeline[R]:
            return self.open_pipeline(model, settings, hooks)

        return runner.between_frames(work) if may_use_device(settings.text('engine')) else work()

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
            self._check_against_model(settings, model)
            self._model = model
        return model, settings

    def activate(self) -> None:
        """Subscribe to the input."""
        assert self._declared is not None
        settings = self._declared.snapshot()
        topic, message_type = self._input(settings)
        profile = input_profile(settings.text('input_qos'))
        self._watch = ArrivalWatch(self, topic, message_type, profile, self._problems.report)
        self._messages = MessageThread(
            self,
            message_type,
            topic,
            self._on_image if message_type is Image else self._on_compressed,
            profile,
            self._watch.event_callbacks(),
        )

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

    def _forget_model(self) -> None:
        assert self._declared is not None
        with self._declared.lock:
            self._runner = None
            self._variants = None
            self._model = None
            self._engine = self._engine_why = self._unvalidated = ''
            self._locked = False

    def _unsubscribe(self) -> None:
        if self._messages is not None:
            self._messages.close()
            self._messages = None
            self._watch = None

    def _input(self, settings: Settings) -> tuple[str, type]:
        """Return the input's topic, remapped, and its type.

        Compressed images are found beside the raw topic, as image_transport has it; the *raw*
        topic is the one to remap, whichever transport is used.
        """
        base = self.resolve_topic_name('~/input/image')
        if settings.text('image_transport') == 'raw':
            return base, Image
        return base if base.endswith('/compressed') else f'{base}/compressed', CompressedImage

    # -- frames -------------------------------------------------------------------------------

    def _on_image(self, message: Image) -> None:
        self._receive(message, lambda: conversions.view_image_message(message))

    def _on_compressed(self, message: CompressedImage) -> None:
        self._receive(message, lambda: conversions.view_compressed_message(message))

    def _receive(self, message: Any, wrap: Callable[[], ImageView | CompressedView]) -> None:
        assert self._runner is not None
        assert self._watch is not None
        stamp_ns = conversions.stamp_ns(message.header)
        self._watch.hear(stamp_ns)
        self._runner.receive(wrap, stamp_ns, message.header)

    def _age_ms(self, frame: Frame) -> float:
        return (self.get_clock().now().nanoseconds - frame.stamp_ns) * 1e-6

    # -- parameters ---------------------------------------------------------------------------

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set parameters, in their declared types, and put them in force at the next frame."""
        if self._declared is None:
            return super().set_parameters_atomically(parameter_list)
        with self._declared.lock:
            parameters = self._declared.coerce(parameter_list)
            result = self._switch_variant(parameters)
            if result.successful:
                result = super().set_parameters_atomically(parameters)
            if result.successful:
                self._declared.note_set(parameters)
                if self._runner is not None:
                    self._put_in_force(self._runner)
        return result

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """Set parameters one by one, as :meth:`set_parameters_atomically` does."""
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def _switch_variant(self, parameters: list[Parameter]) -> SetParametersResult:
        """Switch to the variant among the parameters, if there is one and all of them can work."""
        wanted = [p.value for p in parameters if p.name == 'variant']
        accepted = SetParametersResult(successful=True)
        if not wanted or self._variants is None or self._model is None or self._declared is None:
            return accepted
        checked = self._declared.check(parameters)
        if not checked.successful:
            return checked
        name = choose_variant(self._model, str(wanted[-1])).name
        try:
            self._variants.switch(name, self.prepare_pipeline, self.take_pipeline)
        except (JetsonInferError, InternalError) as error:
            reason = f'variant: {name} cannot be loaded, {self._variants.current} goes on: {error}'
            self.get_logger().error(reason)
            return SetParametersResult(successful=False, reason=reason)
        return accepted

    def _put_in_force(self, runner: FrameRunner[R]) -> None:
        assert self._declared is not None
        settings = self._declared.snapshot()
        runner.settings = runner_settings(settings)
        self.apply_settings(settings)

    def _validate(self, settings: Settings) -> None:
        check_common(settings)
        if self._model is not None:
            self._check_against_model(settings, self._model)

    def _check_against_model(self, settings: Settings, model: Model) -> None:
        variant = choose_variant(model, settings.text('variant'))
        if settings.text('floor_variant'):
            floor = choose_variant(model, settings.text('floor_variant'), 'floor_variant')
            order = model.card.variants
            if order.index(variant) > order.index(floor):
                raise ParameterError(
                    'variant', f"'{variant.name}' is below floor_variant, '{floor.name}'"
                )
        self.check_settings(settings, model)

    # -- diagnostics --------------------------------------------------------------------------

    def _running(self) -> Running | None:
        """Return what runs, for the diagnostics; on the executor's thread."""
        assert self._declared is not None
        with self._declared.lock:
            runner, model = self._runner, self._model
            if runner is None or model is None:
                return None
            variants = self._variants
            values = {
                'model': model.card.name,
                'variant': variants.current if variants is not None else '',
                'loaded': ', '.join(variants.loaded) if variants is not None else '',
                'engine': self._engine,
                'engine_why': self._engine_why,
                'unvalidated': self._unvalidated,
                **self.task_values(),
            }
            warning = self._unvalidated
        return Running(runner, self._watch, values, warning)
