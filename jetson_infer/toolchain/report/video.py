# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Writing a video that every browser plays: VP8 in WebM, through OpenCV."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from jetson_infer.dependencies import require
from jetson_infer.errors import JetsonInferError
from jetson_infer.toolchain.report.pictures import Picture

__all__ = ['VideoError', 'VideoWriter']


class VideoError(JetsonInferError):
    """A video that cannot be written."""


class VideoWriter:
    """Writes BGR pictures of one size; a context manager.

    :param path: the file; its suffix is ``.webm``.
    :param rate_hz: pictures a second.
    :param size: width and height of every picture.
    :raises VideoError: if this OpenCV cannot write VP8.
    """

    def __init__(self, path: Path, rate_hz: float, size: tuple[int, int]) -> None:
        cv2 = require('cv2', 'Writing videos')
        self._size = size
        with _QuietStderr():
            # FFmpeg says that VP80 is not a tag of WebM's, and then does the right thing.
            fourcc = cv2.VideoWriter_fourcc(*'VP80')
            self._writer: Any = cv2.VideoWriter(str(path), fourcc, rate_hz, size)
        if not self._writer.isOpened():
            raise VideoError(
                f'{path}: the OpenCV that is installed ({cv2.__version__}) has no VP8 encoder; '
                'install opencv-python-headless from PyPI, whose FFmpeg has it, or go on without '
                'a video: --no-video'
            )

    def write(self, picture: Picture) -> None:
        """Add a picture.

        :raises VideoError: if its size is another one.
        """
        height, width = picture.shape[:2]
        if (width, height) != self._size:
            raise VideoError(f'a picture of {width}x{height} in a video of {self._size}')
        self._writer.write(picture)

    def close(self) -> None:
        """Finish the file; may be called twice."""
        self._writer.release()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


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
