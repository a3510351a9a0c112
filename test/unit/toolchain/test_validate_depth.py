# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Validating depth variants: figures against plain NumPy, verdicts, and data that cannot work."""

import json
import re
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import yaml

from depth_networks import SIZE, depth_card, true_depth, write_depth_model
from jetson_infer.core.images import wrap_compressed
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.models import load_model
from jetson_infer.engines.validation_gate import ValidationGate
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.errors import DeviceMemoryError, ModelError, NotValidatedError, RecordingError
from jetson_infer.pipeline.open_depth import open_depth
from jetson_infer.toolchain.validate import depth_lockstep
from jetson_infer.toolchain.validate.depth_data import (
    fit_truth,
    open_depth_dataset,
    read_depth_data,
    spread,
)
from jetson_infer.toolchain.validate.depth_pictures import (
    UNKNOWN_RGB,
    depth_scale,
    difference_scale,
)
from jetson_infer.toolchain.validate.depth_validation import DepthValidator
from jetson_infer.toolchain.validate.depth_worst import Difference, WorstDepths
from jetson_infer.toolchain.validate.report import DepthReport, summarize, write_report
from jetson_infer.toolchain.validate.validating import check_model
from recording_writer import IMAGE, NS, START_NS
from sensor_recordings import SensorMessages, write_messages

DEPTH = '/depth/image_raw'
FRAMES = 8
NAN = np.nan


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))


def depth_model(folder, validation=None, **changes):
    limits = {'min_pixels': 1000, 'min_range_pixels': 500, **(validation or {})}
    return load_model(write_depth_model(folder, depth_card(validation=limits, **changes)))


@pytest.fixture
def model(tmp_path):
    return depth_model(tmp_path / 'model')


def pictures(count=FRAMES):
    """Return smooth pictures that differ, twice the network's size."""
    rng = np.random.default_rng(7)
    width, height = SIZE
    coarse = rng.integers(0, 256, (count, 6, 8, 3), np.uint8)
    return [cv2.resize(each, (2 * width, 2 * height)) for each in coarse]


def truth_of(picture):
    """Return how far away things are, a fifth farther than networks say; some of it unknown."""
    depth = 1.2 * true_depth(picture).astype(np.float32)
    depth[:10] = NAN
    return depth


def recording(path, *, truths=range(FRAMES), shift_ns=0, shape=None, broken=(), depths=True):
    make, written = SensorMessages(), []
    for place, picture in enumerate(pictures()):
        stamp = START_NS + place * NS // 10
        jpeg = bytes(cv2.imencode('.png', picture)[1])
        if place in broken:
            jpeg = jpeg[:60] + bytes(80) + jpeg[-12:]
        written.append((IMAGE, stamp, make.packed_image(stamp, 'png', jpeg)))
        if depths and place in truths:
            depth = truth_of(picture)
            if shape is not None:
                depth = cv2.resize(depth, shape, interpolation=cv2.INTER_NEAREST)
            message = make.raw_image(stamp + shift_ns, '32FC1', depth)
            written.append((DEPTH, stamp, message))
    return write_messages(path, written)


def validate(model, path, names=('close', 'ruined'), frames=None, topic=''):
    dataset, why = open_depth_dataset(path, '', topic)
    with dataset:
        validator = DepthValidator(
            model, read_depth_data(dataset, frames, why), VerdictStore(), lambda *told: None
        )
        refused = {}
        results = validator.validate_all(
            [model.variant(name) for name in names],
            'onnxruntime',
            lambda name, error: refused.setdefault(name, str(error)),
        )
        return SimpleNamespace(
            validator=validator, results=results, refused=refused, data=validator.data
        )


def outputs(model, name):
    """Return what a variant's pipeline makes of every picture, outside of any validation."""
    pipeline = open_depth(model, model.variant(name), engine='onnxruntime')
    try:
        found = []
        for picture in pictures():
            view = wrap_compressed('png', bytes(cv2.imencode('.png', picture)[1]))
            found.append(pipeline.process(view, StageClock(time.monotonic_ns())))
        return np.stack(found).astype(np.float64)
    finally:
        pipeline.close()


