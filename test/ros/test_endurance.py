# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing grows: not over configure and cleanup, not over frames.

`JETSON_INFER_ENDURANCE_FRAMES=100000` runs as many frames; the default keeps the suite short.
"""

import gc
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D

from detector_bench import SUCCESS, Bench
from jetson_infer.core.detections import Detections
from jetson_infer.core.timing import StageClock
from jetson_infer.pipeline.frame import Frame
from jetson_infer.pipeline.runner import FrameRunner
from jetson_infer.ros.detector_node import DetectorNode
from ros_peer import image_message, paint, wait_for

ROUNDS = int(os.environ.get('JETSON_INFER_ENDURANCE_ROUNDS', '200'))
FRAMES = int(os.environ.get('JETSON_INFER_ENDURANCE_FRAMES', '2500'))
SETTLING = 0.25
"""Share of the work after which allocators, caches and discovery have settled."""


def resident_bytes():
    """Return the resident memory of this process."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE')


def open_files():
    return len(os.listdir('/proc/self/fd'))


@pytest.fixture
def bench(start, peer, model_folder):
    return Bench(start, peer, model_folder)


def test_rounds_of_the_lifecycle_leave_nothing_behind(bench, peer):
    publisher = peer.node.create_publisher(Image, '/detector/input/image', 1)
    peer.node.create_timer(0.01, lambda: publisher.publish(image_message(paint(255, 0, 0))))
    node, before = bench.node, None
    for number in range(ROUNDS):
        assert node.trigger_deactivate() == SUCCESS
        assert node.trigger_cleanup() == SUCCESS
        assert node.trigger_configure() == SUCCESS
        assert node.trigger_activate() == SUCCESS
        bench.detections.clear()
        bench.forget()
        if number == int(ROUNDS * SETTLING):
            gc.collect()
            before = threading.active_count(), open_files(), resident_bytes()
    wait_for(lambda: bench.detections, 'detections after the last round')
    gc.collect()
    after = threading.active_count(), open_files(), resident_bytes()
    assert after[0] == before[0], 'threads'
    assert after[1] <= before[1], 'open files'
    assert after[2] <= before[2] * 1.05, 'memory'
    runners = [item for item in gc.get_objects() if isinstance(item, FrameRunner)]
    assert len(runners) == 1


def test_frames_leave_nothing_behind(bench, peer):
    publisher = peer.publisher(Image, '/detector/input/image')
    message = image_message(paint(255, 0, 0))
    settled = None
    sent = 0
    while bench.counters()['processed'] < FRAMES:
        publisher.publish(message)
        sent += 1
        if sent % 20 == 0:
            bench.detections.clear()
            bench.forget()
            deadline = time.monotonic() + 5
            while bench.counters()['waiting'] and time.monotonic() < deadline:
                time.sleep(0.0005)
        if settled is None and bench.counters()['processed'] > FRAMES * SETTLING:
            gc.collect()
            settled = resident_bytes()
        time.sleep(0.0005)
    gc.collect()
    assert resident_bytes() <= settled * 1.02
    assert bench.node.account.counts().balanced


def test_a_crowded_frame_leaves_no_crowd_of_messages(start, model_folder):
    node = start(DetectorNode, {'model': str(model_folder)})
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    count = 3000
    crowd = Detections(
        np.tile(np.float32([1.0, 2.0, 3.0, 4.0]), (count, 1)),
        np.ones(count, np.float32),
        np.zeros(count, np.int32),
    )
    frame = Frame(None, 0, 0, None, Header(frame_id='camera'))
    for _ in range(2):
        node.deliver(frame, crowd, StageClock(time.monotonic_ns()))
    gc.collect()
    left = sum(isinstance(item, Detection2D) for item in gc.get_objects())
    assert 0 < left <= 1000
