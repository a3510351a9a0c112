# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From what ONNX Runtime says about a file to what a person can do about it."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ['explain_load_failure', 'one_line']

_NO_KERNEL = re.compile(
    r'not a registered function/op|Could not find an implementation', re.IGNORECASE
)
_TOO_NEW = re.compile(r'IR version|official released onnx opset')
_WEIGHTS_APART = re.compile(r'external data|GetFileLength', re.IGNORECASE)
_ADVICE = {
    _NO_KERNEL: (
        'the network holds an operation that ONNX Runtime does not have, such as a TensorRT '
        'plug-in; export it without (for NMS in the graph: with standard ONNX operations)'
    ),
    _TOO_NEW: (
        'the file is newer than this ONNX Runtime; export it with an older opset (17 works '
        'everywhere), or update onnxruntime'
    ),
    _WEIGHTS_APART: (
        'its weights are in a file of their own; copy that file beside the model, under the name '
        'it had when it was exported'
    ),
}
_PREAMBLE = re.compile(r'^\[ONNXRuntimeError\] : \d+ : \w+ : (Load model from .*? failed:)?')
_SOURCE_PLACE = re.compile(r'/onnxruntime_src/\S+:\d+ .*?\) (?=[A-Z[])')


def one_line(error: Exception) -> str:
    """Return an error's message on one line, without where in ONNX Runtime's source it arose."""
    text = ' '.join(str(error).split())
    return _SOURCE_PLACE.sub('', _PREAMBLE.sub('', text))


def explain_load_failure(path: Path, error: Exception) -> str:
    """Say why a file cannot be loaded, and what to do about it."""
    if not path.is_file():
        return f'{path}: there is no such file'
    size = path.stat().st_size
    detail = one_line(error)
    if type(error).__name__ == 'InvalidProtobuf' or not size:
        return (
            f'{path}: is not an ONNX model, or was cut short ({size} bytes); export or copy it '
            f'again ({detail})'
        )
    for pattern, advice in _ADVICE.items():
        if pattern.search(detail):
            return f'{path}: {advice} ({detail})'
    return f'{path}: ONNX Runtime cannot load it: {detail}'
