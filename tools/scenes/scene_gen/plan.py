# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where things may stand and where one can walk: footprints, an occupancy grid, paths."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scene_gen.rooms import Room
from scene_gen.things import Thing

Rng = np.random.Generator
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Footprint:
    """A rectangle on the floor: centre, half-extents [m] and heading [rad]."""

    x: float
    y: float
    hx: float
    hy: float
    yaw: float

    def corners(self, pad: float = 0.0) -> F64:
        """Corners (4, 2), grown by `pad` [m]."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        local = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [self.hx + pad, self.hy + pad]
        return local @ np.array([[c, s], [-s, c]]) + [self.x, self.y]

    def overlaps(self, other: Footprint, gap: float) -> bool:
        """Separating-axis test; `gap` [m] is kept between the two."""
        a, b = self.corners(gap), other.corners()
        for yaw in (self.yaw, other.yaw):
            axes = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
            pa, pb = a @ axes.T, b @ axes.T
            if np.any(pa.max(0) < pb.min(0)) or np.any(pb.max(0) < pa.min(0)):
                return False
        return True


def footprint(thing: Thing) -> Footprint:
    """The rectangle that `thing` covers where it stands."""
    low, high = thing.bounds()
    middle, half = (low + high) / 2, (high - low) / 2
    c, s = np.cos(thing.yaw), np.sin(thing.yaw)
    return Footprint(
        thing.position[0] + c * middle[0] - s * middle[1],
        thing.position[1] + s * middle[0] + c * middle[1],
        half[0],
        half[1],
        thing.yaw,
    )


@dataclass
class Plan:
    """What covers the floor.  `reserved` (in front of doors) stays free of furniture."""

    taken: list[Footprint] = field(default_factory=list)
    reserved: list[Footprint] = field(default_factory=list)

    def fits(self, room: Room, thing: Thing, gap: float = 0.05, wall_gap: float = 0.01) -> bool:
        """Whether `thing` is inside `room` and clear of what stands there."""
        f = footprint(thing)
        inside = all(room.contains(float(x), float(y), wall_gap) for x, y in f.corners())
        return inside and not any(f.overlaps(o, gap) for o in self.taken + self.reserved)

    def add(self, thing: Thing) -> None:
        """Mark what `thing` covers."""
        self.taken.append(footprint(thing))


class Grid:
    """Free floor in cells of `STEP` metres, for a walker of a given radius."""

    STEP = 0.1

    def __init__(
        self, rooms: list[Room], passages: list[Footprint], taken: list[Footprint], radius: float
    ) -> None:
        self.x0 = min(r.x0 for r in rooms)
        self.y0 = min(r.y0 for r in rooms)
        nx = int((max(r.x1 for r in rooms) - self.x0) / self.STEP) + 1
        ny = int((max(r.y1 for r in rooms) - self.y0) / self.STEP) + 1
        self.xs = self.x0 + self.STEP * np.arange(nx)
        self.ys = self.y0 + self.STEP * np.arange(ny)
        x, y = np.meshgrid(self.xs, self.ys, indexing='ij')
        free = np.zeros((nx, ny), bool)
        for r in rooms:
            free |= (
                (x > r.x0 + radius)
                & (x < r.x1 - radius)
                & (y > r.y0 + radius)
                & (y < r.y1 - radius)
            )
        for p in passages:
            free |= self._inside(x, y, p, 0.0)
        for t in taken:
            free &= ~self._inside(x, y, t, radius)
        self.free = free

    @staticmethod
    def _inside(x: F64, y: F64, f: Footprint, pad: float) -> NDArray[np.bool_]:
        c, s = np.cos(f.yaw), np.sin(f.yaw)
        u, v = c * (x - f.x) + s * (y - f.y), -s * (x - f.x) + c * (y - f.y)
        return (np.abs(u) < f.hx + pad) & (np.abs(v) < f.hy + pad)

    def points(self, room: Room) -> F64:
        """Free cell centres (N, 2) in `room` [m]."""
        i, j = np.nonzero(self.free)
        p = np.stack([self.xs[i], self.ys[j]], 1)
        keep = (p[:, 0] > room.x0) & (p[:, 0] < room.x1) & (p[:, 1] > room.y0) & (p[:, 1] < room.y1)
        return p[keep]

    def keep_connected(self) -> None:
        """Leave free only the largest region that can be walked without a break."""
        label = np.zeros(self.free.shape, np.int32)
        sizes = [0]
        for start in zip(*(int_list.tolist() for int_list in np.nonzero(self.free))):
            if label[start]:
                continue
            sizes.append(0)
            stack = [start]
            label[start] = len(sizes) - 1
            while stack:
                i, j = stack.pop()
                sizes[-1] += 1
                for n in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
                    inside = 0 <= n[0] < label.shape[0] and 0 <= n[1] < label.shape[1]
                    if inside and self.free[n] and not label[n]:
                        label[n] = len(sizes) - 1
                        stack.append(n)
        self.free &= label == int(np.argmax(sizes))

    def path(self, start: F64, goal: F64) -> F64 | None:
        """The shortest way (N, 2) over free cells by Dijkstra's algorithm, or None."""
        a, b = self._cell(start), self._cell(goal)
        cost, came = {a: 0.0}, {a: a}
        queue = [(0.0, a)]
        while queue:
            c, cell = heapq.heappop(queue)
            if cell == b:
                break
            if c > cost[cell]:
                continue
            for di, dj in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
                n = (cell[0] + di, cell[1] + dj)
                if not (0 <= n[0] < self.free.shape[0] and 0 <= n[1] < self.free.shape[1]):
                    continue
                step = c + float(np.hypot(di, dj))
                if self.free[n] and step < cost.get(n, np.inf):
                    cost[n], came[n] = step, cell
                    heapq.heappush(queue, (step, n))
        if b not in came:
            return None
        way = [b]
        while way[-1] != a:
            way.append(came[way[-1]])
        return np.array([[self.xs[i], self.ys[j]] for i, j in reversed(way)])

    def _cell(self, p: F64) -> tuple[int, int]:
        return (int(np.argmin(np.abs(self.xs - p[0]))), int(np.argmin(np.abs(self.ys - p[1]))))


def smooth(path: F64, window: float = 0.7, step: float = 0.05) -> F64:
    """`path` (N, 2) resampled every `step` metres and averaged over `window` metres."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.arange(0, max(length[-1], step), step)
    dense = np.stack([np.interp(at, length, path[:, k]) for k in (0, 1)], 1)
    n = max(1, int(window / step) // 2 * 2 + 1)
    padded = np.concatenate(
        [np.repeat(dense[:1], n // 2, 0), dense, np.repeat(dense[-1:], n // 2, 0)]
    )
    kernel = np.ones(n) / n
    return np.stack([np.convolve(padded[:, k], kernel, 'valid') for k in (0, 1)], 1)
