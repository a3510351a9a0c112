# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Measuring on a device: on the host twin, with ONNX Runtime in the engine's place."""

import functools
import json
import sys
import types
import xml.etree.ElementTree as ElementTree
from contextlib import ExitStack

import pytest

from brightness_model import write_brightness_model
from jetson_infer.cli import bench as bench_verb
from jetson_infer.cli.bench_text import as_text
from jetson_infer.cli.main import main
from jetson_infer.core.detections import DetectionLimits
from jetson_infer.core.timing import StageClock
from jetson_infer.cuda import energy
from jetson_infer.cuda.adaptors import LimitedMemory
from jetson_infer.cuda.energy import Energy, EnergyMeter, open_meter
from jetson_infer.cuda.host import HostDevice
from jetson_infer.engines.models import load_model
from jetson_infer.engines.select import OpenedSession, open_session
from jetson_infer.errors import DeviceError, DeviceMemoryError
from jetson_infer.pipeline.detection import DetectionPipeline
from jetson_infer.pipeline.device_detection import DeviceDetectionPipeline
from jetson_infer.pipeline.device_lanes import DeviceMemory
from jetson_infer.pipeline.device_times import DEVICE_STAGES
from jetson_infer.toolchain.bench import device_subject
from jetson_infer.toolchain.bench.device_result import Throughput, measure_throughput
from jetson_infer.toolchain.bench.device_subject import DeviceSubject
from jetson_infer.toolchain.bench.frames import synthetic_images
from jetson_infer.toolchain.bench.measure import measure
from jetson_infer.toolchain.bench.open_subject import open_subject
from jetson_infer.toolchain.bench.settings import BenchSetting
from twin_engine import TwinSession

pytest.importorskip('onnxruntime')


@pytest.fixture
def folder(tmp_path):
    return write_brightness_model(tmp_path / 'model')


@pytest.fixture
def setting(folder):
    return BenchSetting(str(folder), engine='tensorrt', size=(64, 48))


@pytest.fixture
def device():
    with HostDevice() as twin:
        with twin.current():
            yield twin
        assert twin.live() == {}


class Opener:
    """Opens the twin's engine in TensorRT's place, and remembers it."""

    def __init__(self, device):
        self.device = device
        self.sessions = []

    def __call__(self, model, variant, engine, threads):
        self.sessions.append(TwinSession(model.files[variant.name], self.device))
        return OpenedSession(self.sessions[-1], 'an engine for the twin is there')


@pytest.fixture
def opener(device):
    return Opener(device)


@pytest.fixture
def subject(setting, opener):
    with open_subject(setting, open_one=opener) as one:
        yield one


def test_both_clocks_and_both_ways_of_queueing_are_measured(subject):
    (measurement,) = measure([subject], 7)
    found = measurement.as_dict()
    assert found['why'] == 'an engine for the twin is there'
    assert list(found['stages_ms']) == ['preprocess', 'infer', 'decode']
    assert tuple(found['device']['stages_ms']) == DEVICE_STAGES
    assert len(subject.device_stages) == len(subject.graph) == len(subject.kernels) == 7
    # What a frame takes on the device lies within what it takes on the host.
    for cost, stages in zip(measurement.pipeline, subject.device_stages):
        assert 0 < stages['infer'] < stages['total'] < cost.wall
        assert cost.wall == pytest.approx(sum(cost.stages.values()))
    for run in subject.graph:
        assert 0 <= run.call <= run.wall
        assert run.device > 0
    assert found['device']['transfer'].startswith('pinned memory, as ')
    assert json.loads(json.dumps(found)) == found


def test_the_network_alone_sees_what_the_pipeline_sees(subject, opener):
    inside, _, *alone = opener.sessions[0].bindings
    assert len(alone) == 2
    for name, buffer in inside.device_inputs.items():
        seen = opener.device.reach(buffer.address, buffer.nbytes).tobytes()
        for binding in alone:
            other = binding.device_inputs[name]
            assert opener.device.reach(other.address, other.nbytes).tobytes() == seen


def test_frames_overlap_and_every_one_is_counted(subject, opener):
    runs = sum(binding.runs for binding in opener.sessions[0].bindings)
    run = subject.run_overlapped(9)
    assert sum(binding.runs for binding in opener.sessions[0].bindings) == runs + 9
    assert run.frames == 9
    assert 0 < sum(run.periods_ms) * 1e-3 < run.seconds
    assert run.hz == 9 / run.seconds


def test_it_finds_what_the_host_finds(subject, folder):
    model = load_model(folder)
    session = open_session(model, model.variant(), 'onnxruntime', 1).session
    host = DetectionPipeline(model, model.variant(), session)
    host.limits = subject.pipeline.limits = DetectionLimits(0.0, 0.5, 10)
    for number in range(3):
        expected = host.process(subject.image(number), StageClock(0))
        assert subject.run_pipeline(number).found == len(expected) > 0
    host.close()


def test_what_cannot_be_opened_leaves_nothing(folder, setting, opener):
    model = load_model(folder)
    session = opener(model, model.variant(), 'tensorrt', 1).session
    memory = DeviceMemory((64, 48), adapt=lambda resource: LimitedMemory(resource, 1000))
    with pytest.raises(DeviceMemoryError):
        DeviceSubject(
            setting, synthetic_images('bgr8', (64, 48)), model, model.variant(), session, '', memory
        )
    assert session.closed == 1


