# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What TensorRT's ONNX parser refuses: which node, why, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

from jetson_infer.engines.tensorrt.api import member_name, trt
from jetson_infer.engines.tensorrt.log import MessageLog
from jetson_infer.engines.tensorrt.onnx_nodes import find_node

__all__ = ['describe_error', 'parse_failure']

MISSING_OPERATOR = re.compile(r'no importer registered|plugin', re.IGNORECASE)
"""How the parser says that it does not know an operator."""


def describe_error(path: Path, error: trt.ParserError) -> str:
    """Say what is wrong with which node: ``node 12 'conv1' (Conv): ... [UNSUPPORTED_NODE]``.

    :param error: a ``tensorrt.ParserError``. Before 10 it tells the node's index only; name and
        operator are then read from the file.
    """
    index = error.node()
    name, operator = '', ''
    if hasattr(error, 'node_name') and hasattr(error, 'node_operator'):
        name, operator = error.node_name(), error.node_operator()
    elif index >= 0:
        name, operator = find_node(path, index) or ('', '')
    where = f'node {index}' if index >= 0 else 'the model'
    where += f" '{name}'" if name else ''
    where += f' ({operator})' if operator else ''
    if hasattr(error, 'local_function_stack'):
        functions = error.local_function_stack()
        where += f' in {" in ".join(functions)}' if functions else ''
    text = ' '.join(error.desc().split())
    return f'{where}: {text} [{member_name(error.code())}]'


def parse_failure(path: Path, errors: list[str], log: MessageLog) -> str:
    """Return the message for a file that cannot be parsed: every error, and what to do.

    :param errors: as :func:`describe_error` told them; the log's errors stand in for none.
    """
    if not errors:
        return f'{path}: TensorRT cannot parse it: {log.reasons()}'
    listing = ''.join(f'\n  {error}' for error in errors)
    count = f'{len(errors)} error{"s" if len(errors) > 1 else ""}'
    return (
        f'{path}: TensorRT {trt.__version__} cannot parse it, {count}:{listing}\n{_advice(errors)}'
    )


def _advice(errors: list[str]) -> str:
    """Return what to do about the parser's errors.

    Its code ``UNSUPPORTED_NODE`` stands for operators that it does not know, and for settings and
    shapes of well-known ones that it does not take: the text tells which.
    """
    text = '\n'.join(errors)
    if MISSING_OPERATOR.search(text):
        return (
            'export the network without these operations (their plug-in is not part of TensorRT), '
            'or with opset 17'
        )
    if 'checkSpatialDims' in text:
        return (
            'give these nodes the attribute kernel_shape: without it TensorRT takes weights that '
            'come through DequantizeLinear for kernels of 1x1; jetson-infer quantize writes it'
        )
    if 'UNSUPPORTED' in text:
        return (
            'TensorRT knows these operations, but not with these settings or shapes: export the '
            'network without them, with fixed shapes, or with opset 17'
        )
    return 'export it again; opset 17 is what all versions read'
