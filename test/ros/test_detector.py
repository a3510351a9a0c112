# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The detector, driven over real DDS with a network whose output is known beforehand."""

import itertools
import time

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.msg import ParameterValue as Value
from sensor_msgs.msg import Image
from vision_msgs.msg import LabelInfo

from detector_bench import SUCCESS, Bench, classes
from jetson_infer.ros.detector_node import DetectorNode
from ros_peer import compressed_message, image_message, paint, wait_for


def settled(bench):
    """Return the counters once no frame waits and none has come for a while."""

    def unchanged():
        before = bench.counters()
        time.sleep(0.3)
        after = bench.counters()
        return after if after == before and not after['waiting'] else None

    return wait_for(unchanged, 'an idle worker')


@pytest.fixture
def bench(start, peer, model_folder):
    return Bench(start, peer, model_folder)


def test_detections_carry_the_inputs_header_labels_and_boxes_in_its_pixels(bench):
    # Twice the network's size: the letterbox has to be undone.
    message = image_message(paint(255, 0, 204, width=128, height=96), number=1)
    answer = bench.infer(message)
    assert answer.header == message.header
    assert classes(answer) == pytest.approx({'red': 1.0, 'blue': 0.8}, abs=0.01)
    first, second = answer.detections
    assert first.header == message.header
    assert (first.bbox.center.position.x, first.bbox.center.position.y) == (32.0, 24.0)
    assert (first.bbox.size_x, first.bbox.size_y) == (16.0, 12.0)
    assert (second.bbox.center.position.x, second.bbox.center.position.y) == (96.0, 72.0)


def test_an_image_without_objects_yields_an_empty_array(bench):
    answer = bench.infer(image_message(paint(0, 0, 0), number=1))
    assert answer.detections == []


@pytest.mark.parametrize(
    ('encoding', 'pixels'),
    [
        ('rgb8', np.full((48, 64, 3), (255, 0, 0), np.uint8)),
        ('bgr8', np.full((48, 64, 3), (0, 0, 255), np.uint8)),
        ('rgba8', np.full((48, 64, 4), (255, 0, 0, 255), np.uint8)),
        ('bgra8', np.full((48, 64, 4), (0, 0, 255, 255), np.uint8)),
    ],
)
def test_encodings_are_honoured(bench, encoding, pixels):
    answer = bench.infer(image_message(pixels, encoding, number=1))
    assert classes(answer) == pytest.approx({'red': 1.0}, abs=0.01)


def test_padded_rows_are_honoured(bench):
    padded = np.full((48, 80, 3), (255, 255, 255), np.uint8)
    padded[:, :64] = (0, 0, 255)
    answer = bench.infer(image_message(padded, 'bgr8', number=1, width=64))
    assert classes(answer) == pytest.approx({'red': 1.0}, abs=0.01)


def test_compressed_images(start, peer, model_folder):
    bench = Bench(start, peer, model_folder, image_transport='compressed')
    for number, extension in enumerate(('.png', '.jpg')):
        data = cv2.imencode(extension, paint(0, 255, 0))[1]
        kind = {'.png': 'png', '.jpg': 'jpeg'}[extension]
        answer = bench.infer(compressed_message(data, kind, number))
        assert classes(answer) == pytest.approx({'green': 1.0}, abs=0.02)


def test_a_threshold_set_live_holds_for_the_next_frame(bench):
    grey = paint(153, 115, 51)  # scores 0.6, 0.45, 0.2
    assert set(classes(bench.infer(image_message(grey, number=1)))) == {'red', 'green'}
    for number, (threshold, expected) in enumerate(
        [(0.5, {'red'}), (0.1, {'red', 'green', 'blue'}), (0.7, set()), (0.3, {'red', 'green'})]
    ):
        value = Value(type=ParameterType.PARAMETER_DOUBLE, double_value=threshold)
        assert bench.set('score_threshold', value).successful
        assert set(classes(bench.infer(image_message(grey, number=10 + number)))) == expected


def test_classes_are_chosen_live_and_an_unknown_one_is_refused(bench):
    def labels(*names):
        return Value(type=ParameterType.PARAMETER_STRING_ARRAY, string_array_value=list(names))

    white = paint(255, 255, 255)
    assert bench.set('classes', labels('blue')).successful
    assert set(classes(bench.infer(image_message(white, number=1)))) == {'blue'}
    refused = bench.set('classes', labels('pink'))
    assert not refused.successful
    assert 'the model has no pink' in refused.reason
    assert set(classes(bench.infer(image_message(white, number=2)))) == {'blue'}


def test_labels_are_latched_and_follow_the_threshold(bench, peer):
    heard = peer.hear(LabelInfo, '/detector/output/labels', latched=True)
    wait_for(lambda: heard, 'the labels')
    assert [(c.class_id, c.class_name) for c in heard[-1].class_map] == [
        (0, 'red'),
        (1, 'green'),
        (2, 'blue'),
    ]
    assert heard[-1].threshold == pytest.approx(0.4)
    bench.set('score_threshold', Value(type=ParameterType.PARAMETER_DOUBLE, double_value=0.9))
    wait_for(lambda: heard[-1].threshold == pytest.approx(0.9), 'the new threshold')


