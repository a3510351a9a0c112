# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What a machine without a GPU, or with an old driver, is told."""

import pytest

from jetson_infer.cuda.driver_library import DriverLibrary, version_text
from jetson_infer.cuda.probe import available_devices, why_none
from jetson_infer.errors import DeviceError


def test_a_machine_without_a_driver_is_told_what_to_install():
    with pytest.raises(DeviceError, match=r'no NVIDIA driver.*libnosuch\.so\.1.*JetPack'):
        DriverLibrary('libnosuch.so.1')


def test_a_library_without_the_calls_is_an_error_that_can_be_read():
    library = DriverLibrary('libc.so.6')
    with pytest.raises(DeviceError, match='starting the NVIDIA driver failed: CUDA error 500'):
        library.initialize()
    with pytest.raises(DeviceError, match='looking for GPU 3 failed'):
        library.device_name(3)
    assert library.error_text(700) == 'CUDA error 700'
    assert library.explanations([700, 2]) == ()


@pytest.mark.parametrize(('number', 'text'), [(12060, '12.6'), (11080, '11.8'), (13000, '13.0')])
def test_versions_are_written_as_nvidia_writes_them(number, text):
    assert version_text(number) == text


def test_there_is_a_gpu_or_a_reason_why_not():
    reason = why_none()
    if not reason:
        assert available_devices()
    else:
        assert not reason.endswith('.')
        assert len(reason) > 20
