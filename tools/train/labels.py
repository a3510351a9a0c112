# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the detector knows, and what counts as too hard to be held against it."""

from __future__ import annotations

LABELS = ('person', 'dog', 'chair', 'table', 'sofa', 'plant', 'box', 'door')
"""Class names in the order of the network's outputs and of the scene generator's class indices."""

MIN_VISIBLE_FRACTION = 0.3
MIN_SIDE_PX = 12
MIN_VISIBLE_PX = 200
"""An object below any of these is `difficult`: ignored in the loss and in the evaluation."""

HELD_OUT_SEED = 1_000_000
"""Scenes with this seed or a higher one are never trained on."""

PAD_VALUE = 114
"""Grey that letterboxing puts beside the image, 0..255, in training as on the robot."""

SIZES = ((640, 480), (320, 256))
"""Network inputs, width and height, that are trained, evaluated and exported."""
