# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Making a model's ladder: quantize, build, validate, measure, draw."""
