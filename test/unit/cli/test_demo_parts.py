# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's parts that need no ROS: following a run, showing it, and keeping demos apart."""

import io
import itertools
import json
import os
import sys
import threading

import pytest

from demo_runs import diagnostics, playback, run_lines
from jetson_infer.cli.children import ProcessGroup
from jetson_infer.cli.demo_run import DemoFailed, follow
from jetson_infer.cli.demo_view import LiveView, PlainView, plain_line
from jetson_infer.cli.ros_domain import DomainTaken, hold_domain
from jetson_infer.cli.ros_environment import NoRosError, launch_command, require_ros
from jetson_infer.cli.view import QuietView
from jetson_infer.toolchain.report.run_record import RunRecord


def record_of(*lines):
    record = RunRecord()
    for line in lines:
        record.feed(line if isinstance(line, str) else json.dumps(line))
    return record


# --- following ---


class Files:
    def __init__(self, folder):
        self.events, self.log = folder / 'events.jsonl', folder / 'log.txt'


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


IDLE = 'import time\ntime.sleep(100)'


def run(files, code, **options):
    """Follow a program that writes the events, and return the record."""
    record = RunRecord()
    environment = {**os.environ, 'EVENTS': str(files.events), 'PYTHONUNBUFFERED': '1'}
    with ProcessGroup([sys.executable, '-c', code], environment, files.log) as processes:
        for _ in follow(processes, files.events, files.log, record, **options):
            pass
    return record


def text_of(lines):
    return '\n'.join(line if isinstance(line, str) else json.dumps(line) for line in lines) + '\n'


def write(lines):
    """Return a program that writes lines in small pieces, as a slow disk would show them."""
    text = text_of(lines)
    return (
        'import os, time\n'
        'with open(os.environ["EVENTS"], "w") as file:\n'
        f'    text = {text!r}\n'
        '    for i in range(0, len(text), 997):\n'
        '        file.write(text[i:i + 997])\n'
        '        file.flush()\n'
        '        time.sleep(0.002)\n'
    )


def test_a_run_is_followed_to_its_end(files):
    record = run(files, write(run_lines(40)) + 'time.sleep(100)')
    assert record.end == 'finished'
    assert len(record.published) == 40


def test_what_was_written_just_before_the_end_counts(files):
    record = run(files, write(run_lines(40)))
    assert len(record.published) == 40


def test_processes_that_end_early_are_told_with_what_they_said(files):
    code = write([diagnostics(0, state='unconfigured')]) + (
        'print("[detector] [INFO] hello")\n'
        'print("[detector] [ERROR] cannot configure: no such model")\n'
        'raise SystemExit(1)'
    )
    with pytest.raises(DemoFailed) as caught:
        run(files, code)
    assert 'did not become active; its last state: unconfigured' in str(caught.value)
    assert 'no such model' in str(caught.value)
    assert 'hello' not in str(caught.value)
    assert str(files.log) in str(caught.value)


def test_a_process_that_dies_in_the_middle_is_told(files):
    code = write([playback(31, state='playing')]) + 'raise SystemExit(3)'
    with pytest.raises(DemoFailed, match=r'1\.5 s into the recording \(exit code 3\)'):
        run(files, code)


@pytest.mark.parametrize(
    ('reason', 'message'),
    [('player_lost', 'the player ended'), ('not_alone', 'ROS_DOMAIN_ID=')],
)
def test_a_bad_end_is_told(files, reason, message):
    with pytest.raises(DemoFailed, match=message):
        run(files, write([{'kind': 'end', 'received': 1, 'reason': reason}]))


def test_a_detector_that_never_gets_ready_is_given_up(files):
    clock = itertools.count(0.0, 5.0)
    events = [diagnostics(0, state='inactive'), playback(0, state='waiting')]
    files.events.write_text(text_of(events))
    with pytest.raises(DemoFailed, match=r'not ready after 60 s; its state: inactive'):
        run(files, IDLE, clock=lambda: next(clock))
    assert 60.0 < next(clock) < 100.0


