# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Bad frames and bad models, over real DDS: rejected by name, counted, shown; the node goes on."""

import shutil

import cv2
import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.serialization import serialize_message

from brightness_model import write_brightness_model
from detector_bench import Bench, classes
from fragile_models import failing_decoder, failing_session, insatiable
from jetson_infer.ros.detector_node import DetectorNode
from networks import card, emitting, write_model
from ros_peer import compressed_message, image_message, paint, wait_for

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
RED = paint(255, 0, 0)


@pytest.fixture
def bench(start, peer, model_folder):
    return Bench(start, peer, model_folder)


def fresh_message(peer, pixels, **changes):
    """Return an image that is stamped with the present time."""
    message = image_message(pixels, **changes)
    message.header.stamp = peer.node.get_clock().now().to_msg()
    return message


def assert_rejected(bench, message, reason):
    """Send a bad frame, then a good one: the first is counted by name, the second processed."""
    bench.send(message)
    wait_for(lambda: bench.counters().get(f'rejected/{reason}') == 1, f'a frame rejected: {reason}')
    if bench.transport == 'compressed':
        good = compressed_message(cv2.imencode('.png', RED)[1], 'png', number=77)
    else:
        good = image_message(RED, number=77)
    assert set(classes(bench.infer(good))) == {'red'}
    status, values = bench.status(lambda _, v: v.get(f'frames/rejected/{reason}') == '1')
    assert status.level == DiagnosticStatus.WARN
    assert values['cause'] == 'rejected'
    assert status.message


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'width': 0}, 'zero_size'),
        ({'height': 0}, 'zero_size'),
        ({'height': 47 * 100}, 'short_data'),
        ({'height': 10}, 'long_data'),
        ({'step': 10}, 'bad_step'),
        ({'step': 0}, 'bad_step'),
        ({'encoding': ''}, 'unknown_encoding'),
        ({'encoding': 'rainbow8'}, 'unknown_encoding'),
    ],
)
def test_images_whose_fields_lie(bench, changes, reason):
    assert_rejected(bench, image_message(RED, **changes), reason)


@pytest.mark.skipif(
    rclpy.get_rmw_implementation_identifier() != 'rmw_fastrtps_cpp',
    reason='other middleware hands over what it could read of a message',
)
def test_messages_that_cannot_be_decoded(bench):
    assert_rejected(bench, serialize_message(image_message(RED))[:100], 'undecodable')


def test_a_middleware_that_fails_takes_the_node_to_unconfigured_with_the_reason(bench):
    bench.infer(image_message(RED, number=1))
    # As close as can be come to it from here: what rclpy is to make a message of is no type.
    bench.node._input._messages._subscription.msg_type = None
    bench.send(image_message(RED, number=2))
    wait_for(lambda: bench.node.state == 'unconfigured', 'ErrorProcessing')
    assert '/detector/input/image' in bench.node.last_error
    assert bench.node.trigger_configure() == SUCCESS
    assert bench.node.trigger_activate() == SUCCESS
    assert set(classes(bench.infer(image_message(RED, number=3)))) == {'red'}


JPEG = cv2.imencode('.jpg', RED)[1].tobytes()


