# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetson_infer.core.cards import OutputCard
from jetson_infer.core.decoders import Decoder, make_decoder
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.tensors import TensorSpec
from jetson_infer.errors import CardError, DecoderError, InternalError

SIZE = (64, 48)
LABELS = ('person', 'dog', 'chair')


def spec(name: str, *shape: int, dtype=np.float32) -> TensorSpec:
    return TensorSpec(name, np.dtype(dtype), shape)


def decoder(name: str, *outputs: TensorSpec, labels=LABELS, **settings_) -> Decoder:
    made = make_decoder(OutputCard(name, settings_), labels)
    if outputs:
        made.check(outputs, SIZE)
    return made


def specs_of(outputs: dict[str, np.ndarray]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name, array.dtype, array.shape) for name, array in outputs.items())


# --- yolo against the definition, one candidate at a time


def iou(a, b) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (areas - width * height) if areas > width * height else 0.0


def naive_yolo(columns: np.ndarray, limits: DetectionLimits, objectness: bool):
    """Decode as the layout is defined; returns rows of (score, class, box)."""
    first = 5 if objectness else 4
    found = []
    for column in columns.T.tolist():
        x, y, width, height = column[:4]
        classes = column[first:]
        class_id = classes.index(max(classes))
        score = np.float32(classes[class_id])
        if objectness:
            score = np.float32(column[4]) * score
        if score >= np.float32(limits.score_threshold):
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            found.append((float(score), class_id, box))
    found.sort(key=lambda row: -row[0])
    kept = []
    for row in found:
        rivals = (other for other in kept if other[1] == row[1])
        if all(iou(other[2], row[2]) <= limits.iou_threshold for other in rivals):
            kept.append(row)
    return kept[: limits.max_detections]


@pytest.mark.parametrize('name', ['yolo', 'yolo_objectness'])
@pytest.mark.parametrize('transposed', [False, True])
@pytest.mark.parametrize('threshold', [0.0, 0.25, 0.7])
@pytest.mark.parametrize('seed', range(3))
def test_yolo_against_the_definition(name, transposed, threshold, seed):
    random = np.random.default_rng(seed)
    objectness = name == 'yolo_objectness'
    count = 300
    columns = random.uniform(0, 1, (4 + objectness + len(LABELS), count)).astype(np.float32)
    columns[4:] **= 2
    columns[:2] *= 60
    columns[2:4] *= 20
    limits = DetectionLimits(threshold, 0.45, 100)
    array = columns.T[None] if transposed else columns[None]
    output = np.ascontiguousarray(array)
    found = decoder(name, spec('out', *output.shape)).decode({'out': output}, limits)
    expected = naive_yolo(columns, limits, objectness)
    assert len(found) == len(expected) > 5
    np.testing.assert_allclose(found.scores, [row[0] for row in expected], rtol=1e-6)
    assert found.class_ids.tolist() == [row[1] for row in expected]
    np.testing.assert_allclose(found.boxes, [row[2] for row in expected], atol=1e-4)


def test_objectness_only():
    row = np.array([[10, 10, 4, 4, 0.8, 0.5]], np.float32)
    output = {'out': row[None]}
    for only, score in ((True, 0.8), (False, 0.4)):
        made = decoder(
            'yolo_objectness', *specs_of(output), labels=['person'], objectness_only=only
        )
        np.testing.assert_allclose(made.decode(output, DetectionLimits()).scores, [score])


# --- what a network must never be able to do


def outputs_of(name: str, count: int) -> dict[str, tuple[tuple[int, ...], type]]:
    classes = len(LABELS)
    return {
        'yolo': {'out': ((1, 4 + classes, count), np.float32)},
        'yolo_objectness': {'out': ((1, count, 5 + classes), np.float32)},
        'yolo_end_to_end': {'out': ((1, count, 6), np.float32)},
        'detr': {
            'boxes': ((1, count, 4), np.float32),
            'logits': ((1, count, classes), np.float32),
        },
        'detr_postprocessed': {
            'labels': ((1, count), np.int64),
            'boxes': ((1, count, 4), np.float32),
            'scores': ((1, count), np.float32),
        },
        'efficient_nms': {
            'num': ((1, 1), np.int32),
            'boxes': ((1, count, 4), np.float32),
            'scores': ((1, count), np.float32),
            'classes': ((1, count), np.int32),
        },
    }[name]


