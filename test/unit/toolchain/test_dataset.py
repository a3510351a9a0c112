# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from jetson_infer.core.evaluation import GroundTruth
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.dataset import open_dataset, relabelled
from recording_writer import IMAGE, START_NS, TRUTH, write_recording
from sensor_recordings import SensorMessages, write_messages


def jpeg(value: int) -> bytes:
    image = np.full((48, 64, 3), value, np.uint8)
    image[::3] = np.random.default_rng(value).integers(0, 255, image[::3].shape)
    return cv2.imencode('.jpg', image)[1].tobytes()


@pytest.fixture(params=['MCAP', 'SQLITE3'])
def recording(request, tmp_path):
    images = [jpeg(value) for value in range(0, 250, 25)]
    return write_recording(tmp_path / 'walk', frames=40, storage=request.param, images=images)


def test_a_recording_gives_its_images_with_their_truths(recording):
    with open_dataset(recording) as dataset:
        samples = list(dataset.frames())
        assert (dataset.topic, dataset.count, dataset.complaint) == (IMAGE, 40, '')
        assert dataset.labels_of_truth == ('person',)
    assert [sample.index for sample in samples] == list(range(40))
    assert samples[3].stamp_ns == START_NS + 150_000_000 - 5_000_000
    assert bytes(samples[3].image.data) == jpeg(75)
    assert samples[3].truth.boxes.tolist() == [[13.0, 20.0, 63.0, 90.0]]
    assert not samples[3].truth.difficult.any()


def test_chosen_images_are_those_of_a_whole_pass(recording):
    with open_dataset(recording) as dataset:
        every = list(dataset.frames())
        some = list(dataset.frames({7, 2, 39}))
    assert [sample.name for sample in some] == [every[i].name for i in (2, 7, 39)]


def test_the_digest_is_of_the_content_alone(tmp_path):
    def digest(name: str, storage: str, value: int) -> str:
        path = write_recording(tmp_path / name, frames=3, storage=storage, images=[jpeg(value)])
        with open_dataset(path) as dataset:
            return dataset.digest

    assert digest('a', 'MCAP', 1) == digest('b', 'SQLITE3', 1)
    assert digest('c', 'MCAP', 2) != digest('a2', 'MCAP', 1)


def test_a_topic_that_is_not_there_is_told_with_those_that_are(recording):
    with pytest.raises(RecordingError, match=rf"(?s)no topic '/nose'.*{IMAGE}"):
        open_dataset(recording, '/nose')
    with pytest.raises(RecordingError, match='is of the type vision_msgs'):
        open_dataset(recording, TRUTH)


