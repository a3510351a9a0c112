# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the detector knows, and the sizes it is made for."""

from __future__ import annotations

LABELS = ('person', 'dog', 'chair', 'table', 'sofa', 'plant', 'box', 'door')
"""Class names in the order of the network's outputs and of the scene generator's class indices."""

MIN_VISIBLE_FRACTION = 0.3
"""An object less visible than this in a training view is ignored in the loss, as the scene
generator's `difficult` objects are, in the loss and in the evaluation."""

HELD_OUT_SEED = 1_000_000
"""Scenes with this seed or a higher one are never trained on."""

PAD_VALUE = 114
"""Grey that letterboxing puts beside the image, 0..255, in training as on the robot."""

SIZES = ((640, 480), (320, 256))
"""Network inputs, width and height, that are trained, evaluated and exported."""
