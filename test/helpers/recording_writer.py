# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Small recordings for tests, written with rosbags' writer: a numbered camera and its truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jetson_infer.toolchain.message_definitions import make_typestore

START_NS = 1_700_000_000_000_000_000
IMAGE = '/camera/image_raw/compressed'
TRUTH = '/ground_truth/detections'
NS = 1_000_000_000


class Messages:
    """Builds messages of the types that recordings of a robot's camera hold."""

    def __init__(self, typestore: Any) -> None:
        self.typestore = typestore

    def __call__(self, name: str, /, **fields: Any) -> Any:
        package, _, kind = name.partition('/')
        return self.typestore.types[f'{package}/msg/{kind}'](**fields)

    def header(self, stamp_ns: int, frame: str = 'camera') -> Any:
        sec, nanosec = divmod(stamp_ns, NS)
        stamp = self('builtin_interfaces/Time', sec=sec, nanosec=nanosec)
        return self('std_msgs/Header', stamp=stamp, frame_id=frame)

    def image(self, stamp_ns: int, data: bytes) -> Any:
        return self(
            'sensor_msgs/CompressedImage',
            header=self.header(stamp_ns),
            format='jpeg',
            data=np.frombuffer(data, np.uint8),
        )

    def truth(self, stamp_ns: int, objects: Sequence[tuple[str, float, Sequence[float]]]) -> Any:
        """Objects are ``(label, visible fraction, (x_min, y_min, x_max, y_max))``."""
        header = self.header(stamp_ns)
        return self(
            'vision_msgs/Detection2DArray',
            header=header,
            detections=[self._object(header, i, *o) for i, o in enumerate(objects)],
        )

    def _object(self, header: Any, number: int, label: str, score: float, box: Any) -> Any:
        point = self('geometry_msgs/Point', x=0.0, y=0.0, z=0.0)
        turn = self('geometry_msgs/Quaternion', x=0.0, y=0.0, z=0.0, w=1.0)
        pose = self(
            'geometry_msgs/PoseWithCovariance',
            pose=self('geometry_msgs/Pose', position=point, orientation=turn),
            covariance=np.zeros(36),
        )
        x_min, y_min, x_max, y_max = box
        centre = self('vision_msgs/Point2D', x=(x_min + x_max) / 2, y=(y_min + y_max) / 2)
        return self(
            'vision_msgs/Detection2D',
            header=header,
            results=[
                self(
                    'vision_msgs/ObjectHypothesisWithPose',
                    hypothesis=self('vision_msgs/ObjectHypothesis', class_id=label, score=score),
                    pose=pose,
                )
            ],
            bbox=self(
                'vision_msgs/BoundingBox2D',
                center=self('vision_msgs/Pose2D', position=centre, theta=0.0),
                size_x=float(x_max - x_min),
                size_y=float(y_max - y_min),
            ),
            id=str(number),
        )

    def transform(self, stamp_ns: int) -> Any:
        zero = self('geometry_msgs/Vector3', x=0.0, y=0.0, z=1.5)
        turn = self('geometry_msgs/Quaternion', x=0.0, y=0.0, z=0.0, w=1.0)
        return self(
            'tf2_msgs/TFMessage',
            transforms=[
                self(
                    'geometry_msgs/TransformStamped',
                    header=self.header(stamp_ns, 'base'),
                    child_frame_id='camera',
                    transform=self('geometry_msgs/Transform', translation=zero, rotation=turn),
                )
            ],
        )


def write_recording(
    path: Path,
    *,
    frames: int = 10,
    rate_hz: float = 20.0,
    storage: str = 'MCAP',
    compression: str = 'NONE',
    images: Sequence[bytes] = (b'\xff\xd8 not a picture \xff\xd9',),
    distro: str = 'humble',
    truths: Sequence[Sequence[tuple[str, float, Sequence[float]]]] = (),
) -> Path:
    """Write images, their truth (one box a frame, moving, unless given) and a static transform.

    The camera is best effort, the truth reliable, the transform transient local.  Frame ``i`` is
    stamped 5 ms before it is recorded.
    """
    from rosbags.interfaces import (
        Qos,
        QosDurability,
        QosHistory,
        QosLiveliness,
        QosReliability,
        QosTime,
    )
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    def qos(reliable: bool, latched: bool) -> Any:
        never = QosTime(9223372036, 854775807)
        return Qos(
            QosHistory.KEEP_LAST,
            7,
            QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
            QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
            never,
            never,
            QosLiveliness.AUTOMATIC,
            never,
            False,
        )

    typestore = make_typestore(distro)
    make = Messages(typestore)
    writer = Writer(path, version=8, storage_plugin=StoragePlugin[storage])
    writer.set_compression(CompressionMode[compression], CompressionFormat.ZSTD)
    with writer:

        def add(topic: str, kind: str, reliable: bool = True, latched: bool = False) -> Any:
            return writer.add_connection(
                topic, kind, typestore=typestore, offered_qos_profiles=[qos(reliable, latched)]
            )

        def write(connection: Any, log_ns: int, message: Any) -> None:
            writer.write(connection, log_ns, typestore.serialize_cdr(message, connection.msgtype))

        static = add('/tf_static', 'tf2_msgs/msg/TFMessage', latched=True)
        camera = add(IMAGE, 'sensor_msgs/msg/CompressedImage', reliable=False)
        truth = add(TRUTH, 'vision_msgs/msg/Detection2DArray')
        write(static, START_NS, make.transform(START_NS))
        for i in range(frames):
            log_ns = START_NS + round(i * NS / rate_hz)
            stamp_ns = log_ns - 5_000_000
            write(camera, log_ns, make.image(stamp_ns, images[i % len(images)]))
            box = (10.0 + i, 20.0, 60.0 + i, 90.0)
            objects = truths[i % len(truths)] if truths else [('person', 0.9, box)]
            write(truth, log_ns, make.truth(stamp_ns, objects))
    return path
