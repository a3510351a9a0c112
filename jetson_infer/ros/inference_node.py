# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The base of the nodes that run a network on a stream of images."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Generic, TypeVar

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.parameter import Parameter
from sensor_msgs.msg import CompressedImage, Image

from jetson_infer.core.accounting import FrameAccount, FrameCounts
from jetson_infer.core.arrivals import Finding
from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.parameters import ParameterSpec, ParameterValue, Settings
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.errors import ParameterError
from jetson_infer.pipeline.frame import Frame
from jetson_infer.pipeline.runner import FrameRunner, Pipeline, RunnerHooks, RunnerSettings
from jetson_infer.ros import conversions, diagnostics
from jetson_infer.ros.arrivals import ArrivalWatch
from jetson_infer.ros.inference_parameters import COMMON_PARAMETERS, choose_variant
from jetson_infer.ros.lifecycle import SafeLifecycleNode
from jetson_infer.ros.logging_bridge import RosLogHandler
from jetson_infer.ros.message_thread import MessageThread
from jetson_infer.ros.parameters import DeclaredParameters
from jetson_infer.ros.problems import ProblemLog
from jetson_infer.ros.qos import input_profile

__all__ = ['InferenceNode']

DIAGNOSTICS_PERIOD_S = 1.0
DRAIN_TIMEOUT_S = 10.0

OWN_LOG_LINES = ('rejected', 'failed')
"""Causes that the log has heard of already, frame by frame."""

R = TypeVar('R')


