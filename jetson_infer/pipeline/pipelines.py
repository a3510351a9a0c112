# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What turns images into results: one after the other, or overlapping on a device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, Protocol, TypeVar

from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.core.timing import StageClock

__all__ = ['OneAtATime', 'OverlappingPipeline', 'Pipeline', 'overlapping']

R = TypeVar('R')
R_co = TypeVar('R_co', covariant=True)


class Pipeline(Protocol[R_co]):
    """A pipeline that ends one image before it takes the next.

    Opened and closed on the loader's thread, used on the worker's.
    """

    def process(self, image: ImageView | CompressedView, clock: StageClock) -> R_co:
        """Handle one image and mark each stage that ends.

        :raises FrameRejected: if the image cannot be used.
        :raises DeviceError: if there is no point in trying another one.
        """

    def close(self) -> None:
        """Release the network."""


class OverlappingPipeline(ABC, Generic[R]):
    """A pipeline whose device works on one image while the next one is prepared.

    Opened and closed on the loader's thread, used on the worker's, within :meth:`current`.  Images
    end in the order in which they were begun.
    """

    def current(self) -> AbstractContextManager[None]:
        """Make what it runs on current within the block, on the thread that uses it.

        Leave the block before the pipeline is closed.

        :raises DeviceError: if the device is lost.
        """
        return nullcontext()

    @property
    @abstractmethod
    def depth(self) -> int:
        """How many images may be under way at once, at least 1."""

    @property
    @abstractmethod
    def patience_s(self) -> float:
        """How long the device is sure to work still on the oldest image under way; 0: unknown."""

    @abstractmethod
    def begin(self, image: ImageView | CompressedView, clock: StageClock) -> Any:
        """Prepare one image and hand it to the device; does not wait for the device.

        :return: what :meth:`finish` needs; the image itself is not needed any more.
        :raises FrameRejected: if the image cannot be used.
        :raises DeviceError: if there is no point in trying another one.
        """

    @abstractmethod
    def finish(self, pending: Any, clock: StageClock) -> R:
        """Wait for the oldest image under way and return its result.

        :param pending: what :meth:`begin` returned for it.
        :raises DeviceError: if there is no point in trying another one.
        """

    @abstractmethod
    def close(self) -> None:
        """Give up what is under way and release the network; may be called twice."""


class OneAtATime(OverlappingPipeline[R]):
    """One that ends an image before it takes the next: beginning does all of it."""

    @abstractmethod
    def process(self, image: ImageView | CompressedView, clock: StageClock) -> R:
        """See :meth:`Pipeline.process`."""

    @property
    def depth(self) -> int:
        """See :attr:`OverlappingPipeline.depth`; always one image."""
        return 1

    @property
    def patience_s(self) -> float:
        """See :attr:`OverlappingPipeline.patience_s`."""
        return 0.0

    def begin(self, image: ImageView | CompressedView, clock: StageClock) -> R:
        """See :meth:`OverlappingPipeline.begin`."""
        return self.process(image, clock)

    def finish(self, pending: R, clock: StageClock) -> R:
        """See :meth:`OverlappingPipeline.finish`."""
        return pending


class _OneByOne(OneAtATime[R]):
    """A pipeline of the first kind in the words of the second."""

    def __init__(self, pipeline: Pipeline[R]) -> None:
        self._pipeline = pipeline

    def process(self, image: ImageView | CompressedView, clock: StageClock) -> R:
        return self._pipeline.process(image, clock)

    def close(self) -> None:
        self._pipeline.close()


def overlapping(pipeline: Pipeline[R] | OverlappingPipeline[R]) -> OverlappingPipeline[R]:
    """Return a pipeline as one that may overlap."""
    return pipeline if isinstance(pipeline, OverlappingPipeline) else _OneByOne(pipeline)
