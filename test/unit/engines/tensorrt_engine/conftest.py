# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import sys

import pytest

import fake_tensorrt
from tensorrt_contract.bindings import VERSIONS


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
