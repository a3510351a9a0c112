# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Loses a GPU under a detection pipeline, frees everything, and opens the pipeline again.

A program and no test, because the fault ends the context of the whole process. Its arguments are a
model's folder and a file with the engine of its first variant; what it saw is on the last line of
its output, as JSON.
"""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / 'helpers')]

from jetson_infer.core.detections import DetectionLimits  # noqa: E402
from jetson_infer.core.images import wrap_image  # noqa: E402
from jetson_infer.core.timing import StageClock  # noqa: E402
from jetson_infer.cuda.arguments import KernelArguments  # noqa: E402
from jetson_infer.cuda.pycuda_device import PycudaDevice  # noqa: E402
from jetson_infer.engines.models import load_model  # noqa: E402
from jetson_infer.engines.tensorrt.session import TensorRtSession  # noqa: E402
from jetson_infer.errors import DeviceError  # noqa: E402
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline  # noqa: E402
from ptx_kernels import PTX  # noqa: E402

IMAGE = wrap_image('bgr8', 64, 48, 192, False, np.full((48, 64, 3), 100, np.uint8))
LONG = 1000


def opened(stack, model, plan, device):
    owned = ExitStack()
    owned.callback((session := TensorRtSession(plan, device)).close)
    pipeline = DeviceDetectionPipeline(model, model.variant(), session, device, None, owned)
    stack.callback(pipeline.close)
    pipeline.limits = DetectionLimits(0.0, 0.5, 10)
    return pipeline


def count(pipeline):
    return len(pipeline.process(IMAGE, StageClock(0)))


def lose(model, plan):
    """Return what was found before, what the loss raised, and what was left open."""
    with PycudaDevice() as device, device.current():
        said = 'nothing'
        with ExitStack() as stack:
            pipeline = opened(stack, model, plan, device)
            before = count(pipeline)
            stream = device.stream()
            stack.callback(stream.close)
            kernels = device.load_module(PTX)
            stack.callback(kernels.close)
            arguments = KernelArguments.of(np.uint64(16))
            stream.launch(kernels.function('fault'), (1, 1, 1), (1, 1, 1), arguments)
            try:
                for _ in range(LONG):  # the fault shows at the first call after it has happened
                    count(pipeline)
            except DeviceError as error:
                said = f'DeviceError: {error}'
        return before, said, device.live()


def found_again(model, plan):
    """Return what was found in a pipeline opened anew, or why the GPU was not opened."""
    try:
        with PycudaDevice() as device, device.current(), ExitStack() as stack:
            return count(opened(stack, model, plan, device))
    except DeviceError as error:
        return f'DeviceError: {error}'


def main():
    model, plan = load_model(Path(sys.argv[1])), Path(sys.argv[2]).read_bytes()
    before, lost, live = lose(model, plan)
    after = [found_again(model, plan) for _ in range(2)]
    print(json.dumps({'before': before, 'lost': lost, 'live': live, 'after': after}))


if __name__ == '__main__':
    main()
