# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The real binding module of a version of TensorRT, on a machine without TensorRT.

The module is linked to TensorRT's libraries, but calls nothing of them until a builder, a runtime
or a parser is made.  So libraries of a dozen empty functions are enough to import it, to look at
every class, and to use the classes that are Python's own to derive from.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WHERE = ROOT / '.sandbox' / 'tensorrt'
LOCK = ROOT / 'requirements' / 'tensorrt.txt'
VERSIONS = tuple(re.findall(r'^tensorrt\w*==(\S+)', LOCK.read_text(), re.MULTILINE))
LIBRARIES = ('nvinfer', 'nvinfer_plugin', 'nvonnxparser', 'nvparsers')
FUNCTIONS = (
    'createInferBuilder_INTERNAL', 'createInferRuntime_INTERNAL', 'createInferRefitter_INTERNAL',
    'createNvOnnxParser_INTERNAL', 'createNvOnnxParserRefitter_INTERNAL', 'getNvOnnxParserVersion',
    'getPluginRegistry', 'getBuilderPluginRegistry', 'initLibNvInferPlugins',
    '_ZN11nvuffparser15createUffParserEv', '_ZN11nvuffparser8FieldMapC1EPKcPKvNS_9FieldTypeEi',
    '_ZN14nvcaffeparser117createCaffeParserEv',
    '_ZN14nvcaffeparser123shutdownProtobufLibraryEv',
)  # fmt: skip


class NoBindings(Exception):
    """Why there are none here."""


@dataclass(frozen=True)
class Bindings:
    """One version's module.

    :param version: TensorRT's.
    :param folder: where the module was unpacked.
    :param python: the Python that it was made for.
    :param libraries: a folder for the stand-ins of its libraries.
    """

    version: str
    folder: Path
    python: str
    libraries: Path

    def run(self, script: str, *arguments: str) -> str:
        """Run a program in the version's Python, with the module and this package to import."""
        environment = {
            **os.environ,
            'LD_LIBRARY_PATH': str(self.libraries),
            'PYTHONPATH': f'{self.folder}{os.pathsep}{ROOT}',
            'PYTHONDONTWRITEBYTECODE': '1',
        }
        result = subprocess.run(
            [self.python, '-s', script, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def run_text(self, text: str) -> object:
        """Run a program that prints JSON."""
        script = self.libraries / 'script.py'
        script.write_text(text)
        return json.loads(self.run(str(script)))

    def write_stub(self, folder: Path) -> Path:
        """Describe the module as a type stub in ``folder`` and return its file."""
        (folder / 'tensorrt').mkdir(parents=True)
        path = folder / 'tensorrt' / '__init__.pyi'
        path.write_text(self.run(str(Path(__file__).with_name('describe.py'))))
        return path


def open_bindings(version: str, scratch: Path) -> Bindings:
    """Return a version's module with the libraries it asks for.

    :param scratch: an empty folder.
    :raises NoBindings: if it was not fetched, or there is no C compiler.
    """
    folder = WHERE / version
    if not (folder / 'python').is_file():
        raise NoBindings(
            f'the bindings of TensorRT {version} are not here; make setup fetches them'
        )
    compiler = shutil.which('cc') or shutil.which('gcc') or shutil.which('clang')
    if compiler is None:
        raise NoBindings('no C compiler (cc) for the stand-ins of the TensorRT libraries')
    source = scratch / 'empty.c'
    source.write_text(''.join(f'void *{name}(void) {{ return 0; }}\n' for name in FUNCTIONS))
    for library in LIBRARIES:
        name = f'lib{library}.so.{version.split(".")[0]}'
        subprocess.run(
            [
                compiler,
                '-shared',
                '-fPIC',
                '-w',
                f'-Wl,-soname,{name}',
                '-o',
                scratch / name,
                source,
            ],
            check=True,
        )
    return Bindings(version, folder, (folder / 'python').read_text().strip(), scratch)
