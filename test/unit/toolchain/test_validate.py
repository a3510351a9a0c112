# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Validating variants: sound ones pass, a ruined one does not, and data that cannot work."""

import json
import re

import cv2
import numpy as np
import onnx
import pytest

import networks
from jetson_infer.engines.models import load_model
from jetson_infer.engines.validation_gate import ValidationGate
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.errors import DecoderError, ModelError, NotValidatedError, RecordingError
from jetson_infer.toolchain.dataset import open_dataset
from jetson_infer.toolchain.validate.collect import read_data
from jetson_infer.toolchain.validate.pictures import choose_worst, draw_worst
from jetson_infer.toolchain.validate.report import Report, summarize, write_report
from jetson_infer.toolchain.validate.validating import check_model
from jetson_infer.toolchain.validate.validation import Validator, WorstFrame
from quantized_models import (
    coloured_images,
    quantized_network,
    true_objects,
    write_images,
    write_quantized_model,
)
from recording_writer import write_recording


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))


@pytest.fixture
def model(tmp_path):
    return load_model(write_quantized_model(tmp_path / 'quantized'))


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp('images'))


@pytest.fixture(scope='module')
def walk(tmp_path_factory):
    """Return a recording of the pictures with what is in them, as a camera and a truth."""
    pictures = coloured_images()
    return write_recording(
        tmp_path_factory.mktemp('walk') / 'walk',
        frames=len(pictures),
        images=[bytes(cv2.imencode('.jpg', picture)[1]) for picture in pictures],
        truths=[true_objects(picture) for picture in pictures],
    )


def validator(model, dataset, frames=None, told=None):
    progress = (lambda *what: None) if told is None else (lambda *what: told.append(what))
    data = read_data(dataset, model.card.labels, frames)
    return Validator(model, data, VerdictStore(), progress)


def validate(model, dataset, name):
    judging = validator(model, dataset)
    variant = model.variant(name)
    return judging, judging.validate(variant, judging.choose(variant, 'onnxruntime'))


@pytest.mark.parametrize('source', ['images', 'walk'])
def test_a_sound_variant_passes_and_may_run(model, source, request):
    with open_dataset(request.getfixturevalue(source)) as dataset:
        judging, result = validate(model, dataset, 'int8')
    assert result.verdict.passed, [check.sentence for check in result.verdict.failures]
    assert judging.data.truth_kind.startswith('ground' if source == 'walk' else 'the reference')
    assert ValidationGate().admit(model, model.variant('int8'), None) == ''
    stored = json.loads(result.stored.read_text())
    assert stored['data']['frames'] == 30
    assert stored['verdict']['passed']


@pytest.mark.parametrize('source', ['images', 'walk'])
def test_one_layers_scale_16_times_too_large_fails_and_is_refused_by_name(model, source, request):
    with open_dataset(request.getfixturevalue(source)) as dataset:
        _, result = validate(model, dataset, 'ruined')
    assert not result.verdict.passed
    assert 'ap50_ratio' in [check.name for check in result.verdict.failures]
    with pytest.raises(NotValidatedError) as caught:
        ValidationGate().admit(model, model.variant('ruined'), None)
    assert 'variant ruined of quantized on onnxruntime' in str(caught.value)
    assert 'failed its validation' in str(caught.value)
    assert 'AP50, mean of classes, is' in str(caught.value)


def test_what_the_decoder_cannot_take_has_no_verdict_and_is_refused(model, walk):
    onnx.save(quantized_network(ruined_layer=1), model.files['ruined'])
    with open_dataset(walk) as dataset, pytest.raises(DecoderError, match='scores reach'):
        validate(model, dataset, 'ruined')
    with pytest.raises(NotValidatedError, match='variant ruined of quantized'):
        ValidationGate().admit(model, model.variant('ruined'), None)


def test_the_figures_against_the_truth_are_those_that_were_painted(model, walk):
    there = [true_objects(picture) for picture in coloured_images()]
    with open_dataset(walk) as dataset:
        _, result = validate(model, dataset, 'int8')
    for label in model.card.labels:
        figures = result.comparison.reference.of(label)
        painted = sum(name == label for frame in there for name, *_ in frame)
        assert (figures.objects, figures.found, figures.false) == (painted, painted, 0)
        assert figures.ap50 == 1.0
        assert figures.ap == 1.0
    assert result.comparison.candidate.box_iou == pytest.approx(1.0)


def test_the_reference_is_held_to_nothing(model, images):
    with open_dataset(images) as dataset:
        assert validator(model, dataset).choose(model.variant('fp32'), 'auto') is None


def test_so_many_frames_spread_over_all_and_told_one_by_one(model, images):
    told = []
    with open_dataset(images) as dataset:
        judging = validator(model, dataset, 4, told)
        assert judging.data.indices == (0, 10, 19, 29)
        judging.validate(model.variant('int8'), judging.choose(model.variant('int8'), 'auto'))
        digests = {read_data(dataset, model.card.labels, n).digest for n in (None, 4, 5)}
    assert len(digests) == 3
    assert told[:5] == [('fp32 on onnxruntime', done, 4) for done in range(5)]
    assert told[-1] == ('int8 on onnxruntime', 4, 4)


def test_too_few_objects_prove_nothing(model, images):
    with open_dataset(images) as dataset:
        judging = validator(model, dataset, 3)
        result = judging.validate(
            model.variant('int8'), judging.choose(model.variant('int8'), 'auto')
        )
    assert {check.name for check in result.verdict.failures} >= {'objects'}


