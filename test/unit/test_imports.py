# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The house's import rules, and that all but ros/ works with NumPy and PyYAML alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from import_rules import PACKAGE, room_of, violations

ROOT = Path(__file__).resolve().parents[2]
BARE = ROOT / 'test' / 'helpers' / 'bare_environment.py'


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob('*.py')):
        parts = path.relative_to(ROOT).with_suffix('').parts
        found['.'.join(parts[:-1] if parts[-1] == '__init__' else parts)] = path
    return found


@pytest.mark.parametrize(('module', 'path'), modules().items(), ids=modules())
def test_module_keeps_the_import_rules(module: str, path: Path) -> None:
    found = violations(module, path.read_text(), path.name == '__init__.py')
    assert not found, '\n'.join(map(str, found))


ALLOWED = {
    'core/downwards': ('jetson_infer.core.boxes', 'from jetson_infer.errors import CardError'),
    'core/itself': ('jetson_infer.core.boxes', 'from jetson_infer.core import tensors'),
    'core/numpy': ('jetson_infer.core.boxes', 'import math\nimport numpy as np'),
    'cuda/pycuda': (
        'jetson_infer.cuda.pycuda_device',
        'def open():\n    return require("pycuda.driver", "Using the GPU")',
    ),
    'cuda/bindings': (
        'jetson_infer.cuda.kernels.compiler',
        'def compile():\n    from cuda.bindings import nvrtc',
    ),
    'cuda/downwards': ('jetson_infer.cuda.kernels.x', 'from jetson_infer.core import encodings'),
    'engines/cuda room': ('jetson_infer.engines.session', 'from jetson_infer.cuda import memory'),
    'engines/yaml': ('jetson_infer.engines.models', 'import yaml'),
    'engines/onnxruntime': (
        'jetson_infer.engines.onnxruntime.session',
        'def open():\n    return require("onnxruntime", "Running a network")',
    ),
    'pipeline/cv2': ('jetson_infer.pipeline.x', 'def draw():\n    import cv2'),
    'power/jtop': ('jetson_infer.power.jtop', 'def read():\n    import jtop'),
    'ros/rclpy': ('jetson_infer.ros.detector_node', 'import rclpy\nimport sensor_msgs.msg'),
    'cli/exit': ('jetson_infer.cli.main', 'import sys\nsys.exit(1)'),
    'ros/run as a program': (
        'jetson_infer.ros.run',
        'import sys\nif __name__ == "__main__":\n    sys.exit(main())',
    ),
    'cli/package': ('jetson_infer.cli.main', 'from jetson_infer import __version__'),
    'toolchain/relative': ('jetson_infer.toolchain.report.page', 'from .charts import curve'),
}