@pytest.mark.parametrize('with_truth', [range(FRAMES), (1, 5)])
def test_the_figures_are_those_of_plain_numpy(model, tmp_path, with_truth):
    done = validate(model, recording(tmp_path / 'walk', truths=with_truth), ['close'])
    compared = done.results[0].comparison
    before, after = outputs(model, 'fp32'), outputs(model, 'close')
    off = np.abs(after - before) / before
    assert compared.agreement.abs_rel == pytest.approx(off.mean(), rel=1e-6)
    assert (compared.frames, compared.frames_with_truth) == (FRAMES, len(with_truth))
    places = list(with_truth)
    truth = np.stack([truth_of(picture) for picture in pictures()]).astype(np.float64)[places]
    known = np.isfinite(truth)
    for figures, depth in ((compared.reference, before), (compared.candidate, after)):
        found, real = depth[places][known], truth[known]
        assert figures.pixels == known.sum()
        assert figures.abs_rel == pytest.approx((np.abs(found - real) / real).mean(), rel=1e-6)
        assert figures.rmse_m == pytest.approx(np.sqrt(((found - real) ** 2).mean()), rel=1e-6)
        ratio = np.maximum(found / real, real / found)
        assert figures.delta1 == pytest.approx((ratio < 1.25).mean())
        near = (real >= 2) & (real < 5)
        at = next(each for each in figures.at_range if each.near_m == 2)
        assert at.pixels == near.sum()
        assert at.mean_error_m == pytest.approx(np.abs(found - real)[near].mean(), rel=1e-6)
        assert at.mean_bias_m == pytest.approx((found - real)[near].mean(), rel=1e-5)


def test_a_sound_variant_may_run_and_a_ruined_one_is_refused_by_name(model, tmp_path):
    done = validate(model, recording(tmp_path / 'walk'))
    close, ruined = done.results
    assert close.verdict.passed, [check.sentence for check in close.verdict.failures]
    assert ValidationGate().admit(model, model.variant('close'), None) == ''
    assert {check.name for check in ruined.verdict.failures} >= {'difference', 'abs_rel_ratio'}
    with pytest.raises(NotValidatedError, match='variant ruined of brightness_depth') as caught:
        ValidationGate().admit(model, model.variant('ruined'), None)
    assert 'of itself off from the reference' in str(caught.value)
    stored = json.loads(close.stored.read_text())
    assert stored['data']['digest'] == done.data.digest
    assert stored['data']['truth'] == 'true depth'
    assert stored['figures'] == close.comparison.to_json()


def test_without_truth_the_reference_alone_decides(model, tmp_path):
    done = validate(model, recording(tmp_path / 'walk', depths=False))
    assert [each.verdict.passed for each in done.results] == [True, False]
    assert done.results[0].comparison.frames_with_truth == 0
    assert {check.name for check in done.results[0].verdict.checks} == {
        'difference', 'coverage', 'pixels',
    }  # fmt: skip
    assert done.data.truth_kind == "the reference's own depth"
    assert 'there is no true depth' in done.data.notes[0]
    assert 'none of its topics of images holds depth' in done.data.notes[0]


@pytest.mark.parametrize('what', ['threshold', 'onnx', 'reference'])
def test_a_change_voids_the_verdict(model, tmp_path, what):
    validate(model, recording(tmp_path / 'walk'), ['close'])
    folder = tmp_path / 'model'
    if what == 'threshold':
        card = yaml.safe_load((folder / 'model.yaml').read_text())
        card['validation']['max_difference'] = 0.04
        (folder / 'model.yaml').write_text(yaml.safe_dump(card))
    else:
        name = 'close' if what == 'onnx' else 'fp32'
        (folder / f'{name}.onnx').write_bytes((folder / 'ruined.onnx').read_bytes())
    changed = load_model(folder)
    expected = {
        'threshold': 'its thresholds', 'onnx': 'its ONNX file',
        'reference': "the reference's ONNX file",
    }  # fmt: skip
    with pytest.raises(NotValidatedError, match='since then has changed') as caught:
        ValidationGate().admit(changed, changed.variant('close'), None)
    assert expected[what] in str(caught.value)


