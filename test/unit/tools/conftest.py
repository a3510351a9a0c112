# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The scene generator is a program beside the package: its folder is put on the path here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'tools' / 'scenes'))