def test_silence_is_given_up(files):
    clock = itertools.count(0.0, 1.0)
    files.events.write_text(text_of([playback(2, state='playing')]))
    with pytest.raises(DemoFailed, match='nothing was heard for 15 s'):
        run(files, IDLE, clock=lambda: next(clock))
    assert 15.0 < next(clock) < 25.0


# --- showing ---


def test_plain_line_tells_it_all():
    line = plain_line(record_of(*run_lines(60, lost=(3, 4))[:-1]))
    assert '3.0 / 3.0 s' in line
    assert line.count('in 20.0 Hz  out 19.9 Hz') == 1
    assert 'end to end 13.0 ms (p99 14.0)' in line
    assert 'processed 58  lost 2' in line
    assert line.endswith('1 person')


def test_what_scores_too_little_is_left_out():
    record = record_of(*run_lines(3))
    assert plain_line(record, 0.5).endswith('1 person')
    assert plain_line(record, 0.6).endswith('nothing seen')


def test_plain_view_prints_only_what_is_new(capsys):
    with PlainView() as view:
        for _ in range(50):
            view.show(RunRecord())
    assert capsys.readouterr().out == 'starting   detector: starting\n'


def test_quiet_view_prints_nothing(capsys):
    with QuietView() as view:
        view.show(record_of(*run_lines(3)))
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('width', [70, 100, 160])
def test_live_view_shows_stages_counters_and_objects(width):
    console = pytest.importorskip('rich.console').Console(
        file=io.StringIO(), width=width, height=60, force_terminal=True, color_system=None
    )
    late = diagnostics(40)
    late['level'], late['message'] = 1, 'the device is slow'
    lines = [*run_lines(41, lost=(3,))[:-2], playback(41, state='playing'), late]
    with LiveView('walk', console) as view:
        view.show(RunRecord())
        view.show(record_of(*lines))
    text = console.file.getvalue()
    for expected in (
        *('walk → toy', 'active', '20.0 Hz', 'the device is slow', 'preprocess', '12.00'),
        *('received', 'replaced', 'person', '0.54', '2.0 / 2.0 s'),
    ):
        assert expected in text
    assert max(len(line) for line in text.splitlines()) <= width + 20  # with cursor movements


# --- ROS ---


def test_a_domain_is_held_by_one_demo(tmp_path):
    with hold_domain({'ROS_DOMAIN_ID': '7'}, tmp_path) as domain:
        assert domain == '7'
        with (
            pytest.raises(DomainTaken, match=r'domain 7; .*ROS_DOMAIN_ID=8'),
            hold_domain({'ROS_DOMAIN_ID': '7'}, tmp_path),
        ):
            raise AssertionError('it was given away twice')
        with hold_domain({}, tmp_path) as first, hold_domain({}, tmp_path) as second:
            assert len({first, second, '7'}) == 3
    with hold_domain({'ROS_DOMAIN_ID': '7'}, tmp_path) as again:
        assert again == '7'


def test_a_distribution_without_parts_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv('ROS_DISTRO', 'humble')
    with pytest.raises(NoRosError, match='sudo apt install ros-humble-vision-msgs-not-there'):
        require_ros(['json', 'vision_msgs_not_there'])


def test_launch_files_are_found_where_they_are_installed(monkeypatch, tmp_path):
    folder = tmp_path / 'share' / 'jetson_infer' / 'launch'
    folder.mkdir(parents=True)
    (folder / 'demo.launch.py').write_text('')
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/opt/ros/humble:{tmp_path}')
    command = launch_command('demo.launch.py', {'rate': 2.0, 'model': None})
    assert command[1:] == [
        '-m',
        'jetson_infer.ros.launch_file',
        str(folder / 'demo.launch.py'),
        'rate:=2.0',
    ]
    with pytest.raises(NoRosError, match='not built'):
        launch_command('other.launch.py', {})


def test_no_thread_is_left_behind():
    assert [t for t in threading.enumerate() if t.name in ('read_ahead', 'video')] == []
