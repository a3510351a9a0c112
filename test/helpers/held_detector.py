# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A detector, as a process, that stays in one moment of its life until it is told to end.

HELD_IN names the moment: a transition's state, or `made` (rclpy is up, the node is not there yet).
What the moment is for is done afterwards: in a transition when the signal has ended the context
already, and while the node is made, where signals wait, when the file HELD_UNTIL is there.
"""

import os
import time

import rclpy

from jetson_infer.ros.detector_node import DetectorNode
from jetson_infer.ros.run import run

HELD_IN = os.environ.get('HELD_IN', '')
HOLDING = 'held until a signal comes'


class HeldDetector(DetectorNode):
    """Holds where HELD_IN says, before it does what it is to do there."""

    def __init__(self, **kwargs):
        if HELD_IN == 'made':
            print(HOLDING, flush=True)
            while not os.path.exists(os.environ['HELD_UNTIL']):
                time.sleep(0.005)
            assert rclpy.ok(), 'the context has ended while the node is made'
        super().__init__(**kwargs)

    def hold(self):
        """Wait for the signal, if this is the moment."""
        if self.state == HELD_IN:
            print(HOLDING, flush=True)
            while not self.is_called_off():
                time.sleep(0.005)

    def configure(self, resources):
        self.hold()
        super().configure(resources)
        resources.callback(self.hold)  # the last one in is the first to be released

    def activate(self):
        self.hold()
        super().activate()

    def deactivate(self):
        self.hold()
        super().deactivate()


if __name__ == '__main__':
    run(HeldDetector)
