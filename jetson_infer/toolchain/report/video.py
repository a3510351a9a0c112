# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a video that every browser plays: VP8 in WebM, through OpenCV."""

from __future__ import annotations

import os
import queue
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from jetson_infer.dependencies import require
from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.report.pictures import Picture

__all__ = ['VideoError', 'VideoWriter']

QUEUED = 16


class VideoError(JetsonInferError):
    """A video that cannot be written."""


class VideoWriter:
    """Writes BGR pictures of one size; a context manager.

    Encodes in a thread of its own, beside the drawing of the next pictures.  The file appears when
    all is written; nothing is left of a video that was broken off.

    :param path: the file; its suffix is ``.webm``.
    :param rate_hz: pictures a second.
    """

    def __init__(self, path: Path, rate_hz: float) -> None:
        self._cv2 = require('cv2', 'Writing videos')
        self._path = path
        self._partial = path.with_name(f'partial.{path.name}')
        self._rate_hz = rate_hz
        self._size: tuple[int, int] | None = None
        self._writer: Any = None
        self._queue: queue.Queue[Picture | None] = queue.Queue(QUEUED)
        self._thread = threading.Thread(target=self._encode, name='video', daemon=True)

    def write(self, picture: Picture) -> None:
        """Add a picture, which is the writer's from now on.

        :raises VideoError: if its size is not that of the first, or this OpenCV cannot write VP8.
        """
        height, width = picture.shape[:2]
        if self._size is None:
            self._open((width, height))
        if (width, height) != self._size:
            raise VideoError(f'a picture of {width}x{height} in a video of {self._size}')
        self._queue.put(picture)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer is None:
            return
        if exc_type is not None:
            while not self._queue.empty():
                self._queue.get_nowait()
        self._queue.put(None)
        self._thread.join()
        self._writer.release()
        if exc_type is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)

    def _open(self, size: tuple[int, int]) -> None:
        cv2 = self._cv2
        with _QuietStderr():
            # FFmpeg says that VP80 is not a tag of WebM's, and then does the right thing.
            fourcc = cv2.VideoWriter_fourcc(*'VP80')
            writer = cv2.VideoWriter(str(self._partial), fourcc, self._rate_hz, size)
        if not writer.isOpened():
            raise VideoError(
                f'{self._path}: the OpenCV that is installed ({cv2.__version__}) has no VP8 '
                'encoder; install opencv-python-headless from PyPI, whose FFmpeg has it, or go on '
                'without a video: --no-video'
            )
        self._size, self._writer = size, writer
        self._thread.start()

    def _encode(self) -> None:
        while (picture := self._queue.get()) is not None:
            self._writer.write(picture)


class _QuietStderr:
    """Sends what native code writes to standard error nowhere, for a moment."""

    def __enter__(self) -> None:
        self._kept = os.dup(2)
        self._sink = tempfile.TemporaryFile()
        os.dup2(self._sink.fileno(), 2)

    def __exit__(self, *_: object) -> None:
        os.dup2(self._kept, 2)
        os.close(self._kept)
        self._sink.close()
