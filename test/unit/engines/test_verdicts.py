# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Verdicts on disk, what makes them void, and what they let run."""

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from engine_samples import BECOME_NOBODY, NOBODY, run
from jetson_infer.core.verdict import Check, Verdict
from jetson_infer.engines.build_target import BuildTarget
from jetson_infer.engines.engine_cache import EngineCache
from jetson_infer.engines.engine_order import order_engine
from jetson_infer.engines.models import load_model
from jetson_infer.engines.select import choose_engine, open_session
from jetson_infer.engines.validation_gate import ValidationGate
from jetson_infer.engines.verdict_key import EngineIdentity, make_verdict_key
from jetson_infer.engines.verdicts import BESIDE_ENGINE, StoredVerdict, VerdictStore
from jetson_infer.errors import EngineError, NotValidatedError
from quantized_models import write_quantized_model

HERE = EngineIdentity('onnxruntime', '1.2.3', 'x86_64')
PASSED = Verdict((Check('ap50_ratio', '', 0.995, 0.99, True, 'AP50 is 0.995 of it'),))
FAILED = Verdict((Check('recall_ratio', 'red', 0.5, 0.99, True, 'recall of red is 0.5'),))
ORIN = BuildTarget('10.3.0', 'Orin', (8, 7), 16)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))


@pytest.fixture
def folder(tmp_path):
    return write_quantized_model(tmp_path / 'quantized')


@pytest.fixture
def model(folder):
    return load_model(folder)


def keep(model, name='int8', verdict=PASSED, cached=None, at='2026-11-22T12:00:00+00:00'):
    """Store a verdict on a variant as it is now, and return it."""
    identity = EngineIdentity.of(cached)
    key = make_verdict_key(model, model.variant(name), identity)
    data = {'name': 'walk', 'digest': 'ab' * 32, 'frames': 30, 'truth': 'ground truth'}
    stored = StoredVerdict(key, verdict, data, {'frames': 30}, at)
    VerdictStore().store(stored, cached)
    return stored


def admit(model, name='int8', cached=None, allow=False):
    return ValidationGate(allow).admit(model, model.variant(name), cached)


def test_a_verdict_is_found_as_it_was_stored(model):
    stored = keep(model)
    assert VerdictStore().find(stored.key) == stored
    assert VerdictStore().find(replace(stored.key, variant='other')) is None
    later = keep(model, verdict=FAILED)
    assert VerdictStore().find(later.key).verdict == FAILED  # the latest one holds


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        (lambda card, folder: (folder / 'int8.onnx').write_bytes(
            (folder / 'ruined.onnx').read_bytes()), 'its ONNX file'),
        (lambda card, folder: (folder / 'fp32.onnx').write_bytes(
            (folder / 'int8.onnx').read_bytes()), "the reference's ONNX file"),
        (lambda card, folder: card['validation'].update(min_ap50_ratio=0.9), 'its thresholds'),
        (lambda card, folder: card['input'].update(mean=3), 'input, output or labels'),
        (lambda card, folder: card['output']['defaults'].update(score_threshold=0.3),
         'input, output or labels'),
        (lambda card, folder: card['labels'].reverse(), 'input, output or labels'),
    ],
)  # fmt: skip
def test_a_change_of_what_it_is_about_makes_it_void(model, folder, change, told):
    keep(model)
    assert admit(model) == ''
    card = yaml.safe_load((folder / 'model.yaml').read_text())
    change(card, folder)
    (folder / 'model.yaml').write_text(yaml.safe_dump(card))
    with pytest.raises(NotValidatedError) as caught:
        admit(load_model(folder))
    message = str(caught.value)
    assert 'variant int8 of quantized on onnxruntime' in message
    assert 'it passed at 2026-11-22T12:00:00+00:00, and since then has changed: ' in message
    assert told in message


def test_a_verdict_on_depth_hangs_on_the_thresholds_of_depth(folder):
    card = yaml.safe_load((folder / 'model.yaml').read_text())
    digests = set()
    for section in ({}, {'max_difference': 0.01}, {'min_ap50_ratio': 0.9}):
        detection = 'min_ap50_ratio' in section
        card['task'] = 'detection' if detection else 'depth'
        card['output'] = {'decoder': 'yolo' if detection else 'depth'}
        card['validation'] = section
        (folder / 'model.yaml').write_text(yaml.safe_dump(card))
        model = load_model(folder)
        digests.add(make_verdict_key(model, model.variant('int8'), HERE).thresholds)
    assert len(digests) == 3


