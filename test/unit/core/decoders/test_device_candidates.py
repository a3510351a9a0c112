# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Candidates chosen elsewhere become the very detections that the whole output does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetson_infer.core.cards import OutputCard
from jetson_infer.core.decoders import make_decoder
from jetson_infer.core.decoders.candidates import Candidates
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.cuda.kernels.candidates_reference import candidates_reference
from jetson_infer.errors import DecoderError, InternalError
from yolo_outputs import LAYOUTS, SIZE, decoder_of, random_output


def chosen(output, decoder, spec, limits, seed=0):
    """Choose as the device does: in any order."""
    layout = decoder.device_candidates((spec,))
    rows = candidates_reference(output, layout, layout.threshold(limits))
    rows = rows[np.random.default_rng(seed).permutation(len(rows))]
    return Candidates(rows['box'], rows['score'], rows['class_id'], rows['anchor'])


def assert_same(here, there):
    np.testing.assert_array_equal(here.boxes, there.boxes)
    np.testing.assert_array_equal(here.scores, there.scores)
    np.testing.assert_array_equal(here.class_ids, there.class_ids)


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(LAYOUTS)),
    st.sampled_from([1, 2, 3, 20]),
    st.integers(1, 300),
    st.booleans(),
    st.sampled_from(['float32', 'float16']),
    st.sampled_from([0.0, 0.001, 0.25, 0.3, 0.5, 0.9, 1.0]),
    st.sampled_from([None, frozenset({0, 2})]),
    st.integers(0, 1000),
)
def test_candidates_decode_as_the_whole_output_does(
    name, classes, anchors, channels_first, dtype, threshold, class_ids, seed
):
    layout = LAYOUTS[name]
    spec, output = random_output(layout, classes, anchors, channels_first, dtype, seed)
    limits = DetectionLimits(score_threshold=threshold, class_ids=class_ids)
    whole, few = (decoder_of(layout, classes, spec) for _ in range(2))
    candidates = chosen(output, few, spec, limits, seed)
    expected = whole.decode({spec.name: output}, limits)
    assert_same(few.decode_candidates(candidates, limits), expected)
    assert few.dropped == whole.dropped


def test_there_is_something_to_compare():
    """Of the test itself: random outputs give detections, and reasons to drop some."""
    for layout in LAYOUTS.values():
        spec, output = random_output(layout, 3, 300)
        decoder = decoder_of(layout, 3, spec)
        limits = DetectionLimits(score_threshold=0.3)
        assert len(decoder.decode_candidates(chosen(output, decoder, spec, limits), limits)) > 5
        assert decoder.dropped['non_finite'] > 3


@pytest.mark.parametrize('name', LAYOUTS)
def test_a_threshold_that_was_raised_meanwhile_holds(name):
    layout = LAYOUTS[name]
    spec, output = random_output(layout, 3, 300, hostile=False)
    decoder = decoder_of(layout, 3, spec)
    early, late = DetectionLimits(score_threshold=0.2), DetectionLimits(score_threshold=0.6)
    candidates = chosen(output, decoder, spec, early)
    found = decoder.decode_candidates(candidates, late)
    assert_same(found, decoder.decode({spec.name: output}, late))
    assert 0 < len(found) < len(candidates)


@pytest.mark.parametrize('channels_first', [True, False])
@pytest.mark.parametrize('name', LAYOUTS)
def test_the_layout_is_told(name, channels_first):
    layout = LAYOUTS[name]
    spec, _ = random_output(layout, 3, 50, channels_first, 'float16')
    told = decoder_of(layout, 3, spec).device_candidates((spec,))
    assert told.output == spec.name
    assert told.channels_first is channels_first
    shape = (told.channels, told.anchors) if channels_first else (told.anchors, told.channels)
    assert (1, *shape) == spec.shape
    assert told.classes == 3
    assert told.first_class == layout.first_score
    assert told.dtype == np.float16
    assert told.logits is (name == 'logits')


def test_logits_are_compared_with_a_logit():
    spec, _ = random_output(LAYOUTS['logits'], 3, 50)
    told = decoder_of(LAYOUTS['logits'], 3, spec).device_candidates((spec,))
    assert told.threshold(DetectionLimits(score_threshold=0.5)) == 0
    assert told.threshold(DetectionLimits(score_threshold=0.0)) == -np.inf
    assert told.threshold(DetectionLimits(score_threshold=1.0)) == np.inf


def spec_of(shape, dtype='float32'):
    return TensorSpec('output0', np.dtype(dtype), shape)


@pytest.mark.parametrize('name', ['YOLOv8', 'YOLOv5'])
def test_what_devices_do_not_choose_from_goes_to_the_host(name):
    layout = LAYOUTS[name]
    channels = layout.first_score + 3
    decoder = decoder_of(layout, 3, spec_of((1, channels, -1)))
    assert decoder.device_candidates((spec_of((1, channels, -1)),)) is None
    assert decoder.device_candidates((spec_of((1, channels, 9), 'float64'),)) is None
    assert decoder.device_candidates((spec_of((1, channels, 9)),)).anchors == 9


def test_a_shape_that_turns_out_not_to_fit_is_refused():
    decoder = decoder_of(LAYOUTS['YOLOv8'], 3, spec_of((1, -1, -1)))
    with pytest.raises(DecoderError, match=r'shape \[1, 9, 9\], not \[1, 7, N\]'):
        decoder.device_candidates((spec_of((1, 9, 9)),))
    raw = decoder_of(LAYOUTS['YOLOX, raw'], 3, spec_of((1, -1, 8)))
    with pytest.raises(DecoderError, match='has 9 candidates, but an input of this size has 62'):
        raw.device_candidates((spec_of((1, 9, 8)),))


def test_other_decoders_take_whole_outputs():
    decoder = make_decoder(OutputCard('yolo_end_to_end'), ['a', 'b'])
    outputs = (spec_of((1, 5, 6)),)
    decoder.check(outputs, SIZE)
    assert decoder.device_candidates(outputs) is None
    nothing = Candidates(
        np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, int), np.empty(0, int)
    )
    with pytest.raises(InternalError, match="'yolo_end_to_end' decodes whole outputs"):
        decoder.decode_candidates(nothing, DetectionLimits())
    with pytest.raises(InternalError, match='device_candidates was called before'):
        make_decoder(OutputCard('yolo'), ['a']).device_candidates(outputs)
    with pytest.raises(InternalError, match='decode_candidates was called before'):
        make_decoder(OutputCard('yolo'), ['a']).decode_candidates(nothing, DetectionLimits())
