# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What docs/engines.md promises is in the code."""

import re
from pathlib import Path

import pytest

from jetson_infer.engines.engine_key import EngineKey

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / 'docs/engines.md').read_text(encoding='utf-8')
FILES = [
    *(ROOT / 'jetson_infer').rglob('*.py'),
    *Path(__file__).parent.glob('test_engine_cache*.py'),
]
SOURCE = ' '.join(re.sub(r"'\s+f?'", '', path.read_text()) for path in FILES)
"""The code that makes messages, and the tests that hold those which are made of parts."""
ROWS = [
    row.split('|')
    for row in DOCUMENT[DOCUMENT.index('| message |') :].split('\n\n')[0].splitlines()[2:]
]
MADE = re.compile(r'wanted|: built for|The nearest, ')
"""A key's differences: held by its own tests."""


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row[1].strip()[:40])
def test_every_message_is_one(row):
    for message in re.findall(r'`([^`]+)`', row[1]):
        for part in re.split(r'…|\d+(?:\.\d+)*|\(SIG\w+\)', message):
            words = part.strip(' ,;:.')
            assert words in SOURCE or MADE.search(message), words


def test_the_program_runs_as_far_as_it_can_without_a_gpu():
    (program,) = re.findall(r'```python\n(.*?)```', DOCUMENT, re.DOTALL)
    compile(program, 'docs/engines.md', 'exec')
    imports = [line for line in program.splitlines() if line.startswith('from ')]
    assert len(imports) >= 5
    exec('\n'.join(imports), {})


def test_every_part_of_the_key_is_told():
    table = DOCUMENT[DOCUMENT.index('| part |') :].split('\n\n')[0]
    told = {
        'onnx_digest': 'ONNX file', 'tensorrt': "TensorRT's full version", 'gpu': "GPU's name",
        'compute_capability': 'compute capability', 'multiprocessors': 'multiprocessors',
        'precision': 'precision asked for', 'profiles': 'shape profiles', 'flags': 'sparsity',
        'dla_core': 'DLA core', 'calibration_digest': 'calibration data',
    }  # fmt: skip
    assert set(told) == set(EngineKey.__dataclass_fields__)
    for words in told.values():
        assert words in table
