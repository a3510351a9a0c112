# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""One Session interface, and one folder for each engine that implements it."""
