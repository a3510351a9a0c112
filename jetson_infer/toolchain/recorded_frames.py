# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where the frames of a recording are, at any moment: its ``/tf`` and ``/tf_static``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jetson_infer.core.transforms import Transform, between
from jetson_infer.errors import FrameRejected
from jetson_infer.toolchain.whole_recording import WholeRecording, stamp_of

__all__ = ['RecordedFrames']

TF_TYPE = 'tf2_msgs/msg/TFMessage'


class _Edge:
    """A frame's places in its parent, by their stamps."""

    def __init__(self, parent: str, static: bool) -> None:
        self.parent = parent
        self._static = static
        self._items: list[tuple[int, tuple[float, ...]]] = []
        self._stamps_ns: npt.NDArray[np.int64] | None = None  # rising, as the items are then

    def add(self, stamp_ns: int, transform: Any) -> None:
        shift, turn = transform.translation, transform.rotation
        place = shift.x, shift.y, shift.z, turn.x, turn.y, turn.z, turn.w
        self._items.append((stamp_ns, place))

    def at(self, stamp_ns: int) -> Transform:
        """Return the transform to the parent, between two stamps in proportion.

        :raises LookupError: if the stamp is before the first or after the last.
        :raises ValueError: if what was recorded is no transform.
        """
        if self._static:
            return _transform(self._items[-1][1])
        if self._stamps_ns is None:
            self._items.sort(key=lambda item: item[0])
            self._stamps_ns = np.array([stamp for stamp, _ in self._items], np.int64)
        after = int(np.searchsorted(self._stamps_ns, stamp_ns, side='left'))
        if after < len(self._items) and self._items[after][0] == stamp_ns:
            return _transform(self._items[after][1])
        if after in (0, len(self._items)):
            raise LookupError(f'it is known from {self._items[0][0]} to {self._items[-1][0]} ns')
        (begin, old), (end, new) = self._items[after - 1 : after + 1]
        return _mixed(old, new, (stamp_ns - begin) / (end - begin))


class RecordedFrames:
    """The tree of frames of a recording.

    :param whole: the recording; read when this is made.
    """

    def __init__(self, whole: WholeRecording) -> None:
        self._edges: dict[str, _Edge] = {}
        for topic in whole.topics(TF_TYPE):
            static = topic.name.rstrip('/').endswith('tf_static')
            for _, message in whole.messages(topic.name):
                for item in message.transforms:
                    self._add(item, static)

    def lookup(self, target: str, source: str, stamp_ns: int) -> Transform:
        """Return what takes coordinates of one frame to those of another at a moment.

        :param target: the frame to go to; names with and without a leading slash are the same.
        :param source: the frame that the coordinates are of.
        :raises FrameRejected: ``no_transform``, if there is no way from one to the other then.
        """
        goal, start = target.lstrip('/'), source.lstrip('/')
        if goal == start:
            return Transform.identity()
        up, down = self._above(start), self._above(goal)
        common = next((name for name in up if name in down), None)
        if common is None:
            known = {*self._edges, *(edge.parent for edge in self._edges.values())}
            raise FrameRejected(
                'no_transform',
                f"there is no transform from '{source}' to '{target}'; recorded are: "
                f'{", ".join(sorted(known)) or "none"}',
            )
        there = self._climb(up[: up.index(common)], stamp_ns)
        back = self._climb(down[: down.index(common)], stamp_ns)
        return back.inverse() @ there

    def _add(self, item: Any, static: bool) -> None:
        parent, child = item.header.frame_id.lstrip('/'), item.child_frame_id.lstrip('/')
        edge = self._edges.get(child)
        if edge is None or edge.parent != parent:
            edge = self._edges[child] = _Edge(parent, static)
        edge.add(stamp_of(item), item.transform)

    def _above(self, name: str) -> list[str]:
        """Return a frame and those above it, up to the root."""
        found = [name]
        while found[-1] in self._edges:
            parent = self._edges[found[-1]].parent
            if parent in found:
                raise FrameRejected(
                    'no_transform', f"the frames above '{name}' go round in a circle"
                )
            found.append(parent)
        return found

    def _climb(self, names: list[str], stamp_ns: int) -> Transform:
        """Return what takes coordinates from the first of these to the parent of the last."""
        way = Transform.identity()
        for name in names:
            edge = self._edges[name]
            try:
                way = edge.at(stamp_ns) @ way
            except (LookupError, ValueError) as error:
                raise FrameRejected(
                    'no_transform',
                    f"at {stamp_ns} ns there is no transform from '{name}' to '{edge.parent}': "
                    f'{error}',
                ) from error
        return way


def _transform(place: tuple[float, ...]) -> Transform:
    return Transform.of(place[3:], place[:3])


def _mixed(old: tuple[float, ...], new: tuple[float, ...], share: float) -> Transform:
    first, second = np.array(old), np.array(new)
    lengths = [float(np.linalg.norm(place[3:])) for place in (first, second)]
    if not min(lengths) > 1e-6:
        raise ValueError('a quaternion of 0 is no turn')
    turn = between(first[3:] / lengths[0], second[3:] / lengths[1], share)
    return Transform.of(turn, first[:3] + share * (second[:3] - first[:3]))
