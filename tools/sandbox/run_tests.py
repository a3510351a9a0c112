# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Run the stages of `make test`, each whatever the others did, and sum them up.

Tests of ROS nodes mostly wait: both distributions run side by side, in domains of their own. So do
the unit tests and those with the oldest libraries, which keep a core busy each.

That is a load under which a test may wait in vain. Where one or two files of a ROS stage fail, or
up to three unit tests, they are run once more with nothing beside them, as `colcon test
--retest-until-pass` would do; the table names what passes then, for it wants mending.

The last line is the sum over all pytest stages alone: `N passed, N failed[, N skipped]`. The exit
status is 0 only where every stage that could be run passed; the table names those that could not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from domains import reserve_domain
from processes import INTERRUPTED, run
from results import Result, count, line, paint, sums, total
from second_try import failed_tests, second_try
from shm_clean import report_dead_segments

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / '.sandbox' / 'results'
DEMO_SECONDS = 8
DEMO_LEAST_SHARE = 0.9  # of the frames; all of them, where the machine has nothing else to do
DEMO_LEAST_AP50 = 0.7  # of these seconds; 0.817 where every frame is processed
TESTS_FAILED = 1  # pytest's exit status, where nothing else went wrong
NO_TESTS_COLLECTED = 5
HALF = ('core', 'cuda', 'engines', 'tools')  # takes as long as all the others
LEANING = ('core', 'engines', 'pipeline', 'toolchain')  # on the versions of libraries
TEST_LIMIT_S = 120
STAGES = ('lint', 'unit', 'oldest', 'ros', 'launch', 'demo')

PRINTING = threading.Lock()


@dataclass(frozen=True)
class Runner:
    """The stages, in the environments given.

    A stage that is `live` prints as it goes; one beside which others run prints what failed.
    """

    venv: Path
    oldest: Path

    def lint(self, live: bool) -> Result:
        """Run every static check, also after one has failed."""
        concise = ['--output-format', 'concise']  # a line each, without what it would look like
        checks = {
            'ruff check': ['ruff', 'check', '--quiet', *concise, '.'],
            'ruff format': ['ruff', 'format', '--quiet', '--check', *concise, '.'],
            'mypy': ['mypy'],
            'codespell': ['codespell'],
        }
        failed = [
            name
            for name, (program, *arguments) in checks.items()
            if run_logged(
                name.replace(' ', '-'), [str(self.venv / 'bin' / program), *arguments], live=live
            )
        ]
        return Result(not failed, f'{", ".join(failed)} failed' if failed else ', '.join(checks))

    def unit(self, half: int, live: bool) -> Result:
        """Run one half of the unit tests, 1 or 2, without ROS around them."""
        first = [f'test/unit/{folder}' for folder in HALF]
        second = ['test/unit', *(f'--ignore={path}' for path in first)]
        name, chosen = f'unit-{half}', first if half == 1 else second
        return unit_tests(name, [str(self.venv / 'bin/python')], chosen, live)

    def oldest_libraries(self, live: bool) -> Result:
        """Run what leans on the libraries with the oldest supported ones, on the oldest Python."""
        python = self.oldest / 'bin/python'
        if not python.exists():
            return Result(True, 'no Python 3.10 found (on PATH, in ~/.pyenv, by uv)', left_out=True)
        chosen = [f'test/unit/{room}' for room in LEANING]
        return unit_tests('oldest', [str(python)], chosen, live)

    def ros(self, distro: str, live: bool) -> Result:
        """Run the tests of nodes in the tests' own process, over real DDS.

        A process a file: the more nodes one has made and ended, the longer it takes to meet others,
        on Jazzy several seconds after a hundred.
        """
        return in_files('ros', distro, sorted((ROOT / 'test/ros').glob('test_*.py')), live)

    def launch(self, distro: str, live: bool) -> Result:
        """Run the tests of launched nodes; in own processes, as each sets rclpy up anew."""
        return in_files('launch', distro, sorted((ROOT / 'test/launch').glob('test_*.py')), live)

    def demo(self, distro: str, live: bool) -> Result:
        """Run the demo briefly, and hold it to the report and the figures it promises.

        A demo keeps a camera's pace, whatever else the machine does: where the figures fall short,
        they are measured once more, and the table says so.
        """
        try:
            return self._demo(distro, live)
        except FiguresFallShort as short:
            print(paint('1', f'\n== once more: demo {distro}, {short}'), flush=True)
            first = str(short)
        try:
            result = self._demo(distro, live)
        except FiguresFallShort as short:
            return Result(False, f'twice: {first}; {short}')
        result.note += f'; on the second try, at the first {first}'
        return result

    def _demo(self, distro: str, live: bool) -> Result:
        report = RESULTS / f'demo-{distro}' / 'report.html'
        summary = report.with_name('summary.json')
        for path in (report, summary):
            path.unlink(missing_ok=True)
        command = ['jetson-infer', 'demo', '--out', str(report.parent), '--duration']
        with reserve_domain(distro) as domain:
            status = run_logged(
                f'demo-{distro}',
                [*in_ros(distro), *command, str(DEMO_SECONDS)],
                {'ROS_DOMAIN_ID': str(domain)},
                live,
            )
        if status != 0:
            return Result(False, f'exit status {status}')
        for path in (report, summary):
            if not path.is_file():
                return Result(False, f'it ended well, but left no {path.relative_to(ROOT)}')
        figures = judge_demo(json.loads(summary.read_text()))
        return Result(True, f'{figures}; {report.relative_to(ROOT)}')


