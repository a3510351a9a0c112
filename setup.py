# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Build and install the ament_python package jetson_infer."""

import re
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'jetson_infer'
SHARE = Path('share') / PACKAGE
HERE = Path(__file__).parent
VERSION = re.search(r"__version__ = '(.+)'", (HERE / PACKAGE / '__init__.py').read_text())[1]


def share_files(folder: str, pattern: str = '**/*') -> list[tuple[str, list[str]]]:
    """List the files of a folder for data_files, one entry a sub-folder.

    The folder structure is kept below share/jetson_infer, which is where `ros2 launch` and
    `get_package_share_directory` look. Paths are relative to this file, as setuptools wants them.
    """
    by_folder: dict[str, list[str]] = {}
    for path in sorted((HERE / folder).glob(pattern)):
        relative = path.relative_to(HERE)
        if path.is_file() and '__pycache__' not in relative.parts:
            by_folder.setdefault(str(SHARE / relative.parent), []).append(str(relative))
    return sorted(by_folder.items())


# The lower bounds are what the unit tests run with in `make test`: requirements/oldest.in.
ONNXRUNTIME = ['onnxruntime>=1.16']
QUANTIZE = ['onnx>=1.15']  # edits networks; nothing on a robot needs it
OPENCV = ['opencv-python-headless>=4.5.4']  # Ubuntu 22.04's
RECORDINGS = ['rosbags>=0.11.6']  # the first that tells what is wrong with broken metadata
REPORT = ['rich>=11.2', 'jinja2>=3.0.3']  # Ubuntu 22.04's
# PyCUDA has no wheels and is built against the CUDA that is installed; cuda-bindings are optional
# and add CUDA graphs and the priorities of streams. Both bounds are the oldest that were run.
CUDA = ['pycuda>=2026.1', 'cuda-bindings>=12.9']
POWER = ['nvidia-ml-py>=12']  # what a GPU uses while bench measures; not for Jetsons
TENSORRT = ['tensorrt>=8.6']  # on a Jetson it comes with JetPack
# `colcon test` runs pytest where this names it.
TEST = ['pytest<9', 'hypothesis', 'onnx', 'scipy', 'pycocotools']

setup(
    name=PACKAGE,
    version=VERSION,
    description="Neural networks on a robot's NVIDIA Jetson: ROS 2 lifecycle nodes and toolchain",
    author='The jetson_infer authors',
    maintainer='The jetson_infer authors',
    maintainer_email='maintainers@jetson-infer.invalid',
    license='Apache-2.0',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={
        PACKAGE: [
            'py.typed',
            'cuda/kernels/*.cu',
            'cuda/kernels/*.cuh',
            'toolchain/report/*.css',
            'toolchain/report/*.j2',
            'toolchain/validate/*.j2',
        ]
    },
    zip_safe=True,
    python_requires='>=3.10',
    install_requires=['setuptools', 'numpy>=1.22', 'PyYAML>=5.4'],
    extras_require={
        'onnxruntime': ONNXRUNTIME,
        'opencv': OPENCV,
        'recordings': RECORDINGS,
        'report': REPORT,
        'quantize': QUANTIZE,
        'cuda': CUDA,
        'power': POWER,
        'tensorrt': TENSORRT,
        'all': ONNXRUNTIME + OPENCV + RECORDINGS + REPORT + QUANTIZE,
        'test': TEST,
    },
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (str(SHARE), ['package.xml']),
        ('bin', ['bin/jetson-infer']),
        *share_files('launch', '*.launch.py'),
        *share_files('config'),
        *share_files('models'),
        *share_files('recordings'),
    ],
    entry_points={
        'console_scripts': [
            'jetson-infer = jetson_infer.cli.main:main',
            'detector = jetson_infer.ros.programs:detector',
            'recording_player = jetson_infer.ros.programs:recording_player',
            'demo_observer = jetson_infer.ros.programs:demo_observer',
        ],
    },
)
