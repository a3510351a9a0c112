# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""While a device works, made-up results go the way of the real ones, and leave no trace."""

import itertools
import types
from contextlib import ExitStack

import numpy as np
import pytest

from brightness_model import write_brightness_model
from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.decoders.base import Decoder
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.images import wrap_image
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.core.timing import StageClock
from jetson_infer.cuda.host import HostDevice
from jetson_infer.cuda.kernels.candidates import CandidatesKernel
from jetson_infer.cuda.kernels.detections import FinishedResults
from jetson_infer.engines.models import load_model
from jetson_infer.pipeline import device_detection
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from networks import card as card_mapping
from twin_engine import TwinSession

GREY = wrap_image('bgr8', 64, 48, 192, False, np.full((48, 64, 3), 100, np.uint8))


@pytest.fixture
def device():
    with HostDevice() as twin, twin.current():
        yield twin


@pytest.fixture(params=['boxes', 'candidates'])
def crossing(request):
    """What crosses to the host: scores have to be decoded there where they are logits."""
    return request.param


@pytest.fixture
def decoded(monkeypatch, crossing):
    """One entry for each call of what the host does with results."""
    calls = []
    kind, name = {
        'boxes': (FinishedResults, 'read'),
        'candidates': (Decoder, 'decode_candidates'),
    }[crossing]
    decode = getattr(kind, name)

    def counted(self, *arguments):
        calls.append(name)
        return decode(self, *arguments)

    monkeypatch.setattr(kind, name, counted)
    return calls


@pytest.fixture
def pipeline(tmp_path, device, crossing):
    folder = write_brightness_model(tmp_path / 'brightness')
    if crossing == 'candidates':
        card = folder / 'model.yaml'
        text = card.read_text()
        assert '  decoder: yolo\n' in text
        logits = '  decoder: yolo\n  settings: {activation: sigmoid}\n'
        card.write_text(text.replace('  decoder: yolo\n', logits))
    model = load_model(folder)
    with ExitStack() as stack:
        owned = ExitStack()
        session = TwinSession(model.files[model.variant().name], device)
        owned.callback(session.close)
        opened = DeviceDetectionPipeline(model, model.variant(), session, device, None, owned)
        stack.callback(opened.close)
        opened.limits = DetectionLimits(0.0, 0.5, 10)
        yield opened


def test_a_frame_alone_is_rehearsed_and_one_beside_another_is_not(pipeline, decoded):
    frame = pipeline.begin(GREY, StageClock(0))
    rehearsed = len(decoded)
    second = pipeline.begin(GREY, StageClock(0))
    assert len(decoded) == rehearsed <= 1
    for pending in (frame, second):
        pipeline.finish(pending, StageClock(0))


@pytest.mark.parametrize(
    ('device_s', 'decode_s', 'rehearsed'), [(0.003, 0.001, 1), (0.001, 0.003, 0), (0.001, 0.001, 0)]
)
def test_there_is_a_rehearsal_where_the_device_took_longer_than_decoding(
    pipeline, decoded, monkeypatch, device_s, decode_s, rehearsed
):
    # When a frame is begun, is queued, is done on the device, and is decoded.
    times_s = itertools.cycle([10.0, 10.0, 10.0 + device_s, 10.0 + device_s + decode_s])
    clock = types.SimpleNamespace(monotonic=lambda: next(times_s))
    monkeypatch.setattr(device_detection, 'time', clock)
    pipeline.process(GREY, StageClock(0))
    decoded.clear()
    for _ in range(3):
        pipeline.process(GREY, StageClock(0))
    assert len(decoded) == 3 * (1 + rehearsed)


def test_a_rehearsal_changes_no_result_and_no_count(pipeline):
    first = pipeline.process(GREY, StageClock(0))
    dropped = dict(pipeline.dropped)
    for _ in range(5):
        again = pipeline.process(GREY, StageClock(0))
        np.testing.assert_array_equal(again.boxes, first.boxes)
        np.testing.assert_array_equal(again.scores, first.scores)
    assert pipeline.dropped == dropped


@pytest.mark.parametrize(
    ('name', 'settings', 'shape'),
    [
        ('yolo', {}, (1, 6, 84)),
        ('yolo', {'activation': 'sigmoid'}, (1, 84, 6)),
        ('yolo', {'normalized': True}, (1, 6, 84)),
        ('yolo_objectness', {}, (1, 84, 7)),
        ('yolo_objectness', {'strides': [8, 16, 32]}, (1, 84, 7)),
        ('yolo_objectness', {'objectness_only': True}, (1, 84, 7)),
    ],
)
def test_made_up_candidates_are_shown_by_every_decoder(device, name, settings, shape):
    mapping = card_mapping(output={'decoder': name, 'settings': settings})
    card = parse_card(mapping, 'model.yaml')
    decoder = make_decoder(card.output, card.labels)
    spec = TensorSpec('output0', np.dtype(np.float32), shape)
    decoder.check((spec,), (64, 64))
    layout = decoder.device_candidates((spec,))
    with CandidatesKernel(device, layout) as kernel:
        chosen = kernel.read(kernel.example())
        assert chosen.lost == 0
        assert chosen.candidates.anchors.tolist() == list(range(len(chosen.candidates)))
        found = decoder.decode_candidates(chosen.candidates, DetectionLimits(0.9, 0.45, 300))
    assert 1 <= len(found) <= len(chosen.candidates)
    if 'strides' not in settings:  # where boxes are measured from their cells, none overlap
        assert len(found) < len(chosen.candidates)
    assert set(decoder.dropped.values()) == {0}
