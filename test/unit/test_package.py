# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What makes the folder a ROS package: it installs what it promises, and declares what it needs."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import jetson_infer
from import_rules import OWNERS, imports
from jetson_infer.dependencies import OPTIONAL_MODULES

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / 'jetson_infer').rglob('*.py'))
LAUNCH_FILES = sorted((ROOT / 'launch').glob('*.launch.py'))
PACKAGE_XML = ElementTree.parse(ROOT / 'package.xml').getroot()

ROSDEP_KEYS = {
    'cv2': 'python3-opencv',
    'jinja2': 'python3-jinja2',
    'numpy': 'python3-numpy',
    'onnxruntime': 'python3-onnxruntime-pip',
    'rich': 'python3-rich',
    'rosbags': 'python3-rosbags-pip',
    'yaml': 'python3-yaml',
}
NOT_IMPORTED = {'ros2launch'}
"""Declared for a command."""

LONGEST_FILE = 400
LONGEST_FUNCTION = 70


def setup(*arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, 'setup.py', '--quiet', *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout


def imported_modules() -> set[str]:
    return {
        item.name.split('.')[0]
        for path in [*SOURCES, *LAUNCH_FILES]
        for item in imports(ast.parse(path.read_text()), 'jetson_infer.x', False)
    }


def test_one_version_everywhere() -> None:
    assert PACKAGE_XML.findtext('version') == jetson_infer.__version__
    assert setup('--version').strip() == jetson_infer.__version__
    changelog = (ROOT / 'CHANGELOG.rst').read_text()
    assert jetson_infer.__version__ in changelog or 'Forthcoming' in changelog


def test_every_import_is_declared_and_every_declared_package_imported() -> None:
    declared = {element.text for element in PACKAGE_XML.iter('exec_depend')} - NOT_IMPORTED
    ours = {*sys.stdlib_module_names, 'jetson_infer'}
    without_key = {*OWNERS['cuda'], *OWNERS['engines.tensorrt'], *OWNERS['power'], 'onnx'}
    needed = {ROSDEP_KEYS.get(module, module) for module in imported_modules() - ours - without_key}
    assert declared == needed


def test_every_extra_serves_an_optional_module() -> None:
    requirements = re.findall(
        r'^(?!TEST)[A-Z]+ = \[(.+)\]', (ROOT / 'setup.py').read_text(), re.MULTILINE
    )
    offered = {
        re.split('[<>=]', name)[0].lower() for name in re.findall("'([^']+)'", str(requirements))
    }
    assert {module.pip.lower() for module in OPTIONAL_MODULES.values()} == offered


def entry_points() -> dict[str, str]:
    return dict(
        re.findall(r"'([\w-]+) = (jetson_infer[\w.]+:\w+)'", (ROOT / 'setup.py').read_text())
    )


def test_there_are_entry_points() -> None:
    assert {'jetson-infer', 'detector', 'recording_player'} <= set(entry_points())


@pytest.mark.parametrize('name', entry_points())
def test_executable_has_a_main(name: str) -> None:
    module, _, function = entry_points()[name].partition(':')
    path = ROOT / f'{module.replace(".", "/")}.py'
    tree = ast.parse(path.read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_installs_every_shared_file_where_ros_looks(tmp_path: Path) -> None:
    setup(
        'build', f'--build-base={tmp_path / "build"}',
        'egg_info', f'--egg-base={tmp_path}',
        'install', f'--root={tmp_path / "root"}', '--prefix=/p',
        '--single-version-externally-managed', '--record=/dev/null',
    )  # fmt: skip
    prefix = tmp_path / 'root' / 'p'
    share = prefix / 'share' / 'jetson_infer'
    tracked = [*LAUNCH_FILES, ROOT / 'package.xml']
    for folder in ('config', 'models', 'recordings'):
        tracked += [path for path in (ROOT / folder).rglob('*') if path.is_file()]
    for path in tracked:
        installed = share / path.relative_to(ROOT)
        assert installed.is_file(), f'{path.relative_to(ROOT)} is not installed'
        assert installed.read_bytes() == path.read_bytes()
    assert (prefix / 'share/ament_index/resource_index/packages/jetson_infer').is_file()
    assert (prefix / 'bin/jetson-infer').stat().st_mode & 0o111


@pytest.mark.parametrize('path', [*SOURCES, *LAUNCH_FILES], ids=lambda path: path.name)
def test_source_names_its_owner_and_licence(path: Path) -> None:
    head = path.read_text().splitlines()[:2]
    assert head == [
        '# Copyright 2026 The jetson_infer authors',
        '# SPDX-License-Identifier: Apache-2.0',
    ]


@pytest.mark.parametrize('path', SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_can_be_seen_whole(path: Path) -> None:
    text = path.read_text()
    assert text.count('\n') <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f'{node.name} has {lines} lines'
