# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A transport that loses large images is named; made to by a far too small socket buffer.

Between the large images, of which hardly one arrives, the camera sends small ones, which do: the
middleware notices by the next message that one was lost.
"""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from test_processes import END_S, Process

from ros_peer import wait_for

PROFILE = """\
<?xml version="1.0" encoding="UTF-8"?>
<profiles xmlns="http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles">
  <transport_descriptors><transport_descriptor>
    <transport_id>small</transport_id><type>UDPv4</type>
    <maxMessageSize>16384</maxMessageSize>
    <receiveBufferSize>32768</receiveBufferSize>
  </transport_descriptor></transport_descriptors>
  <participant profile_name="small" is_default_profile="true"><rtps>
    <builtin><discovery_config>
      <leaseAnnouncement><nanosec>500000000</nanosec></leaseAnnouncement>
    </discovery_config></builtin>
    <userTransports><transport_id>small</transport_id></userTransports>
    <useBuiltinTransports>false</useBuiltinTransports>
  </rtps></participant>
</profiles>
"""

REPORTS = 5
"""The cause is named within so many reports, one a second, of the active node."""

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
images = [
    Image(height=height, width=width, step=3 * width, encoding='bgr8')
    for height, width in ((1080, 1920), (24, 32))
]
for image in images:
    image.data = array('B', bytes(image.step * image.height))
try:
    while rclpy.ok():
        for image in images:
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
    camera = subprocess.Popen([sys.executable, '-c', CAMERA], env=dict(os.environ))
    with ExitStack() as ending:
        # Politely: who is killed lingers in discovery, and in the tests that follow.
        ending.callback(camera.wait, END_S)
        ending.callback(camera.send_signal, signal.SIGINT)
        wait_for(lambda: peer.node.count_publishers('/detector/input/image') == 1, 'the camera')
        detector = Process(peer, model_folder, tmp_path / 'log.txt')
        ending.callback(detector.end, signal.SIGINT)
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            detector.change(transition)

        def causes():
            """Return what was told once a second since the node is active."""
            told = [
                {pair.key: pair.value for pair in status.values}
                for report in list(reports)
                for status in report.status
            ]
            return [values['cause'] for values in told if values.get('state') == 'active']

        wait_for(lambda: 'transport_loses' in causes(), 'the cause transport_loses')
        assert 'transport_loses' in causes()[:REPORTS], causes()
