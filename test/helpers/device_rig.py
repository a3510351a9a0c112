# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A model on the host twin and on the host, side by side."""

from contextlib import ExitStack

from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import load_model
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.open_detection import open_detection
from twin_engine import TwinSession

ALL = DetectionLimits(0.0, 0.5, 10)


class Rig:
    """A device pipeline over a model, and the same model on the host beside it."""

    def __init__(self, stack, folder, device, memory=None):
        model = load_model(folder)
        self.device = device
        self.session = TwinSession(model.files[model.variant().name], device)
        owned = ExitStack()
        owned.callback(self.session.close)
        self.pipeline = DeviceDetectionPipeline(
            model, model.variant(), self.session, device, memory, owned
        )
        stack.callback(self.pipeline.close)
        self.host = open_detection(model, model.variant(), engine='onnxruntime', threads=1)
        stack.callback(self.host.close)

    def both(self, image, limits=ALL):
        self.pipeline.limits = self.host.limits = limits
        return (
            self.pipeline.process(image, StageClock(0)),
            self.host.process(image, StageClock(0)),
        )
