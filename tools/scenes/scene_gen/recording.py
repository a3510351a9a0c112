# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A walk through a flat as a rosbag2 recording (mcap): sensors, transforms and ground truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from scene_gen import optics
from scene_gen.actors import Actor
from scene_gen.camera import OPTICAL, Camera
from scene_gen.compiled import CompiledScene
from scene_gen.head import HeadWalk, Pose
from scene_gen.lidar import Lidar, scan
from scene_gen.meshes import rot_z
from scene_gen.messages import Messages
from scene_gen.render import Renderer
from scene_gen.scene import Scene, build
from scene_gen.truth import observe, oriented_box

Rng = np.random.Generator

CAMERA_FRAME, LIDAR_FRAME = 'camera_optical_frame', 'lidar'
LIDAR_OFFSET = np.array([0.0, 0.0, 0.14])  # above the head's origin [m]
START = 1_780_000_000 * 10**9  # a fixed start, so that a seed gives the same bytes

_TOPICS = {
    '/camera/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
    '/camera/camera_info': 'sensor_msgs/msg/CameraInfo',
    '/camera/depth/image_raw/compressed': 'sensor_msgs/msg/CompressedImage',
    '/lidar/points': 'sensor_msgs/msg/PointCloud2',
    '/tf': 'tf2_msgs/msg/TFMessage',
    '/tf_static': 'tf2_msgs/msg/TFMessage',
    '/battery_state': 'sensor_msgs/msg/BatteryState',
    '/ground_truth/detections': 'vision_msgs/msg/Detection2DArray',
    '/ground_truth/detections_3d': 'vision_msgs/msg/Detection3DArray',
    '/ground_truth/objects': 'vision_msgs/msg/Detection3DArray',
}
_RELIABLE = ('/tf', '/tf_static', '/battery_state', '/ground_truth')


@dataclass(frozen=True)
class Settings:
    """What is recorded.  Rates in hertz; a rate of 0 leaves the topic out."""

    seed: int
    duration: float = 30.0
    rate: float = 10.0
    lidar_rate: float = 5.0
    depth_rate: float = 0.0
    rooms: int = 4
    camera: Camera = field(default_factory=Camera)
    lidar: Lidar = field(default_factory=Lidar)
    jpeg_quality: int = 80


def _qos(topic: str) -> Qos:
    """Best effort for sensors, reliable for the rest, latched for static transforms."""
    none = QosTime(0, 0)
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=1 if topic == '/tf_static' else 10,
        reliability=QosReliability.RELIABLE
        if topic.startswith(_RELIABLE)
        else QosReliability.BEST_EFFORT,
        durability=QosDurability.TRANSIENT_LOCAL
        if topic == '/tf_static'
        else QosDurability.VOLATILE,
        deadline=none,
        lifespan=none,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=none,
        avoid_ros_namespace_conventions=False,
    )


