# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a launch file does for large images to arrive."""

from __future__ import annotations

import os
import shutil
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch.actions import LogInfo, SetEnvironmentVariable

__all__ = ['transport_profiles']

_SHARED_MEMORY = '/dev/shm'
_SHARED_MEMORY_NEEDED = 300_000_000  # four processes with a segment of 64 MB each, and some room

_PROFILES = (
    ('FASTRTPS_DEFAULT_PROFILES_FILE', 'fastdds_shm.xml', ''),
    ('CYCLONEDDS_URI', 'cyclonedds.xml', 'file://'),
)


def transport_profiles() -> list[Any]:
    """Return actions that give the DDS its profile for large images, unless the user has his own.

    With the default transport most large best-effort images are lost on their way.
    """
    folder = os.path.join(get_package_share_directory('jetson_infer'), 'config', 'dds')
    actions: list[Any] = [
        SetEnvironmentVariable(variable, prefix + os.path.join(folder, name))
        for variable, name, prefix in _PROFILES
        if variable not in os.environ
    ]
    return [*actions, *_warn_of_little_shared_memory()]


def _warn_of_little_shared_memory() -> list[Any]:
    try:
        free = shutil.disk_usage(_SHARED_MEMORY).free
    except OSError:
        free = 0
    if free >= _SHARED_MEMORY_NEEDED:
        return []
    return [
        LogInfo(
            msg=f'{_SHARED_MEMORY} has {free / 1e6:.0f} MB free, and large images need about '
            f'{_SHARED_MEMORY_NEEDED / 1e6:.0f} MB of it to arrive; in a container, start it with '
            '--ipc=host or --shm-size=1g'
        )
    ]
