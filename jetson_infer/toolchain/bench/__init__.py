# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Measuring what a pipeline costs, beside the network alone."""
