# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What was not validated, or failed, does not run on the robot unless somebody allows it."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from jetson_infer.engines.models import load_model
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.ros.detector_node import DetectorNode
from jetson_infer.toolchain.dataset import open_dataset
from jetson_infer.toolchain.validate.collect import read_data
from jetson_infer.toolchain.validate.validation import Validator
from quantized_models import write_images, write_quantized_model
from ros_peer import wait_for

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_quantized_model(tmp_path_factory.mktemp('models') / 'quantized')


@pytest.fixture(scope='module')
def validated(folder, tmp_path_factory):
    """Return a cache with the verdicts on both INT8 variants: one passed, the ruined one failed."""
    root = tmp_path_factory.mktemp('cache')
    model = load_model(folder)
    with open_dataset(write_images(tmp_path_factory.mktemp('images'))) as dataset:
        data = read_data(dataset, model.card.labels)
        validator = Validator(model, data, VerdictStore(root), lambda *what: None)
        results = [
            validator.validate(variant, validator.choose(variant, 'onnxruntime'))
            for variant in model.card.variants[1:]
        ]
    assert [result.verdict.passed for result in results] == [True, False]
    return root


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'empty'))


@pytest.fixture
def judged(validated, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(validated))


def detector(start, folder, **parameters):
    return start(DetectorNode, {'model': str(folder), **parameters})


def reports(peer):
    """Return the list that fills with the detector's statuses."""
    heard = peer.hear(DiagnosticArray, '/diagnostics')
    return lambda: [status for message in heard for status in message.status]


def set_text(peer, name, value):
    request = SetParametersAtomically.Request()
    parameter = Parameter(name, Parameter.Type.STRING, value).to_parameter_msg()
    assert parameter.value.type == ParameterType.PARAMETER_STRING
    request.parameters = [parameter]
    name = '/detector/set_parameters_atomically'
    return peer.call(SetParametersAtomically, name, request).result


def test_the_reference_runs_without_a_verdict(start, folder, empty, peer):
    told = reports(peer)
    node = detector(start, folder)
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    status = wait_for(lambda: [s for s in told() if 'engine' in {v.key for v in s.values}])[-1]
    assert {v.key: v.value for v in status.values}['unvalidated'] == ''
    assert 'validated' not in status.message


def test_what_was_never_validated_is_refused_by_name_with_the_command(start, folder, empty, peer):
    told = reports(peer)
    node = detector(start, folder, variant='int8')
    assert node.trigger_configure() == FAILURE
    assert node.state == 'unconfigured'
    assert 'variant int8 of quantized on onnxruntime' in node.last_error
    assert f'jetson-infer validate {folder} RECORDING --variant int8' in node.last_error
    failed = wait_for(lambda: [s for s in told() if s.level == DiagnosticStatus.ERROR])[0]
    assert 'variant int8 of quantized' in failed.message


def test_a_ruined_variant_is_refused_by_name_and_the_sound_one_runs(start, folder, judged, peer):
    node = detector(start, folder, variant='ruined')
    assert node.trigger_configure() == FAILURE
    assert 'variant ruined of quantized on onnxruntime' in node.last_error
    assert 'failed its validation on images' in node.last_error
    assert 'AP50, mean of classes, is' in node.last_error
    assert set_text(peer, 'variant', 'int8').successful
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS


def test_who_allows_it_is_warned_in_every_report(start, folder, judged, peer):
    told = reports(peer)
    node = detector(start, folder, variant='ruined', allow_unvalidated=True)
    assert node.trigger_configure() == SUCCESS
    before = len(told())
    wait_for(lambda: len(told()) >= before + 2)
    assert node.trigger_activate() == SUCCESS
    between = len(told())
    wait_for(lambda: len(told()) >= between + 3)
    for status in [*told()[before + 1 : between], *told()[between + 1 :]]:
        assert status.level >= DiagnosticStatus.WARN
        assert 'variant ruined of quantized on onnxruntime' in status.message
        assert 'it runs because allow_unvalidated is set' in status.message
        values = {value.key: value.value for value in status.values}
        assert 'failed its validation' in values['unvalidated']


def test_it_is_allowed_before_configuring_and_not_after(start, folder, judged):
    node = detector(start, folder)
    allow = Parameter('allow_unvalidated', value=True)
    assert node.trigger_configure() == SUCCESS
    result = node.set_parameters_atomically([allow])
    assert not result.successful
    assert 'only while the node is unconfigured' in result.reason
    assert node.trigger_cleanup() == SUCCESS
    assert node.set_parameters_atomically([allow]).successful


def test_a_switch_to_what_failed_is_refused_and_the_old_one_goes_on(start, folder, judged, peer):
    node = detector(start, folder, variant='int8')
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    result = set_text(peer, 'variant', 'ruined')
    assert not result.successful
    assert 'variant ruined of quantized' in result.reason
    assert 'failed its validation' in result.reason
    assert node.get_parameter('variant').value == 'int8'
    assert set_text(peer, 'variant', 'fp32').successful