class Recorder:
    """Plays a scene and writes what the robot's sensors deliver."""

    def __init__(self, settings: Settings, typestore: Any) -> None:
        self.settings = settings
        self._rng = np.random.default_rng([settings.seed, 2])
        self.scene, self.walk = flat(self._rng, settings)
        self.compiled = CompiledScene(self.scene, (settings.camera.width, settings.camera.height))
        self._store, self._messages = typestore, Messages(typestore)
        # a good camera: the character of a set, within the range of the training images
        self._sensor = replace(
            optics.sensor(self._rng),
            jpeg_quality=settings.jpeg_quality,
            vignette=0.2,
            shot=0.009,
            read=0.0015,
            softness=0.4,
            target=0.26,
            follow=0.9,
        )
        self._gain: float | None = None

    def write(self, folder: Path) -> int:
        """Render and write the recording into the new `folder`; returns its messages' number."""
        writer = Writer(folder, version=8, storage_plugin=StoragePlugin.MCAP)
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        writer.set_custom_data('seed', str(self.settings.seed))
        writer.set_custom_data('generator', 'tools/scenes/generate.py')
        self._renderer = Renderer(self.settings.camera)
        try:
            self._renderer.load(self.compiled)
            with writer:
                self._connect(writer)
                self._run()
            return sum(writer.counts.values())
        finally:
            self._renderer.close()

    def _connect(self, writer: Writer) -> None:
        self._writer = writer
        self._connections = {
            topic: writer.add_connection(
                topic, kind, typestore=self._store, offered_qos_profiles=[_qos(topic)]
            )
            for topic, kind in _TOPICS.items()
            if self.settings.depth_rate > 0 or 'depth' not in topic
        }

    def _send(self, topic: str, stamp: int, message: Any) -> None:
        data = self._store.serialize_cdr(message, _TOPICS[topic])
        self._writer.write(self._connections[topic], stamp, data)

    def _run(self) -> None:
        s = self.settings
        mounts = [
            ('head', CAMERA_FRAME, Pose(OPTICAL, np.zeros(3))),
            ('head', LIDAR_FRAME, Pose(np.eye(3), LIDAR_OFFSET)),
        ]
        self._send('/tf_static', START, self._messages.transforms(START, mounts))
        frames = round(s.duration * s.rate)
        lidar_every = max(1, round(s.rate / s.lidar_rate)) if s.lidar_rate > 0 else 0
        depth_every = max(1, round(s.rate / s.depth_rate)) if s.depth_rate > 0 else 0
        for k in range(frames):
            t = k / s.rate
            self._transforms(t)
            for actor in self.scene.actors:
                actor.at(t)
            self.compiled.update()
            self._camera_frame(t, depth=bool(depth_every) and k % depth_every == 0)
            if lidar_every and k % lidar_every == 0:
                self._scan(t)
            if k % max(1, round(s.rate)) == 0:
                self._battery(t)
            self._transforms(t + 0.5 / s.rate)

    def _transforms(self, t: float) -> None:
        base, head = self.walk.base(t), self.walk.head(t)
        inverse = base.rotation.T
        relative = Pose(inverse @ head.rotation, inverse @ (head.origin - base.origin))
        stamp = _stamp(t)
        frames = [('map', 'base_link', base), ('base_link', 'head', relative)]
        self._send('/tf', stamp, self._messages.transforms(stamp, frames))

    def _camera_frame(self, t: float, depth: bool) -> None:
        s, m, stamp = self.settings, self._messages, _stamp(t)
        view = self.walk.view(t)
        frame = self._renderer.frame(view, light_gain=light_gain(self.scene, view.origin))
        seen = observe(self._renderer, self.compiled, frame.instance, view, s.camera)
        shutter = (self.walk.view(t - 0.005), self.walk.view(t + 0.005))
        _, jpeg, self._gain = optics.expose(
            self._rng, frame.rgb, frame.depth, s.camera, self._sensor, shutter, self._gain
        )
        rows = []
        for o in seen:
            thing = self.compiled.labelled[o.thing]
            center, size, yaw = oriented_box(thing)
            pose = Pose(view.rotation.T @ rot_z(yaw), view.to_optical(center[None])[0])
            rows.append({
                'label': thing.label, 'score': 0.0 if o.difficult else o.fraction,
                'id': f'{thing.label}_{o.thing}',
                'box': o.box, 'pose': pose, 'size': size,
            })  # fmt: skip
        self._send(
            '/camera/image_raw/compressed', stamp, m.compressed(stamp, CAMERA_FRAME, 'jpeg', jpeg)
        )
        self._send('/camera/camera_info', stamp, m.camera_info(stamp, CAMERA_FRAME, s.camera))
        if depth:
            self._send(
                '/camera/depth/image_raw/compressed',
                stamp,
                m.depth_png(stamp, CAMERA_FRAME, frame.depth),
            )
        self._send('/ground_truth/detections', stamp, m.detections_2d(stamp, CAMERA_FRAME, rows))
        self._send('/ground_truth/detections_3d', stamp, m.detections_3d(stamp, CAMERA_FRAME, rows))

    def _scan(self, t: float) -> None:
        stamp, head = _stamp(t), self.walk.head(t)
        origin = head.origin + head.rotation @ LIDAR_OFFSET
        points, owner = scan(self._rng, self.settings.lidar, self.compiled, head.rotation, origin)
        self._send('/lidar/points', stamp, self._messages.cloud(stamp, LIDAR_FRAME, points))
        rows = []
        for i in np.unique(owner[owner >= 0]):
            thing = self.compiled.labelled[int(i)]
            center, size, yaw = oriented_box(thing)
            rows.append({
                'label': thing.label, 'score': 1.0, 'id': f'{thing.label}_{i}',
                'pose': Pose(rot_z(yaw), center), 'size': size,
            })  # fmt: skip
        self._send('/ground_truth/objects', stamp, self._messages.detections_3d(stamp, 'map', rows))

    def _battery(self, t: float) -> None:
        """A pack of 13 cells at 9 Ah; about 400 W drawn while walking."""
        load = 8.5 + 1.2 * np.sin(1.3 * t) + self._rng.normal(0, 0.3)
        left = 0.78 - 8.5 * t / 3600 / 9.0
        volts = 13 * (3.35 + 0.75 * left) - 0.11 * load
        stamp = _stamp(t)
        self._send(
            '/battery_state',
            stamp,
            self._messages.battery(stamp, float(left), float(volts), -float(load)),
        )


