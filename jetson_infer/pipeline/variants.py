# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The loaded variants of a model, of which one processes the frames."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from jetson_infer.errors import InternalError, JetsonInferError
from jetson_infer.pipeline.pipelines import OverlappingPipeline, Pipeline
from jetson_infer.pipeline.runner import FrameRunner

__all__ = ['LoadedVariants']

_LOGGER = logging.getLogger(__name__)

R = TypeVar('R')


class LoadedVariants(Generic[R]):
    """Switches between variants without losing a frame.

    A variant that is not loaded is opened while the one in force goes on, and takes over from one
    frame to the next; only then is what is not to be kept closed.  The variants used last are kept.
    If it cannot be opened, everything stays as it was.

    Safe to use from several threads; the switches come one after the other.

    :param runner: runs the one in force.
    :param opener: opens a variant by its name, warmed up; called on the thread that switches.  One
        that only the worker may open it opens by :meth:`FrameRunner.between_frames`.
    :param name: the variant that is in force now.
    :param pipeline: its pipeline.
    :param keep: how many variants may stay loaded, the one in force among them; at least 1.
    """

    def __init__(
        self,
        runner: FrameRunner[R],
        opener: Callable[[str], Pipeline[R] | OverlappingPipeline[R]],
        name: str,
        pipeline: Pipeline[R] | OverlappingPipeline[R],
        keep: int = 1,
    ) -> None:
        self._runner = runner
        self._opener = opener
        self._keep = max(1, keep)
        self._lock = threading.Lock()
        self._loaded = {name: pipeline}  # in the order of use, the one in force last

    @property
    def current(self) -> str:
        """The variant that processes the frames."""
        return next(reversed(self._loaded))

    @property
    def loaded(self) -> tuple[str, ...]:
        """The variants that are ready to take over, the one in force first."""
        return tuple(reversed(list(self._loaded)))

    def preload(self, names: Sequence[str]) -> None:
        """Open variants until as many are loaded as may be kept; the one in force stays so.

        One that cannot be opened is left out, with a warning.

        :param names: in the order in which they are wanted.
        """
        with self._lock:
            for name in names:
                if len(self._loaded) >= self._keep:
                    return
                if name in self._loaded:
                    continue
                try:
                    self._loaded = {name: self._open(name), **self._loaded}
                except JetsonInferError as error:
                    _LOGGER.warning('%s is not kept ready: %s', name, error)

    def switch(
        self,
        name: str,
        prepare: Callable[[Pipeline[R] | OverlappingPipeline[R]], None],
        taken: Callable[[Pipeline[R] | OverlappingPipeline[R]], None] = lambda pipeline: None,
    ) -> None:
        """Have a variant process the frames from the next one on.

        :param prepare: called with its pipeline before it takes over: to give it the limits in
            force.
        :param taken: called with its pipeline once it has, before another one is closed.
        :raises JetsonInferError: if it cannot be opened; the one before stays in force.
        """
        with self._lock:
            if name == self.current:
                return
            pipeline = self._loaded.get(name) or self._open(name)
            prepare(pipeline)
            self._runner.swap(pipeline)
            others = {other: kept for other, kept in self._loaded.items() if other != name}
            self._loaded = {**others, name: pipeline}
            taken(pipeline)
            self._close_oldest()

    def _open(self, name: str) -> Pipeline[R] | OverlappingPipeline[R]:
        pipeline = self._opener(name)
        try:
            self._runner.adopt(pipeline)
        except InternalError:
            pipeline.close()
            raise
        return pipeline

    def _close_oldest(self) -> None:
        while len(self._loaded) > self._keep:
            oldest = next(iter(self._loaded))
            self._runner.release(self._loaded.pop(oldest))
