# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The committed recording: sizes, rates and stamps, and its truths against each other."""

from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from jetson_infer.toolchain.message_definitions import make_typestore

pytest.importorskip('rosbags', reason='recordings are read with rosbags')
from rosbags.rosbag2 import Reader

FOLDER = Path(__file__).resolve().parents[3] / 'recordings' / 'room_walk'
LABELS = ['person', 'dog', 'chair', 'table', 'sofa', 'plant', 'box', 'door']
IMAGE, INFO = '/camera/image_raw/compressed', '/camera/camera_info'
DEPTH, POINTS = '/camera/depth/image_raw/compressed', '/lidar/points'
TRUTH, TRUTH_3D, OBJECTS = (
    f'/ground_truth/{name}' for name in ('detections', 'detections_3d', 'objects')
)
SIGNS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2


@pytest.fixture(scope='module')
def topics():
    """Messages by topic and time of recording [ns]."""
    store = make_typestore('humble')
    found = defaultdict(dict)
    with Reader(FOLDER) as reader:
        for connection, time, raw in reader.messages():
            message = store.deserialize_cdr(raw, connection.msgtype)
            found[connection.topic][time] = message
    return found


def rotation(q):
    """Rotation matrix of a geometry_msgs/Quaternion, by the textbook's formula."""
    x, y, z, w = q.x, q.y, q.z, q.w
    assert x * x + y * y + z * z + w * w == pytest.approx(1, abs=1e-9)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def vector(v):
    return np.array([v.x, v.y, v.z])


def matrix(transform):
    made = np.eye(4)
    made[:3, :3] = rotation(transform.rotation)
    made[:3, 3] = vector(transform.translation)
    return made


@pytest.fixture(scope='module')
def frames(topics):
    """A function: the (4, 4) transform of `frame` in the map at a time."""
    (static,) = topics['/tf_static'].values()
    mounts = {t.child_frame_id: matrix(t.transform) for t in static.transforms}

    def in_map(frame, time):
        chain = {t.child_frame_id: matrix(t.transform) for t in topics['/tf'][time].transforms}
        return chain['base_link'] @ chain['head'] @ mounts[frame]

    return in_map


def xyz(cloud):
    return np.asarray(cloud.data).view('<f4').reshape(-1, 4)[:, :3].astype(float)


def intrinsics(topics):
    info = next(iter(topics[INFO].values()))
    return np.asarray(info.k, float).reshape(3, 3)


def edges(detection):
    b = detection.bbox
    x, y = b.center.position.x, b.center.position.y
    return x - b.size_x / 2, y - b.size_y / 2, x + b.size_x / 2, y + b.size_y / 2


def inside(points, box, pad):
    """Which points (N, 3) are in a vision_msgs/BoundingBox3D grown by `pad` [m]."""
    local = (points - vector(box.center.position)) @ rotation(box.center.orientation)
    return np.all(np.abs(local) <= vector(box.size) / 2 + pad, axis=1)


def test_it_is_small_and_whole():
    files = sorted(p.name for p in FOLDER.iterdir())
    assert files == ['metadata.yaml', 'room_walk.mcap']
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) <= 12e6


