# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What is whole of a recording: its topics by what they hold, and their messages up to damage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jetson_infer.core.closing import Closing
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.recordings import RawMessage, Recording, Topic
from jetson_infer.toolchain.salvage import salvage

__all__ = ['CLOUD_TYPE', 'IMAGE_TYPES', 'WholeRecording', 'stamp_of']

IMAGE_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
CLOUD_TYPE = 'sensor_msgs/msg/PointCloud2'
_NOUNS = {
    IMAGE_TYPES[0]: 'images',
    IMAGE_TYPES[1]: 'compressed images',
    CLOUD_TYPE: 'point clouds',
    'vision_msgs/msg/Detection2DArray': 'boxes in images',
    'vision_msgs/msg/Detection3DArray': 'boxes in space',
}


class WholeRecording(Closing):
    """An open recording; of one that was cut, what is whole.  Made by :meth:`open`.

    :ivar path: what was opened.
    :ivar complaint: what is lost, and how much is whole; empty where nothing is lost.
    """

    def __init__(self, recording: Recording, damage: str, promised: Mapping[str, int]) -> None:
        self.path = recording.path
        self.complaint = ''
        self._recording = recording
        self._damage = damage
        self._promised = promised

    @classmethod
    def open(cls, path: Path) -> WholeRecording:
        """Open a recording.

        :raises RecordingError: if nothing of it can be read.
        :raises MissingDependencyError: if rosbags is not installed.
        """
        try:
            return cls(Recording.open(path), '', {})
        except RecordingError as error:
            recording, promised = salvage(path, error)
            return cls(recording, str(error), promised)

    def use(self, topic: Topic, what: str) -> None:
        """Say in :attr:`complaint`, if the recording was cut, how much of a topic is whole."""
        if self._damage:
            promised = self._promised.get(topic.name, 'an unknown number of')
            self.complaint = (
                f'{self._damage}\nWhat is whole of it is used: {topic.count} of {promised} {what} '
                f'on {topic.name}'
            )

    def topics(self, *types: str) -> list[Topic]:
        """Return the topics of these types that hold messages, most messages first."""
        return self._recording.topics_of_type(*types)

    def choose(self, name: str, types: tuple[str, ...], what: str) -> Topic:
        """Return a topic by its name, or the one with most messages.

        :param types: what it may be of.
        :param what: what these are, for a person.
        :raises RecordingError: if there is none, it is of another type, or it is empty.
        """
        found = self.topics(*types)
        if name:
            topic = self._recording.require_topics([name])[0]
            if topic.type not in types:
                raise RecordingError(self._wrong_type(topic, types, what, found))
            if not topic.count:
                raise RecordingError(f'{self.path}: there are no messages on {name}')
            return topic
        if found:
            return found[0]
        there = ''.join(
            f'\n  {topic.name}  ({topic.type}, {topic.count})'
            for topic in self._recording.topics.values()
        )
        raise RecordingError(
            f'{self.path}: it holds no {what} ({" or ".join(types)}); '
            f'it holds{there or " nothing: the recording is empty"}'
        )

    def messages(self, topic: str) -> Iterator[tuple[RawMessage, Any]]:
        """Iterate over a topic's messages until its end, or until damage.

        :raises RecordingError: if not even the first one can be read.
        """
        for count, raw in enumerate(self.raw(topic)):
            try:
                message = self._recording.decode(raw)
            except RecordingError as error:
                if not count:
                    raise
                self._note(topic, count, error)
                return
            yield raw, message

    def raw(self, topic: str) -> Iterator[RawMessage]:
        """Iterate over a topic's messages, not decoded, until its end, or until damage.

        :raises RecordingError: if not even the first one can be read.
        """
        count = 0
        messages = self._recording.raw([topic])
        while True:
            try:
                raw = next(messages)
            except StopIteration:
                return
            except RecordingError as error:
                if not count:
                    raise
                self._note(topic, count, error)
                return
            count += 1
            yield raw

    def decode(self, raw: RawMessage) -> Any:
        """Decode one message.

        :raises RecordingError: if its type is unknown or its bytes do not fit its type.
        """
        return self._recording.decode(raw)

    def close(self) -> None:
        """Close the files; may be called twice."""
        self._recording.close()

    def _note(self, topic: str, count: int, error: RecordingError) -> None:
        promised = self._recording.topics[topic].count
        told = (
            f'{self.path}: only the first {count} of {promised} messages on {topic} are whole: '
            f'{error}'
        )
        if told not in self.complaint:
            self.complaint = f'{self.complaint}\n{told}'.lstrip()

    def _wrong_type(
        self, topic: Topic, types: tuple[str, ...], what: str, found: list[Topic]
    ) -> str:
        noun = _NOUNS.get(topic.type)
        holds = f'holds {topic.count} {noun}' if noun else f'holds {topic.count} messages'
        there = ', '.join(f'{each.name} ({each.count})' for each in found)
        return (
            f'{self.path}: {topic.name} {holds} and is of the type {topic.type}; {what} are of '
            f'{" or ".join(types)}, and this recording has them on {there or "no topic"}'
        )


def stamp_of(message: Any) -> int:
    """Return the stamp of a message's header in ns."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
