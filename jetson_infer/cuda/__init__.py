# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The device: memory, streams, graphs, the buffer pool, kernels; and a host twin of all of it."""
