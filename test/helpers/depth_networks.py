# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A depth model whose depth is known beforehand, for tests of everything around it.

Bright is far: a pixel's depth is ``NEAR_M`` metres where it is black, ``FAR_M`` where it is white,
and in proportion to its brightness, the mean of its channels, between.  The network takes the mean
of every ``CELL`` by ``CELL`` pixels of its input and scales the result up again, bilinearly: an
image's details are lost as with real ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from onnx import TensorProto, helper

import networks

SIZE = (64, 48)
NEAR_M, FAR_M = 1.0, 5.0
CELL = 4

VARIANTS = {
    'fp32': (NEAR_M, FAR_M),
    'close': (NEAR_M, FAR_M * 1.01),
    'ruined': (FAR_M, NEAR_M),
}
"""The depth of black and of white, by the variant's name: the last one has near and far swapped."""


def true_depth(pixels: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return the depth, in metres, of pixels ``(H, W, 3)`` uint8, without any network.

    :param pixels: of an image whose cells of the network's input have one brightness each, or an
        image that is already of the input's size.
    :param size: width and height to scale the result to, by OpenCV; the pixels' own unless given.
    """
    brightness = pixels.astype(np.float64).mean(axis=2) / 255
    depth = NEAR_M + (FAR_M - NEAR_M) * brightness
    return depth if size is None else cv2.resize(depth, size, interpolation=cv2.INTER_LINEAR)


def network_depth(pixels: np.ndarray) -> np.ndarray:
    """Return what the network makes of pixels of its input's size, by OpenCV."""
    height, width = pixels.shape[:2]
    cells = (width // CELL, height // CELL)
    coarse = cv2.resize(true_depth(pixels), cells, interpolation=cv2.INTER_AREA)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def write_depth_network(
    path: Path,
    near_m: float = NEAR_M,
    far_m: float = FAR_M,
    *,
    size: tuple[int, int] = SIZE,
    inverse: bool = False,
    factor: int = CELL,
    declared: tuple[int | str, ...] | None = None,
) -> Path:
    """Write the network: ``image (1, 3, H, W)``, values 0 to 1, to ``depth (1, 1, h, w)``.

    :param near_m: the depth of black.
    :param far_m: the depth of white.
    :param inverse: put out the inverse of the depth.
    :param factor: how many times larger than a cell's size the output is; ``CELL`` for the input's
        size.
    :param declared: the output's shape as the file declares it; the true one unless given.
    """
    width, height = size
    constants = {
        'gain': np.full((1, 3, 1, 1), (far_m - near_m) / 3, np.float32),
        'offset': np.array([near_m], np.float32),
        'factors': np.array([1, 1, factor, factor], np.float32),
    }
    cells = {'kernel_shape': [CELL, CELL], 'strides': [CELL, CELL]}
    scaled = 'depth' if not inverse else 'metres'
    nodes = [
        helper.make_node('Conv', ['image', 'gain', 'offset'], ['fine'], name='/to_metres'),
        helper.make_node('AveragePool', ['fine'], ['coarse'], name='/cells', **cells),
        helper.make_node('Resize', ['coarse', '', 'factors'], [scaled], mode='linear'),
    ]
    if inverse:
        nodes.append(helper.make_node('Reciprocal', ['metres'], ['depth']))
    shape = declared or (1, 1, height // CELL * factor, width // CELL * factor)
    return networks.save(
        path,
        nodes,
        [helper.make_tensor_value_info('image', TensorProto.FLOAT, [1, 3, height, width])],
        [networks.tensor('depth', shape)],
        constants,
    )


def depth_card(**changes: Any) -> dict[str, Any]:
    """Return the mapping of the model's card; ``changes`` replace its top-level keys."""
    return {
        'format': 1,
        'name': 'brightness_depth',
        'task': 'depth',
        'description': 'A network whose depth is known beforehand.',
        'license': 'Apache-2.0',
        'input': {'size': list(SIZE), 'colour': 'rgb', 'resize': 'letterbox', 'scale': '1/255'},
        'output': {'decoder': 'depth'},
        'variants': [{'name': name, 'onnx': f'{name}.onnx'} for name in VARIANTS],
        **changes,
    }


def write_depth_model(folder: Path, card: Mapping[str, Any] | None = None, **network: Any) -> Path:
    """Write the model's folder and return it; it has the variants of ``VARIANTS``.

    :param card: the card's mapping; that of :func:`depth_card` unless given.  Its variants are to
        have names of ``VARIANTS``.
    :param network: see :func:`write_depth_network`; the size is the card's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mapping = depth_card() if card is None else dict(card)
    (folder / 'model.yaml').write_text(yaml.safe_dump(mapping), encoding='utf-8')
    for variant in mapping['variants']:
        size = tuple(variant.get('size', mapping['input']['size']))
        write_depth_network(
            folder / variant['onnx'], *VARIANTS[variant['name']], size=size, **network
        )
    return folder
