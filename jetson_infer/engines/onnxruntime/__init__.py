# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the CPU: the default engine, and the FP32 reference of every other one."""
