# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid transforms against SciPy's rotations."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from jetson_infer.core.transforms import Transform, between, rotation_of


def random_quaternions(seed, count):
    return np.random.default_rng(seed).normal(size=(count, 4)) * 3


def test_turns_are_scipys():
    for quaternion in random_quaternions(1, 30):
        assert np.allclose(rotation_of(quaternion), Rotation.from_quat(quaternion).as_matrix())


def test_transforms_go_there_and_back_and_one_after_the_other():
    random = np.random.default_rng(2)
    one, two = (Transform.of(q, random.normal(size=3)) for q in random_quaternions(3, 2))
    points = random.normal(size=(20, 3)).astype(np.float32)
    assert np.allclose(one.apply(points), points @ one.rotation.T + one.translation)
    assert np.allclose((one @ two).apply(points), one.apply(two.apply(points)))
    assert np.allclose(one.inverse().apply(one.apply(points)), points, atol=1e-6)
    same = one @ one.inverse()
    assert np.allclose(same.rotation, np.eye(3))
    assert np.allclose(same.translation, 0.0)
    assert np.array_equal(Transform.identity().apply(points), points)


def test_between_two_turns_is_the_shorter_way_at_an_even_pace():
    quaternions = Rotation.from_quat(random_quaternions(4, 40)).as_quat()
    for first, second in zip(quaternions[::2], quaternions[1::2]):
        slerp = Slerp([0, 1], Rotation.from_quat([first, second]))
        for share in (0.0, 0.2, 0.7, 1.0):
            for sign in (1, -1):  # of a turn's two quaternions it does not matter which
                found = Rotation.from_quat(between(first, sign * second, share))
                assert (found * slerp(share).inv()).magnitude() < 1e-6
    near = Rotation.from_rotvec([1e-4, 0, 0]).as_quat()
    start = np.array([0, 0, 0, 1.0])
    assert Rotation.from_quat(between(start, near, 0.5)).magnitude() == pytest.approx(5e-5)
    assert np.array_equal(between(start, start, 0.3), start)


@pytest.mark.parametrize('bad', [(0, 0, 0, 0), (math.nan, 0, 0, 1), (0, math.inf, 0, 1)])
def test_what_is_no_turn_is_refused(bad):
    with pytest.raises(ValueError, match='is no turn'):
        rotation_of(bad)
    with pytest.raises(ValueError, match='is not finite'):
        Transform.of((0, 0, 0, 1), (0, math.nan, 0))
