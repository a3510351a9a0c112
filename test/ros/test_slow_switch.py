# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""While a variant is loaded for a set, which may take seconds, the node goes on with the rest."""

import threading

import pytest
import rclpy.parameter
import yaml
from lifecycle_msgs.srv import GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParametersAtomically

from brightness_model import write_brightness_model
from detector_bench import Bench
from jetson_infer.ros.detector_node import DetectorNode
from ros_peer import WAIT_S, image_message, paint, wait_for


class GatedDetector(DetectorNode):
    """Opens the variants that have a gate only while it stands open."""

    def __init__(self, **kwargs):
        self.gates = {}
        self.heeds = True
        super().__init__(**kwargs)

    def open_pipeline(self, model, settings, hooks):
        gate = self.gates.get(settings.text('variant'))
        while gate is not None and not gate.wait(0.02):
            if self.heeds:
                hooks.begin('waiting before the gate')
        return super().open_pipeline(model, settings, hooks)


@pytest.fixture
def folder(tmp_path):
    """A model with three variants that work and one whose file is no network."""
    folder = write_brightness_model(tmp_path / 'brightness')
    card = yaml.safe_load((folder / 'model.yaml').read_text())
    (folder / 'broken.onnx').write_bytes(b'not a network')
    names = {'best': 'network', 'second': 'network', 'third': 'network', 'broken': 'broken'}
    card['variants'] = [
        {**card['variants'][0], 'name': name, 'onnx': f'{file}.onnx'}
        for name, file in names.items()
    ]
    (folder / 'model.yaml').write_text(yaml.safe_dump(card))
    return folder


@pytest.fixture
def bench(start, peer, folder):
    made = Bench(start, peer, folder, GatedDetector)
    made.node.gates = {'second': threading.Event(), 'third': threading.Event()}
    yield made
    for gate in made.node.gates.values():
        gate.set()


def text(value):
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)


def number(value):
    return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)


def begin_loading(bench, name):
    """Ask for a variant that waits before its gate; return a future of the answer."""
    asked = bench.ask_to_set('variant', text(name))
    bench.status(lambda status, values: values.get('loading') == name)
    return asked


def result_of(asked):
    wait_for(asked.done, 'the answer to a set')
    (result,) = asked.result().results
    return result


def value_of(bench, name):
    request = GetParameters.Request(names=[name])
    (value,) = bench.peer.call(GetParameters, '/detector/get_parameters', request).values
    return value


def wait_in_force(bench, variant):
    """Wait until the diagnostics tell what is in force, and that nothing is loaded any more."""
    wanted = {'variant': variant, 'loaded': variant, 'loading': ''}
    bench.forget()
    bench.status(lambda status, values: wanted.items() <= values.items())


def test_frames_parameters_diagnostics_and_services_go_on_while_a_variant_is_loaded(bench):
    asked = begin_loading(bench, 'third')
    for frame in range(5):
        assert bench.infer(image_message(paint(200, 0, 0), number=frame)).detections
    assert value_of(bench, 'variant').string_value == 'auto'
    state = bench.peer.call(GetState, '/detector/get_state', GetState.Request()).current_state
    assert state.label == 'active'
    assert bench.set('score_threshold', number(0.9)).successful
    assert not bench.infer(image_message(paint(200, 0, 0), number=5)).detections
    bench.forget()
    wanted = {'loading': 'third', 'variant': 'best'}
    bench.status(lambda status, values: wanted.items() <= values.items())
    assert not asked.done()
    bench.node.gates['third'].set()
    assert result_of(asked).successful
    assert value_of(bench, 'variant').string_value == 'third'
    wait_in_force(bench, 'third')
    assert not bench.infer(image_message(paint(200, 0, 0), number=6)).detections
    assert bench.infer(image_message(paint(255, 0, 0), number=7)).detections


def test_variants_are_loaded_in_the_order_in_which_they_were_asked_for(bench):
    third = begin_loading(bench, 'third')
    second = bench.ask_to_set('variant', text('second'))
    bench.node.gates['second'].set()
    assert bench.set('score_threshold', number(0.5)).successful  # asked for later, answered before
    assert not second.done()
    bench.node.gates['third'].set()
    assert result_of(third).successful
    assert result_of(second).successful
    wait_in_force(bench, 'second')


