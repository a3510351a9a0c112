# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT: engines built from ONNX and run on the GPU; the only importer of ``tensorrt``."""
