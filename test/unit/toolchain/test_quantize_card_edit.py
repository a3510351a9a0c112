# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jetson_infer.errors import CardError
from jetson_infer.toolchain.quantize.card_edit import add_variants

NEW = [
    {'name': 'mixed', 'onnx': 'a_mixed.onnx', 'precision': 'mixed', 'size': [64, 48]},
    {'name': 'int8', 'onnx': 'a b.onnx', 'precision': 'int8', 'tensorrt': {'sparsity': True}},
]

BLOCK = """\
# the model
format: 1   # of the card
variants:   # best first
- name: fp32  # the reference

  onnx: a.onnx
  size: [64,
         48]  # over two lines
  # of the first

# of the second
- {name: small, onnx: s.onnx}
output: {decoder: yolo}
"""
INDENTED = """\
variants:
    # here they are
    - name: fp32
      onnx: a.onnx
      tensorrt:
        profiles:
          - {min: [1, 1]}   # deep

    - name: small
      onnx: "s.onnx"
"""
FLOW = 'variants: [ {name: fp32, onnx: a.onnx},  # one\n  {name: small, onnx: s.onnx} ]\nx: 1\n'
LAST = 'x: 1\nvariants:\n- {name: fp32, onnx: a.onnx}'
WINDOWS = INDENTED.replace('\n', '\r\n')
LITERAL = 'variants:\n- name: fp32\n  note: |\n    two\n    lines\n- name: small\n'


def with_one_insertion_undone(changed: str, text: str) -> str:
    at = next((i for i, pair in enumerate(zip(changed, text)) if len(set(pair)) > 1), len(text))
    return changed[:at] + changed[at + len(changed) - len(text) :]


@pytest.mark.parametrize('text', [BLOCK, INDENTED, FLOW, LAST, WINDOWS, LITERAL])
def test_variants_are_added_and_nothing_else_is_touched(text):
    changed = add_variants(text, 'fp32', NEW, 'model.yaml')
    before, after = yaml.safe_load(text), yaml.safe_load(changed)
    assert [v['name'] for v in after['variants']][:3] == ['fp32', 'mixed', 'int8']
    assert after['variants'][1:3] == NEW
    after['variants'][1:3] = []
    assert after == before
    assert with_one_insertion_undone(changed, text) == text


def test_comments_stay_where_they_are():
    lines = add_variants(BLOCK, 'fp32', NEW, 'm').splitlines()
    at = lines.index('         48]  # over two lines')
    assert lines[at + 1] == '- name: mixed'
    assert lines[at + 9 :] == BLOCK.splitlines()[8:]


def test_line_ends_are_those_of_the_file():
    changed = add_variants(WINDOWS, 'small', NEW, 'm')
    assert changed.count('\n') == changed.count('\r\n')


def test_what_is_there_to_the_letter_is_not_added_again():
    once = add_variants(BLOCK, 'fp32', NEW, 'm')
    assert add_variants(once, 'fp32', NEW, 'm') == once


def test_another_variant_of_that_name_is_an_error():
    with pytest.raises(CardError, match="a variant 'small' already"):
        add_variants(BLOCK, 'fp32', [{'name': 'small', 'onnx': 'other.onnx'}], 'm')


def test_anchors_elsewhere_do_no_harm():
    text = 'a: &one {name: fp32}\nvariants: [*one, {name: small}]\n'
    changed = add_variants(text, 'small', NEW[:1], 'm')
    assert yaml.safe_load(changed)['variants'][2] == NEW[0]


def test_a_card_that_cannot_be_added_to_is_an_error_with_the_lines_to_add():
    # The variant is written where the anchor is, not in the list.
    text = 'a: &one {name: fp32}\nvariants: [*one, {name: small}]\n'
    with pytest.raises(CardError, match=r'(?s)as it is written; add these.*- \{name: mixed'):
        add_variants(text, 'fp32', NEW[:1], 'm')


texts = st.text(st.characters(blacklist_categories=('Cs', 'Cc'), max_codepoint=0x2FF), max_size=12)
values = st.one_of(texts, st.integers(-99, 99), st.booleans(), st.lists(st.integers(), max_size=3))
names = st.text('abcdefgh_', min_size=1, max_size=6)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.dictionaries(names, values, max_size=3), min_size=1, max_size=3),
    st.lists(st.dictionaries(names, values, max_size=3), min_size=1, max_size=2),
    st.sampled_from([None, True, False]),
    st.booleans(),
    st.data(),
)
def test_any_card_gains_the_entries_and_keeps_its_text(old, new, style, more, data):
    for number, entry in enumerate([*old, *new]):
        entry['name'] = f'v{number}'
    card = {'variants': old, **({'z': [1]} if more else {})}
    text = yaml.safe_dump(card, default_flow_style=style, allow_unicode=True, sort_keys=False)
    place = data.draw(st.integers(0, len(old) - 1))
    changed = add_variants(text, f'v{place}', new, 'm')
    expected = {**card, 'variants': [*old[: place + 1], *new, *old[place + 1 :]]}
    assert yaml.safe_load(changed) == expected
    assert with_one_insertion_undone(changed, text) == text
