# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Who live_switch.py puts around a detector: a camera, a listener, and who sets its variant.

The camera and the listener are processes of their own: whatever else runs in theirs, such as the
garbage collector, would show as a gap of the detector's.  Both print one line of JSON; times are of
the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from jetson_infer.ros.memory import spare_collector

RATE_HZ = 30.0
PATIENCE_S = 60.0


def camera(frames: int, width: int, height: int) -> None:
    """Send numbered frames; print when each was sent."""
    node = rclpy.create_node('camera')
    profile = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
    publisher = node.create_publisher(Image, '/detector/input/image', profile)
    while not publisher.get_subscription_count():
        time.sleep(0.01)
    time.sleep(1.0)  # the other side has to know of it, too
    image = Image(height=height, width=width, encoding='bgr8', step=3 * width)
    image.data.frombytes(bytes(3 * width * height))
    sent_s = []
    begin_s = time.monotonic()
    for number in range(frames):
        time.sleep(max(0.0, begin_s + number / RATE_HZ - time.monotonic()))
        image.header.stamp.sec = number
        publisher.publish(image)
        sent_s.append(time.monotonic())
    time.sleep(1.0)  # what is under way arrives still
    print(json.dumps(sent_s))


def listener() -> None:
    """Hear answers until the standard input ends; print the number of each, and when it came."""
    heard: list[tuple[int, float]] = []
    node = rclpy.create_node('listener')
    node.create_subscription(
        Detection2DArray,
        '/detector/output/detections',
        lambda message: heard.append((message.header.stamp.sec, time.monotonic())),
        50,
    )
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps(heard))


class Switcher:
    """Makes the detector active, and sets its variant.

    :raises SystemExit: where the detector does not answer, or refuses a transition.
    """

    def __init__(self) -> None:
        self._node = rclpy.create_node('switcher')
        self._change = self._node.create_client(ChangeState, '/detector/change_state')
        self._set = self._node.create_client(SetParameters, '/detector/set_parameters')
        for client in (self._change, self._set):
            if not client.wait_for_service(PATIENCE_S):
                raise SystemExit('the detector does not come up; its log is above')
        time.sleep(1.0)  # it has to know of the clients, too, or its answers are lost

    def begin(self) -> None:
        """Make the detector active."""
        for step in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            request = ChangeState.Request(transition=Transition(id=step))
            if not self._answer(self._change, request).success:
                raise SystemExit('the detector refuses; its log above says why')

    def switch(self, variant: str) -> tuple[float, str]:
        """Set the variant; return how long that took, in seconds, and why it was refused."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=variant)
        request = SetParameters.Request(parameters=[Parameter(name='variant', value=value)])
        begin_s = time.monotonic()
        (result,) = self._answer(self._set, request).results
        return time.monotonic() - begin_s, '' if result.successful else result.reason

    def end(self) -> None:
        """Leave the graph."""
        self._node.destroy_node()

    def _answer(self, client: Any, request: Any) -> Any:
        future = client.call_async(request)
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=PATIENCE_S)
        if not future.done():
            raise SystemExit(f'{client.srv_name} did not answer within {PATIENCE_S:g} s')
        return future.result()


if __name__ == '__main__':
    rclpy.init()
    spare_collector()
    if sys.argv[1] == 'camera':
        camera(*map(int, sys.argv[2:]))
    else:
        listener()
    rclpy.try_shutdown()
