# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The detector: camera images in, vision_msgs/Detection2DArray out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, LabelInfo

from jetson_infer.core.detections import DetectionLimits, Detections
from jetson_infer.core.parameters import ParameterSpec, ParameterValue, Settings
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import Model
from jetson_infer.errors import ParameterError
from jetson_infer.pipeline.annotate import annotate
from jetson_infer.pipeline.convert import Converter
from jetson_infer.pipeline.detection import DetectionPipeline
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.frame import Frame
from jetson_infer.pipeline.open_detection import open_detection
from jetson_infer.pipeline.opening import OpenHooks
from jetson_infer.ros import conversions, qos
from jetson_infer.ros.inference_node import InferenceNode
from jetson_infer.ros.inference_parameters import choose_variant, gate_of, largest_image
from jetson_infer.ros.run import run

__all__ = ['DetectorNode', 'main']

_FROM_CARD = "Until it is set, the model's card decides."

_MOST_SPARE = 1000  # messages of one detection kept for the next frame; about 2 MB

DETECTOR_PARAMETERS = (
    ParameterSpec(
        'score_threshold',
        0.25,
        f'Objects that score less are not published. {_FROM_CARD}',
        minimum=0.0,
        maximum=1.0,
        live=True,
    ),
    ParameterSpec(
        'iou_threshold',
        0.45,
        'Of two boxes of one class that overlap more than this (intersection over union) the '
        f'better one stays. {_FROM_CARD}',
        minimum=0.0,
        maximum=1.0,
        live=True,
    ),
    ParameterSpec(
        'max_detections',
        300,
        f'At most so many objects a frame, the best ones. {_FROM_CARD}',
        minimum=1,
        maximum=100000,
        live=True,
    ),
    ParameterSpec(
        'classes',
        (),
        'The labels to publish; empty for all of them.',
        live=True,
    ),
)


class DetectorNode(InferenceNode[Detections]):
    """Finds objects in images and publishes their boxes in the image's pixels."""

    def __init__(self, **kwargs: Any) -> None:
        self._labels: tuple[str, ...] = ()
        self._pipeline: DetectionPipeline | DeviceDetectionPipeline | None = None
        self._debug_images = 0
        self._spare: list[Detection2D] = []
        super().__init__('detector', 'detection', DETECTOR_PARAMETERS, **kwargs)

    def open_outputs(self, model: Model, resources: ExitStack) -> None:
        """Create the publishers of detections, labels and the debug image."""

        def publisher(message_type: type, topic: str, profile: Any) -> Any:
            made = self.create_lifecycle_publisher(message_type, topic, profile)
            resources.callback(self.destroy_lifecycle_publisher, made)
            return made

        self._detections = publisher(Detection2DArray, '~/output/detections', qos.OUTPUT)
        self._label_info = publisher(LabelInfo, '~/output/labels', qos.LATCHED)
        self._debug_image = publisher(Image, '~/output/debug_image', qos.OUTPUT)
        self._labels = model.card.labels

    def open_pipeline(
        self, model: Model, settings: Settings, hooks: OpenHooks
    ) -> DetectionPipeline | DeviceDetectionPipeline:
        """Load the chosen variant."""
        variant = choose_variant(model, settings.text('variant'))
        return open_detection(
            model,
            variant,
            engine=settings.text('engine'),
            threads=settings.integer('engine_threads'),
            build=settings.text('engine_build'),
            largest_image=largest_image(settings),
            hooks=hooks,
            gate=gate_of(settings),
        )

    def take_pipeline(self, pipeline: Any) -> None:
        """Tell of this pipeline from now on."""
        self._engine, self._engine_why = pipeline.engine, pipeline.why
        self._unvalidated = pipeline.unvalidated
        if self._unvalidated:
            self.get_logger().warning(self._unvalidated)
        self._converter = Converter()
        self._pipeline = pipeline

    def prepare_pipeline(self, pipeline: Any) -> None:
        """Give a pipeline the limits in force."""
        assert self._pipeline is not None
        pipeline.limits = self._pipeline.limits

    def activate(self) -> None:
        """Publish the labels and subscribe."""
        assert self._declared is not None
        with self._declared.lock:  # else a threshold set meanwhile could be told of before this one
            self._publish_labels()
        super().activate()

    def card_defaults(self, model: Model) -> Mapping[str, ParameterValue]:
        """Return the card's thresholds."""
        limits = model.card.output.defaults
        return {
            'score_threshold': limits.score_threshold,
            'iou_threshold': limits.iou_threshold,
            'max_detections': limits.max_detections,
        }

    def task_values(self) -> Mapping[str, str]:
        """Return how many debug images were drawn, and what the decoder could not use."""
        values = {'debug_images': str(self._debug_images)}
        if self._pipeline is not None:
            for reason, count in self._pipeline.dropped.items():
                values[f'candidates/{reason}'] = str(count)
        return values

    def check_settings(self, settings: Settings, model: Model) -> None:
        """Check that the wanted classes exist."""
        _class_ids(settings, model.card.labels)

    def apply_settings(self, settings: Settings) -> None:
        """Put thresholds and classes in force from the next frame on."""
        assert self._pipeline is not None
        limits = DetectionLimits(
            score_threshold=settings.number('score_threshold'),
            iou_threshold=settings.number('iou_threshold'),
            max_detections=settings.integer('max_detections'),
            class_ids=_class_ids(settings, self._labels),
        )
        changed = limits.score_threshold != self._pipeline.limits.score_threshold
        self._pipeline.limits = limits
        if changed:
            self._publish_labels()  # which nobody hears of before the node is activated

    def deliver(self, frame: Frame, result: Detections, clock: StageClock) -> None:
        """Publish the detections, and the debug image while someone looks; on the worker."""
        self._detections.publish(
            conversions.detections_message(frame.context, result, self._labels, self._spare)
        )
        del self._spare[_MOST_SPARE:]
        clock.mark('publish')
        if self._debug_image.get_subscription_count() > 0:
            self._publish_debug_image(frame, result, clock)

    def _publish_debug_image(self, frame: Frame, result: Detections, clock: StageClock) -> None:
        picture = self._converter.to_bgr(frame.image).copy()
        times = clock.milliseconds
        stages = '  '.join(f'{stage} {times[stage]:.1f}' for stage in times)
        annotate(
            picture,
            result,
            self._labels,
            (f'{len(result)} objects  {self._engine}', f'ms: {stages}'),
        )
        self._debug_images += 1
        self._debug_image.publish(conversions.bgr_image_message(frame.context, picture))

    def _publish_labels(self) -> None:
        assert self._pipeline is not None
        header = Header(stamp=self.get_clock().now().to_msg())
        self._label_info.publish(
            conversions.labels_message(header, self._labels, self._pipeline.limits.score_threshold)
        )


def _class_ids(settings: Settings, labels: Sequence[str]) -> frozenset[int] | None:
    """Return the indices of the wanted classes, or None for all.

    :raises ParameterError: if a label is not one of the model's.
    """
    wanted = settings.texts('classes')
    unknown = [label for label in wanted if label not in labels]
    if unknown:
        raise ParameterError(
            'classes', f'the model has no {", ".join(unknown)}; it has: {", ".join(labels)}'
        )
    return frozenset(labels.index(label) for label in wanted) or None


def main(args: Sequence[str] | None = None) -> int:
    """Run the node; return the exit code."""
    return run(DetectorNode, args)


if __name__ == '__main__':
    sys.exit(main())
