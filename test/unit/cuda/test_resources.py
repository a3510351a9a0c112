# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What lives on a device is counted, and closed in the order that dependence asks for."""

import logging

from jetson_infer.cuda.resources import LiveResources


class Resource:
    """Notes when it is closed, and forgets itself, as a resource of a device does."""

    def __init__(self, name, live, closed):
        self.name, self.live, self.closed = name, live, closed
        live.add(name, self)

    def close(self):
        self.closed.append(self.name)
        self.live.discard(self)


def test_what_is_left_is_closed_newest_first_and_named(caplog):
    live, closed = LiveResources(), []
    for name in ('stream', 'graph', 'event', 'graph'):
        Resource(name, live, closed)
    assert live.count() == {'stream': 1, 'graph': 2, 'event': 1}
    with caplog.at_level(logging.WARNING):
        live.close('Orin')
    assert closed == ['graph', 'event', 'graph', 'stream']
    assert 'Orin was closed with 1 x stream, 2 x graph, 1 x event still open' in caplog.text
    assert live.count() == {}


def test_nothing_left_is_nothing_said(caplog):
    live, closed = LiveResources(), []
    Resource('stream', live, closed).close()
    with caplog.at_level(logging.DEBUG):
        live.close('Orin')
    assert closed == ['stream']
    assert caplog.text == ''
