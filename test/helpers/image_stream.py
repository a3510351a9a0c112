# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Send camera images from one process to another, best effort, and count what arrives whole.

Usage: python image_stream.py receive COUNT RATE_HZ    starts the sender; prints {"received": N}
       python image_stream.py send COUNT RATE_HZ
"""

import array
import json
import subprocess
import sys
import time

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

WIDTH, HEIGHT, CHANNELS = 1920, 1080, 3
TOPIC = 'image_stream'


def send(count: int, rate_hz: float) -> None:
    """Wait for the subscriber, then publish numbered images."""
    node = rclpy.create_node('image_sender')
    publisher = node.create_publisher(Image, TOPIC, qos_profile_sensor_data)
    row = bytes(value % 251 for value in range(WIDTH * CHANNELS))
    message = Image(width=WIDTH, height=HEIGHT, encoding='bgr8', step=len(row))
    message.data = array.array('B', row * HEIGHT)
    deadline = time.monotonic() + 15
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)  # the subscriber's side of the match
    for number in range(count):
        message.header.frame_id = str(number)
        publisher.publish(message)
        time.sleep(1 / rate_hz)
    time.sleep(0.5)  # what is on its way
    node.destroy_node()


def receive(count: int, rate_hz: float) -> None:
    """Start the sender and spin until it has ended."""
    node: Node = rclpy.create_node('image_receiver')
    received = set()

    def keep(message: Image) -> None:
        if len(message.data) == WIDTH * HEIGHT * CHANNELS:
            received.add(message.header.frame_id)

    node.create_subscription(Image, TOPIC, keep, qos_profile_sensor_data)
    sender = subprocess.Popen([sys.executable, __file__, 'send', str(count), str(rate_hz)])
    while sender.poll() is None:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps({'received': len(received)}))
    node.destroy_node()


if __name__ == '__main__':
    rclpy.init()
    {'send': send, 'receive': receive}[sys.argv[1]](int(sys.argv[2]), float(sys.argv[3]))
    rclpy.try_shutdown()
