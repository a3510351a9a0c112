# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Clouds of a recording with what is in them: in any frame, from both storages, and bad ones."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from jetson_infer.core.bev import BEV_BOXES, BevDetections
from jetson_infer.core.evaluation import Evaluation
from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.toolchain.cloud_dataset import open_clouds
from jetson_infer.toolchain.dataset import open_dataset, relabelled
from jetson_infer.toolchain.recorded_frames import RecordedFrames
from jetson_infer.toolchain.recordings import Recording
from jetson_infer.toolchain.whole_recording import WholeRecording
from recording_writer import START_NS
from sensor_recordings import SensorMessages, write_messages

ROOM_WALK = Path(__file__).parents[3] / 'recordings/room_walk'
CLOUDS, TRUTH = '/lidar/points', '/ground_truth/objects'
STEP_NS = 200_000_000
MOUNT = (0.1, 0.0, 1.5), Rotation.from_euler('y', 0.3).as_quat()  # a lidar that looks down
FIELDS = ('x', 'y', 'z', 'intensity')


def at(number):
    return START_NS + number * STEP_NS


def points(number):
    return np.random.default_rng(number).uniform(-5, 5, (30, 4)).astype(np.float32).round(2) + 50


def base(number):
    """Return where the robot is in the map at a moment: it walks and turns."""
    return (0.4 * number, -0.2 * number, 0.0), Rotation.from_euler('z', 0.3 * number)


def boxes(number):
    return [('person', 0.9, ((2.0 + number, 1.0, 0.9), 0.5), (0.6, 0.4, 1.8)),
            ('chair', 0.0, ((-1.0, 3.0, 0.5), -2.0), (0.5, 0.5, 1.0))]  # fmt: skip


def write(path, clouds=5, storage='MCAP', change=lambda number, message: message, extra=()):
    """Write clouds, their truth in the map, and transforms: the last cloud is after the last."""
    make = SensorMessages()
    written = [('/tf_static', at(0), make.frames(at(0), 'base_link', 'lidar', *MOUNT))]
    for number in range(clouds):
        message = change(number, make.cloud(at(number), points(number).tolist()))
        written.append((CLOUDS, at(number), message))
        objects = [(n, s, make.pose(*pose), size) for n, s, pose, size in boxes(number)]
        written.append((TRUTH, at(number), make.solids(at(number), 'map', objects)))
    for number in range(0, clouds, 2):
        place, turn = base(number)
        message = make.frames(at(number), 'map', 'base_link', place, turn.as_quat())
        written.append(('/tf', at(number), message))
    return write_messages(path, [*written, *extra], storage)


@pytest.fixture(scope='module')
def walk(tmp_path_factory):
    return write(tmp_path_factory.mktemp('clouds') / 'walk')


def in_map(values, number):
    """Return points of the lidar in the map, by SciPy."""
    (place, mount), (where, turn) = MOUNT, base(number)
    return turn.apply(Rotation.from_quat(mount).apply(values) + place) + where


@pytest.mark.parametrize('storage', ['MCAP', 'SQLITE3'])
def test_clouds_are_given_as_they_were_recorded(tmp_path, storage):
    with open_clouds(write(tmp_path / 'walk', storage=storage), fields=FIELDS) as dataset:
        assert (dataset.topic, dataset.truth_topic, dataset.count) == (CLOUDS, TRUTH, 5)
        samples = list(dataset.clouds({0, 2, 4}))
        assert [sample.index for sample in samples] == [0, 2, 4]
        assert (dataset.dropped, dict(dataset.rejected), dataset.complaint) == (0, {}, '')
    for sample in samples:
        expected = points(sample.index)
        expected[:, 3] = expected[:, 3].astype(np.uint16)
        assert np.array_equal(sample.points.values, expected)
        assert (sample.frame, sample.stamp_ns) == ('lidar', at(sample.index))


def test_points_and_objects_are_given_in_the_frame_that_is_asked_for(walk):
    with open_clouds(walk, frame='map') as dataset:
        assert dataset.labels_of_truth == ('chair', 'person')
        samples = list(dataset.clouds())
    assert len(samples) == 5
    for sample in samples:
        number = sample.index
        truth = sample.truth
        assert truth.class_ids.tolist() == [1, 0]
        assert truth.difficult.tolist() == [False, True]
        expected = [[*place[:2], *size[:2], yaw] for _, _, (place, yaw), size in boxes(number)]
        assert np.allclose(truth.boxes, expected)
        if number % 2 == 0:  # else the robot's place lies between two that were recorded
            assert np.allclose(
                sample.points.values, in_map(points(number)[:, :3], number), atol=1e-4
            )
    between = (in_map(points(1)[:, :3], 0) + in_map(points(1)[:, :3], 2)) / 2
    off = np.linalg.norm(samples[1].points.values - between, axis=1)
    reach = np.linalg.norm(points(1)[:, :3], axis=1).max()
    assert off.max() < reach * (1 - math.cos(0.3)) + 1e-3  # a chord instead of an arc


