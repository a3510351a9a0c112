# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""`jetson-infer doctor` as a person and as a program runs it."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from brightness_model import write_brightness_model
from jetson_infer.cli.doctor_view import plain_lines, verdict
from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING, Finding, Section

ROOT = Path(__file__).resolve().parents[3]
NO_ROS = {
    k: v for k, v in os.environ.items() if not k.startswith(('ROS_', 'AMENT_', 'RMW_', 'FAST'))
}
BLOCKED = """
import importlib.abc, sys

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in BLOCKED:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

BLOCKED = set(sys.argv[1].split(','))
sys.meta_path.insert(0, Block())
from jetson_infer.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


def run(*command, **environment):
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**NO_ROS, 'PYTHONPATH': str(ROOT), **environment},
        timeout=110,
        check=False,
    )


def doctor(*arguments, **environment):
    return run('-m', 'jetson_infer.cli.main', 'doctor', *arguments, **environment)


def findings(done):
    report = json.loads(done.stdout)
    return {
        finding['check']: finding
        for section in report['sections']
        for finding in section['findings']
    }


def test_json_holds_every_section_and_the_verdict():
    done = doctor('--json')
    report = json.loads(done.stdout)
    assert [section['name'] for section in report['sections']] == [
        'Machine', 'Python and libraries', 'GPU', 'ROS 2', 'Models', 'TensorRT engines',
        'Recordings', 'Transport', 'Running nodes',
    ]  # fmt: skip
    levels = [f['level'] for section in report['sections'] for f in section['findings']]
    assert report['problems'] == levels.count('problem')
    assert done.returncode == (1 if report['problems'] else 0)
    assert report['ok'] == (done.returncode == 0)


def test_a_broken_model_is_named_and_fails(tmp_path):
    write_brightness_model(tmp_path / 'broken')
    (tmp_path / 'broken' / 'network.onnx').write_bytes(b'')
    done = doctor(JETSON_INFER_MODEL_PATH=str(tmp_path))
    assert done.returncode == 1
    assert re.search(r'✗ broken: .*network\.onnx is empty', done.stdout)
    assert 'problem' in done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ('variables', 'named'),
    [
        ({'FASTRTPS_DEFAULT_PROFILES_FILE': '/nowhere.xml'}, '/nowhere.xml'),
        ({'ROS_DISTRO': 'humble'}, 'does not find rclpy'),
        ({'ROS_DISTRO': 'humble', 'ROS_DOMAIN_ID': '999'}, 'ROS_DOMAIN_ID=999'),
        ({'ROS_DISTRO': 'humble', 'RMW_IMPLEMENTATION': 'rmw_none'}, 'rmw_none'),
    ],
)
def test_a_wrong_environment_is_named_and_fails(variables, named):
    done = doctor('--graph-seconds', '0', **variables)
    assert done.returncode == 1
    assert named in done.stdout


@pytest.mark.parametrize('module', ['cv2', 'onnxruntime'])
def test_a_missing_library_of_the_nodes_is_named_and_fails(module):
    done = run('-c', BLOCKED, module, 'doctor', '--json', '--graph-seconds', '0')
    finding = findings(done)[f'software.{module}']
    assert (done.returncode, finding['level']) == (1, 'problem')
    assert 'pip install' in finding['remedy']


def test_works_with_numpy_and_pyyaml_alone():
    modules = 'cv2,onnxruntime,rosbags,jinja2,rich,psutil,rclpy'
    done = run('-c', BLOCKED, modules, 'doctor', '--graph-seconds', '0')
    assert done.returncode == 1
    assert 'Traceback' not in done.stderr
    for module in ('cv2', 'onnxruntime', 'rosbags', 'jinja2', 'rich'):
        assert f'{module} is not installed' in done.stdout


def test_a_broken_library_is_told_with_what_it_said(tmp_path):
    (tmp_path / 'onnxruntime.py').write_text('raise AttributeError("built for NumPy 1")')
    done = run(
        '-m', 'jetson_infer.cli.main', 'doctor', '--json', '--graph-seconds', '0',
        PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]),
    )  # fmt: skip
    finding = findings(done)['software.onnxruntime']
    assert finding['level'] == 'problem'
    assert 'built for NumPy 1' in finding['what']


def test_a_ros_that_makes_no_node_is_told_with_what_it_said(tmp_path):
    (tmp_path / 'rclpy.py').write_text('raise RuntimeError("no middleware")')
    done = doctor('--json', PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    finding = findings(done)['graph.failed']
    assert (done.returncode, finding['level']) == (1, 'problem')
    assert 'no middleware' in finding['what']
    assert 'jetson_infer.ros.graph_report' in finding['remedy']


def test_writes_nothing(tmp_path):
    write_brightness_model(tmp_path / 'models' / 'brightness')
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*')}
    doctor('--graph-seconds', '0', JETSON_INFER_MODEL_PATH=str(tmp_path / 'models'))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*')} == before


@pytest.mark.parametrize('arguments', [('--graph-seconds', '-1'), ('--colour',)])
def test_wrong_use_is_2(arguments):
    assert doctor(*arguments).returncode == 2


def test_a_terminal_gets_colours_and_lines_that_fit():
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, '-m', 'jetson_infer.cli.main', 'doctor', '--graph-seconds', '0'],
        stdout=slave, stderr=slave, cwd=ROOT,
        env={**NO_ROS, 'PYTHONPATH': str(ROOT), 'COLUMNS': '70', 'TERM': 'xterm-256color'},
    )  # fmt: skip
    os.close(slave)
    shown = b''
    try:
        while chunk := os.read(master, 4096):
            shown += chunk
    except OSError:  # Linux's way to say that the other side is closed
        process.wait(60)
    os.close(master)
    assert b'\x1b[' in shown
    plain = re.sub('\x1b\\[[0-9;]*m', '', shown.decode())
    assert 'Machine' in plain
    assert max(map(len, plain.splitlines())) <= 70


def test_plain_text_has_a_line_for_each_finding():
    sections = [
        Section('One', [Finding(OK, 'a', 'good'), Finding(PROBLEM, 'b', 'bad', 'mend it')]),
        Section('Two', [Finding(WARNING, 'c', 'so so'), Finding(NOTE, 'd', 'known')]),
    ]
    assert plain_lines(sections) == [
        'One', '  ✓ good', '  ✗ bad', '      → mend it', '',
        'Two', '  ! so so', '  · known', '',
        '1 problem and 1 warning.',
    ]  # fmt: skip
    assert '\n'.join(plain_lines(sections, unicode=False)).isascii()


def test_verdict_when_all_is_well():
    assert verdict([Section('One', [Finding(OK, 'a', 'good'), Finding(NOTE, 'b', 'x')])]) == (
        'All is well.'
    )


def test_a_terminal_without_unicode_is_served():
    done = doctor('--graph-seconds', '0', PYTHONIOENCODING='ascii')
    assert 'Traceback' not in done.stderr
    assert done.stdout.isascii()
    assert 'Machine' in done.stdout
