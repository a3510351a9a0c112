# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The generator's pictures and truths; runs where MuJoCo and an off-screen OpenGL are."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

os.environ.setdefault('MUJOCO_GL', 'egl')
mujoco = pytest.importorskip('mujoco', reason='MuJoCo draws the scenes: tools/scenes/requirements')

from scene_gen import optics  # noqa: E402  # mujoco is known to be there from here on
from scene_gen.camera import Camera, View, view  # noqa: E402
from scene_gen.compiled import CompiledScene  # noqa: E402
from scene_gen.dataset import LABEL_COLUMNS, samples, write_shard  # noqa: E402
from scene_gen.lidar import Lidar, scan  # noqa: E402
from scene_gen.meshes import rot_z  # noqa: E402
from scene_gen.messages import quaternion  # noqa: E402
from scene_gen.render import Renderer  # noqa: E402
from scene_gen.scene import build  # noqa: E402
from scene_gen.truth import observe  # noqa: E402

SMALL = Camera(160, 120, 87.5)
GENERATE = Path(__file__).resolve().parents[3] / 'tools' / 'scenes' / 'generate.py'


@pytest.fixture(scope='module')
def renderer():
    try:
        made = Renderer(SMALL)
    except Exception as error:  # noqa: BLE001  # what is raised depends on the GL platform
        pytest.skip(f'no off-screen OpenGL with MUJOCO_GL={os.environ["MUJOCO_GL"]}: {error}')
    yield made
    made.close()


@pytest.fixture(scope='module')
def looked_at(renderer):
    """A scene, and a view of it in which several things are seen."""
    compiled = CompiledScene(build(np.random.default_rng(8), 1), (SMALL.width, SMALL.height))
    renderer.load(compiled)
    room = compiled.scene.rooms[0]
    corner = np.array([room.x0 + 0.3, room.y0 + 0.3, 1.6])
    across = np.array([room.x1, room.y1]) - corner[:2]
    here = view(corner, float(np.arctan2(across[1], across[0])), 0.25, 0.0)
    return compiled, here, renderer.frame(here)


def test_truth_is_what_counting_pixels_one_by_one_finds(renderer, looked_at):
    compiled, here, frame = looked_at
    seen = observe(renderer, compiled, frame.instance, here, SMALL)
    assert {s.thing for s in seen} == set(np.unique(frame.instance)) - {-1}
    assert len(seen) >= 4
    for s in seen:
        rows, columns = np.nonzero(frame.instance == s.thing)
        assert s.pixels == len(rows)
        assert s.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        alone = renderer.alone([s.thing], here) == s.thing
        unhidden = len(rows) / alone.sum()
        if s.truncated:
            assert s.fraction < unhidden + 0.02
        else:
            assert s.fraction == pytest.approx(unhidden, abs=0.02)
        y, x = np.nonzero(alone)
        touches = x.min() == 0 or y.min() == 0 or x.max() == 159 or y.max() == 119
        assert s.truncated == touches


def solid_angle(mask):
    """Return the solid angle of the pixels of a mask."""
    rows, columns = np.nonzero(mask)
    x, y = (columns - 79.5) / SMALL.focal, (rows - 59.5) / SMALL.focal
    return ((1 + x**2 + y**2) ** -1.5).sum()


def test_what_lies_outside_of_the_picture_counts_as_not_visible(renderer, looked_at):
    compiled, here, frame = looked_at
    seen = observe(renderer, compiled, frame.instance, here, SMALL)
    whole = max((s for s in seen if not s.truncated), key=lambda s: s.pixels)
    # The solid angle of a thing does not change when the camera only turns.
    angle = solid_angle(renderer.alone([whole.thing], here) == whole.thing)
    checked = 0
    for turn in np.linspace(-1.2, 1.2, 25):
        there = View(here.origin, rot_z(turn) @ here.rotation)
        instance = renderer.frame(there).instance
        for s in observe(renderer, compiled, instance, there, SMALL):
            if s.thing == whole.thing and s.truncated:
                alone = renderer.alone([s.thing], there) == s.thing
                unhidden = s.pixels / alone.sum()
                expected = unhidden * solid_angle(alone) / angle
                assert s.fraction == pytest.approx(expected, abs=0.06)
                checked += 1
    assert checked >= 2


def test_the_first_picture_of_a_scene_equals_the_next(renderer, looked_at):
    compiled, here, _ = looked_at
    renderer.load(compiled)
    first, second = renderer.frame(here), renderer.frame(here)
    np.testing.assert_array_equal(first.rgb, second.rgb)
    assert first.rgb.mean() > 30


