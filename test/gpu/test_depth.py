# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The depth pipeline on a GPU: on engines whose depth is known, from either of two threads."""

import threading

import cv2
import numpy as np
import pytest

from closed_views import views_told_of
from depth_networks import depth_card, network_depth, write_depth_model
from jetson_infer.core.images import wrap_image
from jetson_infer.core.timing import StageClock
from jetson_infer.engines.build_request import BuildRequest
from jetson_infer.engines.models import load_model
from jetson_infer.engines.tensorrt.api import is_installed
from jetson_infer.engines.tensorrt.builder import build_plan
from jetson_infer.engines.tensorrt.session import TensorRtSession
from jetson_infer.pipeline.depth import DepthPipeline

if not is_installed():
    pytest.skip('TensorRT is not installed', allow_module_level=True)

TOLERANCES = {'fp32': 1e-4, 'fp16': 1e-2}
"""By how large a part a depth may be off; float16 has ten bits."""


@pytest.fixture(autouse=True)
def nothing_of_the_host_is_viewed_after_closing(caplog):
    yield
    assert not views_told_of(caplog)


def pipeline_of(folder, device, precision='fp32', kind='metres'):
    card = depth_card(output={'decoder': 'depth', 'settings': {'values': kind}})
    model = load_model(write_depth_model(folder, card, inverse=kind == 'inverse'))
    variant = model.variant()
    plan = build_plan(BuildRequest(model.files[variant.name], precision, optimization_level=1)).plan
    return DepthPipeline(model, variant, TensorRtSession(plan, device))


def patches(seed: int):
    """Return smooth pixels of the network's size, and the image that shows them."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    pixels = cv2.resize(small, (64, 48))
    return pixels, wrap_image('rgb8', 64, 48, 192, False, pixels)


@pytest.mark.parametrize('kind', ['metres', 'inverse'])
@pytest.mark.parametrize('precision', ['fp32', 'fp16'])
def test_the_depth_is_that_of_another_library(tmp_path, context, device, precision, kind):
    pipeline = pipeline_of(tmp_path / 'model', device, precision, kind)
    assert pipeline.engine.startswith('tensorrt ')
    for seed in range(3):
        pixels, view = patches(seed)
        depth = pipeline.process(view, StageClock(0))
        np.testing.assert_allclose(depth, network_depth(pixels), rtol=TOLERANCES[precision])
    pipeline.close()


def test_a_worker_uses_what_another_thread_opens_and_closes(tmp_path, context, device):
    pipeline = pipeline_of(tmp_path / 'model', device)
    pixels, view = patches(7)
    found = []

    def work():
        with pipeline.current():
            found.append(pipeline.process(view, StageClock(0)))

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    pipeline.close()
    np.testing.assert_allclose(found[0], network_depth(pixels), rtol=TOLERANCES['fp32'])