@pytest.mark.parametrize('change', ['kind', 'version', 'machine', 'key', 'plan'])
def test_another_engine_has_another_verdict(model, change):
    key = make_verdict_key(model, model.variant('int8'), HERE)
    other = replace(key, engine=replace(HERE, **{change: 'other'}))
    assert other.digest() != key.digest()
    assert len(key.differences(other)) == 1
    store = VerdictStore()
    store.store(StoredVerdict(key, PASSED, {}, {}, ''))
    assert store.find(other) is None


def test_what_is_cut_or_changed_is_not_trusted(model):
    stored = keep(model)
    path = VerdictStore().path(stored.key)
    whole = path.read_bytes()
    values = json.loads(whole)
    bad = [whole[:cut] for cut in range(0, len(whole) - 2, 97)]
    bad += [
        json.dumps(each).encode()
        for each in (
            {**values, 'format': 2},
            {**values, 'at': 'later'},
            {**values, 'verdict': FAILED.to_json()},
            {**values, 'data': None},
            [],
            None,
            'passed',
        )
    ]
    bad += [b'\xff' * 10, b'[' * 100_000]
    for content in bad:
        path.write_bytes(content)
        with pytest.raises(EngineError, match='the verdict cannot be trusted: it'):
            VerdictStore().find(stored.key)
        with pytest.raises(NotValidatedError, match=r'was not validated: .*Validate it: jetson'):
            admit(model)
        assert VerdictStore().void(replace(stored.key, onnx='other')) == ''
    path.write_bytes(whole)
    assert admit(model) == ''


def test_a_verdict_under_a_foreign_name_is_not_taken(model):
    stored, store = keep(model), VerdictStore()
    foreign = make_verdict_key(model, model.variant('ruined'), EngineIdentity.of(None))
    store.path(stored.key).rename(store.path(foreign))
    with pytest.raises(EngineError, match='is a verdict about something else: the variant, its O'):
        store.find(foreign)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can act for several users')
def test_what_another_user_wrote_is_not_trusted(model):
    stored = keep(model)
    os.chown(VerdictStore().path(stored.key), NOBODY, NOBODY)
    with pytest.raises(NotValidatedError, match='belongs to nobody, and this process runs as root'):
        admit(model)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can act for several users')