def test_a_tilted_sensors_objects_are_seen_from_above_in_an_upright_frame(walk):
    with open_clouds(walk, frame='base_link') as dataset:
        (sample,) = dataset.clouds({2})
    where, turn = base(2)
    for box, (_, _, (place, yaw), size) in zip(sample.truth.boxes, boxes(2)):
        assert np.allclose(box[:2], turn.inv().apply(np.subtract(place, where))[:2])
        assert np.allclose(box[2:4], size[:2])
        assert math.isclose(math.remainder(box[4] - (yaw - 0.6), math.tau), 0, abs_tol=1e-9)


def test_detections_that_are_the_truth_are_perfect(walk):
    labels = ('dog', 'person')
    evaluation = Evaluation(labels, BEV_BOXES)
    with open_clouds(walk, frame='base_link') as dataset:
        for sample in dataset.clouds():
            truth = relabelled(sample.truth, dataset.labels_of_truth, labels)
            scores = np.ones(len(truth.boxes), np.float32)
            evaluation.add_frame(BevDetections(truth.boxes, scores, truth.class_ids), truth)
    person = evaluation.result(0.7).classes[1]
    assert (person.objects, person.average_precision) == (5, 1.0)


def test_the_digest_is_of_what_is_given(tmp_path):
    def digest(path, **options):
        with open_clouds(path, **options) as dataset:
            return dataset.digest()

    first = write(tmp_path / 'a')
    assert digest(first) == digest(write(tmp_path / 'b', storage='SQLITE3'))
    others = [
        digest(first, fields=FIELDS),
        digest(first, frame='map'),
        digest(write(tmp_path / 'c', clouds=4)),
    ]
    assert len({digest(first), *others}) == 4


def test_what_cannot_be_used_is_counted_and_what_is_not_finite_dropped(tmp_path):
    def damage(number, message):
        if number == 1:
            message.data = message.data[:-1]
        if number == 2:
            message.data = message.data.copy()
            message.data[4:8] = np.frombuffer(np.float32(np.nan).tobytes(), np.uint8)
        if number == 3:
            message.width, message.data = 0, message.data[:0]
        return message

    with open_clouds(write(tmp_path / 'walk', change=damage)) as dataset:
        samples = list(dataset.clouds())
        assert dict(dataset.rejected) == {'short_data': 1}
        assert dataset.dropped == 1
    assert [len(sample.points.values) for sample in samples] == [30, 29, 0, 30]

    def blind(number, message):
        message.fields = message.fields[:2]
        return message

    with (
        open_clouds(write(tmp_path / 'blind', change=blind)) as dataset,
        pytest.raises(RecordingError, match=r"none of its 5 clouds .* no field 'z'; it has x, y"),
    ):
        list(dataset.clouds())


def test_a_frame_that_is_not_known_costs_the_clouds_that_need_it(tmp_path):
    path = write(tmp_path / 'walk', clouds=6)  # the last transform is that of the fifth
    with open_clouds(path, frame='map') as dataset:
        assert len(list(dataset.clouds())) == 5
        assert dict(dataset.rejected) == {'no_transform': 1}
    # Where only the objects cannot be placed, the cloud itself is as good as without them.
    with open_clouds(path, frame='base_link') as dataset:
        samples = list(dataset.clouds())
        assert [sample.truth is None for sample in samples] == [False] * 5 + [True]
        assert (dict(dataset.rejected), dict(dataset.rejected_truths)) == ({}, {'no_transform': 1})
    with (
        open_clouds(path, frame='moon') as dataset,
        pytest.raises(RecordingError, match=r"from 'lidar' to 'moon'; recorded are: base_link, l"),
    ):
        list(dataset.clouds())


def test_a_topic_that_cannot_be_is_told_with_those_that_can(walk, tmp_path):
    with pytest.raises(RecordingError, match=rf"(?s)no topic '/nose'.*{CLOUDS}"):
        open_clouds(walk, '/nose')
    with pytest.raises(RecordingError, match=f'{TRUTH} holds 5 boxes in space .* on {CLOUDS} '):
        open_clouds(walk, TRUTH)
    with pytest.raises(RecordingError, match='true objects of clouds are of vision_msgs'):
        open_clouds(walk, truth_topic=CLOUDS)
    make = SensorMessages()
    image = make.raw_image(1, 'mono8', np.zeros((4, 4), np.uint8))
    camera = write_messages(tmp_path / 'camera', [('/camera', 1, image)])
    with pytest.raises(RecordingError, match=r'(?s)holds no point clouds .*/camera  \(sensor_msgs'):
        open_clouds(camera)
    with pytest.raises(ValueError, match='x, y and z must be among'):
        open_clouds(walk, fields=('x', 'y'))


