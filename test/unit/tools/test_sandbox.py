# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The programs behind `make`: what they promise to leave, and not to leave, on a machine."""

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SANDBOX = ROOT / 'tools' / 'sandbox'

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(SANDBOX))
    import domains
    import processes
    import run_tests
    import shm_clean

SEGMENT = 'fastrtps_0123456789abcdef'
OLD = time.time() - 60
NOW = -1.0


def segment(folder: Path, name: str = SEGMENT, age: float = OLD) -> Path:
    path = folder / name
    path.write_bytes(bytes(1000))
    lock = folder / f'{name}_el'
    lock.touch()
    os.utime(lock, (age, age))
    return path


def test_a_segment_of_a_dead_process_is_removed_with_its_lock(tmp_path: Path) -> None:
    segment(tmp_path)
    assert shm_clean.remove_dead_segments(tmp_path) == (1, 1000)
    assert list(tmp_path.iterdir()) == []


def test_a_segment_in_use_is_left(tmp_path: Path) -> None:
    path = segment(tmp_path)
    with (tmp_path / f'{SEGMENT}_el').open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert shm_clean.remove_dead_segments(tmp_path) == (0, 0)
    assert path.exists()


@pytest.mark.parametrize(
    ('name', 'age'),
    [
        ('fastrtps_port7411', OLD),  # others may write to it
        (SEGMENT, NOW),  # made this moment, not locked yet
        ('somebody_elses', OLD),
    ],
)
def test_what_may_not_be_dead_is_left(tmp_path: Path, name: str, age: float) -> None:
    path = segment(tmp_path, name, time.time() + 60 if age == NOW else age)
    assert shm_clean.remove_dead_segments(tmp_path) == (0, 0)
    assert path.exists()


