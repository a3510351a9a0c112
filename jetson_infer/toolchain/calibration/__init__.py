# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The few images that stand for all that a network will see: chosen, prepared, and digested."""
