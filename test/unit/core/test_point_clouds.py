# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Point clouds: what a message says byte by byte, against a packer of our own; and what it lies."""

import array
import math
import struct
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetson_infer.core.point_clouds import wrap_cloud
from jetson_infer.errors import FrameRejected

CODES = {1: 'b', 2: 'B', 3: 'h', 4: 'H', 5: 'i', 6: 'I', 7: 'f', 8: 'd'}
LIMITS = {code: (-(2 ** (8 * n - 1)), 2 ** (8 * n - 1) - 1) for code, n in zip('bhi', (1, 2, 4))}
LIMITS.update({code: (0, 2 ** (8 * n) - 1) for code, n in zip('BHI', (1, 2, 4))})


class Field(NamedTuple):
    name: str
    offset: int
    datatype: int
    count: int = 1


XYZ = [Field('x', 0, 7), Field('y', 4, 7), Field('z', 8, 7)]


class Cloud(NamedTuple):
    """A message's fields, and the values that were packed: row by row, name by name."""

    fields: list
    width: int
    height: int
    point_step: int
    row_step: int
    is_bigendian: bool
    data: bytes
    values: list

    def wrap(self):
        return wrap_cloud(*self[:-1])


def pack(fields, width, height, point_step, row_step, is_bigendian, values):
    data = bytearray(b'\xa5' * (row_step * height))
    order = '>' if is_bigendian else '<'
    for number, point in enumerate(values):
        at = number // width * row_step + number % width * point_step
        for field in fields:
            if field.name in point:
                code = f'{order}{field.count}{CODES[field.datatype]}'
                struct.pack_into(code, data, at + field.offset, *point[field.name])
    return Cloud(
        fields, width, height, point_step, row_step, is_bigendian, bytes(data), list(values)
    )


def number(code):
    if code in LIMITS:
        return st.integers(*LIMITS[code])
    width = 32 if code == 'f' else 64
    return st.floats(width=width) | st.sampled_from(
        [math.nan, math.inf, 1e300, -1e39][: width // 16]
    )


@st.composite
def clouds(draw):
    width, height = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    names = draw(st.permutations(['x', 'y', 'z', 'intensity', 'ring', '_']))
    fields, at = [], 0
    for name in names:
        at += draw(st.integers(0, 3))
        count = draw(st.integers(1, 3)) if name in ('ring', '_') else 1
        field = Field(name, at, draw(st.integers(1, 8)), count)
        at += struct.calcsize('<' + CODES[field.datatype]) * count
        fields.append(field)
    step = at + draw(st.integers(0, 4))
    row_step = step * width + draw(st.integers(0, 9))
    point = st.fixed_dictionaries({
        f.name: st.lists(number(CODES[f.datatype]), min_size=f.count, max_size=f.count)
        for f in fields
    })  # fmt: skip
    values = draw(st.lists(point, min_size=width * height, max_size=width * height))
    values = [{n: [_fit(v, f) for v in p[n]] for n, f in zip(names, fields)} for p in values]
    shuffled = draw(st.permutations(fields))
    return pack(list(shuffled), width, height, step, row_step, draw(st.booleans()), values)


def _fit(value, field):
    if field.datatype == 7 and math.isfinite(value) and abs(value) > 3.4e38:
        return math.copysign(math.inf, value)
    return value


@settings(max_examples=150, deadline=None, derandomize=True)
@given(clouds())
def test_every_value_is_the_one_that_was_packed(cloud):
    view = cloud.wrap()
    assert view.count == len(cloud.values)
    assert set(view.names) == {'x', 'y', 'z', 'intensity', 'ring'}
    names = ('intensity', 'x', 'z', 'y')
    with np.errstate(over='ignore'):
        expected = [[np.float32(p[name][0]) for name in names] for p in cloud.values]
    kept = [row for row in expected if all(map(math.isfinite, row))]
    found = view.columns(names)
    assert found.values.dtype == np.float32
    assert found.values.tolist() == np.array(kept, np.float32).reshape(-1, 4).tolist()
    assert (found.names, found.dropped) == (names, len(expected) - len(kept))
    ring = next(f for f in cloud.fields if f.name == 'ring')
    rings = np.array([p['ring'] for p in cloud.values]).reshape(*view.points.shape, -1)
    with np.errstate(invalid='ignore'):
        assert np.array_equal(
            view.points['ring'].reshape(rings.shape).astype(np.float64),
            rings.astype(np.float64),
            equal_nan=ring.datatype > 6,
        )


def lidar(count=6, dropped=()):
    fields = [*XYZ, Field('intensity', 12, 7)]
    values = [{'x': [i], 'y': [2.0 * i], 'z': [-i], 'intensity': [100 + i]} for i in range(count)]
    for row in dropped:
        values[row]['y'] = [math.nan]
    return pack(fields, count, 1, 16, 16 * count, False, values)


def test_plain_clouds_are_not_copied_and_not_written_to():
    cloud = lidar()
    data = bytearray(cloud.data)
    view = wrap_cloud(*cloud[:6], data)
    for names in (('x', 'y', 'z'), ('x', 'y', 'z', 'intensity'), ('intensity', 'z'), ('y',)):
        values = view.columns(names).values
        assert np.shares_memory(values, np.frombuffer(data, np.uint8)), names
        with pytest.raises(ValueError, match='read-only'):
            values[0, 0] = 1.0
    struct.pack_into('<f', data, 16, 77.0)
    assert view.columns().values[1, 0] == 77.0
    assert not np.shares_memory(
        view.columns(('x', 'y', 'intensity')).values, np.frombuffer(data, np.uint8)
    )
    assert view.columns(('x', 'y', 'intensity')).values[1].tolist() == [77.0, 2.0, 101.0]


def test_points_that_are_not_finite_are_dropped_and_counted():
    found = lidar(dropped=(1, 4)).wrap().columns(('x', 'intensity', 'y'))
    assert found.values[:, 0].tolist() == [0, 2, 3, 5]
    assert found.dropped == 2
    assert lidar(dropped=(1, 4)).wrap().columns(('x', 'z')).dropped == 0


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview, lambda d: array.array('B', d)])
def test_bytes_come_in_every_form_a_message_has(kind):
    cloud = lidar()
    assert wrap_cloud(*cloud[:6], kind(cloud.data)).columns().values.shape == (6, 3)