def test_a_networks_own_scale_counts_against_the_reference_alone(tmp_path):
    settings = {'decoder': 'depth', 'settings': {'scale': 7.0}}
    model = depth_model(tmp_path / 'model', {'align': 'median'}, output=settings)
    done = validate(model, recording(tmp_path / 'walk'), ['close'])
    compared = done.results[0].comparison
    before = outputs(model, 'fp32')
    ratios = []
    for depth, picture in zip(before, pictures()):
        truth = truth_of(picture).astype(np.float64)
        known = np.isfinite(truth)
        aligned = depth[known] * np.median(truth[known]) / np.median(depth[known])
        ratios.append(np.abs(aligned - truth[known]) / truth[known])
    assert np.median(before) > 10  # seven times too far
    assert compared.reference.abs_rel == pytest.approx(np.concatenate(ratios).mean(), rel=1e-6)


def test_the_reference_runs_once_for_all_variants(model, tmp_path, monkeypatch):
    opened = []

    def opening(model, variant, **options):
        opened.append(variant.name)
        return open_depth(model, variant, **options)

    monkeypatch.setattr(depth_lockstep, 'open_depth', opening)
    validate(model, recording(tmp_path / 'walk'))
    assert opened == ['fp32', 'close', 'ruined']


def test_what_does_not_fit_beside_the_others_runs_after_them(model, tmp_path, monkeypatch):
    opened = []

    def opening(model, variant, **options):
        opened.append(variant.name)
        if opened == ['fp32', 'close', 'ruined']:
            raise DeviceMemoryError('the device has no memory left')
        return open_depth(model, variant, **options)

    monkeypatch.setattr(depth_lockstep, 'open_depth', opening)
    done = validate(model, recording(tmp_path / 'walk'))
    assert opened == ['fp32', 'close', 'ruined', 'fp32', 'ruined']
    assert [each.verdict.passed for each in done.results] == [True, False]
    assert not done.refused


def test_a_variant_that_cannot_be_opened_keeps_no_other_from_running(model, tmp_path):
    path = tmp_path / 'model/close.onnx'
    path.write_bytes(path.read_bytes()[:200])
    done = validate(model, recording(tmp_path / 'walk'))
    assert [each.variant.name for each in done.results] == ['ruined']
    assert 'close.onnx' in done.refused['close']


def test_a_depth_that_is_unknown_everywhere_fails_by_name(tmp_path):
    output = {'decoder': 'depth', 'settings': {'min_m': 100, 'max_m': 200}}
    model = depth_model(tmp_path / 'model', output=output)
    (result,) = validate(model, recording(tmp_path / 'walk'), ['close']).results
    assert not result.verdict.passed
    assert 'the reference knows the depth of no pixel' in [
        check.sentence for check in result.verdict.failures
    ]
    assert result.worst == ()


def test_rejected_images_are_left_out_and_told(model, tmp_path):
    done = validate(model, recording(tmp_path / 'walk', broken=(0, 3)), ['close'])
    assert done.results[0].comparison.frames == len(done.data.indices) == FRAMES - 2
    assert done.data.notes[-1].startswith('2 of 8 images cannot be used; the first: /camera')
    with pytest.raises(RecordingError, match='8 of 8 images cannot be used'):
        validate(model, recording(tmp_path / 'cut', broken=range(FRAMES)), ['close'])


def test_a_truth_of_other_stamps_is_an_error(model, tmp_path):
    path = recording(tmp_path / 'walk', shift_ns=1)
    with pytest.raises(RecordingError, match='none of its 8 images has a true depth, though there'):
        validate(model, path)
    with pytest.raises(RecordingError, match='/no/such'):
        validate(model, path, topic='/no/such')


def test_a_recording_without_images_is_an_error(model, tmp_path):
    make = SensorMessages()
    path = write_messages(tmp_path / 'walk', [('/cloud', START_NS, make.cloud(START_NS, []))])
    with pytest.raises(RecordingError, match='/cloud'):
        validate(model, path)


def test_a_truth_of_other_proportions_is_left_out_by_name(model, tmp_path):
    path = recording(tmp_path / 'walk', shape=(128, 72))
    with pytest.raises(RecordingError, match='128x72 is of other proportions') as caught:
        validate(model, path)
    assert '8 of 8 true depths do not fit' in str(caught.value)


def test_a_smaller_truth_counts_every_measurement_once(model, tmp_path):
    done = validate(model, recording(tmp_path / 'walk', shape=(32, 24)), ['close'])
    known = sum(
        np.isfinite(cv2.resize(truth_of(each), (32, 24), interpolation=cv2.INTER_NEAREST)).sum()
        for each in pictures()
    )
    assert done.results[0].comparison.reference.pixels == known