def test_images_are_not_looked_for_in_clouds(walk, tmp_path):
    with pytest.raises(RecordingError) as caught:
        open_dataset(walk, CLOUDS)
    assert f'{CLOUDS} holds 5 point clouds and is of the type' in str(caught.value)
    assert 'this recording has them on no topic' in str(caught.value)
    with pytest.raises(RecordingError, match=r'(?s)holds no camera images .*/lidar/points  \('):
        open_dataset(walk)
    with pytest.raises(RecordingError) as caught:
        open_dataset(ROOM_WALK, CLOUDS)
    assert '/camera/image_raw/compressed (300), /camera/depth' in str(caught.value)


@pytest.mark.parametrize('storage', ['MCAP', 'SQLITE3'])
def test_of_a_recording_that_was_cut_what_is_whole_is_used(tmp_path, storage):
    path = write(tmp_path / 'walk', clouds=200, storage=storage)
    file = next(f for f in path.iterdir() if f.suffix in ('.mcap', '.db3'))
    with file.open('r+b') as stream:
        stream.truncate(file.stat().st_size * 7 // 10)
    with open_clouds(path) as dataset:
        count = len(list(dataset.clouds()))
        assert 20 < count < 200
        assert f'of 200 clouds on {CLOUDS}' in dataset.complaint
        assert str(count) in dataset.complaint


@pytest.mark.parametrize(
    ('turn', 'told'),
    [((0.0, 0.0, 0.0, 0.0), 'is no turn'), ((math.nan, 0.0, 0.0, 1.0), 'is no turn')],
)
def test_transforms_that_are_none_are_named(tmp_path, turn, told):
    make = SensorMessages()
    message = make.frames(5, 'map', 'odom', (0, 0, 0), turn)
    circle = [
        ('/tf', 5, make.frames(5, 'ham', 'egg', (0, 0, 0), (0, 0, 0, 1))),
        ('/tf', 6, make.frames(5, 'egg', 'ham', (0, 0, 0), (0, 0, 0, 1))),
    ]
    path = write_messages(tmp_path / 'bad', [('/tf', 5, message), *circle])
    with WholeRecording.open(path) as whole:
        frames = RecordedFrames(whole)
    with pytest.raises(FrameRejected, match=told):
        frames.lookup('map', 'odom', 5)
    with pytest.raises(FrameRejected, match='round in a circle'):
        frames.lookup('map', 'egg', 5)
    with pytest.raises(FrameRejected, match='it is known from 5 to 5 ns'):
        frames.lookup('map', '/odom', 6)


def test_the_walks_clouds_its_objects_and_its_depth_agree():
    """What one sensor sees is where the truth and the other sensor say that it is."""
    stamps = {}
    with open_dataset(ROOM_WALK, depth_topic='') as images:
        assert images.depth_count == 6
        for sample in images.frames(set(range(0, 300, 50))):
            stamps[sample.stamp_ns] = sample.depth
    assert len(stamps) == 6
    with Recording.open(ROOM_WALK) as recording:
        info = next(recording.messages(['/camera/camera_info'])).message
    with WholeRecording.open(ROOM_WALK) as whole:
        frames = RecordedFrames(whole)
    with open_clouds(ROOM_WALK, frame='base_link') as dataset:
        samples = list(dataset.clouds(set(range(0, 150, 25))))
    differences = []
    for sample in samples:
        for box in sample.truth.boxes:
            assert points_inside(box, sample.points.values, 0.05) > 0
        way = frames.lookup('camera_optical_frame', 'base_link', sample.stamp_ns)
        x, y, z = way.apply(sample.points.values).T
        seen = z > 0.3
        u = (info.k[0] * x[seen] / z[seen] + info.k[2]).round().astype(int)
        v = (info.k[4] * y[seen] / z[seen] + info.k[5]).round().astype(int)
        depth = stamps[sample.stamp_ns]
        inside = (u >= 0) & (u < depth.shape[1]) & (v >= 0) & (v < depth.shape[0])
        differences.append(z[seen][inside] - depth[v[inside], u[inside]])
    off = np.abs(np.concatenate(differences))
    off = off[np.isfinite(off)]
    # The lidar stands 14 cm above the camera: at edges each sees what the other does not.
    assert len(off) > 3000
    assert np.median(off) < 0.02
    assert np.percentile(off, 80) < 0.1


def points_inside(box, values, margin):
    x, y, length, width, yaw = box
    dx, dy = values[:, 0] - x, values[:, 1] - y
    along = dx * math.cos(yaw) + dy * math.sin(yaw)
    across = -dx * math.sin(yaw) + dy * math.cos(yaw)
    return np.count_nonzero(
        (np.abs(along) <= length / 2 + margin) & (np.abs(across) <= width / 2 + margin)
    )
