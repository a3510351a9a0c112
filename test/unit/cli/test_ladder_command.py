# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer ladder` as a person types it, on small detectors whose answer is known."""

import errno
import io
import json
import shutil

import pytest
import yaml

from jetson_infer.cli.ladder_view import BarView, LineView
from jetson_infer.cli.main import main
from jetson_infer.core.ladder_file import parse_ladder
from jetson_infer.engines import durable_files, ladders
from jetson_infer.engines.models import load_model
from jetson_infer.engines.verdicts import VerdictStore
from jetson_infer.toolchain.ladder.plan import Step
from quantizable import paint, write_detector
from quantized_models import write_images, write_quantized_model
from recording_writer import write_recording

QUICK = ('--measured-frames', '4', '--calibration-frames', '10')


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    return paint(tmp_path_factory.mktemp('painted') / 'walk', 48)


@pytest.fixture(scope='module')
def others(tmp_path_factory):
    return paint(tmp_path_factory.mktemp('painted') / 'other', 24, seed=1)


@pytest.fixture(scope='module')
def finished(tmp_path_factory, images):
    """Return a folder in which a ladder of the model in it was made, with its cache."""
    folder = tmp_path_factory.mktemp('finished')
    model = write_detector(folder / 'model')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('JETSON_INFER_CACHE', str(folder / 'cache'))
        assert main(['ladder', str(model), str(images), '--out', str(folder / 'out'), *QUICK]) == 0
    return folder


