# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Playing a recording in real time: when each message is due, and what its stamps become."""
