# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Random inputs are the same in every run, so that a failure is a failure of the change at hand."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    'deterministic',
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile('deterministic')