@pytest.fixture
def own_domains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the locks apart from those of real test runs on this machine."""
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    monkeypatch.setattr(tempfile, 'tempdir', None)


@pytest.mark.usefixtures('own_domains')
def test_domains_are_held_by_one_at_a_time_and_given_back() -> None:
    with domains.reserve_domain('jazzy') as first, domains.reserve_domain('jazzy') as second:
        assert (first, second) == (52, 54)
        code = "from domains import *\nwith reserve_domain('jazzy') as domain: print(domain)"
        other = subprocess.run(
            [sys.executable, '-c', code], cwd=SANDBOX, capture_output=True, text=True, check=True
        )
        assert int(other.stdout) == 56
    with domains.reserve_domain('jazzy') as again:
        assert again == 52


def test_no_two_distributions_share_a_domain() -> None:
    humble, jazzy = (set(domains.domains_of(distro)) for distro in ('humble', 'jazzy'))
    assert not humble & jazzy
    assert humble | jazzy == set(range(51, 102))


@pytest.mark.usefixtures('own_domains')
def test_when_all_domains_are_taken_it_is_said() -> None:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(domains.reserve_domain('humble')) for _ in range(26)]
        assert taken == list(range(51, 102, 2))
        with pytest.raises(RuntimeError, match='all 26 ROS domains for tests of humble are taken'):
            stack.enter_context(domains.reserve_domain('humble'))


def gone(process: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        # Nobody here collects a grandchild; a zombie is as good as gone.
        status = Path(f'/proc/{process}/stat')
        return not status.exists() or status.read_text().split()[2] == 'Z'
    return True


def test_a_program_that_leaves_a_process_fails_and_the_process_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, 'GRACE_S', 0.3)
    monkeypatch.setattr(processes, 'LEAVING_S', 0.3)
    note = tmp_path / 'left'
    command = ['bash', '-c', f'sleep 60 & echo $! > {note}']
    assert processes.run(command, tmp_path) == processes.LEFT_PROCESSES
    assert gone(int(note.read_text()))


def test_what_ends_by_itself_at_once_was_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, 'LEAVING_S', 60.0)
    assert processes.run(['bash', '-c', 'sleep 0.5 &'], tmp_path) == 0


def test_what_ignores_sigint_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, 'LIMIT_S', 4.0)  # time for bash to begin
    monkeypatch.setattr(processes, 'GRACE_S', 0.3)
    monkeypatch.setattr(processes, 'LEAVING_S', 0.3)
    note = tmp_path / 'left'
    command = ['bash', '-c', f'trap "" INT; echo $$ > {note}; while true; do sleep 0.1; done']
    assert processes.run(command, tmp_path) == processes.TIMED_OUT
    assert gone(int(note.read_text()))


def test_a_programs_status_and_variables_are_handed_through(tmp_path: Path) -> None:
    assert processes.run(['bash', '-c', 'exit $WANTED'], tmp_path, {'WANTED': '7'}) == 7
    killed = processes.run(['bash', '-c', 'kill -SEGV $$'], tmp_path)
    assert killed == -signal.SIGSEGV


def test_every_outcome_of_a_test_is_counted(tmp_path: Path) -> None:
    (tmp_path / 'test_it.py').write_text(
        'import pytest\n'
        'def test_good(): pass\n'
        'def test_bad(): assert False\n'
        'def test_ugly(nothing_of_that_name): pass\n'
        '@pytest.mark.skip(reason="why")\n'
        'def test_skipped(): pass\n'
    )
    report = tmp_path / 'report.xml'
    options = ['-q', '-p', 'no:cacheprovider', f'--junitxml={report}', '--rootdir', str(tmp_path)]
    subprocess.run(
        [sys.executable, '-m', 'pytest', *options, str(tmp_path)], capture_output=True, check=False
    )
    assert run_tests.count(report) == (1, 2, 1)


GOOD = run_tests.Result(True, '', passed=3)
BAD = run_tests.Result(False, '', passed=2, failed=1)


def tried_again(first: dict[str, run_tests.Result], alone: dict[str, run_tests.Result]):
    result = run_tests.total({Path(name): one for name, one in first.items()})
    result.run_alone = lambda path: alone.pop(str(path))
    return run_tests.second_try(result)


def test_a_file_that_failed_beside_others_is_run_again_and_named() -> None:
    alone = {'b.py': GOOD}
    result = tried_again({'a.py': GOOD, 'b.py': BAD}, alone)
    assert (result.ok, result.passed, result.failed) == (True, 6, 0)
    assert 'passed alone: b.py' in result.note
    assert not alone


def test_a_file_that_fails_again_has_failed() -> None:
    result = tried_again({'a.py': GOOD, 'b.py': BAD, 'c.py': BAD}, {'b.py': GOOD, 'c.py': BAD})
    assert (result.ok, result.passed, result.failed) == (False, 8, 1)
    assert 'skipped; c.py; failed beside others and passed alone: b.py' in result.note


def test_many_that_fail_are_no_accident() -> None:
    result = tried_again({'a.py': BAD, 'b.py': BAD, 'c.py': BAD}, {})
    assert (result.ok, result.failed) == (False, 3)


def test_what_failed_alone_is_not_run_again() -> None:
    result = run_tests.total({Path('a.py'): BAD})
    assert run_tests.second_try(result) is result


FLAKY = """
from pathlib import Path
import os
import pytest

HERE = Path(__file__).parent


def note(name):
    with (HERE / 'runs').open('a') as runs:
        runs.write(f'{name}\\n')
    return (HERE / 'runs').read_text().splitlines().count(name)


def test_good():
    note('good')