def _stamp(t: float) -> int:
    return START + round(t * 1e6) * 1000


def light_gain(scene: Scene, eye: NDArray[np.float64]) -> NDArray[np.float32]:
    """Gains (n_lights,): full near the eye's room, fading with distance.

    OpenGL's fixed pipeline has eight lights; those of far rooms shine on nothing that is seen.
    """
    gain = np.empty(len(scene.lights), np.float32)
    for i, light in enumerate(scene.lights):
        r = scene.rooms[light.room]
        away = np.hypot(
            max(r.x0 - eye[0], 0.0, eye[0] - r.x1), max(r.y0 - eye[1], 0.0, eye[1] - r.y1)
        )
        gain[i] = np.clip(1 - (away - 2.5) / 1.5, 0, 1)
    return gain


def flat(rng: Rng, settings: Settings) -> tuple[Scene, HeadWalk]:
    """A well furnished flat and a walk through it on which nobody is run into."""
    counts = {
        'sofa': (1, 1), 'table_group': (1, 1), 'plant': (1, 2), 'box': (1, 3), 'chair': (0, 1),
        'person': (1, 2), 'dog': (1, 1), 'decor': (2, 5), 'storage': (1, 2), 'floor_item': (1, 3),
    }  # fmt: skip
    for _ in range(20):
        scene = build(rng, settings.rooms, counts)
        try:
            walk = HeadWalk(rng, scene, settings.duration)
        except RuntimeError:
            continue
        _make_way(rng, scene, walk)
        return scene, walk
    raise RuntimeError(
        f'seed {settings.seed}: no flat of 20 has a free way through {settings.rooms} rooms; '
        'choose another --seed or fewer --rooms'
    )


def _make_way(rng: Rng, scene: Scene, walk: HeadWalk) -> None:
    """Those who would run into the walker start elsewhere; if that fails, they are not there."""
    for actor in list(scene.actors):
        if getattr(actor, 'track', None) is None:
            continue
        for _ in range(12):
            if _clear(actor, walk):
                break
            actor.shuffle(rng)
        else:
            scene.actors.remove(actor)
            leaving = [actor.thing, getattr(actor, 'carried', None)]
            scene.things = [t for t in scene.things if not any(t is gone for gone in leaving)]


def _clear(actor: Actor, walk: HeadWalk, distance: float = 0.8) -> bool:
    """Whether a moving actor never comes nearer than `distance` [m] to the walker."""
    for t in np.arange(0, walk.duration, 0.2):
        actor.at(float(t))
        away = actor.thing.position[:2] - walk.base(float(t)).origin[:2]
        if np.linalg.norm(away) < distance:
            return False
    return True