def test_its_metadata_can_be_read_by_humble_and_jazzy():
    info = yaml.safe_load((FOLDER / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    # from version 9 on the profiles are a list, which Humble cannot read
    assert info['version'] == 8
    assert info['storage_identifier'] == 'mcap'
    assert info['relative_file_paths'] == ['room_walk.mcap']
    assert int(info['custom_data']['seed']) >= 2_000_000
    for entry in info['topics_with_message_count']:
        (profile,) = yaml.safe_load(entry['topic_metadata']['offered_qos_profiles'])
        sensor = entry['topic_metadata']['name'].startswith(('/camera', '/lidar'))
        assert profile['reliability'] == (2 if sensor else 1)
        latched = entry['topic_metadata']['name'] == '/tf_static'
        assert profile['durability'] == (1 if latched else 2)


def test_rates_and_stamps(topics):
    images = np.array(sorted(topics[IMAGE]))
    assert len(images) == 300
    assert np.all(np.diff(images) == 100_000_000)
    for topic in (INFO, TRUTH, TRUTH_3D):
        assert sorted(topics[topic]) == images.tolist()
    clouds = np.array(sorted(topics[POINTS]))
    assert len(clouds) == 150
    assert np.all(np.diff(clouds) == 200_000_000)
    assert sorted(topics[OBJECTS]) == clouds.tolist()
    assert set(images) <= set(topics['/tf'])
    for topic in (IMAGE, INFO, POINTS, TRUTH, TRUTH_3D, OBJECTS, DEPTH):
        for time, message in topics[topic].items():
            stamp = message.header.stamp
            assert stamp.sec * 10**9 + stamp.nanosec == time


def test_images_decode_and_show_something(topics):
    contrasts, levels = [], []
    for message in topics[IMAGE].values():
        assert message.format == 'jpeg'
        image = cv2.imdecode(np.asarray(message.data), cv2.IMREAD_COLOR)
        assert image.shape == (480, 640, 3)
        contrasts.append(image.std())
        levels.append(image.mean())
    assert np.percentile(contrasts, 2) > 15
    assert 60 < min(levels) < max(levels) < 190


def test_every_class_is_there_often_and_in_several_things(topics):
    seen, things = Counter(), defaultdict(set)
    for array in topics[TRUTH].values():
        for d in array.detections:
            hypothesis = d.results[0].hypothesis
            if hypothesis.score > 0:
                seen[hypothesis.class_id] += 1
                things[hypothesis.class_id].add(d.id)
    assert sorted(seen) == sorted(LABELS)
    assert min(seen.values()) >= 100
    assert min(len(v) for v in things.values()) >= 2


def test_boxes_are_inside_the_image(topics):
    for array in topics[TRUTH].values():
        for d in array.detections:
            x0, y0, x1, y1 = edges(d)
            assert 0 <= x0 < x1 <= 640
            assert 0 <= y0 < y1 <= 480
            assert len(d.results) == 1
            score = d.results[0].hypothesis.score
            # A visible fraction that counts, or 0: of what does not count.
            assert score == 0 or (0.3 <= score <= 1 and min(x1 - x0, y1 - y0) >= 12)
            assert d.id.startswith(d.results[0].hypothesis.class_id + '_')


def test_a_3d_box_covers_its_2d_box(topics):
    k = intrinsics(topics)
    checked = 0
    for time, array in topics[TRUTH].items():
        solid = {d.id: d for d in topics[TRUTH_3D][time].detections}
        assert set(solid) == {d.id for d in array.detections}
        for d in array.detections:
            box = solid[d.id].bbox
            corners = SIGNS * vector(box.size) @ rotation(box.center.orientation).T
            corners = corners + vector(box.center.position)
            if corners[:, 2].min() < 0.1:
                continue
            pixels = corners @ k.T
            pixels = pixels[:, :2] / pixels[:, 2:]
            x0, y0, x1, y1 = edges(d)
            low, high = pixels.min(0) - 1.5, pixels.max(0) + 1.5
            assert low[0] <= x0
            assert low[1] <= y0
            assert high[0] >= x1 - 1
            assert high[1] >= y1 - 1
            checked += 1
    assert checked > 1500


def test_points_fall_on_the_objects_that_they_hit(topics, frames):
    counted = Counter()
    for time, cloud in topics[POINTS].items():
        points = xyz(cloud)
        assert len(points) == cloud.width > 500
        pose = frames('lidar', time)
        points = points @ pose[:3, :3].T + pose[:3, 3]
        assert topics[OBJECTS][time].header.frame_id == 'map'
        for d in topics[OBJECTS][time].detections:
            hits = int(inside(points, d.bbox, 0.06).sum())
            assert hits > 0, f'no point on {d.id} at {time}'
            counted[d.results[0].hypothesis.class_id] += hits
    assert min(counted[label] for label in LABELS) > 150


def test_points_on_a_visible_object_project_into_its_2d_box(topics, frames):
    k, near, total = intrinsics(topics), 0, 0
    for time, cloud in topics[POINTS].items():
        to_camera = np.linalg.inv(frames('camera_optical_frame', time)) @ frames('lidar', time)
        points = xyz(cloud) @ to_camera[:3, :3].T + to_camera[:3, 3]
        flat = {d.id: d for d in topics[TRUTH][time].detections}
        for d in topics[TRUTH_3D][time].detections:
            seen = flat[d.id]
            if seen.results[0].hypothesis.score < 0.98:
                continue
            on = points[inside(points, d.bbox, -0.01) & (points[:, 2] > 0.2)]
            pixels = on @ k.T
            pixels = pixels[:, :2] / pixels[:, 2:]
            shown = np.all((pixels >= 0) & (pixels < [640, 480]), axis=1)
            x0, y0, x1, y1 = edges(seen)
            low, high = np.array([x0, y0]) - 4, np.array([x1, y1]) + 4
            near += int(np.all((pixels >= low) & (pixels <= high), axis=1)[shown].sum())
            total += int(shown.sum())
    assert total > 3000
    assert near / total > 0.97


def test_depth_agrees_with_the_points(topics, frames):
    k = intrinsics(topics)
    assert len(topics[DEPTH]) >= 5
    for time, message in topics[DEPTH].items():
        assert message.format.startswith('16UC1; png')
        depth = cv2.imdecode(np.asarray(message.data), cv2.IMREAD_UNCHANGED)
        assert depth.dtype == np.uint16
        assert depth.shape == (480, 640)
        to_camera = np.linalg.inv(frames('camera_optical_frame', time)) @ frames('lidar', time)
        points = xyz(topics[POINTS][time]) @ to_camera[:3, :3].T + to_camera[:3, 3]
        points = points[points[:, 2] > 0.3]
        pixels = np.round((points @ k.T)[:, :2] / points[:, 2:]).astype(int)
        shown = np.all((pixels >= 0) & (pixels < [640, 480]), axis=1)
        error = depth[pixels[shown, 1], pixels[shown, 0]] / 1000 - points[shown, 2]
        assert shown.sum() > 300
        assert np.median(np.abs(error)) < 0.02
        assert np.mean(np.abs(error) < 0.1) > 0.85  # the rest is seen past an edge by one of them


def test_the_walk_goes_through_several_rooms(topics, frames):
    way = np.array([frames('camera_optical_frame', t)[:3, 3] for t in sorted(topics[IMAGE])])
    assert 1.3 < way[:, 2].min() < way[:, 2].max() < 1.7
    steps = np.linalg.norm(np.diff(way[:, :2], axis=0), axis=1)
    assert steps.max() < 0.2
    assert steps.sum() > 12
    assert np.ptp(way[:, 0]) > 10


def test_the_battery_discharges_plausibly(topics):
    states = [m for _, m in sorted(topics['/battery_state'].items())]
    left = np.array([s.percentage for s in states])
    assert len(states) == 30
    assert np.all(np.diff(left) < 0)
    assert 0 < left.min() < left.max() < 1
    assert all(s.current < 0 and s.power_supply_status == 2 for s in states)
    assert all(s.voltage == pytest.approx(np.sum(s.cell_voltage), rel=1e-5) for s in states)