def test_a_folder_of_another_user_says_so_before_the_work():
    code = (
        'import sys\nfrom pathlib import Path\nimport jetson_infer.engines.verdicts as v\n'
        'from jetson_infer.errors import EngineError\n' + BECOME_NOBODY + 'try:\n'
        '    v.VerdictStore(Path(sys.argv[1])).check_writable("tiny")\n'
        'except EngineError as error:\n    print(error)\n'
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        told = run(code, folder)
    assert 'no verdict can be stored: Permission denied' in told
    assert 'set $JETSON_INFER_CACHE' in told


def test_a_cache_that_is_a_file_cannot_be_written(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(EngineError, match='no verdict can be stored'):
        VerdictStore(tmp_path / 'file').check_writable('tiny')


def test_the_reference_needs_no_verdict_nor_the_same_network_under_another_name(folder):
    card = yaml.safe_load((folder / 'model.yaml').read_text())
    card['variants'].append({'name': 'again', 'onnx': 'fp32.onnx'})
    (folder / 'model.yaml').write_text(yaml.safe_dump(card))
    model = load_model(folder)
    assert admit(model, 'fp32') == admit(model, 'again') == ''


def test_a_model_without_a_float32_network_has_no_reference(folder):
    card = yaml.safe_load((folder / 'model.yaml').read_text())
    card['variants'] = card['variants'][1:]
    (folder / 'model.yaml').write_text(yaml.safe_dump(card))
    with pytest.raises(NotValidatedError, match='variant int8 of quantized'):
        admit(load_model(folder))


def test_what_was_not_validated_is_refused_by_name_with_the_command(model, folder):
    with pytest.raises(NotValidatedError) as caught:
        admit(model)
    message = str(caught.value)
    assert message.startswith('variant int8 of quantized on onnxruntime ')
    assert 'was not validated. Validate it: jetson-infer validate ' in message
    assert f'{folder} RECORDING --variant int8 --engine onnxruntime' in message
    assert 'allow_unvalidated' in message


def test_what_failed_is_refused_with_its_figures(model):
    keep(model, verdict=FAILED)
    with pytest.raises(NotValidatedError, match=r'failed its validation on walk .*: recall of red'):
        admit(model)
    with pytest.raises(
        NotValidatedError, match=r'0\.5\. Mend it and validate it again: jetson-inf'
    ):
        admit(model)


def test_who_allows_it_is_warned(model):
    assert 'was not validated; it runs because allow_unvalidated is set' in admit(model, allow=True)
    keep(model, verdict=FAILED)
    assert 'recall of red is 0.5; it runs because' in admit(model, allow=True)
    keep(model)
    assert admit(model, allow=True) == ''


def test_a_session_is_opened_if_the_gate_admits_it(model):
    variant = model.variant('int8')
    with pytest.raises(NotValidatedError):
        open_session(model, variant, 'onnxruntime', gate=ValidationGate())
    keep(model)
    opened = open_session(model, variant, 'auto', gate=ValidationGate())
    assert opened.unvalidated == ''
    opened.session.close()
    opened = open_session(model, model.variant('ruined'), gate=ValidationGate(True))
    assert opened.unvalidated.startswith('variant ruined of quantized')
    opened.session.close()


@pytest.fixture
def engine(model):
    """Return a TensorRT engine of the INT8 variant in the cache; nothing here deserializes it."""
    order = order_engine(model, model.variant('int8'))
    return EngineCache().store(order.model, order.variant, order.key(ORIN), b'a plan', {})


def choose(model, engine='auto', allow=False):
    gate = ValidationGate(allow)
    return choose_engine(model, model.variant('int8'), engine, target=ORIN, gate=gate)


def test_auto_takes_an_engine_that_may_be_used(model, engine):
    keep(model)  # of ONNX Runtime
    choice = choose(model)
    assert choice.engine == 'onnxruntime'
    assert 'variant int8 of quantized on tensorrt 10.3.0 was not validated' in choice.why
    assert '--engine tensorrt' in choice.why
    with pytest.raises(NotValidatedError, match=r'on tensorrt 10\.3\.0 was not validated'):
        choose(model, 'tensorrt')
    allowed = choose(model, allow=True)
    assert allowed.engine == 'tensorrt'
    assert 'it runs because allow_unvalidated is set' in allowed.unvalidated
    keep(model, cached=engine)
    admitted = choose(model)
    assert (admitted.engine, admitted.unvalidated) == ('tensorrt', '')


def test_without_any_engine_that_may_be_used_the_variant_is_refused(model, engine):
    with pytest.raises(NotValidatedError, match='variant int8 of quantized on onnxruntime'):
        choose(model)


def test_the_reference_network_on_tensorrt_needs_a_verdict(model):
    order = order_engine(model, model.variant('fp32'))
    EngineCache().store(order.model, order.variant, order.key(ORIN), b'a plan', {})
    gate = ValidationGate()
    with pytest.raises(NotValidatedError, match=r'variant fp32 of quantized on tensorrt 10\.3\.0'):
        choose_engine(model, model.variant('fp32'), 'tensorrt', target=ORIN, gate=gate)
    assert choose_engine(model, model.variant('fp32'), target=ORIN, gate=gate).unvalidated == ''


def test_an_engine_that_was_built_anew_has_no_verdict(model, engine):
    keep(model, cached=engine)
    beside = engine.folder / BESIDE_ENGINE
    assert json.loads(beside.read_text())['verdict']['passed']
    again = EngineCache().store(engine.model, engine.variant, engine.key, b'other kernels', {})
    assert not beside.exists()
    with pytest.raises(NotValidatedError, match='has changed: the engine, which was built anew'):
        admit(model, cached=again)
