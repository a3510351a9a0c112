# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Images that come in a burst while one is being taken in are kept, whatever the input's QoS."""

import threading

import pytest
from sensor_msgs.msg import Image

from jetson_infer.core.parameters import Settings
from jetson_infer.ros.image_input import ImageInput
from jetson_infer.ros.qos import INPUT_QOS
from ros_peer import WAIT_S, image_message, paint, wait_for

BURST = 10


@pytest.mark.parametrize('input_qos', INPUT_QOS)
def test_a_burst_is_kept_while_an_image_is_taken_in(peer, input_qos):
    begun, let, taken = threading.Event(), threading.Event(), []

    def receive(view, stamp_ns, header):
        begun.set()
        assert let.wait(WAIT_S)
        taken.append(header.stamp.sec)

    settings = Settings({'image_transport': 'raw', 'input_qos': input_qos})
    images = ImageInput(peer.node, settings, receive, lambda *_: None)
    try:
        topic = peer.node.resolve_topic_name('~/input/image')
        publisher = peer.publisher(Image, topic)
        publisher.publish(image_message(paint(0, 0, 0), number=0))
        assert begun.wait(WAIT_S)
        for number in range(1, 1 + BURST):
            publisher.publish(image_message(paint(0, 0, 0), number=number))
        let.set()
        wait_for(lambda: len(taken) == 1 + BURST, 'the whole burst')
        assert taken == [1000 + number for number in range(1 + BURST)]
    finally:
        let.set()
        images.close()
