# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of any sensors for tests, written with rosbags' writer, message by message."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jetson_infer.toolchain.message_definitions import make_typestore
from recording_writer import Messages

Written = tuple[str, int, Any]
"""A topic, the time of recording in ns, and a message."""


@functools.cache  # it takes a fifth of a second to make
def _typestore() -> Any:
    return make_typestore('humble')


class SensorMessages(Messages):
    """Builds messages of depth cameras and lidars, and of what they are held against."""

    def __init__(self) -> None:
        super().__init__(_typestore())

    def raw_image(self, stamp_ns: int, encoding: str, pixels: Any, frame: str = 'camera') -> Any:
        """Pixels are ``(H, W)`` or ``(H, W, C)``, in this machine's byte order."""
        pixels = np.ascontiguousarray(pixels)
        return self(
            'sensor_msgs/Image',
            header=self.header(stamp_ns, frame),
            height=pixels.shape[0],
            width=pixels.shape[1],
            encoding=encoding,
            is_bigendian=0,
            step=pixels.strides[0],
            data=pixels.view(np.uint8).ravel(),
        )

    def packed_image(self, stamp_ns: int, form: str, data: bytes) -> Any:
        return self(
            'sensor_msgs/CompressedImage',
            header=self.header(stamp_ns),
            format=form,
            data=np.frombuffer(data, np.uint8),
        )

    def cloud(self, stamp_ns: int, rows: Sequence[Sequence[float]], frame: str = 'lidar') -> Any:
        """Rows are ``x, y, z, intensity``, sent as 20 bytes with the intensity as 16 bits."""
        fields = [(name, 4 * place, 7) for place, name in enumerate('xyz')]
        fields.append(('intensity', 16, 4))
        data = b''.join(struct.pack('<fff4xHxx', *row[:3], int(row[3])) for row in rows)
        return self(
            'sensor_msgs/PointCloud2',
            header=self.header(stamp_ns, frame),
            height=1,
            width=len(rows),
            fields=[
                self('sensor_msgs/PointField', name=name, offset=offset, datatype=kind, count=1)
                for name, offset, kind in fields
            ],
            is_bigendian=False,
            point_step=20,
            row_step=20 * len(rows),
            data=np.frombuffer(data, np.uint8),
            is_dense=True,
        )

    def pose(self, place: Sequence[float], yaw: float = 0.0) -> Any:
        x, y, z = place
        turn = (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))
        return self(
            'geometry_msgs/Pose',
            position=self('geometry_msgs/Point', x=float(x), y=float(y), z=float(z)),
            orientation=self('geometry_msgs/Quaternion', **dict(zip('xyzw', turn))),
        )

    def solids(
        self, stamp_ns: int, frame: str, objects: Sequence[tuple[str, float, Any, Any]]
    ) -> Any:
        """Objects are ``(label, visible fraction, pose, (length, width, height))``."""
        header = self.header(stamp_ns, frame)
        found = []
        for label, score, pose, (length, width, height) in objects:
            with_covariance = self(
                'geometry_msgs/PoseWithCovariance', pose=pose, covariance=np.zeros(36)
            )
            hypothesis = self('vision_msgs/ObjectHypothesis', class_id=label, score=score)
            size = self('geometry_msgs/Vector3', x=length, y=width, z=height)
            found.append(
                self(
                    'vision_msgs/Detection3D',
                    header=header,
                    results=[
                        self(
                            'vision_msgs/ObjectHypothesisWithPose',
                            hypothesis=hypothesis,
                            pose=with_covariance,
                        )
                    ],
                    bbox=self('vision_msgs/BoundingBox3D', center=pose, size=size),
                    id='',
                )
            )
        return self('vision_msgs/Detection3DArray', header=header, detections=found)

    def frames(
        self, stamp_ns: int, parent: str, child: str, place: Sequence[float], turn: Sequence[float]
    ) -> Any:
        """Return a TFMessage of one transform; the turn is a quaternion ``x, y, z, w``."""
        shift = self('geometry_msgs/Vector3', **dict(zip('xyz', map(float, place))))
        rotation = self('geometry_msgs/Quaternion', **dict(zip('xyzw', map(float, turn))))
        return self(
            'tf2_msgs/TFMessage',
            transforms=[
                self(
                    'geometry_msgs/TransformStamped',
                    header=self.header(stamp_ns, parent),
                    child_frame_id=child,
                    transform=self('geometry_msgs/Transform', translation=shift, rotation=rotation),
                )
            ],
        )


def write_messages(path: Path, written: Sequence[Written], storage: str = 'MCAP') -> Path:
    """Write a recording of any messages; a topic is of its first message's type."""
    from rosbags.rosbag2 import StoragePlugin, Writer

    typestore = _typestore()
    writer = Writer(path, version=8, storage_plugin=StoragePlugin[storage])
    with writer:
        connections: dict[str, Any] = {}
        for topic, log_ns, message in written:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=typestore)
            writer.write(connections[topic], log_ns, typestore.serialize_cdr(message, kind))
    return path
