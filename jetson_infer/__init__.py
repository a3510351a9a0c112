# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Neural networks on an NVIDIA Jetson: ROS 2 lifecycle nodes, and the engines that they run."""

__version__ = '0.1.0'
