# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Thin lifecycle nodes, parameters, conversions, diagnostics; the only place that imports rclpy."""