class FiguresFallShort(Exception):
    """A demo ran to its end and did not keep what it promises."""


def judge_demo(summary: dict[str, Any]) -> str:
    """Return a short demo's figures in words.

    :raises FiguresFallShort: if they are worse than promised.
    """
    share, ap50 = summary['frames']['share'], summary['accuracy']['ap50']
    wrong = [
        f'{name} is {value:.3f}, and at least {least:g} is promised'
        for name, value, least in (
            ('the share of frames processed', share, DEMO_LEAST_SHARE),
            ('AP50', ap50, DEMO_LEAST_AP50),
        )
        if not value >= least
    ]
    if wrong:
        raise FiguresFallShort(', '.join(wrong))
    return f'{share:.1%} of the frames processed, AP50 {ap50:.3f}'


def run_logged(
    name: str, command: list[str], environment: dict[str, str] | None = None, live: bool = True
) -> int:
    """Run a program, and where others run beside it print its output when it has failed."""
    if live:
        return run(command, ROOT, environment)
    log = RESULTS / f'{name}.log'
    with log.open('wb') as output:
        status = run(command, ROOT, environment, output)
    if status != 0:
        with PRINTING:
            print(paint('1', f'\n-- {name}'), flush=True)
            print(log.read_text(errors='replace'), flush=True)
    return status


def pytest(
    name: str,
    python: list[str],
    paths: list[str],
    live: bool,
    environment: dict[str, str] | None = None,
    cache: Path | None = None,
) -> Result:
    """Run pytest with a command that starts Python, and count from its report.

    Which tests failed is told where there is a folder for pytest's cache, which notes their ids.
    """
    report = RESULTS / f'{name}.xml'
    report.unlink(missing_ok=True)
    noting = ['-o', f'cache_dir={cache}'] if cache else ['-p', 'no:cacheprovider']
    options = ['-q', f'--timeout={TEST_LIMIT_S}', f'--junitxml={report}', *noting]
    status = run_logged(name, [*python, '-m', 'pytest', *options, *paths], environment, live)
    if not report.exists():
        return Result(False, f'pytest ended early, with exit status {status}')
    passed, failed, skipped = count(report)
    note = f'{passed} passed, {failed} failed, {skipped} skipped'
    if status == NO_TESTS_COLLECTED:
        note = 'no tests found'
    elif status != 0 and failed == 0:
        note += f'; pytest ended with exit status {status}'
    failures = failed_tests(cache) if cache and status == TESTS_FAILED else ()
    return Result(status == 0, note, passed, failed, skipped, failures=failures)


