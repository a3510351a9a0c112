# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The energy of a Jetson by jtop, on a process that tells what jtop's would."""

import sys

import pytest

from jetson_infer.cuda.jtop_meter import WATCH, JtopMeter, energy_of
from jetson_infer.errors import DeviceError

STAND_IN = """
import sys, types
class Jtop:
    def __init__(self, interval): self.left = {samples}
    def start(self): {start}
    def ok(self):
        import time
        time.sleep(0.01)
        self.left -= 1
        return self.left >= 0
    def close(self): pass
    power = {power}
sys.modules['jtop'] = types.SimpleNamespace(jtop=Jtop)
"""
INPUT = {'tot': {'power': 7500, 'name': 'VDD_IN'}, 'rail': {}}


def meter(samples=10**6, start='pass', power=INPUT):
    stand_in = STAND_IN.format(samples=samples, start=start, power=power)
    return JtopMeter((sys.executable, '-c', stand_in + WATCH))


def test_power_is_summed_up_over_the_time_between():
    found = meter()
    try:
        for _ in range(2):
            found.start()
            used = found.stop()
            assert used.seconds > 0
            assert used.joules == pytest.approx(7.5 * used.seconds)
    finally:
        found.close()
        found.close()


def test_each_sample_holds_for_the_time_before_it():
    samples = [(1.0, 9.0), (2.0, 10.0), (4.0, 20.0), (6.0, 40.0)]
    used = energy_of(samples, 1.5, 5.0)
    assert used.joules == pytest.approx(0.5 * 10 + 2 * 20 + 1 * 40)
    assert used.seconds == 3.5


@pytest.mark.parametrize(
    ('options', 'told'),
    [
        ({'start': "raise RuntimeError('The jtop.service is not active')"}, 'is not active'),
        ({'samples': 0}, 'tells nothing any more'),
        ({'power': {'tot': {'power': 3500}, 'rail': {}}}, 'no sensor of its whole input'),
        ({'power': {}}, 'no sensor of its whole input'),
    ],
)
def test_why_jtop_tells_nothing_is_told(options, told):
    with pytest.raises(DeviceError, match=told):
        meter(**options)


def test_a_machine_without_jtop_is_told_what_to_install():
    blocked = "import sys; sys.modules['jtop'] = None\n"
    with pytest.raises(DeviceError, match='install jetson-stats'):
        JtopMeter((sys.executable, '-c', blocked + WATCH))


def test_a_service_that_ends_later_is_told():
    found = meter(samples=5)
    try:
        found._reader.join()
        with pytest.raises(DeviceError, match='tells nothing any more'):
            found.stop()
    finally:
        found.close()
