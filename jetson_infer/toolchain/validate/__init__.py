# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Holding variants against their FP32 reference on recorded data."""
