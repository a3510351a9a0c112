# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What CUDA reports, as exceptions of this package."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from jetson_infer.cuda.driver_library import CAPTURE_CODES, LOST_CODES, DriverLibrary
from jetson_infer.cuda.memory import MemoryKind, bytes_text, shortage
from jetson_infer.errors import (
    DeviceError,
    DeviceMemoryError,
    InternalError,
    JetsonInferError,
    SessionError,
)

__all__ = ['CudaFailures']

OUT_OF_MEMORY = 2
_ABANDONED: list[object] = []
_LOGGER = logging.getLogger(__name__)


class CudaFailures:
    """Tells what an error of CUDA means for a device: lost, out of memory, or just this call.

    :param driver: the module ``pycuda.driver``.
    :param library: the driver's library.
    :param device: the device's name.
    :param outlived: tells whether the GPU was reset since the device was opened, as the last user
        of a context that failed does on its thread.
    """

    def __init__(
        self,
        driver: ModuleType,
        library: DriverLibrary,
        device: str,
        outlived: Callable[[], bool] = lambda: False,
    ) -> None:
        self._outlived = outlived
        self._driver = driver
        self._library = library
        self._device = device
        self._lost_texts = library.explanations(LOST_CODES)
        self._capture_texts = library.explanations(CAPTURE_CODES)
        self._loss = ''
        self.error: type[Exception] = driver.Error
        """What PyCUDA raises, all of it."""

    @property
    def lost(self) -> bool:
        """Whether the device failed for good."""
        return bool(self._loss) or self._outlived()

    def check_alive(self) -> None:
        """Raise if nothing can be made any more.

        :raises DeviceError: if the device failed for good.
        """
        if self.lost:
            raise DeviceError(self.lost_text())

    def abandon(self, resource: object) -> bool:
        """Tell whether to leave a resource unreleased, because the GPU was reset since.

        It is kept for the rest of the process then: its address or handle may be that of something
        new, which its destructor would release.
        """
        if self._outlived():
            _ABANDONED.append(resource)
            return True
        return False

    def from_pycuda(self, what: str, error: Exception) -> JetsonInferError | InternalError:
        """Translate an exception of PyCUDA, which carries a text and no code.

        :param what: what was tried, as in ``'copying'``.
        """
        text = str(error)
        if any(explanation in text for explanation in self._capture_texts):
            return self._not_captured(what, text)
        lost = any(explanation in text for explanation in self._lost_texts)
        return self._judge(what, text, lost, isinstance(error, self._driver.MemoryError))

    def from_code(self, what: str, code: int) -> JetsonInferError | InternalError:
        """Translate a ``CUresult`` that is not 0."""
        text = self._library.error_text(code)
        if code in CAPTURE_CODES:
            return self._not_captured(what, text)
        return self._judge(what, text, code in LOST_CODES, code == OUT_OF_MEMORY)

    def check(self, what: str, result: Any) -> None:
        """Raise unless a ``CUresult`` is success.

        :raises DeviceError: if it means that the device is lost.
        :raises SessionError: if it means anything else.
        """
        if int(result):
            raise self.from_code(what, int(result))

    def note(self, what: str, result: Any) -> None:
        """Log a release that failed; on a device that is lost, every release does."""
        if int(result) and not self.lost:
            _LOGGER.warning(
                '%s failed on %s: %s', what, self._device, self._library.error_text(int(result))
            )

    def lost_text(self) -> str:
        """Say that the device is lost, and why."""
        loss = self._loss or 'it was reset after it had failed for another user in this process'
        return (
            f'{self._device} is lost: {loss}; everything on it has to be set up anew. If it '
            'happens again, look at dmesg for Xid messages, at the temperature and the supply'
        )

    def memory(
        self, kind: MemoryKind, nbytes: int, error: Exception
    ) -> JetsonInferError | InternalError:
        """Translate what an allocation raised."""
        if not isinstance(error, self._driver.MemoryError):
            return self.from_pycuda(f'allocating {nbytes} bytes of {kind} memory', error)
        free, total = self._host_memory() if kind == 'pinned' else self._device_memory()
        return shortage(kind, nbytes, free, total)

    def _not_captured(self, what: str, text: str) -> SessionError | DeviceError:
        # While a stream captures, the device may refuse to be asked whether it still works.
        if self.lost:
            return DeviceError(self.lost_text())
        return SessionError(f'{what} is not possible within a graph on {self._device}: {text}')

    def _judge(
        self, what: str, text: str, lost: bool, out_of_memory: bool
    ) -> JetsonInferError | InternalError:
        if self._driver.Context.get_current() is None:
            return InternalError(f'{what}: {self._device} is not current on this thread ({text})')
        if lost or self.lost or not self._answers():
            self._loss = self._loss or f'{what} failed: {text}'
            return DeviceError(self.lost_text())
        if out_of_memory:
            free, total = self._device_memory()
            return DeviceMemoryError(
                f'{what} failed on {self._device}: out of memory, with {bytes_text(free)} of '
                f'{bytes_text(total)} free; use a smaller variant, or end what else uses it'
            )
        return SessionError(f'{what} failed on {self._device}: {text}')

    def _answers(self) -> bool:
        """Whether the context still works: after an error that ended it, no call does."""
        try:
            self._driver.mem_get_info()
        except self.error:
            return False
        return True

    def _device_memory(self) -> tuple[int, int]:
        try:
            free, total = self._driver.mem_get_info()
        except self.error:
            return 0, 0
        return int(free), int(total)

    @staticmethod
    def _host_memory() -> tuple[int, int]:
        page = os.sysconf('SC_PAGE_SIZE')
        return os.sysconf('SC_AVPHYS_PAGES') * page, os.sysconf('SC_PHYS_PAGES') * page
