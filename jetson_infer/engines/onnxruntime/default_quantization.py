# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What ONNX Runtime's own quantization makes with its default settings, to compare with.

It is measured and thrown away: its zero points, quantized biases and folded activations are not
what TensorRT takes.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from jetson_infer.dependencies import require
from jetson_infer.errors import ModelError

__all__ = ['default_quantization']

PURPOSE = 'Quantizing with the defaults'


def default_quantization(file: Path, feeds: Sequence[Mapping[str, npt.NDArray[Any]]]) -> Any:
    """Return a network quantized by ONNX Runtime with nothing but its defaults.

    :param file: the network of 32-bit floats.
    :param feeds: the calibration images; the same as for our own quantization.
    :return: an ``onnx.ModelProto``.
    :raises ModelError: if it cannot quantize the network.
    """
    onnx = require('onnx', PURPOSE)
    quantization = require('onnxruntime.quantization', PURPOSE)
    remaining: Iterator[Mapping[str, npt.NDArray[Any]]] = iter(feeds)

    class Reader(quantization.CalibrationDataReader):  # type: ignore[name-defined]
        def get_next(self) -> Mapping[str, npt.NDArray[Any]] | None:
            return next(remaining, None)

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises on the root logger to prepare the network first
    try:
        with tempfile.TemporaryDirectory(prefix='jetson_infer_') as folder:
            made = Path(folder, 'default.onnx')
            quantization.quantize_static(str(file), str(made), Reader())
            return onnx.load(str(made))
    except Exception as error:  # it raises whatever it stumbles over
        raise ModelError(f"{file}: ONNX Runtime's own quantization failed: {error}") from error
    finally:
        root.setLevel(level)