@pytest.mark.parametrize('heeds', [True, False])
def test_a_set_that_needs_no_loading_replaces_those_before_it(bench, heeds):
    bench.node.heeds = heeds
    third = begin_loading(bench, 'third')
    second = bench.ask_to_set('variant', text('second'))
    # Both services' requests come in order, so the one before has been taken when this is answered.
    assert bench.set('variant', text('best')).successful
    for gate in bench.node.gates.values():
        gate.set()
    for name, asked in (('third', third), ('second', second)):
        result = result_of(asked)
        assert not result.successful
        assert result.reason == f'variant: not set to {name}: it was set to best since'
    assert value_of(bench, 'variant').string_value == 'best'
    wait_in_force(bench, 'best')


def test_a_node_that_is_cleaned_up_meanwhile_refuses_the_set_and_can_be_used_again(bench):
    asked = begin_loading(bench, 'third')
    bench.node.trigger_deactivate()
    bench.node.trigger_cleanup()
    assert result_of(asked).reason == 'variant: not set to third: the node was cleaned up since'
    bench.node.trigger_configure()
    bench.node.trigger_activate()
    wait_in_force(bench, 'best')
    bench.node.gates['third'].set()
    assert bench.set('variant', text('third')).successful
    wait_in_force(bench, 'third')


def test_a_loading_that_a_node_is_inactive_at_the_end_of_takes_effect(bench):
    asked = begin_loading(bench, 'third')
    bench.node.trigger_deactivate()
    bench.node.gates['third'].set()
    assert result_of(asked).successful
    bench.node.trigger_activate()
    wait_in_force(bench, 'third')
    assert bench.infer(image_message(paint(255, 0, 0))).detections


@pytest.mark.parametrize(('variant', 'accepted'), [('third', True), ('broken', False)])
def test_values_set_at_once_hold_all_or_none(bench, variant, accepted):
    bench.node.gates['third'].set()
    request = SetParametersAtomically.Request(
        parameters=[
            Parameter(name='score_threshold', value=number(0.875)),
            Parameter(name='variant', value=text(variant)),
        ]
    )
    name = '/detector/set_parameters_atomically'
    result = bench.peer.call(SetParametersAtomically, name, request).result
    assert result.successful == accepted
    assert (value_of(bench, 'score_threshold').double_value == 0.875) == accepted
    assert (value_of(bench, 'variant').string_value == variant) == accepted
    wait_in_force(bench, variant if accepted else 'best')


def test_a_name_that_is_no_parameter_beside_a_variant_switches_nothing(bench):
    bench.node.gates['third'].set()
    request = SetParametersAtomically.Request(
        parameters=[
            Parameter(name='variant', value=text('third')),
            Parameter(name='colour', value=text('red')),
        ]
    )
    name = '/detector/set_parameters_atomically'
    assert not bench.peer.call(SetParametersAtomically, name, request).result.successful
    wait_in_force(bench, 'best')


def test_a_floor_that_is_raised_meanwhile_holds(bench):
    asked = begin_loading(bench, 'third')
    assert bench.set('floor_variant', text('second')).successful
    bench.node.gates['third'].set()
    assert "'third' is below floor_variant, 'second'" in result_of(asked).reason
    wait_in_force(bench, 'best')


def test_a_set_within_the_process_waits_for_the_variant(bench):
    answers = []

    def ask():
        parameter = rclpy.parameter.Parameter('variant', value='third')
        answers.extend(bench.node.set_parameters([parameter]))

    thread = threading.Thread(target=ask)
    thread.start()
    bench.status(lambda status, values: values.get('loading') == 'third')
    assert bench.infer(image_message(paint(255, 0, 0))).detections
    bench.node.gates['third'].set()
    thread.join(WAIT_S)
    assert [answer.successful for answer in answers] == [True]
    wait_in_force(bench, 'third')
