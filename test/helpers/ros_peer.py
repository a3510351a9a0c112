# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A node beside the one under test, and the messages it sends."""

import threading
import time
from array import array

import numpy as np
import rclpy
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

WAIT_S = 30.0
"""How long to wait for what comes at once on an idle machine; a busy one may take its time."""

RETRY_S = 1.0


def wait_for(condition, what='the expected', timeout_s=WAIT_S):
    """Wait until a condition holds and return what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f'{what} did not come within {timeout_s} s'
        time.sleep(0.005)
    return result


def paint(red, green, blue, width=64, height=48):
    """Return a bgr8 image of one colour."""
    return np.full((height, width, 3), (blue, green, red), np.uint8)


def image_message(pixels, encoding='bgr8', number=0, **changes):
    """Return a sensor_msgs/Image; the number goes into its stamp."""
    data = array('B')
    data.frombytes(np.ascontiguousarray(pixels).tobytes())
    message = Image(
        header=Header(frame_id=f'camera_{number}'),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        step=pixels.strides[0],
        data=data,
    )
    message.header.stamp.sec = 1000 + number
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def compressed_message(data, image_format='jpeg', number=0):
    """Return a sensor_msgs/CompressedImage."""
    message = CompressedImage(header=Header(frame_id=f'camera_{number}'), format=image_format)
    message.header.stamp.sec = 1000 + number
    message.data = array('B', bytes(data))
    return message


class Peer:
    """A node beside the one under test, that publishes to it, hears it and calls its services."""

    def __init__(self, executor, name='peer'):
        self.node = rclpy.create_node(name)
        self._publishers = {}
        self._clients = {}
        executor.add_node(self.node)

    def hear(self, message_type, topic, latched=False, reliable=True):
        """Subscribe and return the list that fills with messages."""
        heard = []
        profile = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
        if not reliable:
            profile.reliability = ReliabilityPolicy.BEST_EFFORT
        if latched:
            profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
        self.node.create_subscription(message_type, topic, heard.append, profile)
        return heard

    def publisher(self, message_type, topic, matched=1):
        """Return a reliable publisher, once so many subscriptions have matched it."""
        publisher = self._publishers.get(topic)
        if publisher is None:
            profile = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
            publisher = self.node.create_publisher(message_type, topic, profile)
            self._publishers[topic] = publisher
        wait_for(
            lambda: publisher.get_subscription_count() >= matched, f'a subscription on {topic}'
        )
        return publisher

    def client(self, service_type, name):
        """Return a client of a lifecycle node's service that the node knows of, too."""
        client = self._clients.get(name)
        if client is None:
            client = self.node.create_client(service_type, name)
            self._clients[name] = client
            self.meet(name.rpartition('/')[0])
        return client

    def meet(self, node):
        """Wait until a lifecycle node takes requests from all clients made so far, and answers.

        `wait_for_service` tells that the client knows the server. A server that does not know the
        client yet does what it is asked to, and its answer is lost. Clients are announced in the
        order in which they were made, so one that is answered vouches for those before it; asking
        for the state again does no harm. A node makes the service get_state after change_state.
        """
        probe = self.node.create_client(GetState, f'{node}/get_state')
        assert probe.wait_for_service(timeout_sec=WAIT_S), f'no service {node}/get_state'
        deadline = time.monotonic() + WAIT_S
        while _answer(probe, GetState.Request(), RETRY_S) is None:
            assert time.monotonic() < deadline, f'{node} did not answer within {WAIT_S} s'
        self.node.destroy_client(probe)

    def call(self, service_type, name, request):
        """Call a service of a lifecycle node and return its answer."""
        answer = _answer(self.client(service_type, name), request, WAIT_S)
        assert answer is not None, f'{name} did not answer within {WAIT_S} s'
        return answer


def _answer(client, request, timeout_s):
    """Return the answer to a request, None if none came; another thread has to spin."""
    answered = threading.Event()
    future = client.call_async(request)
    future.add_done_callback(lambda _: answered.set())
    if answered.wait(timeout_s):
        return future.result()
    client.remove_pending_request(future)
    return None


class Spinner:
    """Spins nodes on a thread of its own."""

    def __init__(self):
        self.executor = SingleThreadedExecutor()
        self.error = None
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._stop = False

    def start(self):
        self._thread.start()

    def _spin(self):
        try:
            while not self._stop:
                self.executor.spin_once(timeout_sec=0.05)
        except BaseException as error:
            self.error = error
            raise

    def stop(self):
        self._stop = True
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        self.executor.shutdown()
        assert self.error is None
