# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""True depth beside a recording's images: every form it is recorded in, and what goes wrong."""

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from jetson_infer.errors import FrameRejected, RecordingError
from jetson_infer.pipeline.convert import Converter
from jetson_infer.toolchain.dataset import open_dataset
from jetson_infer.toolchain.recorded_depth import read_depth, tells_depth
from recording_writer import START_NS
from sensor_recordings import SensorMessages, write_messages

CAMERA, DEPTH = '/camera/image_raw', '/camera/depth'
STEP_NS = 100_000_000
INVERSE = 10100.0, -1009.0  # compressed_depth_image_transport's at its defaults


def true_depth(number):
    """Return metres in steps of 2 mm, with holes."""
    random = np.random.default_rng(number)
    depth = random.integers(200, 4500, (9, 14)) * 0.002
    depth[random.random(depth.shape) < 0.1] = np.nan
    return depth


def millimetres(depth):
    return np.nan_to_num(depth * 1000).round().astype(np.uint16)


def png(samples):
    return cv2.imencode('.png', samples)[1].tobytes()


def inverse_depth(depth):
    scale, offset = INVERSE
    return np.nan_to_num(scale / depth + offset).round().astype(np.uint16)


FORMS = {
    '32FC1': lambda make, at, d: make.raw_image(at, '32FC1', d.astype(np.float32)),
    '16UC1': lambda make, at, d: make.raw_image(at, '16UC1', millimetres(d)),
    'png': lambda make, at, d: make.packed_image(at, '16UC1; png compressed ', png(millimetres(d))),
    'compressedDepth of 16UC1': lambda make, at, d: make.packed_image(
        at, '16UC1; compressedDepth png', struct.pack('<iff', 0, 0, 0) + png(millimetres(d))
    ),
    'compressedDepth of 32FC1': lambda make, at, d: make.packed_image(
        at, '32FC1; compressedDepth', struct.pack('<iff', 0, *INVERSE) + png(inverse_depth(d))
    ),
}


def write(path, form='16UC1', images=6, depths=range(0, 6, 2), storage='MCAP', extra=()):
    """Write grey images, and the depth of some of them."""
    make = SensorMessages()
    written = []
    for number in range(images):
        at = START_NS + number * STEP_NS
        written.append(
            (CAMERA, at, make.raw_image(at, 'mono8', np.full((9, 14), number % 256, np.uint8)))
        )
        if number in depths:
            message = FORMS[form](make, at, true_depth(number))
            written.append((DEPTH, at + 7_000_000, message))
    return write_messages(path, [*written, *extra], storage)


@pytest.mark.parametrize(
    ('form', 'storage'), [*((form, 'MCAP') for form in FORMS), ('32FC1', 'SQLITE3')]
)
def test_depth_is_found_by_its_stamp_whatever_its_form(tmp_path, form, storage):
    path = write(tmp_path / 'walk', form, storage=storage)
    with open_dataset(path, depth_topic='') as dataset:
        assert (dataset.topic, dataset.depth_count) == (CAMERA, 3)
        samples = list(dataset.frames())
        again = list(dataset.frames({4, 1}))
        assert dict(dataset.rejected_depths) == {}
    assert [sample.depth is not None for sample in samples] == [True, False] * 3
    for sample in samples[::2]:
        expected = true_depth(sample.index)
        # What is inverse is rounded, the farther the more.
        loss = expected**2 / INVERSE[0] if form.endswith('32FC1') else 1e-6
        assert sample.depth.dtype == np.float32
        assert np.array_equal(np.isnan(sample.depth), np.isnan(expected))
        assert np.nanmax(np.abs(sample.depth - expected) - loss) <= 0
    assert [sample.depth is None for sample in again] == [True, False]
    assert np.array_equal(again[1].depth, samples[4].depth, equal_nan=True)


def test_depth_is_not_read_unless_it_is_asked_for(tmp_path):
    path = write(tmp_path / 'walk')
    with open_dataset(path) as dataset:
        assert [sample.depth for sample in dataset.frames()] == [None] * 6
        assert dataset.depth_count == 0
        plain = dataset.digest
    with open_dataset(path, depth_topic=DEPTH) as dataset:
        list(dataset.frames({0}))
        deep = dataset.digest
        assert next(iter(dataset.frames())).depth is not None
    with open_dataset(write(tmp_path / 'other', depths=(0, 2)), depth_topic='') as dataset:
        assert len({plain, deep, dataset.digest}) == 3
    with open_dataset(write(tmp_path / 'without', depths=())) as dataset:
        assert dataset.digest == plain


