# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A frame's way: latest-frame slot, preprocessing, session, decoding, counters."""