NAMES = tuple(sorted(Decoder.registry))
WILD = [0.0, 0.5, 1.0, 1.01, 20.0, -3.0, 1e-40, 3e38, -3e38, np.nan, np.inf, -np.inf]


@settings(max_examples=250)
@given(
    name=st.sampled_from(NAMES),
    count=st.sampled_from([0, 2, 9, 40]),
    seed=st.integers(0, 2**32 - 1),
    threshold=st.sampled_from([0.0, 0.25, 1.0]),
    calm=st.booleans(),
)
def test_no_output_can_crash_a_decoder_or_pass_a_nan(name, count, seed, threshold, calm):
    random = np.random.default_rng(seed)
    arrays = {}
    for output, (shape, dtype) in outputs_of(name, count).items():
        array = random.uniform(0, 1, shape)
        wild = random.choice(WILD[:4] if calm else WILD, shape)
        array = np.where(random.uniform(size=shape) < 0.3, wild, array)
        if np.dtype(dtype).kind == 'i':
            array = random.choice([-1, 0, 1, 2, 3, 2**31 - 1], shape)
        arrays[output] = array.astype(dtype)
    made = decoder(name, *specs_of(arrays))
    limits = DetectionLimits(threshold, 0.45, 10)
    try:
        found = made.decode(arrays, limits)
    except DecoderError as error:
        assert 'scores reach' in str(error)  # noqa: PT017 - it may or may not be raised
        return
    assert len(found) <= 10
    assert np.isfinite(found.boxes).all()
    assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
    assert ((found.scores >= threshold) & (found.scores <= 1)).all()
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.class_ids >= 0) & (found.class_ids < len(LABELS))).all()


@pytest.mark.parametrize('name', NAMES)
def test_what_is_not_finite_is_dropped_and_counted(name):
    arrays = {}
    for output, (shape, dtype) in outputs_of(name, 6).items():
        arrays[output] = np.full(shape, 6 if output == 'num' else 0, dtype)
    box, score = {
        'yolo': (lambda i: ('out', (0, slice(4), i)), lambda i: ('out', (0, 4, i))),
        'yolo_objectness': (
            lambda i: ('out', (0, i, slice(4))),
            lambda i: ('out', (0, i, slice(4, 6))),
        ),
        'yolo_end_to_end': (lambda i: ('out', (0, i, slice(4))), lambda i: ('out', (0, i, 4))),
        'detr': (lambda i: ('boxes', (0, i)), lambda i: ('logits', (0, i, 0))),
        'detr_postprocessed': (lambda i: ('boxes', (0, i)), lambda i: ('scores', (0, i))),
        'efficient_nms': (lambda i: ('boxes', (0, i)), lambda i: ('scores', (0, i))),
    }[name]

    def put(place, value):
        output, index = place
        arrays[output][index] = value

    if name == 'detr':
        arrays['logits'][...] = -20
    good = [0.5, 0.5, 0.7, 0.7]
    for row, (values, confidence) in enumerate(
        [
            (good, 0.9),
            ([0.5, np.nan, 0.7, 0.7], 0.9),
            ([0.5, 0.5, np.inf, 0.7], 0.9),
            (good, np.nan),
            (good, np.inf),
        ]
    ):
        put(box(row), values)
        put(score(row), confidence)
    made = decoder(name, *specs_of(arrays))
    for frame in (1, 2):
        found = made.decode(arrays, DetectionLimits())
        assert len(found) == 1
        assert made.non_finite == made.dropped['non_finite'] == 4 * frame


