# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests on a GPU share. Where no GPU can be used, all of them skip and say why.

Where there must be one, JETSON_INFER_GPU=required makes failures of tests that would skip for
want of it or of a library: a stack that is broken must not look like a machine without a GPU.
"""

import os
from pathlib import Path

import pytest

from jetson_infer.cuda.probe import why_none
from jetson_infer.cuda.pycuda_device import PycudaDevice, driver_bindings

HERE = Path(__file__).parent
REASON = why_none()
REQUIRED = os.environ.get('JETSON_INFER_GPU') == 'required'
WANTING = ('install', 'no CUDA compiler')


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in Path(item.fspath).parents:  # item.path came with pytest 7
            item.add_marker(pytest.mark.gpu)
            if REASON:
                item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    _demand(item, (yield).get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    _demand(collector, (yield).get_result())


def _demand(collected, report):
    """Make a failure of a skip for want of something, where nothing may be wanting."""
    if not REQUIRED or not report.skipped or HERE not in Path(collected.fspath).parents:
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if any(word and word in reason for word in (REASON, *WANTING)):
        report.outcome = 'failed'
        report.longrepr = f'JETSON_INFER_GPU=required: this may not be skipped ({reason})'


@pytest.fixture(scope='session')
def context():
    """Holds the primary context, so that it is not made anew for every test."""
    with PycudaDevice() as device:
        yield device


@pytest.fixture
def device(context):
    """The GPU, current; whatever a test leaves open on it is an error."""
    with PycudaDevice() as device, device.current():
        yield device
        assert device.live() == {}


@pytest.fixture(params=['bindings', 'PyCUDA alone'])
def any_device(request, context):
    """The GPU in both ways of driving it: with cuda.bindings, and without."""
    if request.param == 'bindings' and driver_bindings() is None:
        pytest.skip('cuda.bindings is not installed here, or does not work')
    way = 'auto' if request.param == 'bindings' else 'never'
    with PycudaDevice(bindings=way) as device, device.current():
        yield device
        assert device.live() == {}