def test_a_recording_that_was_cut_gives_what_is_whole(recording):
    file = next(f for f in recording.iterdir() if f.suffix in ('.mcap', '.db3'))
    with file.open('r+b') as stream:
        stream.truncate(file.stat().st_size * 7 // 10)
    with open_dataset(recording) as dataset:
        count = len(list(dataset.frames()))
        assert count == dataset.count
        assert 5 < count < 40 or file.suffix == '.mcap'
        assert f'{count} of 40 images on {IMAGE}' in dataset.complaint


def test_a_recorder_that_was_killed_leaves_no_metadata_and_what_is_whole_counts(recording):
    (recording / 'metadata.yaml').unlink()
    file = next(f for f in recording.iterdir() if f.suffix in ('.mcap', '.db3'))
    with file.open('r+b') as stream:
        stream.truncate(file.stat().st_size - 20)
    with open_dataset(recording) as dataset:
        assert len(list(dataset.frames())) > 30
        assert 'an unknown number' in dataset.complaint


def test_an_empty_recording_and_one_of_rubbish_are_refused(tmp_path):
    empty = write_recording(tmp_path / 'empty', frames=0)
    with pytest.raises(RecordingError, match='holds no camera images'):
        open_dataset(empty)
    rubbish = tmp_path / 'rubbish'
    rubbish.mkdir()
    (rubbish / 'x.mcap').write_bytes(b'\x89MCAP0\r\n' + b'\x06' + b'\xff' * 40)
    with pytest.raises(RecordingError):
        open_dataset(rubbish)


def test_a_folder_of_images_is_read_by_name_and_bad_ones_are_counted(tmp_path):
    (tmp_path / 'more').mkdir()
    (tmp_path / 'b.jpg').write_bytes(jpeg(1))
    (tmp_path / 'more' / 'c.JPEG').write_bytes(jpeg(2))
    (tmp_path / 'a.png').write_bytes(b'no picture')
    (tmp_path / 'd.jpg').write_bytes(jpeg(3)[:-40])
    with open_dataset(tmp_path) as dataset:
        assert [s.name for s in dataset.frames()] == ['b.jpg', 'more/c.JPEG']
        assert dict(dataset.rejected) == {'format_mismatch': 1, 'truncated_data': 1}
        assert (dataset.count, dataset.has_truth, dataset.topic) == (4, False, '')
    with pytest.raises(RecordingError, match='has no topics'):
        open_dataset(tmp_path, '/camera')


def test_a_folder_without_one_image_that_can_be_used_says_why(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'no picture')
    with open_dataset(tmp_path) as dataset, pytest.raises(RecordingError, match=r'none of its 1'):
        list(dataset.frames())


def test_labels_are_matched_by_name_and_foreign_objects_left_out():
    truth = GroundTruth(np.eye(4), np.array([0, 1, 2, 1]), np.array([True, False, False, True]))
    found = relabelled(truth, ('cat', 'dog', 'person'), ('person', 'dog'))
    assert found.class_ids.tolist() == [1, 0, 1]
    assert found.boxes.tolist() == np.eye(4)[1:].tolist()
    assert found.difficult.tolist() == [False, False, True]


@pytest.fixture
def days(tmp_path):
    """Return a folder of two recordings, of the same moments, and something else."""
    for name, value, label in (('tuesday', 200, 'dog'), ('monday', 100, 'person')):
        box = (label, 0.9, (1.0, 2.0, 30.0, 40.0))
        write_recording(
            tmp_path / 'days' / name, frames=3, images=[jpeg(value)], truths=[[box], []]
        )
    (tmp_path / 'days' / 'notes').mkdir()
    (tmp_path / 'days' / 'notes' / 'readme.txt').write_text('of no use')
    return tmp_path / 'days'


def test_a_folder_of_recordings_is_read_one_after_the_other(days):
    with open_dataset(days) as dataset:
        samples = list(dataset.frames())
        assert (dataset.count, dataset.topic, dataset.complaint) == (6, IMAGE, '')
        assert (dataset.has_truth, dataset.labels_of_truth) == (True, ('dog', 'person'))
        digest = dataset.digest
        assert [sample.index for sample in dataset.frames({1, 4})] == [1, 4]
    assert [sample.index for sample in samples] == list(range(6))
    assert [sample.name.partition('/')[0] for sample in samples] == ['monday'] * 3 + ['tuesday'] * 3
    assert [bytes(s.image.data) for s in samples] == [jpeg(100)] * 3 + [jpeg(200)] * 3
    # Stamps are those of one recording; what is true of them is not mixed up.
    assert samples[0].stamp_ns == samples[3].stamp_ns
    assert [s.truth.class_ids.tolist() for s in samples] == [[1], [], [1], [0], [], [0]]
    alone = []
    for name in ('monday', 'tuesday'):
        with open_dataset(days / name) as dataset:
            alone += [bytes(sample.image.data) for sample in dataset.frames()]
            assert dataset.digest != digest
    assert alone == [bytes(s.image.data) for s in samples]


def test_all_recordings_of_a_folder_have_to_have_the_camera(days):
    with pytest.raises(RecordingError, match="monday: there is no topic '/nose'"):
        open_dataset(days, '/nose')
    make = SensorMessages()
    other = make.raw_image(1, 'mono8', np.zeros((4, 4), np.uint8))
    write_messages(days / 'wednesday', [('/other_camera', 1, other)])
    with pytest.raises(RecordingError, match=rf"wednesday: there is no topic '{IMAGE}'"):
        open_dataset(days)


def test_of_several_recordings_the_one_that_was_cut_is_named(days):
    file = next((days / 'tuesday').glob('*.mcap'))
    with file.open('r+b') as stream:
        stream.truncate(file.stat().st_size - 30)
    with open_dataset(days) as dataset:
        assert len(list(dataset.frames())) == dataset.count == 6
        assert 'tuesday' in dataset.complaint
        assert 'monday' not in dataset.complaint


def test_true_depth_is_that_of_its_own_recording(tmp_path):
    make = SensorMessages()
    for day, metres in (('a', 1.5), ('b', 2.5)):
        grey, depth = np.zeros((4, 4), np.uint8), np.full((4, 4), metres, np.float32)
        write_messages(
            tmp_path / day,
            [('/camera', 7, make.raw_image(7, 'mono8', grey)),
             ('/depth', 8, make.raw_image(7, '32FC1', depth))],
        )  # fmt: skip
    with open_dataset(tmp_path, depth_topic='') as dataset:
        assert [float(s.depth[0, 0]) for s in dataset.frames()] == [1.5, 2.5]
        assert dataset.depth_count == 2
        with_depth = dataset.digest
    with open_dataset(tmp_path) as dataset:
        assert dataset.digest != with_depth