FORBIDDEN = {
    'upwards': ('jetson_infer.core.boxes', 'import jetson_infer.pipeline.worker'),
    'upwards from': ('jetson_infer.engines.x', 'from jetson_infer.pipeline import worker'),
    'upwards by room': ('jetson_infer.engines.x', 'from jetson_infer import pipeline'),
    'upwards relative': ('jetson_infer.core.boxes', 'from ..pipeline import worker'),
    'upwards relative room': ('jetson_infer.core.boxes', 'from .. import pipeline'),
    'upwards in __init__': ('jetson_infer.core', 'from ..pipeline import worker'),
    'upwards in a function': ('jetson_infer.core.x', 'def f():\n    import jetson_infer.ros.node'),
    'upwards for types': (
        'jetson_infer.core.boxes',
        'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import jetson_infer.engines.x',
    ),
    'upwards by import_module': (
        'jetson_infer.core.boxes',
        'import importlib\nimportlib.import_module(f"jetson_infer.engines.{name}")',
    ),
    'errors know nobody': ('jetson_infer.errors', 'import jetson_infer.core.boxes'),
    'the package imports nothing': ('jetson_infer', 'import jetson_infer.errors'),
    'the package imports no NumPy': ('jetson_infer', 'import numpy'),
    'ros and cli': ('jetson_infer.ros.node', 'from jetson_infer.cli.main import main'),
    'cli and ros': ('jetson_infer.cli.demo', 'import jetson_infer.ros.detector_node'),
    'power and toolchain': ('jetson_infer.power.policy', 'import jetson_infer.toolchain.bench'),
    'a room nobody planned': ('jetson_infer.utils.misc', 'import jetson_infer.errors'),
    'into a room nobody planned': ('jetson_infer.core.boxes', 'import jetson_infer.utils'),
    'cv2 in core': ('jetson_infer.core.images', 'def f():\n    import cv2'),
    'yaml in core': ('jetson_infer.core.cards', 'import yaml'),
    'require in core': (
        'jetson_infer.core.images',
        'from jetson_infer.dependencies import require',
    ),
    'cv2 when loaded': ('jetson_infer.pipeline.annotate', 'import cv2'),
    'cv2 when loaded, guarded': (
        'jetson_infer.pipeline.annotate',
        'try:\n    import cv2\nexcept ImportError:\n    cv2 = None',
    ),
    'rich in a class body': ('jetson_infer.cli.demo', 'class View:\n    import rich'),
    'rclpy in pipeline': ('jetson_infer.pipeline.worker', 'def f():\n    import rclpy'),
    'messages in cli': ('jetson_infer.cli.demo', 'def f():\n    from vision_msgs.msg import X'),
    'tensorrt in toolchain': ('jetson_infer.toolchain.build', 'def f():\n    import tensorrt'),
    'onnxruntime in pipeline': (
        'jetson_infer.pipeline.x',
        'def f():\n    return require("onnxruntime.quantization", "x")',
    ),
    'pycuda in engines': ('jetson_infer.engines.tensorrt.x', 'def f():\n    import pycuda.driver'),
    'cuda in pipeline': (
        'jetson_infer.pipeline.x',
        'def f():\n    from cuda.bindings import driver',
    ),
    'upwards from cuda': ('jetson_infer.cuda.x', 'from jetson_infer.engines import session'),
    'cuda room in core': ('jetson_infer.core.x', 'from jetson_infer.cuda import memory'),
    'pycuda when loaded': ('jetson_infer.cuda.x', 'import pycuda.driver'),
    'tensorrt in cuda': ('jetson_infer.cuda.x', 'def f():\n    require("tensorrt", "x")'),
    'nvrtc in engines': (
        'jetson_infer.engines.x',
        'def f():\n    require("cuda.bindings.nvrtc", "x")',
    ),
    'libcuda in toolchain': (
        'jetson_infer.toolchain.x',
        'import ctypes\ndef f():\n    ctypes.CDLL("libcuda.so.1")',
    ),
    'jtop in ros': ('jetson_infer.ros.governor', 'def f():\n    from jtop import jtop'),
    'exit in ros': ('jetson_infer.ros.run', 'import sys\ndef main():\n    sys.exit(1)'),
    'exit in core': ('jetson_infer.core.x', 'raise SystemExit(2)'),
    'exit by name': ('jetson_infer.toolchain.x', 'from sys import exit'),
    '_exit in pipeline': ('jetson_infer.pipeline.x', 'import os\nos._exit(1)'),
}


@pytest.mark.parametrize(('module', 'source'), ALLOWED.values(), ids=ALLOWED)
def test_checker_lets_pass_what_is_allowed(module: str, source: str) -> None:
    assert violations(module, source) == []


@pytest.mark.parametrize(('module', 'source'), FORBIDDEN.values(), ids=FORBIDDEN)
def test_checker_sees_a_broken_rule(module: str, source: str) -> None:
    assert violations(module, source, is_package=module == 'jetson_infer.core')


def in_bare_environment(*arguments: str) -> 'subprocess.CompletedProcess[str]':
    return subprocess.run(
        [sys.executable, '-I', str(BARE), str(ROOT), *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_everything_but_ros_loads_with_numpy_and_pyyaml_alone() -> None:
    wanted = [module for module in modules() if room_of(module) != 'ros']
    result = in_bare_environment('import', *wanted)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {}


def test_bare_environment_is_bare() -> None:
    for module in ('cv2', 'onnxruntime', 'rclpy', 'pytest'):
        result = in_bare_environment('import', module)
        assert list(json.loads(result.stdout)) == [module]


def test_help_works_with_numpy_and_pyyaml_alone() -> None:
    result = in_bare_environment('help')
    assert result.returncode == 0, result.stderr
    assert 'usage: jetson-infer' in result.stdout


def verbs() -> list[str]:
    from jetson_infer.cli.main import VERBS

    return list(VERBS)


@pytest.mark.parametrize('verb', verbs())
def test_help_of_every_verb_works_with_numpy_and_pyyaml_alone(verb: str) -> None:
    result = in_bare_environment('help', verb)
    assert result.returncode == 0, result.stderr
    assert f'usage: jetson-infer {verb}' in result.stdout
