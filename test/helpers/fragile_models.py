# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Models that work on dark images and fail on bright ones: in the session, or in the decoder.

Nothing of the package is replaced: the networks themselves are what breaks, as real ones do.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from networks import card, save, tensor, write_model

LABELS = ['red', 'green', 'blue']
SHAPE = (1, 3, 48, 64)
CANDIDATES = np.zeros((1, 7, 3), np.float32)
CANDIDATES[0, :4] = np.array([[16, 12, 8, 6], [32, 24, 16, 12], [48, 36, 8, 6]]).T
CANDIDATES[0, 4:] = np.eye(3) * 0.9


def _brightness(scale: float):
    """Return nodes that make ``level``: int64 (1,), the mean times a scale, rounded down."""
    return [
        helper.make_node('ReduceMean', ['images'], ['mean'], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node('Mul', ['mean', 'scale'], ['scaled']),
        helper.make_node('Cast', ['scaled'], ['whole'], to=TensorProto.INT64),
        helper.make_node('Reshape', ['whole', 'one'], ['level']),
    ], {'scale': np.array(scale, np.float32), 'one': np.array([1], np.int64)}


def _mapping():
    return card(
        name='fragile',
        labels=LABELS,
        input={'name': 'images', 'size': [64, 48]},
        output={'decoder': 'yolo', 'defaults': {'score_threshold': 0.5}},
        variants=[{'name': 'only', 'onnx': 'fragile.onnx'}],
    )


def failing_session(folder: Path) -> Path:
    """Write a model whose session fails on images brighter than 60 %: a look-up out of range."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes, constants = _brightness(5.0)
    nodes += [
        helper.make_node('Gather', ['zeros', 'level'], ['zero']),
        helper.make_node('Add', ['candidates', 'zero'], ['output0']),
    ]
    constants.update(zeros=np.zeros(3, np.float32), candidates=CANDIDATES)
    save(
        folder / 'fragile.onnx',
        nodes,
        [tensor('images', SHAPE)],
        [tensor('output0', CANDIDATES.shape)],
        constants,
    )
    return write_model(folder, _mapping())


def failing_decoder(folder: Path) -> Path:
    """Write a model whose output loses channels on images brighter than 50 %."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes, constants = _brightness(2.0)
    nodes += [
        helper.make_node('Sub', ['seven', 'level'], ['end']),
        helper.make_node('Slice', ['candidates', 'start', 'end', 'axis'], ['output0']),
    ]
    constants.update(
        seven=np.array([7], np.int64),
        start=np.array([0], np.int64),
        axis=np.array([1], np.int64),
        candidates=CANDIDATES,
    )
    save(
        folder / 'fragile.onnx',
        nodes,
        [tensor('images', SHAPE)],
        [tensor('output0', (1, 'channels', 3))],
        constants,
    )
    return write_model(folder, _mapping())


def insatiable(folder: Path) -> Path:
    """Write a model that asks for a petabyte when it runs."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = [
        helper.make_node('ReduceMean', ['images'], ['mean'], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node('Expand', ['mean', 'huge'], ['filled']),
        helper.make_node('ReduceMean', ['filled'], ['back'], keepdims=0),
        helper.make_node('Add', ['candidates', 'back'], ['output0']),
    ]
    constants = {'huge': np.array([1 << 48], np.int64), 'candidates': CANDIDATES}
    save(
        folder / 'fragile.onnx',
        nodes,
        [tensor('images', SHAPE)],
        [tensor('output0', CANDIDATES.shape)],
        constants,
    )
    return write_model(folder, _mapping())
