# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""From logits to scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ['ACTIVATIONS', 'logit', 'sigmoid', 'softmax']

ACTIVATIONS = ('none', 'sigmoid', 'softmax')


def sigmoid(logits: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return ``1 / (1 + exp(-x))`` as float32.

    NaN where the logit is NaN or plus infinity, which is an overflow rather than a certainty.
    """
    with np.errstate(over='ignore'):
        scores = 1 / (1 + np.exp(-logits.astype(np.float32)))
    scores[np.isposinf(logits)] = np.nan
    return scores.astype(np.float32, copy=False)


def logit(score: float) -> float:
    """Return the inverse of :func:`sigmoid`: the logit at which a score is reached.

    Comparing logits with it saves computing the scores of all that fall short.
    """
    if score <= 0:
        return -math.inf
    return math.inf if score >= 1 else math.log(score / (1 - score))


def softmax(logits: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return ``exp(x) / sum(exp(x))`` over the last axis as float32."""
    logits = logits.astype(np.float32)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scores: npt.NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return scores