def test_worst_frames_are_drawn_from_both_sides(model, images):
    with open_dataset(images) as dataset:
        judging, result = validate(model, dataset, 'ruined')
        pairs = draw_worst(judging.data, model.card.labels, judging.reference, result)
    assert len(pairs) == 4
    for pair in pairs:
        sides = [cv2.imdecode(np.frombuffer(side, np.uint8), 1) for side in
                 (pair.reference, pair.candidate)]  # fmt: skip
        assert sides[0].shape == sides[1].shape == (48, 64, 3)
        assert (sides[0] != sides[1]).any()
        assert re.search(r'more false|newly missed', pair.text)


def test_frames_that_follow_each_other_are_not_all_shown():
    worst = [WorstFrame(place, None, 9.0 - place) for place in range(6)]
    assert [frame.place for frame in choose_worst(worst, 2, 90)] == [0, 3]


def test_the_page_holds_every_variant_and_nothing_from_elsewhere(model, walk, tmp_path):
    with open_dataset(walk) as dataset:
        judging = validator(model, dataset)
        results = [
            judging.validate(model.variant(name), judging.choose(model.variant(name), 'auto'))
            for name in ('int8', 'ruined')
        ]
        report = Report(
            model, judging.data, judging.reference, results, {'gone': 'its <file> is cut'},
            {'machine': 'a bench'}, 'jetson-infer validate x y', 'today',
        )  # fmt: skip
        write_report(tmp_path, report)
    page = (tmp_path / 'validation.html').read_text()
    assert page.count('data:image/jpeg;base64,') == 2 * 4  # the sound variant has no worst frame
    assert 'There is no frame in which it does worse' in page
    assert 'its &lt;file&gt; is cut' in page
    assert '1 of 3 variants passed' in page
    for result in results:
        for check in result.verdict.checks:
            assert check.sentence in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    summary = json.loads((tmp_path / 'validation.json').read_text())
    assert summary == summarize(report)
    assert [each.get('passed') for each in summary['variants']] == [True, False, None]


def test_a_truth_without_any_of_the_models_labels(model, tmp_path):
    recording = write_recording(tmp_path / 'walk', images=[picture_bytes()])
    with open_dataset(recording) as dataset, pytest.raises(RecordingError) as caught:
        read_data(dataset, model.card.labels)
    message = str(caught.value)
    assert 'its ground truth is about person, and the model knows none of these' in message
    assert 'it knows red, green, blue' in message


def test_labels_that_the_model_has_not_are_told_and_left_out(model, tmp_path):
    box = (1.0, 2.0, 30.0, 40.0)
    truths = [[('red', 1.0, box), ('cat', 1.0, box)]]
    recording = write_recording(tmp_path / 'walk', images=[picture_bytes()], truths=truths)
    with open_dataset(recording) as dataset:
        data = read_data(dataset, model.card.labels)
    assert data.notes[0].endswith('labels that the model has not; they are left out: cat')
    assert data.notes[1] == 'the ground truth says nothing of green, blue'
    assert [objects.class_ids.tolist() for objects in data.truth] == [[0]] * 10


def test_an_empty_folder_and_one_without_the_topic(model, tmp_path, walk):
    with pytest.raises(RecordingError):
        open_dataset(tmp_path)
    with pytest.raises(RecordingError, match='/camera/image_raw/compressed'):
        open_dataset(walk, '/no/such/topic')


def test_images_that_cannot_be_decoded_are_left_out_and_told(model, tmp_path):
    pictures = coloured_images()
    whole = [bytes(cv2.imencode('.jpg', picture)[1]) for picture in pictures]
    broken = whole[0][:20] + bytes(60) + whole[0][-2:]  # whole at its ends
    images = [broken if place % 10 == 3 else picture for place, picture in enumerate(whole)]
    truths = [true_objects(picture) for picture in pictures]
    recording = write_recording(tmp_path / 'walk', frames=30, images=images, truths=truths)
    with open_dataset(recording) as dataset:
        judging, result = validate(model, dataset, 'int8')
    assert result.verdict.passed
    assert result.comparison.frames == len(judging.data.indices) == 27
    assert judging.data.notes[0].startswith('3 of 30 images cannot be used; the first: /camera')
    recording = write_recording(tmp_path / 'cut', images=[broken], truths=truths)
    with (
        open_dataset(recording) as dataset,
        pytest.raises(RecordingError, match='10 of 10 images cannot be used'),
    ):
        validate(model, dataset, 'int8')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'task': 'cloud_detection'},
            'this is a cloud_detection model, for whose outputs there is no decoder yet',
        ),
        ({'task': 'policy'}, 'a policy model, and there are no figures of how good commands are'),
        (
            {'variants': [{'name': 'half', 'onnx': 'tiny.onnx', 'precision': 'fp16'}]},
            'which has to be fp32, and half is fp16',
        ),
    ],
)
def test_models_that_cannot_be_validated(tmp_path, changes, message):
    card = networks.card(**changes)
    with pytest.raises(ModelError, match=message):
        check_model(load_model(networks.write_model(tmp_path / 'tiny', card)))


def picture_bytes():
    return bytes(cv2.imencode('.jpg', coloured_images(1)[0])[1])
