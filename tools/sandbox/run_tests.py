# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Run the stages of `make test`, each whatever the others did, and sum them up.

The last line is the sum over all pytest stages alone: `N passed, N failed[, N skipped]`. The exit
status is 0 only where every stage passed.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from domains import reserve_domain
from processes import run
from shm_clean import report_dead_segments

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / '.sandbox' / 'results'
DEMO_SECONDS = 8
NO_TESTS_COLLECTED = 5  # pytest's exit status
LEANING = ('core', 'engines', 'pipeline', 'toolchain')  # on the versions of libraries
STAGES = ('lint', 'unit', 'oldest', 'ros', 'launch', 'demo')

COLOUR = sys.stdout.isatty() and not os.environ.get('NO_COLOR')


def paint(code: str, text: str) -> str:
    """Colour a text where a person looks at it."""
    return f'\033[{code}m{text}\033[0m' if COLOUR else text


@dataclass
class Result:
    """What came of a stage."""

    ok: bool
    note: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Runner:
    """The stages, in the environments given."""

    venv: Path
    oldest: Path

    def lint(self) -> Result:
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
            if run([str(self.venv / 'bin' / program), *arguments], ROOT) != 0
        ]
        return Result(not failed, f'{", ".join(failed)} failed' if failed else ', '.join(checks))

    def unit(self) -> Result:
        """Run the unit tests without ROS around them."""
        return pytest('unit', [str(self.venv / 'bin/python')], ['test/unit'])

    def oldest_libraries(self) -> Result:
        """Run what leans on the libraries with the oldest supported ones, on the oldest Python."""
        python = self.oldest / 'bin/python'
        if not python.exists():
            return Result(True, 'skipped: no Python 3.10 found (on PATH, in ~/.pyenv, by uv)')
        return pytest('oldest', [str(python)], [f'test/unit/{room}' for room in LEANING])

    def ros(self, distro: str) -> Result:
        """Run the tests of nodes in the tests' own process, over real DDS."""
        return pytest_in_ros('ros', distro)

    def launch(self, distro: str) -> Result:
        """Run the tests of launched nodes; in an own process, as each sets rclpy up anew."""
        return pytest_in_ros('launch', distro)

    def demo(self, distro: str) -> Result:
        """Run the demo briefly, and look for the report it promises."""
        report = RESULTS / f'demo-{distro}' / 'report.html'
        report.unlink(missing_ok=True)
        command = ['jetson-infer', 'demo', '--out', str(report.parent), '--duration']
        with reserve_domain() as domain:
            status = run(
                [*in_ros(distro), *command, str(DEMO_SECONDS)], ROOT, {'ROS_DOMAIN_ID': str(domain)}
            )
        if status != 0:
            return Result(False, f'exit status {status}')
        if not report.is_file():
            return Result(False, f'it ended well, but left no {report.relative_to(ROOT)}')
        return Result(True, str(report.relative_to(ROOT)))


def pytest(
    stage: str, python: list[str], paths: list[str], environment: dict[str, str] | None = None
) -> Result:
    """Run pytest with a command that starts Python, and count from its report."""
    report = RESULTS / f'{stage}.xml'
    report.unlink(missing_ok=True)
    options = ['-q', '--timeout=120', '-p', 'no:cacheprovider', f'--junitxml={report}']
    status = run([*python, '-m', 'pytest', *options, *paths], ROOT, environment)
    if not report.exists():
        return Result(False, f'pytest ended early, with exit status {status}')
    passed, failed, skipped = count(report)
    note = f'{passed} passed, {failed} failed, {skipped} skipped'
    if status == NO_TESTS_COLLECTED:
        note = 'no tests found'
    elif status != 0 and failed == 0:
        note += f'; pytest ended with exit status {status}'
    return Result(status == 0, note, passed, failed, skipped)


def pytest_in_ros(stage: str, distro: str) -> Result:
    """Run the tests of test/<stage> with ROS around, in a domain that nobody else tests in."""
    with reserve_domain() as domain:
        return pytest(
            f'{stage}-{distro}',
            [*in_ros(distro), 'python3'],
            [f'test/{stage}'],
            {'ROS_DOMAIN_ID': str(domain)},
        )


def in_ros(distro: str) -> list[str]:
    """Return what precedes a command that is to have ROS around it."""
    return [str(ROOT / 'tools/sandbox/ros_env.sh'), distro, '--']


def count(report: Path) -> tuple[int, int, int]:
    """Count the passed, failed (errors included) and skipped tests of a JUnit file."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).iter('testcase'):
        outcomes = {child.tag for child in case}
        if outcomes & {'failure', 'error'}:
            failed += 1
        elif 'skipped' in outcomes:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def plan(runner: Runner, distros: list[str], stages: list[str]) -> dict[str, Callable[[], Result]]:
    """List what is to run, in order, by the name that the table shows."""
    steps: dict[str, Callable[[], Result]] = {
        'lint': runner.lint,
        'unit': runner.unit,
        'oldest': runner.oldest_libraries,
    }
    for stage in (runner.ros, runner.launch, runner.demo):
        for distro in distros:
            steps[f'{stage.__name__} {distro}'] = partial(stage, distro)
    return {name: step for name, step in steps.items() if name.split()[0] in stages}


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
    steps = plan(Runner(options.venv, options.oldest), options.distros, options.stages or STAGES)
    for name, step in steps.items():
        print(paint('1', f'\n== {name}'), flush=True)
        began = time.monotonic()
        result = step()
        seconds = time.monotonic() - began
        verdict = paint('32', 'ok    ') if result.ok else paint('31', 'FAILED')
        table.append(f'  {name:14} {verdict} {seconds:5.0f} s  {result.note}')
        results.append(result)
    report_dead_segments()

    print()
    print('\n'.join(table))
    passed, failed, skipped = (
        sum(getattr(result, outcome) for result in results)
        for outcome in ('passed', 'failed', 'skipped')
    )
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 0 if all(result.ok for result in results) else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
