# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Optional dependencies: imported where they are used, missed with a remedy.

Everything outside ``ros/`` imports with NumPy and PyYAML alone.  Whatever else a piece of work
needs it asks for here, in the function or constructor that needs it, and keeps the module in an
attribute where it is used for every frame.
"""

from __future__ import annotations

import importlib
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from jetson_infer.errors import InternalError, MissingDependencyError

__all__ = ['OPTIONAL_MODULES', 'OptionalModule', 'externally_managed', 'pip_install', 'require']


def externally_managed(stdlib: str | None = None, prefix: str | None = None) -> bool:
    """Tell whether pip refuses to install beside this Python's own packages (PEP 668).

    Ubuntu 24.04 marks its Python so, and 22.04 does not.

    :param stdlib: the standard library's folder; this Python's when None.
    :param prefix: where packages are installed; this Python's when None.
    """
    if (prefix or sys.prefix) != sys.base_prefix:
        return False  # a virtual environment
    return Path(stdlib or sysconfig.get_path('stdlib'), 'EXTERNALLY-MANAGED').is_file()


def pip_install(requirements: str) -> str:
    """Return the command that installs from PyPI for the Python that runs this.

    ROS nodes run in the system's Python, so where that one is externally managed pip is told that
    it may; without root's rights it installs below ``~/.local``.
    """
    allowed = '--break-system-packages ' if externally_managed() else ''
    return f'pip install {allowed}{requirements}'


@dataclass(frozen=True)
class OptionalModule:
    """Where an optional module comes from.

    :param pip: the distribution's name on PyPI.
    :param apt: the package's name on Ubuntu 22.04 and 24.04; empty where there is none.
    :param is_namespace: whether its own folder holds no code, only those below it.
    """

    pip: str
    apt: str = ''
    is_namespace: bool = False

    @property
    def remedy(self) -> str:
        """The command that installs it; apt first, whose builds fit a ROS installation's NumPy."""
        pip = pip_install(self.pip)
        return f'sudo apt install {self.apt} (or: {pip})' if self.apt else pip


OPTIONAL_MODULES = {
    'cuda': OptionalModule('cuda-bindings', is_namespace=True),
    'cv2': OptionalModule('opencv-python-headless', 'python3-opencv'),
    'jinja2': OptionalModule('Jinja2', 'python3-jinja2'),
    'onnx': OptionalModule('onnx'),
    'onnxruntime': OptionalModule('onnxruntime'),
    'pycuda': OptionalModule('pycuda'),
    'pynvml': OptionalModule('nvidia-ml-py'),
    'rich': OptionalModule('rich', 'python3-rich'),
    'rosbags': OptionalModule('rosbags', is_namespace=True),
    'tensorrt': OptionalModule('tensorrt', 'python3-libnvinfer'),
}
"""Every optional dependency by the name it is imported under."""


def require(module: str, purpose: str) -> ModuleType:
    """Import an optional module, or say what needs it and how to get it.

    :param module: the name to import; submodules as ``'rosbags.highlevel'``.
    :param purpose: what it is needed for, as a noun phrase that starts a sentence: ``'Reading
        recordings'``.
    :raises MissingDependencyError: if it is not installed, or installed and fails to import, or a
        folder that is no package has its name; the message tells which.
    :raises InternalError: if :data:`OPTIONAL_MODULES` does not list it.
    """
    root = module.partition('.')[0]
    if root not in OPTIONAL_MODULES:
        raise InternalError(f"'{root}' is not among the optional modules of jetson_infer")
    wanted = OPTIONAL_MODULES[root]
    remedy = wanted.remedy
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        if not (isinstance(error, ModuleNotFoundError) and _absent(error.name, module)):
            remedy += f'; the one that is installed cannot be imported: {error}'
        raise MissingDependencyError(module, purpose, remedy) from error
    is_folder = getattr(found, '__file__', None) is None and hasattr(found, '__path__')
    if is_folder and not wanted.is_namespace:
        # Python imports any folder of that name, as a package of nothing.
        remedy += f'; what Python finds is a folder without code: {", ".join(found.__path__)}'
        raise MissingDependencyError(module, purpose, remedy)
    return found


def _absent(missing: str | None, module: str) -> bool:
    """Whether what was not found is the distribution itself, and not something it needs.

    Several distributions may share the first part of a name, as those below ``cuda`` do: that it is
    there says nothing of the others.
    """
    root = module.partition('.')[0]
    if missing == root:
        return True
    shared = root in sys.modules and getattr(sys.modules[root], '__file__', None) is None
    return shared and missing is not None and f'{module}.'.startswith(f'{missing}.')
