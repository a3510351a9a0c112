# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Looking into a network: how long each layer takes, and in which precision."""
