# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the documentation shows works, and what it points to is there."""

import re
from pathlib import Path

import pytest
import yaml

from jetson_infer.core.accounting import FrameAccount
from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.decoders.base import Decoder

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *(ROOT / 'docs').glob('*.md')])
CARDS = (ROOT / 'docs/model_cards.md').read_text()


def test_the_complete_card_is_one():
    text, *_ = re.findall(r'```yaml\n(.*?)```', CARDS, re.DOTALL)
    card = parse_card(yaml.safe_load(text), 'docs/model_cards.md')
    assert [variant.size for variant in card.variants] == [(640, 640), (320, 320)]
    assert card.input.scale == pytest.approx((1 / 255,) * 3)


def test_every_decoder_is_told_and_none_that_is_not_there():
    rows = [line.split('|') for line in CARDS.splitlines() if line.startswith('| ')][1:]
    told = {name for row in rows for name in re.findall(r'`(\w+)`', row[3])}
    assert set(Decoder.registry) <= told
    assert told <= set(Decoder.registry) | {'settings'}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page):
    for target in re.findall(r'\]\(([^)#]+)[^)]*\)', page.read_text()):
        if '://' not in target:
            assert (page.parent / target).exists(), f'{page.name} points to {target}'


def test_every_cause_and_counter_is_told():
    text = (ROOT / 'docs/diagnostics.md').read_text()
    source = (ROOT / 'jetson_infer/core/arrivals.py').read_text()
    causes = set(re.findall(r"Finding\(\s*'(\w+)'", source)) | {'rejected', 'failed'}
    assert len(causes) >= 11
    for cause in causes:
        assert f'| `{cause}` |' in text
    for name in FrameAccount().counts().as_dict():
        assert f'`frames/{name}`' in text