@pytest.fixture
def verb(opener, monkeypatch):
    """The verb with the twin's engine; for a rate, on a twin of the worker's own."""

    def open_again(model, variant, **options):
        stack = ExitStack()
        twin = stack.enter_context(HostDevice())
        stack.enter_context(twin.current())
        session = TwinSession(model.files[variant.name], twin)
        stack.callback(session.close)
        return DeviceDetectionPipeline(model, variant, session, twin, None, stack)

    monkeypatch.setattr(
        bench_verb, 'open_subject', functools.partial(open_subject, open_one=opener)
    )
    monkeypatch.setattr(device_subject, 'open_detection', open_again)
    monkeypatch.setitem(sys.modules, 'pynvml', None)
    return lambda *arguments: main(['bench', *map(str, arguments)])


def test_the_verb_tells_all_of_it(verb, folder, tmp_path, capsys):
    out = tmp_path / 'out'
    options = ('--model', folder, '--frames', 6, '--size', '64x48', '--rate', 300, '--out', out)
    assert verb(*options, '--compare', 'size=128x96') == 0
    text = capsys.readouterr().out
    for line in (
        'device: upload, prepare',
        'host: preprocess',
        'kernel by kernel',
        'without a CUDA graph: the twin has none',
        'pipeline beyond the network',
        'as fast as they are taken',
        'GPU power: not measured',
        'pip install nvidia-ml-py',
        'at 300 Hz',
        'size=128x96, as a ratio',
    ):
        assert line in text
    first, second = json.loads((out / 'bench.json').read_text())['measurements']
    assert first['throughput']['frames'] == 6
    assert first['paced']['frames']['received'] == 6
    assert second['setting']['size'] == '128x96'
    root = ElementTree.fromstring((out / 'bench.svg').read_text())
    texts = [element.text for element in root.iter() if element.tag.endswith('text')]
    assert {'device: infer', 'host: infer', 'bare session', 'kernel by kernel'} <= set(texts)


def test_where_there_is_a_graph_it_is_compared_with_enqueueing(subject):
    (measurement,) = measure([subject], 3)
    found = measurement.as_dict()
    found['setting']['images'] = '64x48 bgr8'
    found['device']['why_no_graph'] = ''
    text = as_text({'measurements': [found]})
    assert 'as one graph' in text
    assert 'kernel by kernel / graph, the call:' in text
    assert text.count('without a CUDA graph') == 1  # the engine's name has it still


class Steady:
    """Takes 50 frames a second."""

    def __init__(self):
        self.asked = []

    def run_overlapped(self, frames):
        self.asked.append(frames)
        return Throughput(frames / 50, (20.0,) * (frames - 1), 1.0)

    def run_back_to_back(self, count):
        return count / 100


@pytest.fixture
def nvml(monkeypatch):
    """A stand-in for NVML's module: a GPU whose counter grows by 3 J with every look."""

    class NVMLError(Exception):
        pass

    counter = iter(range(1000, 10**9, 3000))
    module = types.SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: {b'GPU-1': 7}[uuid],
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: next(counter) + handle * 0,
    )
    monkeypatch.setitem(sys.modules, 'pynvml', module)
    return module


def test_energy_is_measured_over_two_seconds_of_frames(nvml, monkeypatch):
    subject = Steady()
    found = measure_throughput(subject, 5, EnergyMeter('GPU-1'))
    assert subject.asked == [5, 100]
    assert (found['pipeline_hz'], found['bare_hz']) == (50, 100)
    assert found['energy']['frames'] == 100
    assert found['energy']['millijoules_a_frame'] == 30


def test_a_jetsons_power_is_told_by_jtop_where_its_service_is(nvml, monkeypatch, tmp_path):
    def refuse(handle):
        raise nvml.NVMLError('Not Supported')

    class Jtop:
        def __init__(self):
            raise DeviceError('jtop failed: The jtop.service is not active')

    nvml.nvmlDeviceGetTotalEnergyConsumption = refuse
    monkeypatch.setattr(energy, 'JTOP_SERVICE', tmp_path / 'jtop.sock')
    monkeypatch.setattr(energy, 'JtopMeter', Jtop)
    told = "NVML tells nothing of this GPU's power: Not Supported"
    assert open_meter('GPU-1') == (None, told)
    (tmp_path / 'jtop.sock').touch()
    assert open_meter('GPU-1') == (None, f'{told}; jtop failed: The jtop.service is not active')


def test_power_is_energy_over_time():
    assert Energy(joules=6.0, seconds=2.0).watts == 3.0


def test_why_there_is_no_power_is_told(nvml, monkeypatch):
    def refuse(handle):
        raise nvml.NVMLError('Not Supported')

    nvml.nvmlDeviceGetTotalEnergyConsumption = refuse
    with pytest.raises(DeviceError, match='Not Supported'):
        EnergyMeter('GPU-1')
    assert open_meter('GPU-1') == (None, "NVML tells nothing of this GPU's power: Not Supported")
    monkeypatch.setitem(sys.modules, 'pynvml', None)
    meter, why = open_meter('GPU-1')
    assert meter is None
    assert 'nvidia-ml-py' in why
