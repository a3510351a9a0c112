# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Measuring a pipeline: the right thing is measured, and the spread says what it claims."""

import time
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest

from brightness_model import write_brightness_model
from jetson_infer.core.encodings import ENCODINGS
from jetson_infer.toolchain.bench.frames import recorded_images, synthetic_images
from jetson_infer.toolchain.bench.measure import WARM_UP, measure
from jetson_infer.toolchain.bench.metered import MeteredBinding
from jetson_infer.toolchain.bench.open_subject import open_subject
from jetson_infer.toolchain.bench.paced import run_paced
from jetson_infer.toolchain.bench.picture import draw
from jetson_infer.toolchain.bench.settings import BenchError, BenchSetting, parse_size
from jetson_infer.toolchain.bench.spread import percentiles, ratio_of_medians
from recording_writer import write_recording

OF = BenchSetting()


@pytest.fixture
def setting(tmp_path):
    return BenchSetting(str(write_brightness_model(tmp_path / 'model')), size=(64, 48))


def test_changes_are_read_and_told():
    changed = OF.changed('threads=2, size=1920x1080,encoding=nv12')
    assert (changed.threads, changed.size, changed.encoding) == (2, (1920, 1080), 'nv12')
    assert changed.model == OF.model
    assert changed.difference(OF) == 'threads=2, size=1920x1080, encoding=nv12'
    assert OF.difference(OF) == 'same'


@pytest.mark.parametrize(
    ('text', 'named'),
    [
        ('', 'changes nothing'),
        ('threads', "'threads'"),
        ('threads=', 'threads='),
        ('colour=red', 'colour=red'),
        ('threads=-1', 'threads=-1'),
        ('threads=257', '256'),
        ('engine=abacus', 'onnxruntime'),
        ('encoding=bgr', 'bgr8'),
        ('size=640', '640x480'),
    ],
)
def test_a_change_that_cannot_be_is_named(text, named):
    with pytest.raises(BenchError, match=named):
        OF.changed(text)


@pytest.mark.parametrize('text', ['1x1', '0x480', '640x', '640x480x3', '-6x4', '٦x٤'])
def test_sizes_that_are_none(text):
    with pytest.raises(BenchError):
        parse_size(text)


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_synthetic_images_of_every_encoding(encoding):
    images = synthetic_images(encoding, (16, 12))
    canonical = ENCODINGS[encoding].name
    assert all(image.encoding == canonical and image.size == (16, 12) for image in images)
    assert len({image.pixels.tobytes() for image in images}) == len(images) > 1


def test_recorded_images(tmp_path):
    _, jpeg = cv2.imencode('.jpg', np.full((48, 64, 3), 200, np.uint8))
    walk = write_recording(tmp_path / 'walk', frames=5, images=[jpeg.tobytes()])
    images = recorded_images(walk, 3)
    assert [image.codec for image in images] == ['jpeg'] * 3


def test_ratio_is_that_of_the_medians_and_its_interval_holds_it():
    rng = np.random.default_rng(4)
    first, second = 3 + rng.random(200), 2 + rng.random(200)
    ratio = ratio_of_medians(first, second)
    assert ratio.value == pytest.approx(np.median(first) / np.median(second))
    assert ratio.low < ratio.value < ratio.high
    assert ratio.count == 200


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    covered = 0
    for trial in range(120):
        common = rng.normal(0, 0.02, 80)
        ratio = ratio_of_medians(
            1.1 + common + rng.normal(0, 0.03, 80), 1 + common + rng.normal(0, 0.03, 80), trial
        )
        covered += ratio.low <= 1.1 <= ratio.high
    assert covered >= 0.88 * 120  # 95 % less four standard deviations of 120 trials


def test_what_disturbs_both_of_a_pair_is_no_difference():
    rng = np.random.default_rng(6)
    slow = np.where(rng.random(300) < 0.4, 3.0, 1.0)
    ratio = ratio_of_medians(1.02 * slow, slow)
    assert (ratio.low, ratio.high) == pytest.approx((1.02, 1.02))


def test_no_pairs():
    with pytest.raises(ValueError, match='no pairs'):
        ratio_of_medians([], [])


def test_percentiles():
    assert percentiles(range(101)) == {'p50': 50.0, 'p95': 95.0, 'p99': 99.0}


class Busy:
    """Works for 30 ms, and then sleeps ten times as long."""

    def run(self):
        end = time.process_time() + 0.03
        while time.process_time() < end:
            pass
        time.sleep(0.3)
        return {}


def test_metered_binding_tells_working_from_waiting():
    binding = MeteredBinding(Busy())
    binding.run()
    assert 30 <= binding.cpu_ms < 150
    assert binding.wall_ms >= 300


