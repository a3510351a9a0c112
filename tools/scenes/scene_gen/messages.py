# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""ROS messages from NumPy values, made with a rosbags type store."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scene_gen.camera import Camera
from scene_gen.head import Pose

F64 = NDArray[np.float64]


class Messages:
    """Builds messages of one type store; `stamp` is nanoseconds since the epoch."""

    def __init__(self, typestore: Any) -> None:
        self._t = typestore.types

    def _make(self, name: str, **fields: Any) -> Any:
        return self._t[name](**fields)

    def header(self, stamp: int, frame: str) -> Any:
        """A std_msgs/Header."""
        time = self._make('builtin_interfaces/msg/Time', sec=stamp // 10**9, nanosec=stamp % 10**9)
        return self._make('std_msgs/msg/Header', stamp=time, frame_id=frame)

    def compressed(self, stamp: int, frame: str, encoding: str, data: bytes) -> Any:
        """A sensor_msgs/CompressedImage."""
        return self._make(
            'sensor_msgs/msg/CompressedImage',
            header=self.header(stamp, frame),
            format=encoding,
            data=np.frombuffer(data, np.uint8),
        )

    def depth_png(self, stamp: int, frame: str, depth: NDArray[np.float32]) -> Any:
        """A depth image [m] as 16-bit PNG of millimetres, as compressed_image_transport has it."""
        millimetres = np.clip(np.round(depth * 1000), 0, 65535).astype(np.uint16)
        ok, data = cv2.imencode('.png', millimetres, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        if not ok:
            raise RuntimeError(f'OpenCV could not encode a {depth.shape} depth image as PNG')
        return self.compressed(stamp, frame, '16UC1; png compressed ', data.tobytes())

    def camera_info(self, stamp: int, frame: str, camera: Camera) -> Any:
        """A sensor_msgs/CameraInfo of a pinhole without distortion."""
        k = camera.matrix
        p = np.concatenate([k, np.zeros((3, 1))], 1)
        roi = self._make(
            'sensor_msgs/msg/RegionOfInterest',
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False,
        )  # fmt: skip
        return self._make(
            'sensor_msgs/msg/CameraInfo',
            header=self.header(stamp, frame),
            height=camera.height,
            width=camera.width,
            distortion_model='plumb_bob',
            d=np.zeros(5),
            k=k.ravel(),
            r=np.eye(3).ravel(),
            p=p.ravel(),
            binning_x=0,
            binning_y=0,
            roi=roi,
        )

    def cloud(self, stamp: int, frame: str, points: NDArray[np.float32]) -> Any:
        """A sensor_msgs/PointCloud2 of x, y, z, intensity float32."""
        field = self._t['sensor_msgs/msg/PointField']
        fields = [
            field(name=n, offset=4 * i, datatype=7, count=1)
            for i, n in enumerate(('x', 'y', 'z', 'intensity'))
        ]
        data = np.ascontiguousarray(points, '<f4')
        return self._make(
            'sensor_msgs/msg/PointCloud2',
            header=self.header(stamp, frame),
            height=1,
            width=len(data),
            fields=fields,
            is_bigendian=False,
            point_step=16,
            row_step=16 * len(data),
            data=data.view(np.uint8).ravel(),
            is_dense=True,
        )

    def transforms(self, stamp: int, frames: list[tuple[str, str, Pose]]) -> Any:
        """A tf2_msgs/TFMessage of (parent, child, pose of the child in the parent)."""
        made = []
        for parent, child, pose in frames:
            x, y, z = (float(v) for v in pose.origin)
            vector = self._make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)
            transform = self._make(
                'geometry_msgs/msg/Transform',
                translation=vector,
                rotation=self._quaternion(pose.rotation),
            )
            made.append(
                self._make(
                    'geometry_msgs/msg/TransformStamped',
                    header=self.header(stamp, parent),
                    child_frame_id=child,
                    transform=transform,
                )
            )
        return self._make('tf2_msgs/msg/TFMessage', transforms=made)

    def battery(self, stamp: int, percentage: float, volts: float, amperes: float) -> Any:
        """A sensor_msgs/BatteryState of a discharging lithium-ion pack."""
        return self._make(
            'sensor_msgs/msg/BatteryState',
            header=self.header(stamp, 'base_link'),
            voltage=volts,
            temperature=31.5,
            current=amperes,
            charge=9.0 * percentage,
            capacity=9.0,
            design_capacity=9.0,
            percentage=percentage,
            power_supply_status=2,  # discharging
            power_supply_health=1,  # good
            power_supply_technology=2,  # lithium-ion
            present=True,
            cell_voltage=np.full(13, volts / 13, np.float32),
            cell_temperature=np.full(13, 31.5, np.float32),
            location='torso',
            serial_number='room_walk',
        )

    def detections_2d(self, stamp: int, frame: str, rows: list[dict[str, Any]]) -> Any:
        """A vision_msgs/Detection2DArray; rows have label, score, id and box (pixel edges)."""
        made = []
        for row in rows:
            x0, y0, x1, y1 = row['box']
            center = self._make(
                'vision_msgs/msg/Pose2D',
                position=self._make('vision_msgs/msg/Point2D', x=(x0 + x1) / 2, y=(y0 + y1) / 2),
                theta=0.0,
            )
            bbox = self._make(
                'vision_msgs/msg/BoundingBox2D', center=center, size_x=x1 - x0, size_y=y1 - y0
            )
            made.append(
                self._detection(2, stamp, frame, row, bbox, self._pose(np.eye(3), np.zeros(3)))
            )
        return self._make(
            'vision_msgs/msg/Detection2DArray', header=self.header(stamp, frame), detections=made
        )

    def detections_3d(self, stamp: int, frame: str, rows: list[dict[str, Any]]) -> Any:
        """A vision_msgs/Detection3DArray; rows have label, score, id, pose (Pose) and size (3,)."""
        made = []
        for row in rows:
            pose = self._pose(row['pose'].rotation, row['pose'].origin)
            x, y, z = (float(v) for v in row['size'])
            size = self._make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)
            bbox = self._make('vision_msgs/msg/BoundingBox3D', center=pose, size=size)
            made.append(self._detection(3, stamp, frame, row, bbox, pose))
        return self._make(
            'vision_msgs/msg/Detection3DArray', header=self.header(stamp, frame), detections=made
        )

    def _detection(
        self, dimensions: int, stamp: int, frame: str, row: dict[str, Any], bbox: Any, pose: Any
    ) -> Any:
        hypothesis = self._make(
            'vision_msgs/msg/ObjectHypothesis', class_id=row['label'], score=float(row['score'])
        )
        with_pose = self._make(
            'vision_msgs/msg/ObjectHypothesisWithPose',
            hypothesis=hypothesis,
            pose=self._make(
                'geometry_msgs/msg/PoseWithCovariance', pose=pose, covariance=np.zeros(36)
            ),
        )
        return self._make(
            f'vision_msgs/msg/Detection{dimensions}D',
            header=self.header(stamp, frame),
            results=[with_pose],
            bbox=bbox,
            id=row['id'],
        )

    def _pose(self, rotation: F64, origin: F64) -> Any:
        x, y, z = (float(v) for v in origin)
        return self._make(
            'geometry_msgs/msg/Pose',
            position=self._make('geometry_msgs/msg/Point', x=x, y=y, z=z),
            orientation=self._quaternion(rotation),
        )

    def _quaternion(self, rotation: F64) -> Any:
        x, y, z, w = quaternion(rotation)
        return self._make('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w)


def quaternion(rotation: F64) -> tuple[float, float, float, float]:
    """(x, y, z, w) of a rotation (3, 3): by the largest component (Shepperd 1978)."""
    m = rotation
    four = np.array(
        [
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
            1 + m[0, 0] + m[1, 1] + m[2, 2],
        ]
    )
    # row i of the symmetric matrix 4 q q^T
    outer = np.array(
        [
            [four[0], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
            [m[0, 1] + m[1, 0], four[1], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], four[2], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], four[3]],
        ]
    )
    q = outer[int(np.argmax(four))]
    q = q / np.linalg.norm(q)
    return float(q[0]), float(q[1]), float(q[2]), float(q[3])
