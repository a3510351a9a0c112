# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Captured graphs of one binding, by the shapes they were captured at."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable

from jetson_infer.cuda.stream import Graph, Stream
from jetson_infer.dependencies import pip_install
from jetson_infer.errors import SessionError

__all__ = ['GraphTable']

logger = logging.getLogger(__name__)

MOST = 8
"""A graph holds memory of the driver, about 1 MB for a hundred kernels."""


class GraphTable:
    """The graphs of the shapes that were used last.

    :param source: whose work is captured, for messages.
    :param enabled: capture at all.
    """

    def __init__(self, source: str, enabled: bool) -> None:
        self._source = source
        self._graphs: OrderedDict[Hashable, Graph] = OrderedDict()
        self.why_none = '' if enabled else 'graphs are switched off'

    def get(self, key: Hashable, stream: Stream, work: Callable[[], None]) -> Graph | None:
        """Return the graph of some work, captured now if it is not known.

        :param key: what the work depends on.
        :param work: queues it on ``stream``; it ran there before.
        :returns: None where there are no graphs; :attr:`why_none` tells why, as the log did once.
        :raises DeviceError: if the device is lost.
        """
        if self.why_none:
            return None
        if key in self._graphs:
            self._graphs.move_to_end(key)
            return self._graphs[key]
        if not stream.can_capture:
            self._give_up(f'this machine has no stream capture ({pip_install("cuda-bindings")})')
            return None
        try:
            with stream.capture() as capture:
                work()
        except SessionError as error:
            self._give_up(str(error))
            return None
        self._graphs[key] = capture.graph
        if len(self._graphs) > MOST:
            _, oldest = self._graphs.popitem(last=False)
            oldest.close()
        return capture.graph

    def close(self) -> None:
        """Close all graphs."""
        for graph in self._graphs.values():
            graph.close()
        self._graphs.clear()

    def _give_up(self, reason: str) -> None:
        self.why_none = reason
        logger.warning(
            '%s: runs without a CUDA graph, which costs the processor more per frame: %s',
            self._source,
            reason,
        )
