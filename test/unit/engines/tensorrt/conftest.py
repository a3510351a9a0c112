# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import sys

import pytest

import fake_tensorrt

VERSIONS = ('8.6.1', '10.3.0', '10.13.3.9', '11.4.0.106')


@pytest.fixture(params=VERSIONS)
def tensorrt(request, monkeypatch):
    """The stand-in for ``tensorrt``, in the words of each version."""
    module = fake_tensorrt.fake_module(request.param, monkeypatch)
    monkeypatch.setitem(sys.modules, 'tensorrt', module)
    return module


@pytest.fixture
def device(monkeypatch):
    """The host twin, current, on which the stand-in's engines run; nothing may be left on it."""
    monkeypatch.setattr(fake_tensorrt, 'device_of_fakes', [fake_tensorrt.NumberedDevice()])
    twin = fake_tensorrt.device_of_fakes[-1]
    with twin.current():
        yield twin
    assert twin.live() == {}
    twin.close()
