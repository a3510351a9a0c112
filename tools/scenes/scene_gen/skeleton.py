# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The rigid segments of a person, by number; of a pair the left one comes first."""

(
    PELVIS,
    CHEST,
    HEAD,
    ARM_L,
    ARM_R,
    FOREARM_L,
    FOREARM_R,
    THIGH_L,
    THIGH_R,
    SHANK_L,
    SHANK_R,
    FOOT_L,
    FOOT_R,
) = range(13)
