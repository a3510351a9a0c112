# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A detector, as a process, whose GPU is lost when the file FAULT_AT is there."""

import os
import sys

from jetson_infer.errors import DeviceError
from jetson_infer.ros.detector_node import DetectorNode
from jetson_infer.ros.run import run

LOST = 'the GPU fell off the bus'


class FaultyDetector(DetectorNode):
    """Reports the fault as the runner does, on whatever thread."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.create_timer(0.02, self.look)

    def look(self):
        if os.path.exists(os.environ['FAULT_AT']):
            os.remove(os.environ['FAULT_AT'])
            self.fail(DeviceError(LOST))


if __name__ == '__main__':
    sys.exit(run(FaultyDetector))
