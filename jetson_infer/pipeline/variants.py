# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The loaded variants of a model, of which one processes the frames."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from jetson_infer.errors import JetsonInferError
from jetson_infer.pipeline.pipelines import OverlappingPipeline, Pipeline
from jetson_infer.pipeline.runner import FrameRunner

__all__ = ['LoadedVariants']

_LOGGER = logging.getLogger(__name__)

R = TypeVar('R')


class LoadedVariants(Generic[R]):
    """Switches between variants without losing a frame.

    A variant that is not loaded is opened beside the frames, on the runner's loader, and takes over
    from one frame to the next; only then is what is not to be kept closed, by the loader too.  So
    one more than are kept may be loaded for that while.  The variants used last are kept.  If one
    cannot be opened, everything stays as it was.

    Safe to use from several threads.  Variants are opened one after the other; switching to one
    that is loaded does not wait for that.

    :param runner: runs the one in force.
    :param opener: returns what opens a variant, warmed up, by the variant's name; called on the
        thread that switches.  What it returns is called by :meth:`FrameRunner.open`.
    :param name: the variant that is in force now.
    :param pipeline: its pipeline.
    :param keep: how many variants may stay loaded, the one in force among them; at least 1.
    """

    def __init__(
        self,
        runner: FrameRunner[R],
        opener: Callable[[str], Callable[[], Pipeline[R] | OverlappingPipeline[R]]],
        name: str,
        pipeline: Pipeline[R] | OverlappingPipeline[R],
        keep: int = 1,
    ) -> None:
        self._runner = runner
        self._opener = opener
        self._keep = max(1, keep)
        self._opening = ''
        self._one_opens = threading.Lock()  # taken before the other one, and held for long
        self._lock = threading.RLock()
        self._loaded = {name: pipeline}  # in the order of use, the one in force last
        self._wanted: list[str] = []  # of these none is closed

    @property
    def current(self) -> str:
        """The variant that processes the frames."""
        return next(reversed(self._loaded))

    @property
    def loaded(self) -> tuple[str, ...]:
        """The variants that are ready to take over, the one in force first."""
        return tuple(reversed(list(self._loaded)))

    @property
    def opening(self) -> str:
        """The variant that is being opened now; empty if none is."""
        return self._opening

    def preload(self, names: Sequence[str]) -> None:
        """Open variants until as many are loaded as may be kept; the one in force stays so.

        One that cannot be opened is left out, with a warning.

        :param names: in the order in which they are wanted.
        """
        for name in names:
            if len(self._loaded) >= self._keep:
                return
            try:
                with self.ready(name):
                    pass
            except JetsonInferError as error:
                _LOGGER.warning('%s is not kept ready: %s', name, error)

    @contextmanager
    def ready(self, name: str) -> Iterator[None]:
        """Have a variant loaded within the block, so that switching to it costs less than a frame.

        What is loaded and not to be kept is closed after the end of the last block.

        :raises JetsonInferError: if it cannot be opened.
        :raises RunnerStopped: if no frame is processed any more.
        """
        if not self._want(name):
            self._open(name)
        try:
            yield
        finally:
            with self._lock:
                self._wanted.remove(name)
                if not self._wanted:
                    self._close_surplus()

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
        :raises RunnerStopped: if no frame is processed any more.
        """
        with self.ready(name), self._lock:
            if name == self.current:
                return
            pipeline = self._loaded[name]
            prepare(pipeline)
            self._runner.swap(pipeline)
            others = {other: kept for other, kept in self._loaded.items() if other != name}
            self._loaded = {**others, name: pipeline}
            taken(pipeline)

    def _want(self, name: str) -> bool:
        """See to it that a variant stays loaded; tell whether it is."""
        with self._lock:
            if name in self._loaded:
                self._wanted.append(name)
            return name in self._loaded

    def _open(self, name: str) -> None:
        """Open a variant that is wanted."""
        with self._one_opens:
            if self._want(name):
                return
            self._opening = name
            try:
                pipeline = self._runner.open(self._opener(name))
            finally:
                self._opening = ''
            with self._lock:
                self._loaded = {name: pipeline, **self._loaded}
                self._wanted.append(name)

    def _close_surplus(self) -> None:
        """Have the variants closed that were used longest ago and are not to be kept."""
        while len(self._loaded) > self._keep:
            name, *kept = self._loaded
            pipeline = self._loaded[name]
            # Never changed in place: others look at it without the lock.
            self._loaded = {other: self._loaded[other] for other in kept}
            self._runner.release(pipeline)