def test_inside_out_boxes_and_unknown_classes_are_dropped_and_counted():
    rows = [[9, 9, 20, 20, 0.9, 0], [20, 9, 9, 20, 0.9, 0], [9, 9, 20, 20, 0.9, 3]]
    output = {'out': np.array([rows], np.float32)}
    made = decoder('yolo_end_to_end', *specs_of(output))
    assert len(made.decode(output, DetectionLimits())) == 1
    assert made.dropped == {'non_finite': 0, 'inside_out': 1, 'unlabelled': 1}


def test_padding_is_no_detection_whatever_the_threshold():
    output = {'out': np.array([[[9, 9, 20, 20, 0.1, 0], [0] * 6]], np.float32)}
    found = decoder('yolo_end_to_end', *specs_of(output)).decode(output, DetectionLimits(0.0))
    assert found.scores.tolist() == [np.float32(0.1)]


def test_logits_that_are_taken_for_scores_are_told():
    output = {'out': np.full((1, 7, 10), 4.5, np.float32)}
    with pytest.raises(DecoderError, match=r'scores reach 4\.5.*logits'):
        decoder('yolo', *specs_of(output)).decode(output, DetectionLimits())


def test_a_score_that_rounding_lifted_above_one_is_one():
    output = {'out': np.full((1, 7, 1), 1.004, np.float16)}
    found = decoder('yolo', *specs_of(output)).decode(output, DetectionLimits())
    assert found.scores.tolist() == [1.0]
    assert found.scores.dtype == np.float32


def test_the_networks_output_is_left_as_it_was():
    random = np.random.default_rng(0)
    for name in NAMES:
        arrays = {
            output: random.uniform(0, 1, shape).astype(dtype)
            for output, (shape, dtype) in outputs_of(name, 20).items()
        }
        before = {output: array.copy() for output, array in arrays.items()}
        found = decoder(name, *specs_of(arrays)).decode(arrays, DetectionLimits(0.1))
        for output, array in arrays.items():
            np.testing.assert_array_equal(array, before[output])
            assert not np.shares_memory(found.boxes, array)


# --- check: what does not fit is told at configure


@pytest.mark.parametrize(
    ('name', 'outputs', 'settings_', 'says'),
    [
        ('yolo', [spec('o', 1, 84, 8400)], {}, '1x7xN or 1xNx7 (7 = 4 + labels)'),
        ('yolo', [spec('o', 1, 8, 100)], {}, 'Decoders that fit these outputs: yolo_objectness'),
        ('yolo', [spec('o', 1, 300, 6)], {}, 'fit these outputs: yolo_end_to_end'),
        ('yolo', [spec('o', 1, 7, 20), spec('p', 1, 7, 20)], {}, 'settings.output'),
        ('yolo', [spec('o', 4, 7, 20)], {}, '1x7xN'),
        ('yolo', [spec('o', 1, 7, 20)], {'output': 'q'}, "no output 'q'"),
        ('yolo', [], {}, 'outputs none'),
        ('yolo_objectness', [spec('o', 1, 7, 20)], {}, 'fit these outputs: yolo'),
        (
            'yolo_objectness',
            [spec('o', 1, 99, 8)],
            {'strides': [8, 16, 32]},
            '99 candidates, but an input of this size has 62 cells',
        ),
        ('yolo_end_to_end', [spec('o', 1, 300, 8)], {}, '1xNx6 or Nx6 or 1xNx7 or Nx7'),
        ('detr', [spec('b', 1, 300, 4), spec('s', 1, 300, 91)], {}, '1xNx3 (labels + 0 backgr'),
        ('detr', [spec('s', 1, 300, 3)], {}, 'the boxes, 1xNx4'),
        (
            'detr',
            [spec('dets', 1, 300, 4), spec('labels', 1, 300, 4)],
            {'background': 'last'},
            'name the right one as output.settings.boxes',
        ),
        ('detr_postprocessed', [spec('b', 1, 9, 4), spec('s', 1, 9)], {}, 'the labels, integer'),
        (
            'efficient_nms',
            [spec('b', 1, 9, 4), spec('s', 1, 9), spec('l', 1, 9, dtype=np.int32)],
            {},
            'fit these outputs: detr_postprocessed',
        ),
    ],
)
def test_outputs_that_do_not_fit(name, outputs, settings_, says):
    with pytest.raises(DecoderError) as caught:
        decoder(name, *outputs, **settings_).check(tuple(outputs), SIZE)
    message = str(caught.value)
    assert message.startswith(f'decoder {name!r} cannot read this network')
    assert says in message
    assert all(str(output) in message for output in outputs)
    assert '3 labels' in message


