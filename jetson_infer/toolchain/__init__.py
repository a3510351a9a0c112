# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What gets a model onto a robot and shows that it works there; free of ROS."""
