# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT's real binding modules, imported over stand-ins for its libraries."""
