# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests on a GPU share. Where no GPU can be used, all of them skip and say why."""

from pathlib import Path

import pytest

from jetson_infer.cuda.probe import why_none
from jetson_infer.cuda.pycuda_device import PycudaDevice, driver_bindings

HERE = Path(__file__).parent
REASON = why_none()


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in Path(item.fspath).parents:  # item.path came with pytest 7
            item.add_marker(pytest.mark.gpu)
            if REASON:
                item.add_marker(pytest.mark.skip(reason=REASON))


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
