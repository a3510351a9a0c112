# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes as programs: what ``ros2 run jetson_infer NAME`` calls.

Importing a node takes a second.  Whoever interrupts a program then wants it to end, without a
traceback, and without KeyboardInterrupt being lost in the import system (:mod:`ros.signals`): so
SIGINT ends the process, as SIGTERM does, until the node is there.  What comes before this module,
the start of Python and of the installed script, 0.07 s, is out of reach.
"""

from __future__ import annotations

import signal

__all__ = ['demo_observer', 'detector', 'recording_player']


def detector() -> int:
    """Run the detector; return the exit code."""
    _die_of_interrupts()
    from jetson_infer.ros.detector_node import main

    return main()


def recording_player() -> int:
    """Run the player of recordings; return the exit code."""
    _die_of_interrupts()
    from jetson_infer.ros.recording_player_node import main

    return main()


def demo_observer() -> int:
    """Run the demo's observer; return the exit code."""
    _die_of_interrupts()
    from jetson_infer.ros.demo_observer_node import main

    return main()


def _die_of_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
