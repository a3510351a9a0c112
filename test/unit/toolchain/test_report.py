# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The report, made from a small run and read back as a reader's browser would."""

import base64
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from demo_runs import RATE_HZ, picture, run_lines, write_pictures
from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.recordings import Recording
from jetson_infer.toolchain.report.accuracy import measure_accuracy
from jetson_infer.toolchain.report.build import (
    FILES,
    ReportFolderError,
    ReportOptions,
    build_report,
    prepare_folder,
)
from jetson_infer.toolchain.report.pictures import FramePainter, choose_frames
from jetson_infer.toolchain.report.run_record import RunRecord
from jetson_infer.toolchain.report.run_result import TrueObject, join_run
from jetson_infer.toolchain.report.video import VideoWriter
from recording_writer import IMAGE, TRUTH

FRAMES = 45
SCORE = 0.4
LOST = (7, 8)
WRONG = (30,)


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    path = write_pictures(tmp_path_factory.mktemp('recordings') / 'walk', FRAMES)
    with Recording.open(path) as opened:
        yield opened


def record_of(lines):
    record = RunRecord()
    for line in lines:
        record.feed(line)
    return record


@pytest.fixture(scope='module')
def result(recording):
    return join_run(recording, record_of(run_lines(FRAMES, LOST, WRONG)), IMAGE, TRUTH, SCORE)


@pytest.fixture(scope='module')
def report(recording, result, tmp_path_factory):
    folder = tmp_path_factory.mktemp('report')
    told = []
    options = ReportOptions(
        folder, True, {'recording': 'walk <b>', 'cores': '2'}, 'jetson-infer demo', 'today'
    )
    summary = build_report(result, recording, options, lambda *args: told.append(args))
    return folder, summary, told


def test_frames_meet_their_detections_and_their_truth(result):
    assert len(result.frames) == FRAMES
    assert [f.number for f in result.frames if f.published is None] == list(LOST)
    assert all(len(frame.truth) == 1 for frame in result.frames)
    assert result.frames[20].time_s == pytest.approx(20 / RATE_HZ)
    assert result.labels == ('dog', 'person')
    match = result.frames[3].match(SCORE)
    assert (len(match.hits), len(match.missed), len(match.false)) == (1, 0, 0)
    match = result.frames[30].match(SCORE)
    assert (len(match.hits), len(match.missed), len(match.false)) == (0, 1, 1)


def test_a_run_at_another_rate_is_joined_too(recording):
    lines = [json.loads(line) for line in run_lines(FRAMES)]
    for line in lines:
        if line['kind'] == 'playback':
            values = line['values']
            values['time_map/rate'] = '3.7'
            recorded, live = int(values['time_map/recorded_ns']), int(values['time_map/live_ns'])
    from jetson_infer.toolchain.playback.time_map import TimeMap

    time_map = TimeMap(recorded, live, 3.7)
    for line in lines:
        if line['kind'] == 'detections':
            line['stamp'] = time_map.to_live(line['stamp'] - live + recorded)
    joined = join_run(recording, record_of(map(json.dumps, lines)), IMAGE, TRUTH, SCORE)
    assert len(joined.processed) == FRAMES


def test_nothing_played_is_said(recording):
    with pytest.raises(RecordingError, match='nothing to report'):
        join_run(recording, RunRecord(), IMAGE, TRUTH, SCORE)


@pytest.mark.parametrize(
    ('visible', 'box', 'difficult'),
    [
        (0.29, (0, 0, 50, 50), True),
        (0.3, (0, 0, 50, 50), False),
        (1.0, (0, 0, 11.9, 50), True),
        (1.0, (0, 0, 50, 12.0), False),
    ],
)
def test_difficult_objects(visible, box, difficult):
    assert TrueObject('dog', visible, box).difficult is difficult


def test_accuracy_counts_lost_frames_as_misses(result):
    accuracy = measure_accuracy(result)
    dog, person = accuracy.classes
    assert (dog.label, dog.objects, dog.found, dog.false, dog.ap50) == ('dog', 0, 0, 1, None)
    missed = len(LOST) + len(WRONG)
    assert (person.objects, person.found, person.false) == (FRAMES, FRAMES - missed, 0)
    # Precision is 1 up to the recall reached: COCO's 101 recalls below it count.
    reached = (FRAMES - missed) / FRAMES
    assert person.ap50 == pytest.approx(np.mean(np.linspace(0, 1, 101) <= reached))
    assert accuracy.mean.ap50 == person.ap50
    assert person.ap <= person.ap50 + 1e-9


def test_what_scores_too_little_is_counted_in_the_curve_alone(recording):
    """The frames' scores rise from 0.5 by a thousandth a frame."""
    record = record_of(run_lines(FRAMES))
    low, high = (
        measure_accuracy(join_run(recording, record, IMAGE, TRUTH, score)) for score in (0.0, 0.52)
    )
    assert low.mean.ap50 == high.mean.ap50 == 1.0
    assert (low.classes[0].found, high.classes[0].found) == (FRAMES, FRAMES - 20)
    assert low.classes[0].point == (1.0, 1.0)
    assert high.classes[0].point == (pytest.approx((FRAMES - 20) / FRAMES), 1.0)
    frame = join_run(recording, record, IMAGE, TRUTH, 0.52).frames[19]
    assert len(frame.objects) == 1
    assert frame.shown(0.52) == ()
    assert len(frame.match(0.52).missed) == 1


