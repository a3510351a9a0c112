# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a demo plays to which model is found, and what cannot work is refused before it starts."""

import argparse

import pytest

from brightness_model import write_brightness_model
from jetson_infer.cli.demo_plan import make_plan
from jetson_infer.errors import ModelError, ParameterError, RecordingError
from recording_writer import IMAGE, TRUTH, write_recording


@pytest.fixture(scope='module')
def walk(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp('recordings') / 'walk', frames=5)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return write_brightness_model(tmp_path_factory.mktemp('models') / 'brightness')


@pytest.fixture
def options(walk, model, tmp_path):
    params = tmp_path / 'params.yaml'
    params.write_text(f'/**:\n  ros__parameters:\n    model: {model}\n')
    return argparse.Namespace(
        recording=str(walk),
        image_topic=None,
        truth_topic=None,
        params_file=params,
        model=None,
        out=tmp_path / 'out',
    )


def test_topics_are_found_by_their_types_and_the_score_in_the_card(options, walk):
    plan = make_plan(options)
    assert (plan.image.name, plan.truth.name) == (IMAGE, TRUTH)
    assert plan.working_score == 0.4
    arguments = plan.launch_arguments
    assert arguments['recording'] == str(walk)
    assert arguments['image_topic'] == '/camera/image_raw'
    assert arguments['image_transport'] == 'compressed'
    assert arguments['events_file'] == str(options.out / 'events.jsonl')


def test_the_model_may_be_named_for_one_node(options, model):
    options.params_file.write_text(
        f'front:\n  detector:\n    ros__parameters: {{model: {model}}}\n'
    )
    assert make_plan(options).working_score == 0.4


@pytest.mark.parametrize(
    ('changes', 'error', 'message'),
    [
        ({'recording': '/nowhere'}, RecordingError, 'no recording'),
        ({'image_topic': '/front'}, RecordingError, "no topic '/front'"),
        ({'truth_topic': '/true'}, RecordingError, "no topic '/true'"),
        ({'image_topic': '/tf_static'}, RecordingError, 'of the type tf2_msgs/msg/TFMessage'),
        ({'truth_topic': '/tf_static'}, RecordingError, 'of the type tf2_msgs/msg/TFMessage'),
        ({'model': '/no/model'}, ModelError, '/no/model'),
    ],
)
def test_what_is_not_there_is_refused(options, changes, error, message):
    vars(options).update(changes)
    with pytest.raises(error, match=message):
        make_plan(options)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'cannot be read'),
        ('a: [1', 'cannot be read'),
        ('', 'names no model'),
        ('- model', 'names no model'),
        ('/**: {ros__parameters: {model: 5}}', 'names no model'),
    ],
)
def test_a_parameter_file_that_does_not_help_is_told(options, text, message):
    if text is None:
        options.params_file.unlink()
    else:
        options.params_file.write_text(text)
    with pytest.raises(ParameterError, match=message):
        make_plan(options)
