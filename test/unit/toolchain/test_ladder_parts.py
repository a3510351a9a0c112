# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of a ladder's making: images kept apart, engines built, rungs drawn and shown."""

import json
import re
import shutil
from pathlib import Path

import cv2
import pytest

import fake_builder
from jetson_infer.core.ladder_file import ladder_text
from jetson_infer.cuda.probe import FoundDevice
from jetson_infer.engines.build_target import FoundTarget
from jetson_infer.engines.ladders import digests_of
from jetson_infer.engines.models import load_model
from jetson_infer.errors import EngineBuildError, ModelError, RecordingError
from jetson_infer.toolchain.dataset import open_dataset
from jetson_infer.toolchain.ladder.build import build_engine
from jetson_infer.toolchain.ladder.labels import place_labels
from jetson_infer.toolchain.ladder.picture import draw_front
from jetson_infer.toolchain.ladder.plan import check_detector, choose_engine_kind, choose_images
from jetson_infer.toolchain.ladder.progress import QuantizeProgress
from jetson_infer.toolchain.ladder.split import Part, split_in_time
from jetson_infer.toolchain.ladder.workspace import sources_of
from jetson_infer.toolchain.report.ladder_panel import find_panel, panel_context
from jetson_infer.toolchain.validate.collect import read_data
from ladders import ladder, rung
from quantizable import paint, write_detector
from quantized_models import coloured_images, true_objects, write_quantized_model
from recording_writer import write_recording