def test_chosen_frames_are_spread_and_include_the_worst(result):
    chosen = choose_frames(result)
    worst = [number for number, why in chosen.items() if why == 'worst']
    assert set(worst) & {*LOST, *WRONG}
    assert list(chosen) == sorted(chosen)
    spread = [number for number, why in chosen.items() if not why]
    assert len(spread) == 6
    assert np.ptp(np.diff(spread)) <= 1


def test_missed_objects_are_dashed_in_place_and_found_ones_are_not(result):
    painter = FramePainter(result.labels, SCORE)

    def edge(number):
        plain = picture(number)
        drawn = painter.paint(plain.copy(), result.frames[number])
        x_min, _, x_max, y_max = (int(value) for value in result.frames[number].truth[0].box)
        changed = np.any(drawn != plain, axis=2)
        assert not changed[y_max + 5 :, : x_min - 5].any()
        return drawn[y_max, x_min:x_max].reshape(-1, 3).mean(axis=1)

    missed = edge(7)
    assert (missed == 255).sum() > 15
    assert (missed == 0).sum() > 10
    assert (edge(20) == 0).sum() < 5


class Page(HTMLParser):
    """What a browser would make of the page, and what it would load."""

    VOID = frozenset({'meta', 'img', 'br', 'link', 'input'})

    def __init__(self, text):
        super().__init__()
        self.loads, self.images, self.open, self.text = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ('src', 'href', 'poster', 'data'):
                (self.images if value.startswith('data:image/jpeg;') else self.loads).append(value)

    def handle_startendtag(self, tag, attrs):
        return None

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if 'style' not in self.open:
            self.text.append(data)


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(report):
    folder, _, _ = report
    text = (folder / 'report.html').read_text()
    page = Page(text)
    assert set(page.loads) == {'detections.webm'}
    assert not re.search(r'url\(|@import|<script|https?://', text)
    assert len(page.images) >= 8
    for image in page.images:
        data = np.frombuffer(base64.b64decode(image.partition(',')[2]), np.uint8)
        assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == (240, 320, 3)


def test_the_page_tells_the_numbers_and_escapes_text(report):
    folder, summary, _ = report
    text = ' '.join(' '.join(Page((folder / 'report.html').read_text()).text).split())
    assert '95.6 % 43 of 45' in text
    assert f'{summary["accuracy"]["ap50"]:.3f}' in text
    assert 'walk <b>' in text
    assert 'replaced 2 a newer image took their place' in text
    assert 'None was lost' not in text
    for stage in ('wait', 'preprocess', 'infer', 'decode', 'publish', 'total'):
        assert stage in text


def test_the_summary_is_json_and_agrees_with_the_run(report):
    folder, summary, told = report
    assert json.loads((folder / 'summary.json').read_text()) == json.loads(json.dumps(summary))
    assert summary['frames'] == {
        'played': FRAMES,
        'processed': FRAMES - 2,
        'share': pytest.approx(43 / 45),
    }
    assert summary['latency_ms']['p50'] == pytest.approx(13.0)
    assert summary['stages_ms']['total'] == {'p50': 6.0, 'p95': 9.0, 'p99': 12.0}
    assert summary['counters'] == {'received': FRAMES, 'processed': FRAMES - 2, 'replaced': 2}
    assert summary['accuracy']['classes']['dog']['ap50'] is None
    assert told[-1] == (FRAMES, FRAMES)


def test_the_video_has_every_frame(report):
    folder, _, _ = report
    video = cv2.VideoCapture(str(folder / 'detections.webm'))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(RATE_HZ)
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1])
    video.release()
    assert len(frames) == FRAMES
    assert frames[0].shape == (240, 320, 3)
    # The drawn box has moved with the frames.
    difference = np.abs(frames[0].astype(int) - frames[-1]).mean(axis=2)
    assert difference[20:90, 10:104].mean() > 10


def test_without_truth_and_without_video(recording, tmp_path):
    record = record_of(run_lines(FRAMES))
    result = join_run(recording, record, IMAGE, None, SCORE)
    options = ReportOptions(tmp_path, False, {}, 'x', 'today')
    summary = build_report(result, recording, options)
    assert summary['accuracy'] is None
    assert summary['files']['video'] is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ['report.html', 'summary.json']
    page = Page((tmp_path / 'report.html').read_text())
    assert page.loads == []
    assert 'does not say what is in its images' in ' '.join(' '.join(page.text).split())


def test_a_run_in_which_all_was_lost_still_has_a_report(recording, tmp_path):
    record = record_of(run_lines(FRAMES, lost=range(FRAMES)))
    result = join_run(recording, record, IMAGE, TRUTH, SCORE)
    summary = build_report(result, recording, ReportOptions(tmp_path, False, {}, 'x', 'today'))
    assert summary['latency_ms'] == {'p50': None, 'p95': None, 'p99': None}
    assert summary['accuracy']['ap50'] == 0.0
    page = Page((tmp_path / 'report.html').read_text())
    assert not re.search(r'\bnan\b', ' '.join(page.text))


def test_a_video_that_is_broken_off_leaves_nothing(tmp_path):
    def write():
        with VideoWriter(tmp_path / 'x.webm', 10.0) as video:
            for _ in range(30):
                video.write(np.zeros((48, 64, 3), np.uint8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_report_is_taken_away_and_other_files_stay(tmp_path):
    for name in (*FILES, 'mine.txt'):
        (tmp_path / name).write_text('x')
    prepare_folder(tmp_path, FILES)
    assert [p.name for p in tmp_path.iterdir()] == ['mine.txt']
    with pytest.raises(ReportFolderError, match='choose another with --out'):
        prepare_folder(tmp_path / 'mine.txt', FILES)
