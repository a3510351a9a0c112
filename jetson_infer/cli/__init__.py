# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The command jetson-infer, one verb a file; the only place that ends the process."""
