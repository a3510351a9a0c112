# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that the device finishes: the very detections of the host's pipeline."""

from contextlib import ExitStack

import numpy as np
import pytest

from closed_views import views_told_of
from crowds import assert_equal_to_the_bit
from device_rig import Rig
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.images import wrap_image
from jetson_infer.core.timing import StageClock
from jetson_infer.cuda.host import HostDevice
from jetson_infer.errors import DecoderError
from jetson_infer.pipeline.device_output import CandidateOutput, DetectionOutput
from networks import card as card_mapping
from networks import emitting, write_model
from yolo_outputs import LAYOUTS, SIZE, random_output

CLASSES = 3
DECODED_ON_THE_HOST = {'logits', 'YOLOX, raw'}


@pytest.fixture(params=['discrete', 'integrated', 'lazy'])
def device(request, caplog):
    twin = HostDevice(integrated=request.param == 'integrated', lazy=request.param == 'lazy')
    with twin.current():
        yield twin
    assert twin.live() == {}
    twin.close()
    assert not views_told_of(caplog)


def model_of(folder, name, output):
    """Write a model of one of the layouts that always answers with an output."""
    width, height = SIZE
    layout = LAYOUTS[name]
    folder.mkdir()
    emitting(folder / 'tiny.onnx', {'output0': output}, (1, 3, height, width))
    return write_model(
        folder,
        card_mapping(
            input={'size': [width, height]},
            labels=[f'class {number}' for number in range(CLASSES)],
            output={'decoder': layout.decoder, 'settings': layout.settings},
        ),
    )


def grey(width, height):
    pixels = np.full((height, width), 100, np.uint8)
    return wrap_image('mono8', width, height, width, False, pixels)


def counted(pipeline, before=None):
    return {reason: n - (before or {}).get(reason, 0) for reason, n in pipeline.dropped.items()}


@pytest.mark.parametrize('hostile', [True, False])
@pytest.mark.parametrize('name', LAYOUTS)
def test_detections_are_the_hosts_to_the_bit_under_limits_that_change(
    tmp_path, device, name, hostile
):
    _, output = random_output(LAYOUTS[name], CLASSES, 150, seed=3, hostile=hostile)
    output[:, :2] = np.abs(output[:, :2]) * 3
    if LAYOUTS[name].settings.get('normalized'):
        output[:, :4] /= 64
    with ExitStack() as stack:
        rig = Rig(stack, model_of(tmp_path / 'model', name, output), device)
        before = [counted(pipeline) for pipeline in (rig.pipeline, rig.host)]
        found = []
        for size, limits in (
            ((640, 480), DetectionLimits(0.3)),
            ((640, 480), DetectionLimits(0.3, 0.0)),
            ((33, 71), DetectionLimits(0.0, 1.0, 1000)),
            ((333, 71), DetectionLimits(0.3, 0.5, 300, frozenset([0, 2]))),
            ((71, 333), DetectionLimits(0.3, 0.5, 1)),
            ((640, 480), DetectionLimits(0.3, 0.5, 300, frozenset())),
            ((640, 480), DetectionLimits(1.0)),
        ):
            here, there = rig.both(grey(*size), limits)
            assert_equal_to_the_bit(here, there)
            found.append(len(here))
        assert found[0] >= found[1]
        assert found[2] > 2
        assert found[4] <= 1
        assert found[5] == 0
        dropped = [counted(p, b) for p, b in zip((rig.pipeline, rig.host), before)]
        assert dropped[0] == dropped[1]
        assert (dropped[0]['non_finite'] > 10) == hostile


@pytest.mark.parametrize('name', LAYOUTS)
def test_what_takes_the_decoder_is_decoded_on_the_host(tmp_path, device, name):
    _, output = random_output(LAYOUTS[name], CLASSES, 50)
    with ExitStack() as stack:
        rig = Rig(stack, model_of(tmp_path / 'model', name, output), device)
        kind = CandidateOutput if name in DECODED_ON_THE_HOST else DetectionOutput
        assert all(type(lane.output) is kind for lane in rig.pipeline._free)


def test_a_crowd_beyond_the_room_is_decoded_whole_and_counted_once(tmp_path, device):
    _, output = random_output(LAYOUTS['YOLOv8'], CLASSES, 3000)
    with ExitStack() as stack:
        rig = Rig(stack, model_of(tmp_path / 'model', 'YOLOv8', output), device)
        for limits in (DetectionLimits(0.0), DetectionLimits(0.95), DetectionLimits(0.0)):
            before = [counted(pipeline) for pipeline in (rig.pipeline, rig.host)]
            assert_equal_to_the_bit(*rig.both(grey(100, 80), limits))
            here, there = (counted(p, b) for p, b in zip((rig.pipeline, rig.host), before))
            assert here == there
            assert here['inside_out'] > 0


def test_scores_a_little_above_one_are_cut_and_higher_ones_refused_as_on_the_host(tmp_path, device):
    _, output = random_output(LAYOUTS['YOLOv8'], CLASSES, 50, hostile=False)
    output[0, 5, 7] = 1.04
    with ExitStack() as stack:
        rig = Rig(stack, model_of(tmp_path / 'model', 'YOLOv8', output), device)
        here, there = rig.both(grey(64, 48), DetectionLimits())
        assert_equal_to_the_bit(here, there)
        assert here.scores[0] == 1
    output[0, 6, 8] = 3.5
    folder = model_of(tmp_path / 'logits', 'YOLOv8', output)
    with pytest.raises(DecoderError, match=r'scores reach 3\.5, .* does the network emit logits'):
        Rig(stack, folder, device)  # the frames that warm it up show it


def test_limits_cross_when_they_change_and_not_again(tmp_path, device):
    _, output = random_output(LAYOUTS['YOLOv8'], CLASSES, 50)
    with ExitStack() as stack:
        rig = Rig(stack, model_of(tmp_path / 'model', 'YOLOv8', output), device)
        operations = []
        for limits in (
            first := DetectionLimits(0.3),
            first,
            second := DetectionLimits(0.4),
            second,
        ):
            rig.pipeline.limits = limits
            for _ in range(rig.pipeline.depth):  # each lane hears of it
                before = device.operations
                rig.pipeline.process(grey(64, 48), StageClock(0))
                operations.append(device.operations - before)
        changed = 2 if rig.pipeline.transfer.kind == 'pinned' else 0
        usual = min(operations)
        assert operations.count(usual) >= 4
        assert set(operations) == {usual, usual + changed}