HELPERS = Path(__file__).resolve().parents[2] / 'helpers'
FOUND = FoundTarget(
    fake_builder.VERSION, FoundDevice(0, 'Orin', (8, 7), 16, 1 << 30, True, True, '', '12.6')
)


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv('JETSON_INFER_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('PYTHONPATH', str(HELPERS))


@pytest.fixture(scope='module')
def walk(tmp_path_factory):
    """Return a recording of 50 pictures with their truth."""
    pictures = coloured_images(50)
    return write_recording(
        tmp_path_factory.mktemp('recordings') / 'walk',
        frames=50,
        images=[cv2.imencode('.jpg', each)[1].tobytes() for each in pictures],
        truths=[true_objects(each) for each in pictures],
    )


def test_the_parts_of_a_recording_hold_its_own_images_and_truths(walk):
    with open_dataset(walk) as whole:
        first, last = split_in_time(whole)
        assert (str(first), str(last)) == ('images 1 to 20 of 50', 'images 26 to 50 of 50')
        every = list(whole.frames())
        for part, begin, end in ((first, 0, 20), (last, 25, 50)):
            found = list(part.frames())
            assert part.count == len(found) == end - begin
            assert [sample.index for sample in found] == list(range(end - begin))
            for sample, expected in zip(found, every[begin:end]):
                assert sample.stamp_ns == expected.stamp_ns
                assert bytes(sample.image.data) == bytes(expected.image.data)
                assert sample.truth.boxes.tolist() == expected.truth.boxes.tolist()
        assert [s.stamp_ns for s in last.frames({0, 24})] == [
            every[25].stamp_ns,
            every[49].stamp_ns,
        ]
        assert len({first.digest, last.digest, whole.digest}) == 3
        assert Part(whole, 0, 20).digest == first.digest
        assert last.has_truth
        assert last.labels_of_truth == whole.labels_of_truth


def test_a_part_is_read_as_data_and_counts_what_it_cannot_use(tmp_path):
    images = paint(tmp_path / 'images', 40)
    for name in ('002.png', '030.png'):
        (images / name).write_bytes(b'no picture')
    with open_dataset(images) as whole:
        first, last = split_in_time(whole)
        assert (len(list(first.frames())), sum(first.rejected.values())) == (15, 1)
        data = read_data(last, ('red', 'green', 'blue'), 5)
        assert len(data.indices) in (4, 5)
        assert data.indices[-1] == 19
        assert not set(data.indices) - set(range(20))


def test_too_few_images_to_split(tmp_path):
    with (
        open_dataset(paint(tmp_path / 'few', 39)) as whole,
        pytest.raises(RecordingError, match=r'holds 39 images.* it takes 40.*--calibration'),
    ):
        split_in_time(whole)


def test_a_recording_that_was_cut_is_split_where_it_ends(walk, tmp_path):
    cut = tmp_path / 'cut.mcap'
    content = next(walk.glob('*.mcap')).read_bytes()
    cut.write_bytes(content[: int(len(content) * 0.8)])
    model = load_model(write_detector(tmp_path / 'model'))
    with open_dataset(cut) as whole:
        assert 40 <= whole.count < 50
        images = choose_images(model, whole, None)
        assert f'of {whole.count} calibrate' in images.told
        assert images.calibration.count + images.validation.count <= whole.count
    cut.write_bytes(content[: int(len(content) * 0.6)])
    with (
        open_dataset(cut) as whole,
        pytest.raises(RecordingError, match=r'holds \d\d whole images'),
    ):
        choose_images(model, whole, None)


def test_what_is_quantized_is_every_float_network_once(tmp_path):
    folder = write_quantized_model(tmp_path / 'model')
    text = (folder / 'model.yaml').read_text()
    twin = '- {name: twin, onnx: fp32.onnx, precision: fp32}\n'
    (folder / 'model.yaml').write_text(text + twin)
    (source,) = sources_of(load_model(folder))
    assert (source.variant.name, source.missing) == ('fp32', ('mixed',))


def test_only_detectors_have_ladders(tmp_path):
    folder = write_detector(tmp_path / 'model')
    text = (folder / 'model.yaml').read_text()
    (folder / 'model.yaml').write_text(text.replace('precision: fp32}', 'precision: fp16}'))
    with pytest.raises(ModelError, match='has to be fp32'):
        check_detector(load_model(folder))


def test_tensorrt_where_it_is_and_onnx_runtime_elsewhere():
    nowhere = FoundTarget(None, None, ('TensorRT is not installed',))
    assert choose_engine_kind('auto', FOUND) == 'tensorrt'
    assert choose_engine_kind('auto', nowhere) == 'onnxruntime'
    assert choose_engine_kind('onnxruntime', FOUND) == 'onnxruntime'
    with pytest.raises(EngineBuildError, match='TensorRT is not installed'):
        choose_engine_kind('tensorrt', nowhere)


def test_an_engine_is_built_once_and_found_again(tmp_path):
    model = load_model(write_detector(tmp_path / 'model'))
    variant, told = model.variant(), []

    def build(builder='build_plan'):
        name = f'fake_builder:{builder}'
        return build_engine(model, variant, FOUND, name, lambda *args: told.append(args))

    with pytest.raises(EngineBuildError, match='Einsum'):
        build('refuses')
    engine, new = build()
    assert new
    assert engine.variant == 'fp32'
    assert build('refuses') == (engine, False)
    assert all(0.0 <= fraction <= 1.0 and what for fraction, what in told)
    assert digests_of(model, 'fp32', engine).engine.startswith('tensorrt 10.3.0 ')


def test_an_interrupted_build_leaves_nothing(tmp_path):
    model = load_model(write_detector(tmp_path / 'model'))

    def interrupt(fraction, what):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_engine(model, model.variant(), FOUND, 'fake_builder:endless', interrupt)
    assert not list((tmp_path / 'cache').rglob('engine.plan'))
    assert build_engine(
        model, model.variant(), FOUND, 'fake_builder:build_plan', lambda *args: None
    )[1]


def test_quantizing_goes_forward_only_and_ends_below_one():
    told = []
    progress = QuantizeProgress(lambda fraction, phase: told.append(fraction))
    phases = ['looking at all images', 'measuring ranges', 'measuring layer by layer']
    phases += ['measuring int8, mse', 'something new', *['measuring mixed, mse'] * 30]
    for phase in phases:
        for done in range(1, 5):
            progress.show(phase, done, 4)
    assert told == sorted(told)
    assert told[0] > 0.0
    assert told[-1] < 1.0


def test_the_picture_tells_what_every_rung_is():
    made = ladder(
        rung('best & dearest', 1.0, 20.0, verdict='reference'),
        rung('dominated', 0.99, 21.0),
        rung('cheap', 0.9, 5.0),
        rung('ruined', 0.01, 4.0, verdict='failed'),
    )
    picture = draw_front(made)
    assert picture.startswith('<svg xmlns=')
    assert re.findall(r'class="rung (\w+)" cx="[\d.]+" cy="[\d.]+" r="6"><title>', picture) == [
        'front',
        'dominated',
        'front',
    ]
    assert 'dominated by best &amp; dearest' in picture
    assert 'lower than is drawn' in picture
    assert 'failed: AP50 is too low' in picture
    assert 'xmlns' not in draw_front(made, standalone=False)
    assert '<style>' not in draw_front(made, standalone=False)
    energy = ladder(rung('a', 1.0, 20.0, energy_mj=3.0), rung('b', 0.9, 5.0, energy_mj=1.0))
    assert 'mJ a frame' in draw_front(energy)


def test_names_stand_beside_each_other_and_within_the_area():
    points = [(100.0 + 9 * n, 100.0 + 5 * (n % 3)) for n in range(6)]
    area = (0.0, 0.0, 500.0, 300.0)
    boxes = place_labels([('a long name', '1.0 ms')] * 6, points, area, [])
    for number, one in enumerate(boxes):
        assert one[0] >= area[0]
        assert one[1] >= area[1]
        assert one[2] <= area[2]
        assert one[3] <= area[3]
        for other in boxes[:number]:
            apart = one[2] <= other[0] or other[2] <= one[0]
            assert apart or one[3] <= other[1] or other[3] <= one[1]


@pytest.fixture
def with_ladder(tmp_path):
    """Return a model's folder with a ladder of its files."""
    folder = write_quantized_model(tmp_path / 'model')
    model = load_model(folder)
    rungs = [
        rung(name, quality, ms, verdict=verdict, digests=digests_of(model, name, None))
        for name, quality, ms, verdict in (
            ('fp32', 1.0, 9.0, 'reference'),
            ('int8', 0.99, 4.0, 'passed'),
            ('ruined', 0.2, 4.0, 'failed'),
        )
    ]
    (folder / 'ladder.json').write_text(ladder_text(ladder(*rungs, model='quantized')))
    return folder


def test_a_report_shows_a_ladder_with_where_it_was_measured(with_ladder):
    panel = find_panel(load_model(with_ladder), 'walk')
    shown = panel_context(panel)
    assert panel.void == ''
    assert shown['command'] == f'jetson-infer ladder {with_ladder} walk'
    assert '2026-01-02 03:04 UTC, abacus, onnxruntime 1.20.0' in shown['where']
    assert [row['kind'] for row in shown['rows']] == ['front', 'front', 'failed']
    assert shown['chart'].startswith('<svg')


def test_a_void_or_broken_ladder_is_told_instead_of_shown(with_ladder):
    file = with_ladder / 'int8.onnx'
    file.write_bytes(file.read_bytes() + b'\x72\x00')
    panel = find_panel(load_model(with_ladder), 'walk')
    assert panel.ladder is None
    assert 'is void. int8: since then has changed: its ONNX file' in panel.void
    assert set(panel_context(panel)) == {'void', 'command'}
    value = json.loads((with_ladder / 'ladder.json').read_text())
    (with_ladder / 'ladder.json').write_text(json.dumps({**value, 'model': 'another'}))
    assert "model: is 'another'" in find_panel(load_model(with_ladder), 'walk').void
    (with_ladder / 'ladder.json').write_text('{')
    assert 'is cut or no JSON' in find_panel(load_model(with_ladder), 'walk').void
    (with_ladder / 'ladder.json').unlink()
    assert find_panel(load_model(with_ladder), 'walk') is None


def test_a_variant_that_the_card_lost_makes_its_rung_void(with_ladder):
    text = (with_ladder / 'model.yaml').read_text()
    (with_ladder / 'model.yaml').write_text(text.replace('name: ruined', 'name: mended'))
    told = find_panel(load_model(with_ladder), 'walk').void
    assert 'ruined: the card has no such variant any more' in told


def test_a_ladder_moves_with_its_model(with_ladder, tmp_path):
    shutil.move(with_ladder, tmp_path / 'elsewhere')
    assert find_panel(load_model(tmp_path / 'elsewhere'), 'walk').void == ''