def test_fitting_a_truth():
    truth = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    assert fit_truth(truth, (3, 4)) is truth
    sparse = fit_truth(truth, (9, 12))
    assert np.count_nonzero(np.isfinite(sparse)) == 12
    assert np.array_equal(sparse[1::3, 1::3], truth)  # the middle of every 3 by 3 pixels
    large = np.kron(truth, np.ones((3, 3), np.float32))
    assert np.array_equal(fit_truth(large, (3, 4)), truth)
    with pytest.raises(ValueError, match='40x30 is of other proportions than the image of 64x36'):
        fit_truth(np.ones((30, 40), np.float32), (36, 64))


def test_chosen_images_are_spread_and_prefer_those_with_a_truth():
    assert spread(range(10), None, ()) == list(range(10))
    assert spread(range(100), 4, ()) == [12, 37, 62, 87]
    assert spread(range(100), 4, (1, 99)) == [1, 37, 62, 99]
    assert spread(range(0, 200, 2), 2, (90,)) == [90, 148]


def test_the_worst_frames_stay_and_are_apart():
    worst = WorstDepths(60, count=2)
    depths = np.ones((2, 2), np.float32), np.ones((2, 2), np.float32)
    for place, mean in enumerate([0.1, 0.5, 0.2, 0.0, 0.3, 0.4, 0.0]):
        picture = np.zeros((2, 2, 3), np.uint8)
        worst.offer((place, place, ''), Difference(mean, 0.0), lambda p=picture: p, depths)
    assert [frame.place for frame in worst.frames] == [1, 5]
    assert Difference(NAN, 1.0).badness == 1.0
    assert Difference(0.2, 0.5).badness == pytest.approx(0.6)


def test_pictures_are_on_one_scale_and_show_what_is_unknown(model, tmp_path):
    done = validate(model, recording(tmp_path / 'walk'))
    for result in done.results:
        assert result.worst
        for frame in result.worst:
            off = np.abs(frame.candidate - frame.reference) / frame.reference
            assert frame.difference.mean == pytest.approx(off.mean(), rel=1e-4)
            assert np.array_equal(frame.picture, pictures()[frame.index])
    frames = done.results[1].worst
    depths, differences = depth_scale(frames), difference_scale(frames)
    assert 1.0 <= depths.low < depths.high <= 5.0
    assert differences.low == -differences.high
    painted = differences.paint(np.array([[differences.low, 0.0, differences.high, NAN]]))
    blue, white, red, grey = painted[0, :, ::-1].astype(int)
    assert blue[2] > blue[0]
    assert white.min() > 240
    assert red[0] > red[2]
    assert tuple(grey) == UNKNOWN_RGB


@pytest.mark.parametrize('depths', [True, False])
def test_the_page_holds_every_variant_and_nothing_from_elsewhere(model, tmp_path, depths):
    dataset, why = open_depth_dataset(recording(tmp_path / 'walk', depths=depths), '', '')
    with dataset:
        validator = DepthValidator(
            model, read_depth_data(dataset, None, why), VerdictStore(), lambda *told: None
        )
        variants = [model.variant(name) for name in ('close', 'ruined')]
        results = validator.validate_all(variants, 'auto', pytest.fail)
        report = DepthReport(
            model, validator.data, validator.reference, results, {'gone': 'its <file> is cut'},
            {'machine': 'a bench'}, 'jetson-infer validate x y', 'today',
        )  # fmt: skip
        write_report(tmp_path, report)
    page = (tmp_path / 'validation.html').read_text()
    worst = sum(len(each.worst) for each in results)
    assert page.count('data:image/jpeg;base64,') == 4 * worst
    assert '1 of 3 variants passed' in page
    assert 'its &lt;file&gt; is cut' in page
    assert ('Against the true depth of 8 images' in page) == depths
    for result in results:
        for check in result.verdict.checks:
            assert check.sentence in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert json.loads((tmp_path / 'validation.json').read_text()) == summarize(report)


def test_a_first_variant_that_is_no_reference(tmp_path):
    variants = [{'name': 'close', 'onnx': 'close.onnx', 'precision': 'fp16'}]
    with pytest.raises(ModelError, match='has to be fp32, and close is fp16'):
        check_model(depth_model(tmp_path / 'model', variants=variants))
