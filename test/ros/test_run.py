# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `run` does for the process around a node."""

import subprocess
import sys

SCRIPT = """
import gc, rclpy
from jetson_infer.ros.lifecycle import SafeLifecycleNode
from jetson_infer.ros.run import run

class Probe(SafeLifecycleNode):
    def __init__(self):
        super().__init__('probe')
        self.create_timer(0.01, self.look)

    def look(self):
        print(gc.get_freeze_count(), len(gc.get_objects()))
        rclpy.try_shutdown()

run(Probe)
"""


def test_the_collector_passes_over_what_lives_as_long_as_the_process():
    done = subprocess.run([sys.executable, '-c', SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    spared, looked_at = map(int, done.stdout.split()[:2])
    assert spared > 10 * looked_at
