# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where a machine's own products are kept: engines built and kernels compiled for its GPU."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ['cache_root']


def cache_root() -> Path:
    """Return the folder of everything that can be made again; it need not exist.

    ``$JETSON_INFER_CACHE`` where that is set, else ``$XDG_CACHE_HOME/jetson_infer``, else
    ``~/.cache/jetson_infer``.  As the XDG Base Directory Specification asks, an ``XDG_CACHE_HOME``
    that is not absolute is ignored.
    """
    own = os.environ.get('JETSON_INFER_CACHE')
    if own:
        return Path(own).expanduser().absolute()
    shared = Path(os.environ.get('XDG_CACHE_HOME') or '')
    if shared.is_absolute():
        return shared / 'jetson_infer'
    home = os.environ.get('HOME')  # Path.home() raises for a user that has no entry anywhere
    return Path(home or os.path.expanduser('~')) / '.cache' / 'jetson_infer'