@pytest.mark.parametrize(
    ('name', 'settings_', 'key', 'says'),
    [
        ('yolo', {'normalised': True}, 'normalised', "did you mean 'normalized'"),
        ('yolo', {'strides': [8]}, 'strides', 'allowed are output, normalized'),
        ('yolo', {'extra_channels': -1}, 'extra_channels', 'from 0'),
        ('yolo', {'activation': 'softmax'}, 'activation', 'none, sigmoid'),
        ('yolo_objectness', {'strides': [8, 0]}, 'strides[1]', 'from 1 to 1024'),
        ('yolo_objectness', {'strides': [8], 'normalized': True}, 'normalized', 'strides'),
        ('yolo_end_to_end', {'columns': ['score']}, 'columns', 'lacks x_min'),
        (
            'yolo_end_to_end',
            {'columns': ['x_centre', 'y_centre', 'width', 'height', 'score', 'class', 'x_min']},
            'columns',
            'mixes',
        ),
        ('yolo_end_to_end', {'columns': ['x']}, 'columns[0]', 'one of x_min'),
        ('yolo_end_to_end', {'columns': ['score', 'score']}, 'columns[1]', 'twice'),
        ('yolo_end_to_end', {'columns': [{}, []]}, 'columns[0]', 'one of x_min'),
        ('detr', {'background': 'middle'}, 'background', 'none, first, last'),
        ('detr', {'boxes': 3}, 'boxes', 'must be text'),
        ('efficient_nms', {'first_label': 1.5}, 'first_label', 'integer'),
    ],
)
def test_settings_that_cannot_work(name, settings_, key, says):
    with pytest.raises(CardError) as caught:
        make_decoder(OutputCard(name, settings_, source='m.yaml'), LABELS)
    assert caught.value.key == f'output.settings.{key}'
    assert says in str(caught.value)
    assert str(caught.value).startswith('m.yaml: ')


def test_an_unknown_decoder_is_told_with_a_suggestion():
    with pytest.raises(CardError, match=r"'yolo_objectnes' \(did you mean 'yolo_objectness'\?\)"):
        make_decoder(OutputCard('yolo_objectnes'), LABELS)


@pytest.mark.parametrize('name', NAMES)
def test_dynamic_shapes_are_checked_when_they_are_known(name):
    arrays = {output: np.zeros(s, d) for output, (s, d) in outputs_of(name, 5).items()}
    unknown = tuple(
        TensorSpec(output, array.dtype, (-1,) * array.ndim) for output, array in arrays.items()
    )
    named = {}
    if name == 'detr':
        named = {'boxes': 'boxes', 'scores': 'logits'}
    if name == 'efficient_nms':
        named = {'count': 'num', 'labels': 'classes'}
    if name == 'detr':
        arrays['logits'] -= 20
    made = decoder(name, *unknown, **named)
    assert len(made.decode(arrays, DetectionLimits())) == 0
    for output, array in arrays.items():
        if output != 'num':
            wrong = {**arrays, output: np.zeros((2, *array.shape[1:]), array.dtype)}
            with pytest.raises(DecoderError, match=output):
                made.decode(wrong, DetectionLimits())


def test_decoding_before_the_check_is_our_own_mistake():
    with pytest.raises(InternalError):
        decoder('yolo').decode({}, DetectionLimits())


def test_a_decoder_may_be_checked_again_for_another_variant():
    made = decoder('yolo', spec('first', 1, 7, 20))
    made.check((spec('second', 1, 7, 30),), SIZE)
    assert len(made.decode({'second': np.zeros((1, 7, 30), np.float32)}, DetectionLimits())) == 0
