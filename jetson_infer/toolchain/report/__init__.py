# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a detector did with a recording: accuracy, latency, counters; as a page and a video."""