@pytest.mark.parametrize('text', ['a b::c', '-k [x]', '\\n"ö\\'/'])
def test_flaky(text):
    assert note(f'flaky {text!r}') > 1


@pytest.mark.skip(reason='why')
def test_skipped():
    pass
"""


@pytest.fixture
def flaky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of a project whose tests fail the first time that they run."""
    monkeypatch.setattr(run_tests, 'ROOT', tmp_path)
    monkeypatch.setattr(run_tests, 'RESULTS', tmp_path)
    (tmp_path / 'pytest.ini').write_text('[pytest]\n')
    file = tmp_path / 'test_it.py'
    file.write_text(FLAKY)
    return file


def run_twice(file: Path, live: bool = False) -> tuple[run_tests.Result, list[str]]:
    """Run a project's tests with the second try; return also what ran, in order."""
    first = run_tests.unit_tests('it', [sys.executable], [file.name], live)
    result = run_tests.second_try(first)
    return result, (file.parent / 'runs').read_text().splitlines()


def test_only_the_tests_that_failed_beside_others_are_run_again_and_named(flaky: Path) -> None:
    result, runs = run_twice(flaky)
    assert (result.ok, result.passed, result.failed, result.skipped) == (True, 4, 0, 1)
    before, named = result.note.split('; failed beside others and passed alone: ')
    assert before == '4 passed, 0 failed, 1 skipped'
    assert named.startswith('test_it.py::test_flaky[a b::c], test_it.py::test_flaky[-k [x]], ')
    assert runs[0] == 'good'
    assert runs[1:] == 2 * runs[1:4]


def test_a_test_that_fails_again_has_failed(flaky: Path) -> None:
    flaky.write_text(flaky.read_text() + "\n\ndef test_bad():\n    assert not note('bad')\n")
    flaky.write_text(flaky.read_text().replace("'-k [x]', ", ''))
    result, runs = run_twice(flaky)
    assert (result.ok, result.passed, result.failed, result.skipped) == (False, 3, 1, 1)
    assert '; test_it.py::test_bad; failed beside others and passed alone: ' in result.note
    assert runs.count('bad') == 2


@pytest.mark.parametrize(
    ('more', 'told'),
    [
        ("def test_bad():\n    assert not note('bad')", '4 failed'),  # too many
        ('def test_crash():\n    os._exit(3)', 'exit status 3'),
        ("note('bad')\nraise OSError('no such')", 'no such|1 failed'),  # nothing is collected
    ],
    ids=['many', 'crash', 'collection'],
)
def test_what_is_no_accident_is_not_run_again(flaky: Path, more: str, told: str) -> None:
    flaky.write_text(f'{flaky.read_text()}\n\n{more}\n')
    result, runs = run_twice(flaky)
    assert not result.ok
    assert re.search(told, result.note)
    assert len(set(runs)) == len(runs)


def test_tests_that_had_nothing_beside_them_are_not_run_again(flaky: Path) -> None:
    result, runs = run_twice(flaky, live=True)
    assert (result.ok, result.passed, result.failed) == (False, 1, 3)
    assert len(runs) == 4


@pytest.mark.parametrize(
    'instead',
    [
        'os._exit(4)',
        'pytest.skip("now")',
        'assert note("later")\n\n\ndef test_another():\n    pass',
    ],
    ids=['crash', 'skip', 'fewer'],
)
def test_a_second_run_without_the_same_tests_settles_nothing(flaky: Path, instead: str) -> None:
    first = run_tests.unit_tests('it', [sys.executable], [flaky.name], False)
    assert len(first.failures) == 3
    text = flaky.read_text().replace("assert note(f'flaky {text!r}') > 1", instead)
    flaky.write_text(text.replace("'a b::c', ", '') if 'later' in instead else text)
    result = run_tests.second_try(first)
    assert (result.ok, result.passed, result.failed) == (False, 1, 3)
    assert '; once more, alone: ' in result.note


def test_a_distribution_that_is_not_there_is_refused_by_name() -> None:
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ('ROS_DISTRO', 'AMENT_PREFIX_PATH')
    }
    refused = subprocess.run(
        [SANDBOX / 'ros_env.sh', 'foxy', '--', 'true'],
        env=clean, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert 'DISTRO=foxy' in refused.stderr
    assert 'humble jazzy' in refused.stderr


def test_a_stage_that_cannot_be_run_is_told_as_skipped(tmp_path):
    result = run_tests.Runner(tmp_path, tmp_path / 'missing').oldest_libraries(False)
    told = run_tests.line('oldest', result, 0.0)
    assert 'skipped' in told.split()
    assert 'ok' not in told.split()
    assert 'no Python 3.10' in told
    assert 'ok' in run_tests.line('unit', GOOD, 1.0).split()
    assert 'FAILED' in run_tests.line('unit', BAD, 1.0).split()


def demo_figures(share, ap50):
    return {'frames': {'share': share}, 'accuracy': {'ap50': ap50}}


def test_a_short_demo_tells_its_figures():
    told = run_tests.judge_demo(demo_figures(0.95, 0.81))
    assert told == '95.0% of the frames processed, AP50 0.810'
    assert run_tests.judge_demo(demo_figures(0.9, 0.7))


@pytest.mark.parametrize(
    ('share', 'ap50', 'told'),
    [
        (0.89, 0.8, 'frames processed is 0.890'),
        (1.0, 0.69, 'AP50 is 0.690'),
        (1.0, float('nan'), 'AP50 is nan'),
    ],
)
def test_a_short_demo_is_held_to_its_figures(share, ap50, told):
    with pytest.raises(run_tests.FiguresFallShort, match=told):
        run_tests.judge_demo(demo_figures(share, ap50))