@pytest.mark.parametrize(
    ('data', 'image_format', 'reason'),
    [
        (b'', 'jpeg', 'empty_data'),
        (JPEG[: len(JPEG) // 2], 'jpeg', 'truncated_data'),
        (JPEG, 'png', 'format_mismatch'),
        (JPEG, 'h264', 'unknown_format'),
        (b'\x00' * 100, 'jpeg', 'format_mismatch'),
    ],
)
def test_compressed_images_that_lie(start, peer, model_folder, data, image_format, reason):
    bench = Bench(start, peer, model_folder, image_transport='compressed')
    assert_rejected(bench, compressed_message(data, image_format), reason)


def test_images_that_change_size_encoding_and_frame_in_mid_stream(bench):
    generator = np.random.default_rng(5)
    for number in range(40):
        width, height = (int(extent) for extent in generator.integers(8, 400, 2))
        encoding = ('bgr8', 'rgb8', 'bgra8')[number % 3]
        colour = {'bgr8': (0, 0, 255), 'rgb8': (255, 0, 0), 'bgra8': (0, 0, 255, 255)}[encoding]
        pixels = np.full((height, width, len(colour)), colour, np.uint8)
        message = image_message(pixels, encoding, number=number)
        message.header.frame_id = f'frame_{number % 5}'
        answer = bench.infer(message)
        assert answer.header == message.header
        for detection in answer.detections:
            assert detection.bbox.center.position.x <= width
            assert detection.bbox.center.position.y <= height


def test_stamps_of_every_kind_are_counted_and_the_images_processed(bench):
    stamps = [5_000, 4_000, 4_000, 2_000_000_000, 0, 1, 2_147_483_647]
    for count, seconds in enumerate(stamps, start=1):
        message = image_message(RED)
        message.header.stamp.sec = seconds
        bench.send(message)
        wait_for(lambda n=count: len(bench.detections) == n, f'answer {count}')
        assert bench.detections[-1].header == message.header
    _, values = bench.status(lambda _, v: v.get('frames/processed') == str(len(stamps)))
    assert {word: values[f'stamps/{word}'] for word in ('unset', 'repeated', 'backwards')} == {
        'unset': '1',
        'repeated': '1',
        'backwards': '2',
    }


def test_an_image_from_the_future_is_rejected_where_age_counts(start, peer, model_folder):
    bench = Bench(start, peer, model_folder, stale_after_ms=60_000.0)
    message = fresh_message(peer, RED)
    message.header.stamp.sec += 3600
    bench.send(message)
    wait_for(lambda: bench.counters().get('rejected/future_stamp') == 1, 'a frame rejected')
    assert set(classes(bench.infer(fresh_message(peer, RED)))) == {'red'}


def test_a_recording_played_in_a_loop_goes_on_at_once_and_is_not_remarked_on(bench, peer):
    begin = peer.node.get_clock().now().nanoseconds // 1_000_000_000
    for number in (*range(20), *range(20)):
        message = image_message(RED, number=number)
        message.header.stamp.sec = begin - 30 + number
        answers = len(bench.detections)
        bench.send(message)
        wait_for(lambda n=answers: len(bench.detections) == n + 1, 'its answer')
    bench.status(lambda _, v: v.get('stamps/backwards') == '1')
    assert not {values['cause'] for _, values in bench.reports()} & {
        'backwards_stamps',
        'repeated_stamps',
    }


def test_what_is_not_finite_in_the_networks_output_is_dropped_and_counted(start, peer, tmp_path):
    candidates = np.zeros((1, 6, 20), np.float32)
    candidates[0, :, 0] = (32, 32, 10, 10, 0.9, 0.1)
    candidates[0, :, 1] = (np.nan, 32, 10, 10, 0.9, 0.1)
    candidates[0, :, 2] = (32, 32, np.inf, 10, 0.9, 0.1)
    candidates[0, :, 3] = (32, 32, 10, 10, np.nan, np.inf)
    emitting(tmp_path / 'tiny.onnx', {'output0': candidates})
    bench = Bench(start, peer, write_model(tmp_path, card()))
    answer = bench.infer(image_message(RED, number=1))
    assert classes(answer) == {'person': pytest.approx(0.9)}
    assert np.isfinite([d.bbox.center.position.x for d in answer.detections]).all()
    bench.status(lambda _, values: int(values.get('candidates/non_finite', 0)) >= 3)


@pytest.mark.parametrize('make', [failing_session, failing_decoder])
def test_a_crash_in_session_or_decoder_costs_that_frame(start, peer, tmp_path, make):
    bench = Bench(start, peer, make(tmp_path / 'fragile'))
    bright, dark = paint(255, 255, 255), paint(10, 10, 10)
    assert len(bench.infer(image_message(dark, number=1)).detections) == 3
    for number in range(3):
        bench.send(image_message(bright, number=10 + number))
        wait_for(lambda n=number: bench.counters()['failed'] == n + 1, 'a failed frame')
    status, values = bench.status(lambda _, v: v.get('frames/failed') == '3')
    assert status.level == DiagnosticStatus.ERROR
    assert values['cause'] == 'failed'
    assert len(bench.infer(image_message(dark, number=2)).detections) == 3
    assert bench.node.state == 'active'
    assert bench.counters()['waiting'] == 0


def test_one_failure_among_good_frames_is_a_failure_for_as_long_as_it_is_told_of(
    start, peer, tmp_path
):
    bench = Bench(start, peer, failing_session(tmp_path / 'fragile'))
    dark = paint(10, 10, 10)
    bench.infer(image_message(dark, number=1))
    peer.node.create_timer(0.1, lambda: bench.send(fresh_message(peer, dark)))
    bench.forget()
    bench.send(fresh_message(peer, paint(255, 255, 255)))
    bench.status(lambda _, values: values['cause'] == 'failed')
    # Until it is forgotten: all that is told meanwhile tells of the failure, under its own name.
    bench.status(lambda _, values: values['frames/failed'] == '1' and not values['cause'])
    told = [(status, values['cause']) for status, values in bench.reports()]
    told = [(status, cause) for status, cause in told if 'SessionError' in status.message]
    assert {(status.level, cause) for status, cause in told} == {(DiagnosticStatus.ERROR, 'failed')}
    assert bench.counters()['rejected'] == 0


def missing(folder):
    shutil.rmtree(folder)
    return 'a model is a folder'


def empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()
    return 'has no model.yaml'


def malformed_yaml(folder):
    (folder / 'model.yaml').write_text('labels: [red, green')
    return 'line 1'


def misspelt_key(folder):
    text = (folder / 'model.yaml').read_text()
    (folder / 'model.yaml').write_text(text.replace('decoder:', 'decodr:'))
    return 'decodr'


def missing_onnx(folder):
    (folder / 'network.onnx').unlink()
    return 'network.onnx does not exist'


def cut_onnx(folder):
    data = (folder / 'network.onnx').read_bytes()
    (folder / 'network.onnx').write_bytes(data[: len(data) // 2])
    return 'cut short'


def not_onnx(folder):
    (folder / 'network.onnx').write_bytes(b'GIF89a, and not a network')
    return 'not an ONNX model'


def wrong_decoder(folder):
    text = (folder / 'model.yaml').read_text()
    (folder / 'model.yaml').write_text(text.replace('decoder: yolo', 'decoder: efficient_nms'))
    return 'output0'


def too_few_labels(folder):
    text = (folder / 'model.yaml').read_text()
    (folder / 'model.yaml').write_text(text.replace('[red, green, blue]', '[red, green]'))
    return '1x6xN'


def too_large(folder):
    shutil.rmtree(folder)
    insatiable(folder)
    return 'fragile.onnx'


@pytest.mark.parametrize(
    'ruin',
    [
        missing,
        empty,
        malformed_yaml,
        misspelt_key,
        missing_onnx,
        cut_onnx,
        not_onnx,
        wrong_decoder,
        too_few_labels,
        too_large,
    ],
)
def test_a_model_that_cannot_work_leaves_the_node_unconfigured_and_usable(start, tmp_path, ruin):
    folder = write_brightness_model(tmp_path / 'model')
    words = ruin(folder)
    node = start(DetectorNode, {'model': str(folder)})
    assert node.trigger_configure() == FAILURE
    assert node.state == 'unconfigured'
    assert words in node.last_error
    shutil.rmtree(folder, ignore_errors=True)
    write_brightness_model(folder)
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
