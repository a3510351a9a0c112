# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The generator's geometry, which needs neither MuJoCo nor OpenGL."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scene_gen import dogs, furniture, meshes, patterns, people, plants, poses, seats, skeleton
from scene_gen.actors import Track
from scene_gen.camera import Camera, view
from scene_gen.plan import Footprint, Grid, smooth
from scene_gen.rooms import Opening, Room, wall_meshes
from scene_gen.scene import build


def volume(mesh):
    """Signed volume: positive where a closed mesh's triangles face outward."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum('ij,ij->i', a, np.cross(b, c)).sum() / 6)


def area(mesh):
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def test_closed_shapes_face_outward_and_have_their_volume():
    assert volume(meshes.box((1, 2, 3), (5, 5, 5))) == pytest.approx(6)
    assert volume(meshes.box((1, 2, 3), cell=0.3)) == pytest.approx(6)
    ball = meshes.ellipsoid((1, 2, 3), rings=41)
    assert volume(ball) == pytest.approx(4 / 3 * np.pi * 6, rel=0.02)
    assert volume(meshes.cylinder(1, 2, sides=90)) == pytest.approx(2 * np.pi, rel=0.01)
    assert volume(meshes.rod((0, 0, 0), (0, 3, 0), 1, sides=90)) == pytest.approx(
        3 * np.pi, rel=0.01
    )
    assert volume(meshes.limb(1.0, [0.1, 0.1])) > 0


@pytest.mark.parametrize('direction', [(0, 0, 1), (1, 0, 0), (0, -2, 0), (1, 2, -3)])
def test_a_frame_is_a_rotation_along_its_direction(direction):
    frame = meshes.frame_of(direction)
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(frame) == pytest.approx(1)
    np.testing.assert_allclose(frame[:, 2], direction / np.linalg.norm(direction))


def test_a_wall_has_the_area_that_its_openings_leave():
    room = Room(0, 0, 4, 3, 2.5)
    side = room.sides[0]
    side.openings = [Opening(0.5, 1.4, 0, 2.0), Opening(2, 3.5, 0.9, 2.1)]
    walls = meshes.merge(wall_meshes(side, room.height, 1.0))
    assert area(walls) == pytest.approx(4 * 2.5 - 0.9 * 2.0 - 1.5 * 1.2)
    np.testing.assert_allclose(walls.vertices[:, 1], 3)


@pytest.mark.parametrize('number', range(4))
def test_walls_face_into_the_room(number):
    room = Room(-2, -1, 3, 4, 2.5)
    side = room.sides[number]
    mesh = meshes.merge(wall_meshes(side, room.height, 1.0))
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    assert np.all(normals @ side.inward > 0)
    middle = side.at(side.length / 2, 0.5, 1.0)
    assert room.contains(middle[0], middle[1])


@given(
    st.lists(st.floats(-2, 2), min_size=4, max_size=4),
    st.lists(st.floats(0.1, 1), min_size=4, max_size=4),
    st.lists(st.floats(-3, 3), min_size=2, max_size=2),
)
def test_overlapping_footprints_are_those_that_share_a_point(xy, half, yaw):
    a = Footprint(xy[0], xy[1], half[0], half[1], yaw[0])
    b = Footprint(xy[2], xy[3], half[2], half[3], yaw[1])
    shapes = [np.float32(f.corners()) for f in (a, b)]
    shared, _ = cv2.intersectConvexConvex(*shapes)
    if shared > 1e-3:
        assert a.overlaps(b, 0)
    if not a.overlaps(b, 0):
        assert shared < 1e-3
    assert a.overlaps(b, 0) == b.overlaps(a, 0)


def test_a_path_keeps_clear_of_what_stands_in_its_way():
    room = Room(0, 0, 5, 4, 2.5)
    block = Footprint(2.5, 1.5, 0.4, 1.5, 0.3)
    grid = Grid([room], [], [block], 0.3)
    way = grid.path(np.array([0.6, 0.8]), np.array([4.4, 0.8]))
    corners = np.float32(block.corners())
    away = [-cv2.pointPolygonTest(corners, (float(x), float(y)), True) for x, y in way]
    assert min(away) > 0.25
    assert grid.path(np.array([0.6, 0.8]), np.array([0.6, 0.8])) is not None
    walled = Grid([room], [], [Footprint(2.5, 2, 0.2, 3, 0)], 0.3)
    assert walled.path(np.array([0.6, 0.8]), np.array([4.4, 0.8])) is None
    walled.keep_connected()
    assert len({bool(x < 2.5) for x, _ in walled.points(room)}) == 1


def test_smoothing_keeps_the_ends_and_the_step():
    way = smooth(np.array([[0.0, 0], [2, 0], [2, 2]]), window=0.5, step=0.05)
    np.testing.assert_allclose(way[0], (0, 0), atol=0.13)
    np.testing.assert_allclose(way[-1], (2, 2), atol=0.18)
    assert np.linalg.norm(np.diff(way, axis=0), axis=1).max() < 0.0501


def test_a_track_is_walked_to_and_fro():
    track = Track(np.stack([np.arange(0, 2.0001, 0.05), np.zeros(41)], 1))
    assert track.at(0.5)[0][0] == pytest.approx(0.5)
    assert track.at(2.5)[0][0] == pytest.approx(1.5)
    assert track.at(4.5)[0][0] == pytest.approx(0.5)
    assert track.at(0.5)[1] == pytest.approx(0)
    assert abs(track.at(2.5)[1]) == pytest.approx(np.pi)


def test_the_camera_projects_as_opencv_does():
    camera, here = Camera(), view(np.array([1.0, -2, 1.5]), 0.7, 0.2, 0.05)
    rng = np.random.default_rng(3)
    points = here.origin + rng.uniform((-1, -1, 2), (1, 1, 4), (50, 3)) @ here.rotation.T
    ours, depth = here.project(camera, points)
    pose = cv2.Rodrigues(here.rotation.T)[0]
    theirs, _ = cv2.projectPoints(points, pose, -here.rotation.T @ here.origin, camera.matrix, None)
    np.testing.assert_allclose(ours, theirs[:, 0], atol=1e-6)
    assert np.all(depth > 1.5)
    ahead = here.rotation[:, 2]
    np.testing.assert_allclose(np.arctan2(ahead[1], ahead[0]), 0.7)
    assert ahead[2] == pytest.approx(-np.sin(0.2))


@pytest.mark.parametrize('seed', range(12))
def test_people_stand_on_the_floor_and_are_as_tall_as_they_say(seed):
    rng = np.random.default_rng(seed)
    someone = people.person(rng)
    low, high = someone.bounds()
    assert low[2] == pytest.approx(0, abs=1e-9)
    assert 0.93 < high[2] / someone.stature < 1.14  # hair and a child's head add to it
    for pose in (poses.walking(1.0), poses.crouching(rng), poses.bending(rng)):
        someone.pose_as(pose)
        assert someone.bounds()[0][2] == pytest.approx(0, abs=1e-9)
        assert someone.bounds()[1][2] < 1.6 * someone.stature
        for turn in someone.rotations:
            np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)


def test_someone_who_sits_is_on_the_seat_with_feet_near_the_floor():
    rng = np.random.default_rng(1)
    someone = people.person(rng)
    while someone.stature < 1.5:
        someone = people.person(rng)
    someone.pose_as(poses.sitting(rng, someone.stature, 0.45), 0.45)
    assert someone.offsets[skeleton.PELVIS][2] == pytest.approx(0.45 + 0.065 * someone.stature)
    assert -0.12 < someone.bounds()[0][2] < 0.2
    assert someone.top() < 0.95 * someone.stature


@pytest.mark.parametrize('kind', ['stand', 'walk', 'sit', 'lie'])
def test_dogs_stand_on_the_floor(kind):
    rng = np.random.default_rng(5)
    heights = []
    for _ in range(6):
        dog = dogs.dog(rng)
        dog.pose_as('stand')
        upright = dog.top()
        dog.pose_as(kind, 1.0)
        assert dog.bounds()[0][2] == pytest.approx(0, abs=1e-9)
        heights.append(dog.top() / upright)
    if kind == 'lie':
        assert np.mean(heights) < 0.95


@pytest.mark.parametrize(
    ('make', 'label', 'tallest'),
    [
        (seats.chair, 'chair', 1.5),
        (seats.sofa, 'sofa', 1.2),
        (furniture.table, 'table', 0.85),
        (plants.plant, 'plant', 2.6),
        (furniture.carton, 'box', 1.0),
    ],
)
def test_furniture_stands_on_the_floor_in_its_size(make, label, tallest):
    rng = np.random.default_rng(7)
    for _ in range(30):
        thing = make(rng)
        low, high = thing.bounds()
        assert thing.label == label
        assert -0.06 < low[2] < 0.05
        assert 0.1 < high[2] < tallest
        assert 0.15 < (high - low)[:2].max() < 2.8


def test_patterns_tile_without_a_seam():
    field = patterns.fractal(np.random.default_rng(0), 1.5)
    inner = np.abs(np.diff(field, axis=0)).mean()
    seam = np.abs(field[0] - field[-1]).mean()
    assert seam < 2 * inner
    assert field.std() == pytest.approx(1)


@pytest.mark.parametrize('seed', [0, 11])
def test_a_flat_is_the_same_for_the_same_seed_and_furniture_stays_in_its_rooms(seed):
    first, second = (build(np.random.default_rng(seed), 2) for _ in range(2))
    assert len(first.things) == len(second.things) > 20
    for a, b in zip(first.things, second.things):
        assert a.label == b.label
        np.testing.assert_array_equal(a.vertices(), b.vertices())
        np.testing.assert_array_equal(a.position, b.position)
    for thing in first.things:
        if thing.label is not None and thing.label != 'door':
            x, y = (float(v) for v in thing.position[:2])
            assert any(room.contains(x, y, -0.05) for room in first.rooms)
