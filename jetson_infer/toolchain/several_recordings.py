# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The images of several recordings as one source: a robot's days, one folder each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.dataset_sources import Entry, ImageSource, RecordingSource, joined
from jetson_infer.toolchain.recording_files import STORAGE_SUFFIXES

__all__ = ['SeveralRecordings', 'is_recording', 'recordings_in']


class SeveralRecordings(ImageSource):
    """One camera's images of recordings, one after the other; made by :meth:`open`.

    :param path: the folder that they are in.
    :param sources: open; closed with this one.
    """

    def __init__(self, path: Path, sources: Sequence[RecordingSource]) -> None:
        self.path = path
        self.topic = sources[0].topic
        self.count = sum(source.count for source in sources)
        self.has_truth = any(source.has_truth for source in sources)
        self.labels = frozenset[str]().union(*(source.labels for source in sources))
        self.depth_count = sum(source.depth_count for source in sources)
        self._sources = sources

    @classmethod
    def open(
        cls,
        path: Path,
        recordings: Sequence[Path],
        topic: str,
        truth_topic: str,
        depth_topic: str | None,
    ) -> SeveralRecordings:
        """Open the recordings of a folder.

        :param topic: the camera's; that of the first recording unless given.
        :raises RecordingError: if nothing can be read of one of them, or it lacks a topic.
        """
        with ExitStack() as opened:
            sources: list[RecordingSource] = []
            for recording in recordings:
                source = RecordingSource.open(recording, topic, truth_topic, depth_topic)
                opened.callback(source.close)
                topic = topic or source.topic
                sources.append(source)
            opened.pop_all()
            return cls(path, sources)

    @property
    def complaint(self) -> str:
        """See :attr:`ImageSource.complaint`."""
        return joined(source.complaint for source in self._sources)

    def entries(self) -> Iterator[Entry]:
        """See :meth:`ImageSource.entries`."""
        for source in self._sources:
            for entry in source.entries():
                yield replace(entry, name=f'{source.path.name}{entry.name}')

    def depth_digest(self) -> bytes:
        """See :meth:`ImageSource.depth_digest`."""
        if not self.depth_count:
            return b''
        return hashlib.sha256(b''.join(s.depth_digest() for s in self._sources)).digest()

    def close(self) -> None:
        """See :meth:`ImageSource.close`."""
        for source in self._sources:
            source.close()


def is_recording(folder: Path) -> bool:
    """Tell whether a folder is a rosbag2 recording, or what is left of one."""
    names = (entry.name for entry in folder.iterdir())
    return any(name == 'metadata.yaml' or name.endswith(STORAGE_SUFFIXES) for name in names)


def recordings_in(folder: Path) -> list[Path]:
    """Return the recordings in a folder that is none itself, by their names.

    :raises RecordingError: if a folder cannot be looked into.
    """
    try:
        if not folder.is_dir() or is_recording(folder):
            return []
        return sorted(each for each in folder.iterdir() if each.is_dir() and is_recording(each))
    except OSError as error:
        raise RecordingError(
            f'{error.filename}: cannot be looked into: {error.strerror}'
        ) from error
