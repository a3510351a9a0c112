# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A transport that loses large images is named; made to by a far too small socket buffer."""

import os
import signal
import subprocess
import sys
import time

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from test_processes import END_S, START_S, Process

from ros_peer import wait_for

PROFILE = """\
<?xml version="1.0" encoding="UTF-8"?>
<profiles xmlns="http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles">
  <transport_descriptors><transport_descriptor>
    <transport_id>small</transport_id><type>UDPv4</type>
    <receiveBufferSize>32768</receiveBufferSize>
  </transport_descriptor></transport_descriptors>
  <participant profile_name="small" is_default_profile="true"><rtps>
    <userTransports><transport_id>small</transport_id></userTransports>
    <useBuiltinTransports>false</useBuiltinTransports>
  </rtps></participant>
</profiles>
"""

CAMERA = """
import time
from array import array
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
rclpy.init()
node = rclpy.create_node('camera')
profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
publisher = node.create_publisher(Image, '/detector/input/image', profile)
image = Image(height=1080, width=1920, step=5760, encoding='bgr8')
image.data = array('B', bytes(5760 * 1080))
try:
    while rclpy.ok():
        publisher.publish(image)
        time.sleep(0.1)
except KeyboardInterrupt:
    pass
node.destroy_node()
rclpy.try_shutdown()
"""


@pytest.mark.skipif(
    rclpy.get_rmw_implementation_identifier() != 'rmw_fastrtps_cpp',
    reason='the loss is produced by a profile of Fast DDS',
)
def test_a_transport_that_loses_images_is_named(peer, model_folder, tmp_path, monkeypatch):
    profile = tmp_path / 'small.xml'
    profile.write_text(PROFILE)
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', str(profile))
    reports = peer.hear(DiagnosticArray, '/diagnostics')
    detector = Process(peer, model_folder, tmp_path / 'log.txt')
    camera = subprocess.Popen([sys.executable, '-c', CAMERA], env=dict(os.environ))
    try:
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            client = peer.node.create_client(ChangeState, '/detector/change_state')
            assert client.wait_for_service(timeout_sec=START_S)
            future = client.call_async(ChangeState.Request(transition=Transition(id=transition)))
            wait_for(future.done, 'the answer to a transition', START_S)
        began = time.monotonic()

        def causes():
            return {
                pair.value
                for report in reports
                for status in report.status
                for pair in status.values
                if pair.key == 'cause'
            }

        wait_for(lambda: 'transport_loses' in causes(), 'the cause transport_loses')
        assert time.monotonic() - began < 8.0  # three seconds for the image's first losses
    finally:
        # Politely: who is killed lingers in discovery, and in the tests that follow.
        camera.send_signal(signal.SIGINT)
        detector.end(signal.SIGINT)
        camera.wait(END_S)
