# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""INT8 and mixed-precision networks from a robot's own images, made and measured layer by layer."""
