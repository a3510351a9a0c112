# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Values and pure functions on NumPy and the standard library; every one testable by a table."""
