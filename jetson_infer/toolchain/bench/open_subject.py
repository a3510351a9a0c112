# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Opening what a setting names, on whatever runs it here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jetson_infer.core.images import CompressedView, ImageView
from jetson_infer.engines.models import find_model, load_model
from jetson_infer.engines.select import OpenedSession, open_session
from jetson_infer.engines.session import DeviceSession
from jetson_infer.toolchain.bench.device_subject import DeviceSubject
from jetson_infer.toolchain.bench.frames import synthetic_images
from jetson_infer.toolchain.bench.settings import BenchError, BenchSetting
from jetson_infer.toolchain.bench.subject import HostSubject, Subject

__all__ = ['open_subject']


def open_subject(
    setting: BenchSetting,
    images: Sequence[ImageView | CompressedView] = (),
    open_one: Callable[..., OpenedSession] = open_session,
) -> Subject:
    """Open a setting's engine, and the pipeline that fits it.

    :param images: what to run on; synthetic ones as the setting says unless given.
    :param open_one: opens the engine.
    :raises JetsonInferError: if it cannot be opened; nothing is left open then.
    """
    images = list(images) or synthetic_images(setting.encoding, setting.size)
    model = load_model(find_model(setting.model))
    if model.card.task != 'detection':
        raise BenchError(
            f"'{model.card.name}' is a {model.card.task} model; only detection is measured"
        )
    variant = model.variant(setting.variant)
    opened = open_one(model, variant, setting.engine, setting.threads)
    session = opened.session
    if isinstance(session, DeviceSession):
        return DeviceSubject(setting, images, model, variant, session, opened.why)
    return HostSubject(setting, images, model, variant, session, opened.why)
