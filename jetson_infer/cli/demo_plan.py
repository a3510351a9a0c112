# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a demo plays to which model: found and checked before anything is started."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jetson_infer.cli.ros_environment import share_file
from jetson_infer.engines.models import Model, find_model, load_model
from jetson_infer.errors import ParameterError, RecordingError
from jetson_infer.toolchain.recording_files import find_recording
from jetson_infer.toolchain.recordings import Recording, Topic
from jetson_infer.toolchain.report.run_result import IMAGE_TYPES, TRUTH_TYPE

__all__ = ['EVENTS', 'Plan', 'make_plan']

EVENTS = 'events.jsonl'


@dataclass(frozen=True)
class Plan:
    """What a demo plays, to which model, and where its report goes.

    :param recording: where it lies.
    :param image: its camera's topic.
    :param truth: its topic of true objects; None where it has none.
    :param params_file: the detector's parameters.
    :param model: the model that is played to.
    :param working_score: the score from which on objects are shown: the model's card's.
    :param folder: where the report goes.
    """

    recording: Path
    image: Topic
    truth: Topic | None
    params_file: Path
    model: Model
    working_score: float
    folder: Path

    @property
    def launch_arguments(self) -> dict[str, object]:
        """The launch file's arguments that follow from all that."""
        name, compressed = self.image.name, self.image.type.endswith('/CompressedImage')
        return {
            'recording': str(self.recording.resolve()),
            'image_topic': name[: -len('/compressed')] if compressed else name,
            'image_transport': 'compressed' if compressed else 'raw',
            'params_file': str(self.params_file.resolve()),
            'events_file': str(self.folder.resolve() / EVENTS),
        }


def make_plan(options: argparse.Namespace) -> Plan:
    """Look at the recording and the model, and decide what is played.

    :raises RecordingError: if the recording cannot be read, holds no images, or lacks a topic.
    :raises ModelError: if there is no such model.
    :raises CardError: if its card is wrong.
    :raises ParameterError: if the parameter file cannot be read.
    """
    path = find_recording(options.recording)
    with Recording.open(path) as recording:
        image = _choose(recording, options.image_topic, IMAGE_TYPES)
        if image is None:
            raise RecordingError(f'{path}: it holds no camera images ({", ".join(IMAGE_TYPES)})')
        truth = _choose(recording, options.truth_topic, (TRUTH_TYPE,))
    if image.type.endswith('/CompressedImage') and not image.name.endswith('/compressed'):
        raise RecordingError(
            f'{path}: compressed images on {image.name}; a node that subscribes to compressed '
            'images expects them on a topic that ends with /compressed'
        )
    params_file = options.params_file or share_file('config/demo.yaml')
    named = options.model or _model_in(params_file)
    model = load_model(find_model(named))
    score = model.card.output.defaults.score_threshold
    return Plan(path, image, truth, params_file, model, score, options.out)


def _choose(recording: Recording, name: str | None, types: tuple[str, ...]) -> Topic | None:
    if name is None:
        return next(iter(recording.topics_of_type(*types)), None)
    topic = recording.require_topics([name])[0]
    if topic.type not in types:
        raise RecordingError(
            f'{recording.path}: {name} is of the type {topic.type}; needed is {" or ".join(types)}'
        )
    return topic


def _model_in(params_file: Path) -> str:
    """Return the model that a ROS parameter file names, for whatever node."""
    try:
        content = yaml.safe_load(params_file.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError('params_file', f'{params_file} cannot be read: {error}') from error
    model = _find(content, 'model')
    if not isinstance(model, str) or not model:
        raise ParameterError(
            'params_file', f'{params_file} names no model; give one there or with --model'
        )
    return model


def _find(content: Any, key: str) -> Any:
    if not isinstance(content, Mapping):
        return None
    parameters = content.get('ros__parameters')
    if isinstance(parameters, Mapping) and key in parameters:
        return parameters[key]
    return next(filter(None, (_find(value, key) for value in content.values())), None)
