# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A detector that opens its pipeline only when it is let; in process, or as one of its own.

As a process it never opens it; with SLOW_DETECTOR=stubborn it does not even look whether it is
called off, as a thread in the middle of a library's call does not.  SLOW_VARIANT names the only
variant that it is slow with.
"""

import os
import threading

from jetson_infer.ros.detector_node import DetectorNode
from jetson_infer.ros.run import run

WORK = 'building an engine'


class SlowDetector(DetectorNode):
    """Counts steps until it is released, and heeds its hooks unless it is stubborn."""

    def __init__(self, **kwargs):
        self.released = threading.Event()
        self.stubborn = os.environ.get('SLOW_DETECTOR') == 'stubborn'
        self.slow_with = os.environ.get('SLOW_VARIANT', '')
        super().__init__(**kwargs)

    def open_pipeline(self, model, settings, hooks):
        if self.slow_with and settings.text('variant') != self.slow_with:
            return super().open_pipeline(model, settings, hooks)
        step = 0
        hooks.report(f'{WORK} (step {step})')
        while not self.released.wait(0.05):
            step += 1
            hooks.report(f'{WORK} (step {step})')
            if not self.stubborn:
                hooks.begin(f'{WORK} (step {step})')
        return super().open_pipeline(model, settings, hooks)


if __name__ == '__main__':
    run(SlowDetector)