class InferenceNode(SafeLifecycleNode, Generic[R]):
    """Model, runner, input subscription, parameters and diagnostics of one network.

    Configure loads, verifies and warms up; activate subscribes; deactivate unsubscribes and
    finishes the frame in hand; cleanup releases the network.

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
        self._messages: MessageThread | None = None
        self._watch: ArrivalWatch | None = None
        self._told_cause = ''
        self._declared: DeclaredParameters | None = None
        self.account = FrameAccount()
        """What became of every frame since the node was made."""
        self._engine = ''
        super().__init__(node_name, **kwargs)
        logger = self.get_logger()
        self._log_handler = RosLogHandler(logger)
        logging.getLogger('jetson_infer').addHandler(self._log_handler)
        self._problems = ProblemLog(lambda text: logger.warning(text))
        self._declared = DeclaredParameters(
            self,
            (*COMMON_PARAMETERS, *parameters),
            locked=lambda: self._runner is not None,
            validate=self._validate,
        )
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        # On the steady clock: a simulation that stands still must still be told of.
        self.create_timer(
            DIAGNOSTICS_PERIOD_S,
            self._publish_diagnostics,
            clock=Clock(clock_type=ClockType.STEADY_TIME),
        )

    # -- for subclasses -----------------------------------------------------------------------

    @abstractmethod
    def open_pipeline(self, model: Model, settings: Settings) -> Pipeline[R]:
        """Load the network; on the worker's thread."""

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
        self._declared.raise_problems(
            '. Set it right, for example with: ros2 param set '
            f'{self.get_fully_qualified_name()} {{name}} VALUE, then configure again'
        )
        model = load_model(find_model(self._declared.snapshot().text('model')))
        if model.card.task != self._task:
            raise ParameterError(
                'model',
                f"'{model.card.name}' is a {model.card.task} model; this node needs one whose "
                f'task is {self._task}',
            )
        resources.callback(self._forget_model)
        self._declared.suggest(self.card_defaults(model))
        settings = self._declared.snapshot()
        _check_floor_rate(settings)
        self._check_against_model(settings, model)
        self._model = model
        self.open_outputs(model, resources)
        self._runner = FrameRunner(
            lambda: self.open_pipeline(model, settings),
            self.account,
            RunnerHooks(self.deliver, self._age_ms, self._problems.report, self.fail),
            _runner_settings(settings),
        )
        resources.callback(self._runner.stop)
        self.apply_settings(settings)
        variant = choose_variant(model, settings.text('variant'))
        self.get_logger().info(
            f'configured: {model.card.name}, variant {variant.name}, on {self._engine}'
        )

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
        self._unsubscribe()
        super().close()
        logging.getLogger('jetson_infer').removeHandler(self._log_handler)

    def _forget_model(self) -> None:
        self._unsubscribe()
        self._runner = None
        self._model = None
        self._engine = ''

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
        parameters = self._declared.coerce(parameter_list)
        result = super().set_parameters_atomically(parameters)
        if result.successful:
            self._declared.note_set(parameters)
            if self._runner is not None:
                settings = self._declared.snapshot()
                self._runner.settings = _runner_settings(settings)
                self.apply_settings(settings)
        return result

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """Set parameters one by one, as :meth:`set_parameters_atomically` does."""
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def _validate(self, settings: Settings) -> None:
        _check_floor_rate(settings)
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

    def _publish_diagnostics(self) -> None:
        counts = self.account.counts()
        finding = self._look(counts)
        level, message = self._health(finding)
        values = {'state': self.state, 'cause': finding.cause if finding else ''}
        values.update(diagnostics.frame_values(counts))
        runner, model = self._runner, self._model
        if runner is not None and model is not None:
            values.update(self._running_values(runner, model))
        name = f'{self.get_fully_qualified_name()}: pipeline'
        stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(
            diagnostics.diagnostics_message(stamp, name, level, message, values)
        )

    def _running_values(self, runner: FrameRunner[R], model: Model) -> dict[str, str]:
        assert self._declared is not None
        now = Clock(clock_type=ClockType.STEADY_TIME).now().nanoseconds
        variant = choose_variant(model, self._declared.snapshot().text('variant'))
        return {
            'model': model.card.name,
            'variant': variant.name,
            'engine': self._engine,
            'rate_in_hz': f'{runner.rate_in.rate_hz(now):.2f}',
            'rate_out_hz': f'{runner.rate_out.rate_hz(now):.2f}',
            **diagnostics.latency_values(runner.statistics.percentiles()),
            **self.task_values(),
        }

    def _look(self, counts: FrameCounts) -> Finding | None:
        """Return why nothing, or little, comes; tell a cause in the log when it begins."""
        finding = None
        if self.state == 'active' and self._watch is not None and self._runner is not None:
            limit_ms = self._runner.settings.stale_after_ms
            finding = self._watch.look(counts.as_dict(), self._problems.present(), limit_ms)
        cause = finding.cause if finding else ''
        if finding is not None and cause != self._told_cause and cause not in OWN_LOG_LINES:
            self.get_logger().warning(finding.message)
        self._told_cause = cause
        return finding

    def _health(self, finding: Finding | None) -> tuple[bytes, str]:
        """Return the level and the one line that says how the node fares, and why."""
        if self.last_error:
            return diagnostics.ERROR, self.last_error
        if self.state != 'active' or self._runner is None:
            return diagnostics.OK, self._idle_message()
        if finding is not None:
            level = diagnostics.ERROR if finding.cause == 'failed' else diagnostics.WARN
            return level, finding.message
        now = Clock(clock_type=ClockType.STEADY_TIME).now().nanoseconds
        return diagnostics.OK, f'{self._runner.rate_out.rate_hz(now):.1f} frames/s'

    def _idle_message(self) -> str:
        next_step = {'unconfigured': 'configure', 'inactive': 'activate'}.get(self.state)
        if next_step is None:
            return f'{self.state}: no images are processed in this state'
        return (
            f'{self.state}: no images are processed in this state; next: ros2 lifecycle set '
            f'{self.get_fully_qualified_name()} {next_step}'
        )


def _runner_settings(settings: Settings) -> RunnerSettings:
    return RunnerSettings(settings.number('max_rate_hz'), settings.number('stale_after_ms'))


def _check_floor_rate(settings: Settings) -> None:
    limit, floor = settings.number('max_rate_hz'), settings.number('floor_rate_hz')
    if 0.0 < limit < floor:
        raise ParameterError('max_rate_hz', f'{limit:g} Hz is below floor_rate_hz, {floor:g} Hz')