def unit_tests(name: str, python: list[str], paths: list[str], live: bool) -> Result:
    """Run tests that need no ROS, such that those which fail beside others can be run alone."""
    cache = RESULTS / f'{name}-cache'
    shutil.rmtree(cache, ignore_errors=True)  # of tests that failed in another run
    result = pytest(name, python, paths, live, cache=cache)
    if not live:
        only = ['--last-failed', '--last-failed-no-failures=none', *paths]
        result.run_failures = lambda: pytest(f'{name}-alone', python, only, False, cache=cache)
    return result


def pytest_in_ros(name: str, distro: str, path: Path, live: bool) -> Result:
    """Run tests with ROS around, in a domain that nobody else tests in."""
    began = time.monotonic()
    with reserve_domain(distro) as domain:
        result = pytest(
            name,
            [*in_ros(distro), 'python3'],
            [str(path.relative_to(ROOT))],
            live,
            {'ROS_DOMAIN_ID': str(domain)},
        )
    if not live:
        with PRINTING:
            print(f'  {name:44} {time.monotonic() - began:4.0f} s  {result.note}', flush=True)
    return result


def in_files(stage: str, distro: str, paths: list[Path], live: bool) -> Result:
    """Run tests with ROS around, a process a file."""

    def run_one(path: Path, ending: str, live: bool) -> Result:
        return pytest_in_ros(f'{stage}-{distro}-{path.stem}{ending}', distro, path, live)

    result = total({path: run_one(path, '', live) for path in paths})
    result.run_alone = None if live else lambda path: run_one(path, '-alone', False)
    return result


def in_ros(distro: str) -> list[str]:
    """Return what precedes a command that is to have ROS around it."""
    return [str(ROOT / 'tools/sandbox/ros_env.sh'), distro, '--']


Step = Callable[[bool], Result]


def plan(runner: Runner, distros: list[str], stages: list[str]) -> list[dict[str, Step]]:
    """List in order what may run side by side, by the names that the table shows."""
    waves: list[dict[str, Step]] = [
        {'lint': runner.lint},
        {
            'unit 1': partial(runner.unit, 1),
            'unit 2': partial(runner.unit, 2),
            'oldest': runner.oldest_libraries,
        },
        *(
            {f'{stage.__name__} {distro}': partial(stage, distro) for distro in distros}
            for stage in (runner.ros, runner.launch)
        ),
        *({f'demo {distro}': partial(runner.demo, distro)} for distro in distros),
    ]
    chosen = [
        {name: step for name, step in wave.items() if name.split()[0] in stages} for wave in waves
    ]
    return [wave for wave in chosen if wave]


def run_wave(wave: dict[str, Step]) -> Iterator[tuple[str, Result, float]]:
    """Run steps side by side; give name, result and seconds of each, in order."""
    print(paint('1', f'\n== {", ".join(wave)}'), flush=True)

    def timed(step: Step) -> tuple[Result, float]:
        began = time.monotonic()
        return step(len(wave) == 1), time.monotonic() - began

    with ThreadPoolExecutor(len(wave)) as pool:
        running = {name: pool.submit(timed, step) for name, step in wave.items()}
        try:
            for name, future in running.items():
                yield name, *future.result()
        except KeyboardInterrupt:
            INTERRUPTED.set()
            raise


def main() -> int:
    """Run the stages asked for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--venv', type=Path, required=True)
    parser.add_argument('--oldest', type=Path, required=True)
    parser.add_argument('--distros', nargs='+', required=True)
    parser.add_argument('--stages', nargs='*', choices=STAGES, default=[])
    options = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)

    results: list[Result] = []
    table: list[str] = []
    waves = plan(Runner(options.venv, options.oldest), options.distros, options.stages or STAGES)
    for wave in waves:
        for name, first, seconds in list(run_wave(wave)):
            result = second_try(first)
            table.append(line(name, result, seconds))
            results.append(result)
    report_dead_segments()

    print()
    print('\n'.join(table))
    passed, failed, skipped = sums(results)
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 0 if all(result.ok for result in results) else 1


if __name__ == '__main__':
    # As Ctrl-C does: what was started has sessions of its own, and would go on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
