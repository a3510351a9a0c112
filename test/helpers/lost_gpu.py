# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a process is told whose kernel wrote where nothing is, if CUDA does nothing for it any more.

That it does not is what the documentation of ``CUDA_ERROR_ILLEGAL_ADDRESS`` says.
"""

GONE = (
    'DeviceError: GPU 0 was lost by a fault in this process, and CUDA gives it back to a new '
    'process alone (CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered); end '
    'this process and start it again'
)