@pytest.mark.parametrize('fields', [XYZ, [], [Field('x', 0, 99)]])
@pytest.mark.parametrize('data', [b'', np.empty(0, np.uint8), b'123'])
def test_a_cloud_without_points_is_whole(fields, data):
    view = wrap_cloud(fields, 0, 1, 12, 0, False, data)
    assert view.count == 0
    assert view.columns(('x', 'y', 'z', 'intensity')).values.shape == (0, 4)


def test_a_single_row_needs_no_row_step_and_alignment_may_follow():
    cloud = lidar()
    for row_step in (0, 7, 4_000_000_000):
        assert cloud._replace(row_step=row_step).wrap().count == 6
    assert cloud._replace(data=cloud.data + bytes(4000)).wrap().count == 6


def test_a_count_of_0_is_1_and_padding_may_repeat():
    fields = [Field(n, o, d, 0) for n, o, d, _ in XYZ]
    padding = [Field('_', 12, 2, 2), Field('_', 12, 4), Field('', 0, 2)]
    view = wrap_cloud([*fields, *padding], 1, 1, 16, 16, False, struct.pack('<4f', 1, 2, 3, 4))
    assert view.names == ('x', 'y', 'z')
    assert view.columns().values.tolist() == [[1.0, 2.0, 3.0]]


HUGE = 2**32 - 1


@pytest.mark.parametrize(
    ('change', 'reason', 'told'),
    [
        ({'fields': []}, 'missing_field', "no field 'x'; it has none at all"),
        ({'fields': XYZ[:2]}, 'missing_field', "no field 'z'; it has x, y"),
        ({'fields': [*XYZ, Field('t', 12, 0)]}, 'unknown_datatype', "'t' is of the datatype 0"),
        ({'fields': [*XYZ, Field('t', 12, 9)]}, 'unknown_datatype', 'known are 1 to 8'),
        ({'fields': [*XYZ, Field('x', 12, 7)]}, 'bad_field', "two of the cloud's fields"),
        ({'fields': [*XYZ[:2], Field('z', 8, 7, 2)]}, 'bad_field', "'z' has 2 values a point"),
        (
            {'fields': [*XYZ, Field('t', 10, 4)]},
            'overlapping_fields',
            "'z' and 't' overlap: one ends at byte 12 of a point, the other begins at 10",
        ),
        ({'fields': [*XYZ, Field('t', 2, 4)]}, 'overlapping_fields', "'x' and 't' overlap"),
        ({'fields': [*XYZ, Field('t', 14, 7)]}, 'bad_step', 'takes bytes 14 to 18 of a point'),
        ({'fields': [*XYZ, Field('t', 12, 8, HUGE)]}, 'bad_step', "'t' takes bytes 12 to"),
        ({'fields': [*XYZ, Field('t', HUGE, 2)]}, 'bad_step', 'and its point_step is 16'),
        ({'point_step': 0}, 'bad_step', 'point_step is 0'),
        ({'row_step': 47}, 'bad_step', 'a row_step of 47 bytes; it must be at least 48'),
        ({'row_step': HUGE}, 'short_data', 'too short: 3x2 points of 16 bytes'),
        ({'width': HUGE, 'row_step': HUGE * 16}, 'short_data', 'cloud data of 96 bytes'),
        ({'height': HUGE}, 'short_data', 'cloud data of 96 bytes is too short'),
        ({'data': b''}, 'short_data', 'cloud data of 0 bytes'),
        ({'data': bytes(95)}, 'short_data', 'cloud data of 95 bytes is too short'),
        ({'data': bytes(96 + 4096)}, 'long_data', 'is 4096 bytes longer than 3x2 points'),
    ],
)
def test_what_a_message_lies_about_is_named(change, reason, told):
    sound = {
        'fields': XYZ,
        'width': 3,
        'height': 2,
        'point_step': 16,
        'row_step': 48,
        'is_bigendian': False,
        'data': bytes(96),
    }
    assert wrap_cloud(**sound).count == 6
    with pytest.raises(FrameRejected) as caught:
        wrap_cloud(**{**sound, **change})
    assert caught.value.reason == reason
    assert told in str(caught.value)


def test_columns_that_cannot_be_are_named():
    view = lidar().wrap()
    with pytest.raises(FrameRejected, match="no field 'ring'; it has x, y, z, intensity") as caught:
        view.columns(('x', 'ring'))
    assert caught.value.reason == 'missing_field'
    fields = [*XYZ, Field('rgb', 12, 2, 4)]
    with pytest.raises(FrameRejected, match="'rgb' has 4 values") as caught:
        wrap_cloud(fields, 1, 1, 16, 16, False, bytes(16)).columns(('rgb',))
    assert caught.value.reason == 'bad_field'
