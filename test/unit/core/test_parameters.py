# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from jetson_infer.core.parameters import ParameterSpec, Settings
from jetson_infer.errors import InternalError, ParameterError

SCORE = ParameterSpec('score', 0.25, 'A score.', minimum=0.0, maximum=1.0, live=True)
COUNT = ParameterSpec('count', 10, 'A count.', minimum=1, maximum=100)
FLAG = ParameterSpec('flag', False, 'A flag.')
COLOUR = ParameterSpec('colour', 'red', 'A colour.', choices=('red', 'blue'))
LABELS = ParameterSpec('labels', (), 'Labels.')


@pytest.mark.parametrize(
    ('spec', 'given', 'expected'),
    [
        (SCORE, 0.5, 0.5),
        (SCORE, 1, 1.0),
        (SCORE, 0.0, 0.0),
        (COUNT, 1, 1),
        (COUNT, 100, 100),
        (FLAG, True, True),
        (COLOUR, 'blue', 'blue'),
        (LABELS, ['a', 'b'], ('a', 'b')),
        (LABELS, [], ()),
    ],
)
def test_values_are_taken_in_the_declared_type(spec, given, expected):
    value = spec.check(given)
    assert value == expected
    assert type(value) is type(spec.default)


@pytest.mark.parametrize(
    ('spec', 'given', 'message'),
    [
        (SCORE, 1.01, r'score: 1.01 lies outside 0 to 1'),
        (SCORE, -1, r'-1 lies outside'),
        (SCORE, math.nan, r'not NaN'),
        (SCORE, math.inf, r'inf lies outside'),
        (SCORE, True, r'must be a number, not True'),
        (SCORE, '0.5', r"must be a number, not '0.5' \(of type str\)"),
        (SCORE, None, r'must be a number'),
        (COUNT, 0, r'0 lies outside 1 to 100'),
        (COUNT, 2.0, r'must be an integer'),
        (COUNT, True, r'must be an integer'),
        (FLAG, 1, r'must be true or false'),
        (COLOUR, 'green', r"'green' is not one of: red, blue"),
        (COLOUR, 3, r'must be a string'),
        (LABELS, 'a', r'must be a list of strings'),
        (LABELS, ['a', 3], r'must be a list of strings'),
        (LABELS, b'ab', r'must be a list of strings'),
    ],
)
def test_values_that_cannot_work_are_refused_with_the_reason(spec, given, message):
    with pytest.raises(ParameterError, match=message) as caught:
        spec.check(given)
    assert caught.value.name == spec.name


def test_constraints_are_told():
    assert SCORE.constraints == 'a number, 0 to 1; changes live'
    assert COLOUR.constraints.startswith('one of: red, blue; changes only while')


def test_settings_are_read_by_type_and_do_not_change():
    settings = Settings({'score': 0.5, 'count': 3, 'colour': 'red', 'labels': ('a',)})
    assert settings.number('score') == 0.5
    assert settings.integer('count') == 3
    assert settings.text('colour') == 'red'
    assert settings.texts('labels') == ('a',)
    assert settings.replaced({'count': 4}).integer('count') == 4
    assert settings['count'] == 3
    with pytest.raises(InternalError, match='count'):
        settings.text('count')