def test_depth_is_what_rays_measure(looked_at):
    compiled, here, frame = looked_at
    rng = np.random.default_rng(0)
    pixels = np.stack([rng.integers(5, 155, 400), rng.integers(5, 115, 400)], 1)
    rays = np.concatenate([pixels, np.ones((400, 1))], 1) @ np.linalg.inv(SMALL.matrix).T
    geom = np.zeros(1, np.int32)
    error = []
    for (u, v), ray in zip(pixels, rays):
        unit = here.rotation @ ray / np.linalg.norm(ray)
        far = mujoco.mj_ray(
            compiled.model, compiled.data, here.origin, unit, None, True, -1, geom, None
        )
        error.append(far / np.linalg.norm(ray) - frame.depth[v, u])
    assert np.median(np.abs(error)) < 0.001
    assert np.mean(np.abs(error) < 0.03) > 0.9  # the rest lies on edges


def test_lidar_points_lie_on_the_surfaces(looked_at):
    compiled, here, _ = looked_at
    quiet = Lidar(rings=8, columns=40, field=90.0, noise=0.0)
    turn = here.rotation @ np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]])
    points, owner = scan(np.random.default_rng(0), quiet, compiled, turn, here.origin)
    assert len(points) == len(owner) > 200
    assert points.dtype == np.float32
    for i in np.unique(owner[owner >= 0]):
        thing = compiled.labelled[i]
        hits = points[owner == i, :3] @ turn.T + here.origin
        low, high = thing.bounds()
        c, s = np.cos(thing.yaw), np.sin(thing.yaw)
        local = (hits - thing.position) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        assert np.all((local >= low - 0.01) & (local <= high + 0.01))


def test_optics_keep_the_picture_and_are_a_function_of_the_seed(looked_at):
    _, here, frame = looked_at
    character = optics.sensor(np.random.default_rng(1))
    moved = View(here.origin + 0.01, here.rotation)
    results = [
        optics.expose(
            np.random.default_rng(2), frame.rgb, frame.depth, SMALL, character, (here, moved)
        )
        for _ in range(2)
    ]
    assert results[0][1] == results[1][1]
    np.testing.assert_array_equal(results[0][0], results[1][0])
    decoded = cv2.imdecode(np.frombuffer(results[0][1], np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded[..., ::-1], results[0][0])
    grey = [cv2.cvtColor(a, cv2.COLOR_RGB2GRAY).ravel() for a in (frame.rgb, results[0][0])]
    assert np.corrcoef(*grey)[0, 1] > 0.8


def test_a_shard_has_its_seeds_and_is_the_same_again(tmp_path, renderer):
    for name in ('a', 'b'):
        assert write_shard(tmp_path / name, [3, 4], 2, SMALL) == 4
    assert (tmp_path / 'a_images.npy').read_bytes() == (tmp_path / 'b_images.npy').read_bytes()
    images = np.load(tmp_path / 'a_images.npy')
    assert images.shape == (4, 120, 160, 3)
    data = np.load(tmp_path / 'a_labels.npz')
    assert tuple(data['columns']) == LABEL_COLUMNS
    labels = data['labels']
    np.testing.assert_array_equal(labels, np.load(tmp_path / 'b_labels.npz')['labels'])
    assert set(labels[:, 0]) <= {0, 1, 2, 3}
    assert set(labels[:, 10]) <= {3, 4}
    assert np.all(labels[:, 2] < labels[:, 4])
    assert np.all((labels[:, 1] >= 0) & (labels[:, 1] < 8))
    # the shards' own contexts took the thread's place: the next test draws again
    renderer._gl.make_current()


def test_views_of_a_scene_differ(renderer):
    drawn = [s.image.astype(float) for s in samples(renderer, 21, 3)]
    assert len(drawn) == 3
    assert np.abs(drawn[0] - drawn[1]).mean() > 5
    assert np.abs(drawn[1] - drawn[2]).mean() > 5


def test_a_recording_is_the_same_for_the_same_seed(tmp_path, renderer):
    options = ['--duration', '0.6', '--width', '160', '--height', '120', '--rooms', '1',
               '--depth-rate', '5']  # fmt: skip
    written = []
    for run in ('first', 'second'):
        out = tmp_path / run / 'walk'
        out.parent.mkdir()
        command = [sys.executable, str(GENERATE), '--seed', '2000005', '--out', str(out), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        written.append((out / 'walk.mcap').read_bytes())
    assert written[0] == written[1]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert 'exists already' in refused.stderr


@pytest.mark.parametrize('seed', range(20))
def test_quaternions_rotate_as_their_matrices_do(seed):
    rng = np.random.default_rng(seed)
    matrix = cv2.Rodrigues(rng.normal(0, 2, 3))[0]
    x, y, z, w = quaternion(matrix)
    out = np.empty(9)
    mujoco.mju_quat2Mat(out, np.array([w, x, y, z]))
    np.testing.assert_allclose(out.reshape(3, 3), matrix, atol=1e-12)
