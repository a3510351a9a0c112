# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Answers that come later than the callback's end, and what becomes of those nobody takes."""

import logging
from concurrent.futures import Future

import pytest
import rclpy
from lifecycle_msgs.srv import GetState
from rclpy.exceptions import InvalidHandle

from jetson_infer.ros.late_answers import LateService
from ros_peer import wait_for


class Clerk:
    """A node with one service, whose answers are given by hand."""

    def __init__(self, spinner_peer):
        self.asked = []
        self.node = spinner_peer.node
        self._plain = self.node.create_service(GetState, '~/ask', self._answer)
        self.service = LateService(self._plain, self._answer)
        services = self.node._services
        services[services.index(self._plain)] = self.service

    def _answer(self, request, response):
        self.asked.append(Future())
        return self.asked[-1]

    def has_closed(self):
        try:
            with self.service.handle:
                return False
        except InvalidHandle:
            return True


@pytest.fixture
def clerk(peer):
    return Clerk(peer)


@pytest.fixture
def asked(clerk, peer):
    """Return the future of an answer that a client waits for, and the client's."""
    client = peer.node.create_client(GetState, '~/ask')
    assert client.wait_for_service(timeout_sec=30)
    heard = client.call_async(GetState.Request())
    wait_for(lambda: clerk.asked, 'the question')
    return clerk.asked[0], heard


@pytest.fixture
def logged(caplog):
    """What is logged about answers; launch's loggers, once loaded, hand nothing on to the root."""
    loggers = [
        logging.getLogger(n) for n in ('jetson_infer.ros.late_answers', 'concurrent.futures')
    ]
    for logger in loggers:
        caplog.set_level(logging.DEBUG, logger=logger.name)
        logger.addHandler(caplog.handler)
    yield caplog
    for logger in loggers:
        logger.removeHandler(caplog.handler)


def response(label):
    made = GetState.Response()
    made.current_state.label = label
    return made


def test_an_answer_is_sent_when_it_is_there(asked):
    answer, heard = asked
    assert not heard.done()
    answer.set_result(response('late'))
    wait_for(heard.done, 'the answer')
    assert heard.result().current_state.label == 'late'


def test_an_answer_that_cannot_be_sent_any_more_is_dropped_quietly(asked, clerk, logged):
    answer, heard = asked
    clerk.node.destroy_service(clerk.service)
    wait_for(clerk.has_closed, 'the end of the service, which the executor may still wait on')
    answer.set_result(response('too late'))
    wait_for(lambda: 'nobody takes the answer' in logged.text, 'a line for who debugs')
    assert {record.levelno for record in logged.records} == {logging.DEBUG}
    assert not heard.done()
    assert rclpy.ok()