@pytest.fixture
def done(finished, tmp_path):
    """Return a copy of that folder, with its cache in force."""
    for name in ('model', 'out', 'cache'):
        shutil.copytree(finished / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def quantized(tmp_path):
    return write_quantized_model(tmp_path / 'quantized')


@pytest.fixture(scope='module')
def coloured(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp('coloured'))


def ladder(*arguments):
    return main(['ladder', *map(str, arguments), *QUICK])


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def read(folder):
    return parse_ladder((folder / 'ladder.json').read_text(), 'ladder.json')


def test_everything_is_made_beside_a_copy_of_the_card(finished):
    made = read(finished / 'out')
    names = {variant.name for variant in load_model(finished / 'out').card.variants}
    assert names == {'fp32', 'mixed', 'int8'} == {rung.variant for rung in made.rungs}
    assert {rung.verdict for rung in made.rungs} == {'reference', 'passed'}
    assert all(rung.session_ms.p50 > 0.0 < rung.pipeline_ms.p50 for rung in made.rungs)
    assert made.cost_kind == 'latency'
    assert made.measured.frames == 4
    assert (finished / 'out/ladder.svg').read_text().startswith('<svg xmlns=')
    assert sorted(p.name for p in (finished / 'model').iterdir()) == ['model.yaml', 'network.onnx']


def test_what_calibrates_and_what_validates_are_apart(finished):
    made = read(finished / 'out')
    assert made.calibration.part == 'images 1 to 19 of 48'
    assert made.validation.part == 'images 25 to 48 of 48'
    assert made.validation.images == 24
    told = json.loads((finished / 'out/quantization/fp32.json').read_text())
    used = {int(name[:3]) for name in told['calibration']['sources']}
    assert len(used) == 10
    assert max(used) < 19


def test_a_second_run_takes_what_is_done_and_says_so(done, images, capsys):
    before = contents(done / 'out')
    assert ladder('./model', images, '--out', 'out') == 0
    told, errors = capsys.readouterr()
    assert 'quantize fp32: done before, with walk, images 1 to 19 of 48' in errors
    assert 'validate int8: passed at 20' in errors
    assert errors.count('which still holds') == 2
    after = contents(done / 'out')
    changed = {str(path) for path in after if before.get(path) != after[path]}
    assert changed <= {'ladder.json', 'ladder.svg'}
    assert '3 rungs, the best first' in told
    assert 'validated on 24 images of walk (images 25 to 48 of 48)' in told


def test_the_plan_says_what_is_done_and_does_nothing(done, images, capsys):
    before = contents(done)
    assert ladder('./model', images, '--out', 'out', '--plan') == 0
    told = capsys.readouterr().out
    assert 'done: done before, with walk' in told
    assert told.count('holds') == 2
    assert ladder('./model', images, '--dry-run', '--json') == 0  # into a folder of its own
    steps = json.loads(capsys.readouterr().out)['steps']
    assert [(step['kind'], step['variant']) for step in steps] == [
        ('quantize', 'fp32'),
        ('validate', 'fp32'),
        ('validate', 'mixed'),
        ('validate', 'int8'),
        ('measure', ''),
        ('write', ''),
    ]
    assert not any(step['done'] for step in steps)
    assert contents(done) == before


def test_after_an_interruption_the_finished_steps_are_kept(done, images, capsys, monkeypatch):
    shutil.rmtree(done / 'cache')
    shutil.rmtree(done / 'out')
    real, stored = VerdictStore.store, []

    def interrupted(self, verdict, engine=None):
        if stored:
            raise KeyboardInterrupt
        stored.append(real(self, verdict, engine))
        return stored[-1]

    monkeypatch.setattr(VerdictStore, 'store', interrupted)
    assert ladder('./model', images, '--out', 'out') == 130
    assert 'the same command goes on from there' in capsys.readouterr().err.lower()
    assert not (done / 'out/ladder.json').exists()
    monkeypatch.setattr(VerdictStore, 'store', real)
    assert ladder('./model', images, '--out', 'out') == 0
    errors = capsys.readouterr().err
    assert 'quantize fp32: done before' in errors
    assert errors.count('which still holds') == 1


def test_a_calibration_of_its_own_leaves_the_recording_whole(images, others, tmp_path, capsys):
    model = write_detector(tmp_path / 'model')
    assert ladder(model, images, '--calibration', others, '--in-place') == 0
    assert 'other calibrates (24 images), walk validates (48 images)' in capsys.readouterr().err
    made = read(model)
    assert (made.calibration.name, made.validation.part) == ('other', 'all images')
    assert ladder(model, others, '--in-place') == 1
    assert 'were calibrated with all of it' in capsys.readouterr().err


def test_what_is_calibrated_with_proves_nothing(images, tmp_path, capsys):
    model = write_detector(tmp_path / 'model')
    copy = shutil.copytree(images, tmp_path / 'copy')
    assert ladder(model, images, '--calibration', copy) == 1
    assert 'hold the same images' in capsys.readouterr().err


def test_a_failed_variant_is_marked_and_dominates_nothing(quantized, coloured, capsys):
    card = yaml.safe_load((quantized / 'model.yaml').read_text())
    card['variants'].append({'name': 'mixed', 'onnx': 'int8.onnx', 'precision': 'mixed'})
    (quantized / 'model.yaml').write_text(yaml.safe_dump(card))
    assert ladder(quantized, coloured, '--in-place') == 0
    told, errors = capsys.readouterr()
    assert 'nothing is quantized' in errors
    made = read(quantized)
    ruined = next(rung for rung in made.rungs if rung.variant == 'ruined')
    assert ruined.verdict == 'failed'
    assert any('AP50' in why for why in ruined.failures)
    assert ruined not in made.front()
    assert 'FAILED: ' in told
    assert 'rung failed' in (quantized / 'ladder.svg').read_text()


def test_a_card_whose_thresholds_no_variant_meets(images, tmp_path, capsys):
    model = write_detector(tmp_path / 'model')
    with (model / 'model.yaml').open('a') as card:
        card.write('validation: {min_objects: 1000}\n')
    assert ladder(model, images, '--in-place') == 1
    told, errors = capsys.readouterr()
    assert "known: no variant holds the card's thresholds; only the reference may run" in errors
    assert 'int8: ' in errors
    assert 'mixed: ' in errors
    assert told.count('FAILED') >= 2
    assert {rung.verdict for rung in read(model).rungs} == {'reference', 'failed'}


def test_a_network_that_is_quantized_already_is_told_by_name(images, done, capsys):
    shutil.copy(done / 'out/network_int8.onnx', done / 'model/network.onnx')
    assert ladder('./model', images, '--out', 'new') == 1
    errors = capsys.readouterr().err
    assert 'fp32 could not be quantized' in errors
    assert 'is quantized already' in errors
    assert {rung.variant for rung in read(done / 'new').rungs} == {'fp32'}


@pytest.mark.parametrize(
    ('count', 'message'),
    [(1, 'holds 1 images'), (39, 'holds 39 images; to calibrate on its first')],
)
def test_too_few_images_to_split_are_refused_with_the_number(tmp_path, capsys, count, message):
    model = write_detector(tmp_path / 'model')
    assert ladder(model, paint(tmp_path / 'few', count)) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_recordings_that_cannot_serve_are_refused_before_anything_is_written(tmp_path, capsys):
    model = write_detector(tmp_path / 'model')
    walk = write_recording(tmp_path / 'walk', frames=60)
    assert ladder(model, walk, '--topic', '/no') == 1
    assert '/camera/image_raw/compressed' in capsys.readouterr().err  # those there are
    assert ladder(model, walk) == 1  # no picture in it can be decoded
    assert 'none of its' in capsys.readouterr().err
    (tmp_path / 'empty').mkdir()
    assert ladder(model, tmp_path / 'empty') == 1
    assert 'empty' in capsys.readouterr().err


def test_the_folder_of_another_model_is_refused(done, images, tmp_path, capsys):
    other = write_detector(tmp_path / 'other', name='another')
    assert ladder(other, images, '--out', 'out') == 1
    assert 'holds the ladder of another model' in capsys.readouterr().err
    network = (done / 'model/network.onnx').read_bytes()
    (done / 'model/network.onnx').write_bytes(network + b'\x72\x00')
    assert ladder('./model', images, '--out', 'out') == 1
    assert 'its fp32 is another network' in capsys.readouterr().err
    (tmp_path / 'text').mkdir()
    (tmp_path / 'text/note').touch()
    assert ladder('./model', images, '--out', 'text') == 1
    assert 'is no model; name a new folder' in capsys.readouterr().err


def test_a_full_disk_leaves_the_old_ladder(done, images, capsys, monkeypatch):
    before = contents(done / 'out')
    real = durable_files.write_file

    def full(path, content):
        if 'ladder' in path.name:
            path.write_bytes(content[:100])
            raise OSError(errno.ENOSPC, 'No space left on device')
        real(path, content)

    monkeypatch.setattr(durable_files, 'write_file', full)
    assert ladder('./model', images, '--out', 'out') == 1
    assert 'the ladder cannot be written: No space left on device' in capsys.readouterr().err
    assert contents(done / 'out') == before


def test_json_is_json_alone(done, images, capsys):
    assert ladder('./model', images, '--out', 'out', '--json') == 0
    told = json.loads(capsys.readouterr().out)
    assert [rung['variant'] for rung in told['rungs']] == [
        r.variant for r in read(done / 'out').rungs
    ]
    assert told['front'] == [rung.variant for rung in read(done / 'out').front()]


def test_the_ladder_of_changed_files_is_void(done):
    model = load_model(done / 'out')
    made = ladders.read_ladder(model)
    assert ladders.void_rungs(model, made) == {}
    int8 = model.files['int8']
    int8.write_bytes(int8.read_bytes() + b'\x72\x00')
    assert ladders.void_rungs(model, made) == {'int8': 'since then has changed: its ONNX file'}
    card = (model.folder / 'model.yaml').read_text()
    (model.folder / 'model.yaml').write_text(card + 'validation: {min_ap50_ratio: 0.5}\n')
    void = ladders.void_rungs(load_model(model.folder), made)
    assert set(void) == {'fp32', 'mixed', 'int8'}
    assert 'its thresholds' in void['mixed']


@pytest.mark.parametrize(
    'arguments', [[], ['--frames', '0'], ['--engine', 'abacus'], ['--in-place', '--out', 'x']]
)
def test_used_wrongly_exits_with_2(images, capsys, arguments):
    given = ['model', images, *arguments] if arguments else ['model']
    with pytest.raises(SystemExit) as caught:
        ladder(*given)
    assert caught.value.code == 2


def test_lines_tell_what_is_left(capsys):
    now = iter([0.0, 1.0, 20.0, 21.0, 40.0])
    view = LineView(lambda: next(now))
    view.begin(Step('quantize', 'fp32'), 2, 7)
    view.progress(0.1, 'measuring')  # too early for a line
    view.progress(0.5, 'measuring')
    view.progress(0.6, 'measuring')  # too soon after the last one
    view.end('wrote int8')
    assert capsys.readouterr().err.splitlines() == [
        ' 2/7  quantize fp32: measuring, 50%, about 20 s left',
        ' 2/7  quantize fp32: wrote int8 (40.0 s)',
    ]


def test_bars_in_a_terminal():
    console = pytest.importorskip('rich.console')
    terminal = io.StringIO()
    with BarView(console.Console(file=terminal, force_terminal=True, width=120)) as view:
        view.begin(Step('quantize', 'fp32'), 1, 7)
        view.end('wrote int8')
        view.begin(Step('validate', 'int8'), 2, 7)
        view.progress(0.25, 'int8 on onnxruntime')
    assert ' 1/7  quantize fp32: wrote int8' in terminal.getvalue()
    assert ' 2/7  validate int8' in terminal.getvalue()
    assert ' 25%' in terminal.getvalue()
    assert 'int8 on onnxruntime' in terminal.getvalue()
