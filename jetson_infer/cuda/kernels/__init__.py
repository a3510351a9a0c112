# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Kernels: what runs on the device before and after the network, and their NumPy references."""
