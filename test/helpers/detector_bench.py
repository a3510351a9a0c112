# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""An active detector with a peer that sends it images and hears what it publishes."""

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.srv import SetParameters
from rclpy.lifecycle import TransitionCallbackReturn
from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from jetson_infer.ros.detector_node import DetectorNode
from ros_peer import wait_for

SUCCESS = TransitionCallbackReturn.SUCCESS


class Bench:
    """An active detector with a peer that sends it images and hears what it publishes."""

    def __init__(self, start, peer, model_folder, node_type=DetectorNode, **parameters):
        self.transport = parameters.get('image_transport', 'raw')
        self.listen(peer, start(node_type, {'model': str(model_folder), **parameters}))
        assert self.node.trigger_configure() == SUCCESS
        assert self.node.trigger_activate() == SUCCESS
        wait_for(lambda: self.node.count_subscribers('/detector/output/detections') == 1)

    def listen(self, peer, node):
        self.peer = peer
        self.node = node
        self.detections = peer.hear(Detection2DArray, '/detector/output/detections')
        self.diagnostics = peer.hear(DiagnosticArray, '/diagnostics')

    def forget(self):
        """Forget the diagnostics heard so far."""
        self.diagnostics.clear()

    def send(self, message):
        topic = '/detector/input/image'
        if self.transport == 'compressed':
            publisher = self.peer.publisher(CompressedImage, topic + '/compressed')
        else:
            publisher = self.peer.publisher(Image, topic)
        publisher.publish(message)

    def infer(self, message):
        """Send a message and return the detections that come back for it."""
        self.send(message)
        wanted = message.header.stamp

        def answer():
            return next((d for d in self.detections if d.header.stamp == wanted), None)

        return wait_for(answer, f'detections of {wanted}')

    def counters(self):
        return self.node.account.counts().as_dict()

    def set(self, name, value):
        request = SetParameters.Request(parameters=[ParameterMessage(name=name, value=value)])
        (result,) = self.peer.call(SetParameters, '/detector/set_parameters', request).results
        return result

    def ask_to_set(self, name, value):
        """Ask for a parameter to be set; return a future of the answer."""
        request = SetParameters.Request(parameters=[ParameterMessage(name=name, value=value)])
        return self.peer.client(SetParameters, '/detector/set_parameters').call_async(request)

    def reports(self):
        """Return status and values of each report of the detector, as they came."""
        for array in list(self.diagnostics):
            for status in array.status:
                if status.name == '/detector: pipeline':
                    yield status, {item.key: item.value for item in status.values}

    def status(self, wanted):
        """Wait for a diagnostics status that fulfils a condition; return its values."""

        def found():
            return next((one for one in reversed(list(self.reports())) if wanted(*one)), None)

        return wait_for(found, 'such a status')


def classes(message):
    return {
        d.results[0].hypothesis.class_id: d.results[0].hypothesis.score for d in message.detections
    }