def test_every_frame_runs_in_the_pipeline_and_in_the_bare_session(setting):
    seen = []
    with open_subject(setting) as subject:
        (found,) = measure([subject], 12, lambda done, total: seen.append((done, total)))
        described = found.as_dict()
    assert len(found.pipeline) == len(found.bare_wall) == len(found.bare_cpu) == 12
    assert seen == [(number, 12) for number in range(1, 13)]
    assert list(found.pipeline[0].stages) == ['preprocess', 'infer', 'decode']
    for cost in found.pipeline:
        assert cost.found > 0
        assert 0 < cost.cpu_outside < cost.cpu
        assert sum(cost.stages.values()) <= cost.wall + 1e-3
    # A machine under load may halt between a stage and the whole, but not in every frame.
    assert max(sum(cost.stages.values()) / cost.wall for cost in found.pipeline) > 0.5
    assert described['pipeline_to_bare']['count'] == 12
    assert described['memory_mb']['before'] > 0 < described['memory_mb']['after']


def test_the_bare_session_runs_on_what_the_pipeline_prepared(setting):
    with open_subject(setting) as subject:
        subject.run_pipeline(0)
        subject.run_bare()
        for name, output in subject.bare.outputs.items():
            np.testing.assert_array_equal(output, subject.inside.outputs[name])


def noting(subject, name, turns, monkeypatch):
    """Have a subject note whose turn it was, and with which image."""
    run_pipeline, run_bare = subject.run_pipeline, subject.run_bare

    def pipeline(number):
        turns.append((name, 'pipeline', subject.image(number).size))
        return run_pipeline(number)

    def bare():
        turns.append((name, 'bare', None))
        return run_bare()

    monkeypatch.setattr(subject, 'run_pipeline', pipeline)
    monkeypatch.setattr(subject, 'run_bare', bare)


def test_two_settings_in_turn(setting, monkeypatch):
    turns = []
    with open_subject(setting) as small, open_subject(setting.changed('size=128x96')) as large:
        noting(small, 'small', turns, monkeypatch)
        noting(large, 'large', turns, monkeypatch)
        first, second = measure([small, large], 8)
    assert (first.subject, second.subject) == (small, large)
    for found in (first, second):
        assert len(found.pipeline) == len(found.bare_wall) == len(found.bare_cpu) == 8
    frames = [turns[at : at + 4] for at in range(4 * WARM_UP, len(turns), 4)]
    assert len(frames) == 8
    each = [
        ('small', 'pipeline', (64, 48)),
        ('small', 'bare', None),
        ('large', 'pipeline', (128, 96)),
        ('large', 'bare', None),
    ]
    for number, frame in enumerate(frames):
        start = number % 4
        assert frame == each[start:] + each[:start]


def test_what_an_image_costs_outside_of_the_session_is_told(setting):
    # All of its area is converted, 2700 times as much: more than ten times the cost.
    dear = setting.changed('size=3840x2160,encoding=nv12')
    with open_subject(setting) as subject, open_subject(dear) as other:
        first, second = measure([subject, other], 8)
    cheap, dear = (np.median([c.cpu_outside for c in found.pipeline]) for found in (first, second))
    assert dear > 3 * cheap
    assert dear > 0.5 * np.median([c.cpu for c in second.pipeline])  # the network is tiny


def test_paced_frames_are_all_accounted_for(setting):
    with open_subject(setting) as subject:
        paced = run_paced(subject, 30, 300.0)
        frames = paced['frames']
        assert subject.run_pipeline(0).found  # the subject is as open as before
    assert frames['received'] == 30
    assert frames['processed'] + frames['replaced'] == 30
    assert frames['processed'] > 0
    assert set(paced['stages_ms']) == {'wait', 'preprocess', 'infer', 'decode', 'total'}


def test_a_subject_that_cannot_be_opened(setting):
    with pytest.raises(Exception, match='no variant'):
        open_subject(setting.changed('variant=missing'))


def test_picture_is_an_svg_with_every_stage(setting):
    with open_subject(setting) as subject:
        (found,) = measure([subject], 6)
    described = found.as_dict()
    described['setting']['images'] = '64x48 bgr8 <&>'
    text = draw([described, described], [[1.0, 1.1, 1.2, 1.3, 1.2, 9.0]] * 2)
    texts = [element.text for element in ElementTree.fromstring(text).iter() if element.text]
    for name in ('preprocess', 'infer', 'decode', 'bare session'):
        assert texts.count(name) == 2
    assert any('<&>' in text for text in texts)