def test_the_debug_image_is_drawn_only_while_someone_looks(bench, peer):
    picture = paint(255, 0, 0, width=320, height=240)
    bench.infer(image_message(picture, number=1))
    _, values = bench.status(lambda _, v: v.get('frames/processed') == '1')
    assert values['debug_images'] == '0'
    heard = peer.hear(Image, '/detector/output/debug_image')
    # The publisher hears of its subscription a little later than the graph, if at the first image.
    number = itertools.count(2)

    def looked():
        bench.infer(image_message(picture, number=next(number)))
        return heard

    wait_for(looked, 'a debug image')
    shown = heard[0]
    assert shown.header in [answer.header for answer in bench.detections]
    assert (shown.width, shown.height, shown.encoding, shown.step) == (320, 240, 'bgr8', 960)
    pixels = np.frombuffer(shown.data, np.uint8).reshape(240, 320, 3)
    changed = (pixels != picture).any(axis=2)
    bench.status(lambda _, v: int(v.get('debug_images', 0)) >= 1)
    # The box of class 0 reaches from (60, 45) to (100, 75): its outline is drawn, its inside kept.
    assert changed[45, 60:100].mean() > 0.9
    assert not changed[55:65, 75:90].any()


def test_every_frame_is_accounted_for_in_a_flood(bench):
    number = itertools.count()

    def answered():
        counters = bench.counters()
        return not counters['waiting'] and counters['processed'] == len(bench.detections)

    for _ in range(20):
        before = bench.counters()['received']
        for _ in range(10):
            bench.send(image_message(paint(0, 0, 0), number=next(number)))
        # No more than subscribers keep room for, however slow the machine.
        wait_for(lambda b=before: bench.counters()['received'] > b, 'an image of the flood')
        wait_for(answered, 'an answer to each frame that was processed')
    counters = bench.counters()
    assert 20 <= counters['received'] <= 200
    assert counters['received'] == counters['processed'] + counters['replaced']
    assert not any(counters[name] for name in ('stale', 'rejected', 'shed', 'failed'))
    stamps = [d.header.stamp.sec for d in bench.detections]
    assert stamps == sorted(set(stamps))


def test_max_rate_is_kept_and_what_is_left_out_is_counted(start, peer, model_folder):
    bench = Bench(start, peer, model_folder, max_rate_hz=2.0)
    began = time.monotonic()
    for number in range(60):
        bench.send(image_message(paint(0, 0, 0), number=number))
        time.sleep(0.02)
    counters = settled(bench)
    most = 2.0 * (time.monotonic() - began) + 1
    assert 1 <= counters['processed'] <= most
    assert counters['shed'] > 0
    assert counters['shed'] == counters['received'] - counters['processed'] - counters['replaced']


def test_stale_images_are_left_out_and_counted(start, peer, model_folder):
    bench = Bench(start, peer, model_folder, stale_after_ms=500.0)
    bench.send(image_message(paint(0, 0, 0), number=1))  # stamped in 1970
    wait_for(lambda: bench.counters()['stale'] == 1, 'a stale frame')
    fresh = image_message(paint(0, 0, 0))
    fresh.header.stamp = peer.node.get_clock().now().to_msg()
    bench.infer(fresh)


def test_diagnostics_tell_model_engine_rates_latencies_and_counters(bench):
    for number in range(12):
        message = image_message(paint(0, 0, 0), number=number)
        message.header.stamp = bench.peer.node.get_clock().now().to_msg()
        bench.infer(message)
    status, values = bench.status(lambda _, v: v.get('frames/processed') == '12')
    assert status.level == DiagnosticStatus.OK
    assert values['state'] == 'active'
    assert values['model'] == 'brightness'
    assert values['variant'] == 'best'
    assert values['engine'].startswith('onnxruntime')
    assert float(values['rate_in_hz']) > 1.0
    for stage in ('wait', 'preprocess', 'infer', 'decode', 'publish', 'total'):
        p50, p99 = (float(values[f'latency_ms/{stage}/{p}']) for p in ('p50', 'p99'))
        assert 0.0 <= p50 <= p99
    for counter in ('received', 'replaced', 'stale', 'rejected', 'shed', 'failed', 'waiting'):
        assert f'frames/{counter}' in values


def test_an_unconfigured_node_tells_what_to_do_next(start, peer, model_folder):
    reports = peer.hear(DiagnosticArray, '/diagnostics')
    start(DetectorNode, {'model': str(model_folder)})
    wait_for(lambda: reports, 'a report')
    (status,) = reports[0].status
    values = {item.key: item.value for item in status.values}
    assert (status.name, status.level) == ('/detector: pipeline', DiagnosticStatus.OK)
    assert status.message == (
        'unconfigured: no images are processed in this state; '
        'next: ros2 lifecycle set /detector configure'
    )
    assert (values['state'], values['cause'], values['frames/received']) == (
        'unconfigured',
        '',
        '0',
    )
    assert 'model' not in values


def test_inactive_nodes_process_nothing_and_reactivate(bench, peer):
    bench.infer(image_message(paint(0, 0, 0), number=1))
    for round_number in range(5):
        assert bench.node.trigger_deactivate() == SUCCESS
        publisher = peer.publisher(Image, '/detector/input/image', matched=0)
        publisher.publish(image_message(paint(0, 0, 0), number=100 + round_number))
        assert bench.node.trigger_activate() == SUCCESS
        wait_for(lambda p=publisher: p.get_subscription_count() == 1)
        bench.infer(image_message(paint(0, 0, 0), number=200 + round_number))
    stamps = {d.header.stamp.sec - 1000 for d in bench.detections}
    assert stamps == {1, 200, 201, 202, 203, 204}


def test_configure_and_cleanup_can_be_repeated(bench):
    for number in range(5):
        assert bench.node.trigger_deactivate() == SUCCESS
        assert bench.node.trigger_cleanup() == SUCCESS
        assert bench.node.trigger_configure() == SUCCESS
        assert bench.node.trigger_activate() == SUCCESS
        answer = bench.infer(image_message(paint(255, 0, 0), number=number))
        assert set(classes(answer)) == {'red'}
