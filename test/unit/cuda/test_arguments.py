# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Kernel arguments against the C compiler's own layout, as ctypes knows it."""

import ctypes

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jetson_infer.cuda.arguments import KernelArguments

TYPES = {
    'u1': ctypes.c_uint8,
    'i2': ctypes.c_int16,
    'u4': ctypes.c_uint32,
    'i8': ctypes.c_int64,
    'f4': ctypes.c_float,
    'f8': ctypes.c_double,
}
CODES = st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=9)


def structure(codes):
    fields = [(f'f{i}', TYPES[code]) for i, code in enumerate(codes)]
    return type('Structure', (ctypes.Structure,), {'_fields_': fields})


@given(codes=CODES, nested=CODES, where=st.integers(0, 9), values=st.randoms(use_true_random=False))
def test_the_layout_is_that_of_a_c_structure(codes, nested, where, values):
    where = min(where, len(codes))
    inner = structure(nested)
    inner_dtype = np.dtype([(f'f{i}', code) for i, code in enumerate(nested)], align=True)
    fields = [(f'f{i}', TYPES[code]) for i, code in enumerate(codes)]
    fields.insert(where, ('inner', inner))
    outer = type('Outer', (ctypes.Structure,), {'_fields_': fields})
    kinds = [(f'f{i}', code) for i, code in enumerate(codes)]
    kinds.insert(where, ('inner', inner_dtype))

    expected, packed = outer(), KernelArguments(kinds)
    inside = tuple(values.randrange(100) for _ in nested)
    expected.inner = inner(*inside)
    packed['inner'] = inside
    for i in range(len(codes)):
        number = values.randrange(100)
        setattr(expected, f'f{i}', number)
        packed[f'f{i}'] = number
    assert packed.packed.size <= ctypes.sizeof(expected)
    last = getattr(outer, fields[-1][0])
    assert packed.packed.size == last.offset + last.size  # without the padding at the end
    assert bytes(packed.packed) == bytes(expected)[: packed.packed.size]


def test_the_driver_finds_them_by_address():
    arguments = KernelArguments([('target', 'u8'), ('count', 'i4')])
    arguments['target'], arguments['count'] = 2**63 + 5, -7
    extra = (ctypes.c_size_t * 5).from_address(arguments.extra)
    pointer, address, size, size_address, end = extra
    assert (pointer, size, end) == (1, 2, 0)
    assert ctypes.c_size_t.from_address(size_address).value == 12
    assert ctypes.c_uint64.from_address(address).value == 2**63 + 5
    assert ctypes.c_int32.from_address(address + 8).value == -7


def test_values_are_copies_as_numpy_scalars():
    pair = np.dtype([('x', 'f4'), ('y', 'i4')], align=True)
    arguments = KernelArguments([('target', 'u8'), ('pair', pair)])
    arguments['target'], arguments['pair'] = 4096, (0.5, 3)
    target, values = arguments.values()
    arguments['target'], arguments['pair'] = 0, (0, 0)
    assert isinstance(target, np.uint64)
    assert target == 4096
    assert (values['x'], values['y']) == (0.5, 3)


def test_scalars_are_packed_by_their_own_types():
    pair = np.array((0.5, 3), np.dtype([('x', 'f4'), ('y', 'i4')], align=True))[()]
    arguments = KernelArguments.of(np.uint64(1), np.int16(-2), pair)
    assert bytes(arguments.packed) == (
        b'\x01' + bytes(7) + b'\xfe\xff' + bytes(2) + np.float32(0.5).tobytes() + b'\x03\0\0\0'
    )
