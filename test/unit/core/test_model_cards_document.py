# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/model_cards.md tells people to write is what is read."""

import re
from pathlib import Path

import pytest
import yaml

from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.cards import OutputCard
from jetson_infer.core.decoders import Decoder, make_decoder
from jetson_infer.core.depth_decoding import DepthDecoder, make_depth_decoder

DOCUMENT = (Path(__file__).parents[3] / 'docs' / 'model_cards.md').read_text(encoding='utf-8')
CARDS = re.findall(r'```yaml\n(.*?)```', DOCUMENT, re.DOTALL)
TABLE = DOCUMENT[DOCUMENT.index('| exporter |') :].split('\n\n')[0].splitlines()[2:]
DEPTH_TABLE = DOCUMENT[DOCUMENT.index('| network |') :].split('\n\n')[0].splitlines()[2:]
ROWS = [[cell.strip() for cell in line.strip('|').split('|')] for line in TABLE]


def test_the_document_has_cards_and_rows():
    assert CARDS
    assert len(ROWS) > 10


@pytest.mark.parametrize('card', CARDS)
def test_a_card_parses(card):
    parse_card(yaml.safe_load(card), 'docs/model_cards.md')


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row[0])
def test_a_row_of_the_table_makes_a_decoder(row):
    decoder, *settings = re.findall(r'`([^`]+)`', row[-1].partition(';')[0])
    values = {key: value for text in settings for key, value in yaml.safe_load(text).items()}
    make_decoder(OutputCard(decoder, values), ['person', 'dog', 'chair'])


@pytest.mark.parametrize('row', DEPTH_TABLE)
def test_a_row_of_the_table_of_depth_makes_a_decoder(row):
    last = row.strip('|').split('|')[-1]
    settings = [yaml.safe_load(text) for text in re.findall(r'`([^`]+)`', last)]
    assert settings or last.strip() == 'none'
    values = {key: value for mapping in settings for key, value in mapping.items()}
    make_depth_decoder(OutputCard('depth', values))


def test_every_setting_of_depth_is_told():
    section = DOCUMENT[DOCUMENT.index('## A card of depth') :]
    for name in DepthDecoder.allowed_settings:
        assert f'{name}:' in section


def test_every_decoder_is_in_the_table():
    assert {re.findall(r'`(\w+)`', row[-1])[0] for row in ROWS} == set(Decoder.registry)
