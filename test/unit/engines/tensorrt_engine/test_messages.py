# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What TensorRT says and reports; nodes that it names by an index."""

import gc
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import helper

import networks
from jetson_infer.engines.tensorrt.error_recorder import CAPACITY, ErrorStack
from jetson_infer.engines.tensorrt.log import MessageLog, open_logger
from jetson_infer.engines.tensorrt.onnx_nodes import find_node
from jetson_infer.engines.tensorrt.types import dtype_of, precision_word

HARMLESS = """\
onnx2trt_utils.cpp:374: Your ONNX model has been generated with INT64 weights, while TensorRT does \
not natively support INT64. Attempting to cast down to INT32.
onnx2trt_utils.cpp:400: One or more weights outside the range of INT32 was clamped
TensorRT encountered issues when converting weights between types and that could affect accuracy.
If this is not the desired behavior, please modify the weights or retrain with regularization to \
adjust the magnitude of the weights.
Check verbose logs for the list of affected weights.
- 4 weights are affected by this issue: Detected subnormal FP16 values.
""".splitlines()
"""What 8.6 says of every network with 64-bit shapes, and of float16 weights near 0."""


def test_messages_reach_logging_by_their_severity(caplog):
    caplog.set_level(1, logger='jetson_infer.engines.tensorrt.log')
    log = MessageLog()
    for severity in ('INTERNAL_ERROR', 'ERROR', 'WARNING', 'INFO', 'VERBOSE', 'NEW'):
        log.add(severity, f'{severity} %s\n')
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.CRITICAL, 'INTERNAL_ERROR %s'),
        (logging.ERROR, 'ERROR %s'),
        (logging.WARNING, 'WARNING %s'),
        (logging.DEBUG, 'INFO %s'),
        (logging.DEBUG - 5, 'VERBOSE %s'),
        (logging.WARNING, 'NEW %s'),
    ]
    assert 'VERBOSE' not in log.text
    assert log.text.startswith('INTERNAL_ERROR: INTERNAL_ERROR %s\nERROR: ')


def test_warnings_that_concern_nobody_are_kept_in_the_log_alone(caplog):
    caplog.set_level(logging.INFO, logger='jetson_infer.engines.tensorrt.log')
    log = MessageLog()
    for text in HARMLESS:
        log.add('WARNING', text)
        assert text in log.text
    assert caplog.records == []
    log.add('WARNING', 'Detected finite FP32 values which would overflow in FP16')
    log.add('ERROR', 'Your ONNX model has been generated with INT64 weights')
    assert [record.levelname for record in caplog.records] == ['WARNING', 'ERROR']


def test_what_is_said_goes_to_the_log_that_follows_on_its_thread(tensorrt, caplog):
    logs, severity = [MessageLog(), MessageLog()], tensorrt.ILogger.Severity.ERROR
    logger = open_logger(logs[0])

    def elsewhere():
        logger.log(severity, 'of a thread of TensorRT')  # to the log that was last of all
        assert open_logger(logs[1]) is logger
        logger.log(severity, 'of a session there')

    with ThreadPoolExecutor(1) as thread:
        thread.submit(elsewhere).result()
    logger.log(severity, 'of a session here')
    assert [[line.text for line in log.lines] for log in logs] == [
        ['of a thread of TensorRT', 'of a session here'],
        ['of a session there'],
    ]
    logs.clear()
    gc.collect()
    logger.log(severity, 'of nobody')
    assert 'of nobody' in caplog.text


def test_reasons_are_the_errors_once():
    log = MessageLog()
    assert log.reasons() == 'TensorRT gave no reason'
    log.add('INFO', 'memory')
    log.add('WARNING', 'no GPU')
    assert log.reasons() == 'no GPU'
    log.add('ERROR', '3: [x.cpp::f::5] Error Code 3:\n  wrong shape')
    log.add('ERROR', '3: [x.cpp::f::5] Error Code 3:\n  wrong shape')
    assert log.reasons(['wrong shape']) == '3: [x.cpp::f::5] Error Code 3: wrong shape'
    assert log.reasons(['of the recorder']).endswith('wrong shape; of the recorder')
    for number in range(20):
        log.add('ERROR', f'e{number}')
    assert log.reasons().endswith('; and 13 more')


def test_old_messages_are_forgotten():
    log = MessageLog(keep=3)
    for number in range(5):
        log.add('INFO', str(number))
    assert [line.text for line in log.lines] == ['2', '3', '4']
    log.clear()
    assert log.lines == ()


def test_errors_of_many_threads_are_counted():
    stack = ErrorStack()

    def report():
        for number in range(50):
            stack.add(3, f'error {number}')

    threads = [threading.Thread(target=report) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(stack.errors), stack.dropped) == (CAPACITY, 8 * 50 - CAPACITY)
    stack.clear()
    assert (stack.texts, stack.dropped) == ((), 0)


def test_nodes_are_found_as_the_onnx_package_finds_them(tmp_path):
    path = networks.convolving(tmp_path / 'x.onnx', layers=5)
    model = onnx.load(str(path))
    for number, node in enumerate(model.graph.node):
        node.name = f'node {number} ä' if number % 2 else ''
    onnx.save(model, str(path))
    for number, node in enumerate(model.graph.node):
        assert find_node(path, number) == (node.name, node.op_type)
    assert find_node(path, len(model.graph.node)) is None


def test_a_node_within_a_large_file_is_found(tmp_path):
    nodes = [helper.make_node('Add', ['x', 'w'], ['y'], name='a')]
    weights = {'w': np.zeros((1000, 1000), np.float32)}
    one = [networks.tensor(name, (1000, 1000)) for name in 'xy']
    path = networks.save(tmp_path / 'x.onnx', nodes, one[:1], one[1:], weights)
    assert find_node(path, 0) == ('a', 'Add')


@pytest.mark.parametrize('content', [b'', b'\xff' * 20, b'\x3a\x7fcut', b'no model'])
def test_in_what_is_no_model_no_node_is_found(tmp_path, content):
    path = tmp_path / 'x.onnx'
    assert find_node(path, 0) is None
    path.write_bytes(content)
    assert find_node(path, 0) is None


def test_types_by_any_of_their_names():
    assert dtype_of('HALF') == np.float16
    assert dtype_of('BF16') is None
    assert [precision_word(word) for word in ('Half', 'FP16', 'E4M3', 'Float', 'kLINEAR')] == [
        'fp16', 'fp16', 'fp8', 'fp32', '',
    ]  # fmt: skip
