# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Who deactivates a node gets the frame in hand, and nothing after it."""

import threading
import time

import pytest
from sensor_msgs.msg import Image

from detector_bench import SUCCESS, Bench
from jetson_infer.ros.detector_node import DetectorNode
from ros_peer import WAIT_S, image_message, paint, wait_for


class HeldDelivery(DetectorNode):
    """Publishes a frame's detections only when it is let."""

    def __init__(self, **kwargs):
        self.delivering = threading.Event()
        self.let = threading.Event()
        super().__init__(**kwargs)

    def deliver(self, frame, result, clock):
        self.delivering.set()
        assert self.let.wait(WAIT_S)
        super().deliver(frame, result, clock)


@pytest.fixture
def bench(start, peer, model_folder):
    return Bench(start, peer, model_folder, HeldDelivery)


def test_deactivating_waits_until_the_frame_in_hand_is_published(bench):
    message = image_message(paint(255, 0, 0), number=1)
    bench.send(message)
    assert bench.node.delivering.wait(WAIT_S)
    results = []
    thread = threading.Thread(target=lambda: results.append(bench.node.trigger_deactivate()))
    thread.start()
    publisher = bench.peer.publisher(Image, '/detector/input/image', matched=0)
    wait_for(lambda: publisher.get_subscription_count() == 0, 'the end of the subscription')
    time.sleep(0.2)  # long enough for a transition that waits for nothing
    assert bench.node.state == 'deactivating'
    assert not results
    bench.node.let.set()
    thread.join(WAIT_S)
    assert results == [SUCCESS]
    wait_for(lambda: bench.detections, 'the detections of the frame in hand')
    assert [found.header for found in bench.detections] == [message.header]
    assert bench.counters()['processed'] == 1
