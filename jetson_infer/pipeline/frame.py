# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A frame on its way through a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jetson_infer.core.accounting import FrameTicket
from jetson_infer.core.images import CompressedView, ImageView

__all__ = ['Frame']


@dataclass(frozen=True)
class Frame:
    """One image that was received and checked.

    :param image: a view on the message's own buffer.
    :param received_ns: when it was received, in nanoseconds of :func:`time.monotonic_ns`.
    :param stamp_ns: when it was captured, by the message, in nanoseconds of the sender's clock.
    :param ticket: its place in the account; whoever ends the frame's way closes it.
    :param context: what the publisher needs back, such as the message's header.
    """

    image: ImageView | CompressedView
    received_ns: int
    stamp_ns: int
    ticket: FrameTicket
    context: Any = None
