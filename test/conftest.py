# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of every folder share: the modules in test/helpers are found by their names."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / 'helpers'))