def test_a_camera_is_not_a_depth_camera_though_that_has_more_images(tmp_path):
    make = SensorMessages()
    more = [
        (DEPTH, START_NS + n, FORMS['16UC1'](make, START_NS + n, true_depth(0)))
        for n in range(1, 20)
    ]
    with open_dataset(write(tmp_path / 'walk', extra=more)) as dataset:
        assert dataset.topic == CAMERA
    with open_dataset(write_messages(tmp_path / 'deep', more)) as dataset:
        assert dataset.topic == DEPTH  # there is nothing else, and 16UC1 may be a thermal camera's
    with open_dataset(tmp_path / 'walk', DEPTH) as dataset:
        assert dataset.topic == DEPTH


def test_depth_that_cannot_be_read_costs_the_depth_and_is_counted(tmp_path):
    make = SensorMessages()
    path = write_messages(
        tmp_path / 'walk',
        [
            (CAMERA, 10, make.raw_image(10, 'mono8', np.zeros((4, 4), np.uint8))),
            (DEPTH, 10, make.packed_image(10, '16UC1; png compressed', png(np.ones((4, 4)))[:-9])),
            (CAMERA, 20, make.raw_image(20, 'mono8', np.zeros((4, 4), np.uint8))),
            (DEPTH, 20, FORMS['png'](make, 20, true_depth(1))),
        ],
    )
    with open_dataset(path, depth_topic='') as dataset:
        samples = list(dataset.frames())
        assert dict(dataset.rejected_depths) == {'truncated_data': 1}
        assert dict(dataset.rejected) == {}
    assert [sample.depth is None for sample in samples] == [True, False]


def test_a_recording_without_depth_says_what_it_has(tmp_path):
    path = write(tmp_path / 'walk', depths=())
    with pytest.raises(RecordingError, match=rf'none of its topics .* holds depth .*{CAMERA}'):
        open_dataset(path, depth_topic='')
    with pytest.raises(RecordingError, match="no topic '/nose'"):
        open_dataset(path, depth_topic='/nose')
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images' / 'a.png').write_bytes(png(np.zeros((4, 4), np.uint8)))
    with pytest.raises(RecordingError, match='has no topics'):
        open_dataset(tmp_path / 'images', depth_topic='')


@pytest.mark.parametrize('storage', ['MCAP', 'SQLITE3'])
def test_of_a_recording_that_was_cut_what_is_whole_is_used(tmp_path, storage):
    path = write(tmp_path / 'walk', images=300, depths=range(300), storage=storage)
    file = next(f for f in path.iterdir() if f.suffix in ('.mcap', '.db3'))
    with file.open('r+b') as stream:
        stream.truncate(file.stat().st_size * 7 // 10)
    with open_dataset(path, depth_topic='') as dataset:
        samples = list(dataset.frames())
        assert 20 < len(samples) < 300
        assert len([s for s in samples if s.depth is not None]) in (len(samples), len(samples) - 1)
        assert f'of 300 images on {CAMERA}' in dataset.complaint
        assert str(len(samples)) in dataset.complaint
        assert f'of 300 depth images on {DEPTH}' in dataset.complaint


def packed(form, data):
    return SimpleNamespace(format=form, data=np.frombuffer(data, np.uint8))


@pytest.mark.parametrize(
    ('message', 'reason', 'told'),
    [
        (packed('16UC1; compressedDepth rvl', bytes(40)), 'unknown_format', 'only png can'),
        (packed('32FC1; compressedDepth png', bytes(12)), 'truncated_data', 'its own head of 12'),
        (packed('32FC1; compressedDepth png', bytes(40)), 'format_mismatch', 'neither jpeg nor'),
        (packed('rgb8; theora', bytes(40)), 'unknown_format', 'neither jpeg nor png'),
        (packed('png', png(np.zeros((4, 4), np.uint8))), 'not_depth', 'holds mono8'),
        (packed('png', png(np.zeros((4, 4, 3), np.uint16))), 'not_depth', 'holds bgr16'),
    ],
)
def test_what_is_no_depth_is_named(message, reason, told):
    with pytest.raises(FrameRejected) as caught:
        read_depth(message, Converter())
    assert caught.value.reason == reason
    assert told in str(caught.value)


def test_which_messages_say_that_they_are_depth():
    for encoding, expected in (
        ('32FC1', True),
        ('16UC1', True),
        ('mono16', False),
        ('rgb8', False),
    ):
        assert tells_depth(SimpleNamespace(encoding=encoding)) == expected
    for form, expected in (
        ('16UC1; png compressed ', True),
        ('32FC1; compressedDepth png', True),
        ('rgb8; jpeg compressed bgr8', False),
        ('jpeg', False),
        ('', False),
    ):
        assert tells_depth(SimpleNamespace(format=form)) == expected
