# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import pytest
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.msg import ParameterValue as Value
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.lifecycle import TransitionCallbackReturn

from jetson_infer.ros.detector_node import DetectorNode

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE

INTEGER = ParameterType.PARAMETER_INTEGER
DOUBLE = ParameterType.PARAMETER_DOUBLE
STRING = ParameterType.PARAMETER_STRING


@pytest.fixture
def detector(start, model_folder):
    return start(DetectorNode, {'model': str(model_folder)})


def set_one(peer, name, **value):
    request = SetParameters.Request(parameters=[ParameterMessage(name=name, value=Value(**value))])
    (result,) = peer.call(SetParameters, '/detector/set_parameters', request).results
    return result


def get_one(peer, name):
    request = GetParameters.Request(names=[name])
    return peer.call(GetParameters, '/detector/get_parameters', request).values[0]


def test_every_parameter_says_what_it_is_and_allows(detector, peer):
    names = ['score_threshold', 'max_detections', 'image_transport', 'classes', 'model']
    request = DescribeParameters.Request(names=names)
    answers = peer.call(DescribeParameters, '/detector/describe_parameters', request).descriptors
    described = {descriptor.name: descriptor for descriptor in answers}
    assert all(descriptor.description for descriptor in answers)
    score = described['score_threshold'].floating_point_range[0]
    assert (score.from_value, score.to_value) == (0.0, 1.0)
    assert described['max_detections'].integer_range[0].from_value == 1
    assert 'raw, compressed' in described['image_transport'].additional_constraints
    assert 'changes live' in described['classes'].additional_constraints
    assert 'only while the node is unconfigured' in described['model'].additional_constraints


def test_an_integer_is_taken_where_a_number_is_meant(detector, peer):
    assert set_one(peer, 'score_threshold', type=INTEGER, integer_value=1).successful
    value = get_one(peer, 'score_threshold')
    assert (value.type, value.double_value) == (DOUBLE, 1.0)


@pytest.mark.parametrize(
    ('name', 'value', 'reason'),
    [
        ('score_threshold', {'type': DOUBLE, 'double_value': 1.5}, '1.5'),
        ('score_threshold', {'type': DOUBLE, 'double_value': float('nan')}, 'nan'),
        ('score_threshold', {'type': STRING, 'string_value': 'high'}, 'type'),
        ('max_detections', {'type': INTEGER, 'integer_value': 0}, '0'),
        ('max_detections', {'type': DOUBLE, 'double_value': 2.0}, 'type'),
        ('image_transport', {'type': STRING, 'string_value': 'theora'}, 'one of: raw, compressed'),
        ('classes', {'type': INTEGER, 'integer_value': 3}, 'type'),
        ('max_rate_hz', {'type': DOUBLE, 'double_value': -1.0}, '-1'),
    ],
)
def test_a_set_that_cannot_work_is_refused_with_the_reason(detector, peer, name, value, reason):
    before = get_one(peer, name)
    result = set_one(peer, name, **value)
    assert not result.successful
    assert reason in result.reason.lower()
    assert get_one(peer, name) == before


def test_the_cards_thresholds_hold_until_somebody_sets_them(detector, peer):
    assert detector.trigger_configure() == SUCCESS
    assert get_one(peer, 'score_threshold').double_value == pytest.approx(0.4)
    assert get_one(peer, 'max_detections').integer_value == 10
    assert set_one(peer, 'score_threshold', type=DOUBLE, double_value=0.7).successful
    detector.trigger_cleanup()
    assert detector.trigger_configure() == SUCCESS
    assert get_one(peer, 'score_threshold').double_value == pytest.approx(0.7)


def test_what_was_given_at_start_up_goes_before_the_card(start, model_folder, peer):
    node = start(DetectorNode, {'model': str(model_folder), 'score_threshold': 1})
    assert node.trigger_configure() == SUCCESS
    assert get_one(peer, 'score_threshold').double_value == 1.0


def test_start_up_values_that_cannot_work_refuse_configure_until_set_right(
    start, model_folder, peer
):
    node = start(DetectorNode, {'model': str(model_folder), 'score_threshold': 7.0})
    assert node.trigger_configure() == FAILURE
    assert node.state == 'unconfigured'
    assert 'score_threshold' in node.last_error
    assert '7 lies outside 0 to 1' in node.last_error
    assert set_one(peer, 'score_threshold', type=DOUBLE, double_value=0.7).successful
    assert node.trigger_configure() == SUCCESS


def test_what_is_not_live_is_refused_while_configured(detector, peer, model_folder):
    assert detector.trigger_configure() == SUCCESS
    result = set_one(peer, 'image_transport', type=STRING, string_value='compressed')
    assert not result.successful
    assert 'only while the node is unconfigured' in result.reason
    same = set_one(peer, 'model', type=STRING, string_value=str(model_folder))
    assert same.successful
    detector.trigger_cleanup()
    assert set_one(peer, 'image_transport', type=STRING, string_value='compressed').successful
    assert detector.trigger_configure() == SUCCESS


@pytest.mark.parametrize(
    ('parameters', 'message'),
    [
        ({'variant': 'third'}, "has no variant 'third'"),
        ({'classes': ['red', 'pink']}, 'the model has no pink; it has: red, green, blue'),
        ({'variant': 'second', 'floor_variant': 'best'}, 'below floor_variant'),
        ({'model': 'unheard_of'}, "there is no model 'unheard_of'"),
        ({'engine': 'abacus'}, "'abacus' is not one of"),
        ({'max_rate_hz': 5.0, 'floor_rate_hz': 10.0}, 'below floor_rate_hz'),
    ],
)
def test_what_does_not_fit_the_model_refuses_configure(start, model_folder, parameters, message):
    node = start(DetectorNode, {'model': str(model_folder), **parameters})
    assert node.trigger_configure() == FAILURE
    assert message in node.last_error
    assert node.state == 'unconfigured'


def test_a_set_below_a_floor_is_refused(detector, peer):
    assert detector.trigger_configure() == SUCCESS
    assert set_one(peer, 'floor_rate_hz', type=DOUBLE, double_value=5.0).successful
    result = set_one(peer, 'max_rate_hz', type=DOUBLE, double_value=4.0)
    assert not result.successful
    assert 'floor_rate_hz' in result.reason
    assert set_one(peer, 'max_rate_hz', type=DOUBLE, double_value=0.0).successful


def test_an_empty_list_is_taken_whatever_type_the_command_line_gives_it(detector, peer):
    some = Value(type=ParameterType.PARAMETER_STRING_ARRAY, string_array_value=['red'])
    request = SetParameters.Request(parameters=[ParameterMessage(name='classes', value=some)])
    peer.call(SetParameters, '/detector/set_parameters', request)
    result = set_one(peer, 'classes', type=ParameterType.PARAMETER_BOOL_ARRAY)
    assert result.successful
    assert get_one(peer, 'classes').type == ParameterType.PARAMETER_STRING_ARRAY
