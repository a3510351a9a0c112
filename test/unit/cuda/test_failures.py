# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What an error of CUDA means, on a stand-in for PyCUDA that says what it is told to."""

from types import SimpleNamespace

import pytest

from jetson_infer.cuda.driver_library import LOST_CODES, DriverLibrary
from jetson_infer.cuda.failures import CudaFailures
from jetson_infer.errors import (
    DeviceError,
    DeviceMemoryError,
    InternalError,
    SessionError,
)


class PycudaError(Exception):
    """As pycuda.driver.Error."""


class PycudaMemoryError(PycudaError):
    """As pycuda.driver.MemoryError."""


class Explaining(DriverLibrary):
    """A driver that explains what it has: the texts of NVIDIA's own for three errors."""

    def error_text(self, code):
        texts = {
            1: 'CUDA_ERROR_INVALID_VALUE: invalid argument',
            2: 'CUDA_ERROR_OUT_OF_MEMORY: out of memory',
            900: 'CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED: operation not permitted when capturing',
            700: 'CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered',
        }
        return texts.get(code, f'CUDA error {code}')


@pytest.fixture
def driver():
    """PyCUDA on a device that works; `broken` makes every call fail."""

    def mem_get_info():
        if driver.broken:
            raise PycudaError('cuMemGetInfo failed: an illegal memory access was encountered')
        return 3_000_000_000, 8_000_000_000

    driver = SimpleNamespace(
        Error=PycudaError,
        MemoryError=PycudaMemoryError,
        Context=SimpleNamespace(get_current=lambda: driver.context),
        mem_get_info=mem_get_info,
        context='current',
        broken=False,
    )
    return driver


@pytest.fixture
def failures(driver):
    return CudaFailures(driver, Explaining('libc.so.6'), 'Orin')


@pytest.mark.parametrize('code', sorted(LOST_CODES))
def test_errors_that_end_a_context_lose_the_device(failures, code):
    error = failures.from_code('copying', code)
    assert isinstance(error, DeviceError)
    assert str(error).startswith('Orin is lost: copying failed: CUDA')
    assert failures.lost


@pytest.mark.parametrize('code', [1, 98, 400, 701, 801])
def test_other_errors_cost_one_call(failures, code):
    error = failures.from_code('copying', code)
    assert type(error) is SessionError
    assert 'copying failed on Orin: CUDA' in str(error)
    assert not failures.lost


def test_the_first_loss_is_the_one_that_is_told(failures):
    failures.from_code('copying', 700)
    for later in (failures.from_code('filling', 1), failures.from_code('filling', 719)):
        assert isinstance(later, DeviceError)
        assert 'copying failed: CUDA_ERROR_ILLEGAL_ADDRESS' in str(later)
    with pytest.raises(DeviceError, match='copying failed'):
        failures.check('waiting', 1)


def test_a_context_that_answers_nothing_is_lost_whatever_the_error(failures, driver):
    driver.broken = True
    assert isinstance(failures.from_code('copying', 1), DeviceError)


def test_what_cannot_be_captured_loses_nothing_though_the_device_does_not_answer(failures, driver):
    driver.broken = True  # cuMemGetInfo too may be refused while a stream captures
    text = 'cuMemAlloc failed: operation not permitted when capturing'
    errors = [failures.from_code('waiting', code) for code in range(900, 909)]
    for error in [*errors, failures.memory('device', 1, PycudaError(text))]:
        assert type(error) is SessionError
        assert 'is not possible within a graph on Orin' in str(error)
    assert not failures.lost


def test_an_exception_of_pycuda_is_judged_by_its_text(failures):
    plain = failures.from_pycuda('copying', PycudaError('cuX failed: invalid argument'))
    assert type(plain) is SessionError
    text = 'cuStreamSynchronize failed: an illegal memory access was encountered'
    assert isinstance(failures.from_pycuda('waiting', PycudaError(text)), DeviceError)


def test_no_memory_is_told_with_the_numbers(failures):
    error = failures.from_code('making a stream', 2)
    assert type(error) is DeviceMemoryError
    assert '3.0 GB of 8.0 GB free' in str(error)
    error = failures.memory('device', 5 * 10**9, PycudaMemoryError('cuMemAlloc failed'))
    assert type(error) is DeviceMemoryError
    assert str(error).startswith('no 5.0 GB of device memory: 3.0 GB of 8.0 GB are free')
    error = failures.memory('pinned', 10**13, PycudaMemoryError('cuMemHostAlloc failed'))
    assert str(error).startswith('no 10000.0 GB of pinned memory')


def test_memory_that_failed_otherwise_is_not_called_out_of_memory(failures):
    error = failures.memory('device', 10, PycudaError('cuMemAlloc failed: invalid argument'))
    assert type(error) is SessionError
    assert 'allocating 10 bytes of device memory failed on Orin' in str(error)


def test_a_thread_without_the_context_is_our_defect(failures, driver):
    driver.context = None
    error = failures.from_code('copying', 201)
    assert isinstance(error, InternalError)
    assert 'not current on this thread' in str(error)
    assert not failures.lost


def test_success_is_no_error(failures):
    failures.check('copying', 0)
    with pytest.raises(SessionError, match='invalid argument'):
        failures.check('copying', 1)


def test_a_release_that_fails_is_logged_unless_the_device_is_lost(failures, caplog):
    failures.note('releasing a stream', 0)
    assert caplog.text == ''
    failures.note('releasing a stream', 1)
    assert 'releasing a stream failed on Orin: CUDA_ERROR_INVALID_VALUE' in caplog.text
    caplog.clear()
    failures.from_code('copying', 700)
    failures.note('releasing a stream', 700)
    assert caplog.text == ''
