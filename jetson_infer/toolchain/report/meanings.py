# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What the stages and the counters of the detector's diagnostics mean, for a person."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ['COUNTERS', 'LOSSES', 'STAGES', 'counter_meaning']

STAGES: Mapping[str, str] = {
    'wait': 'from the reception of the image until the worker takes it',
    'preprocess': "decompressing the image, fitting it to the network's input, normalizing it",
    'infer': 'the network itself',
    'decode': 'from its outputs to boxes in the image: thresholds and suppression of overlaps',
    'publish': 'making and publishing the messages',
    'total': 'from the reception of the image to the last publication',
}
"""The stages of a frame's way, in their order."""

COUNTERS: Mapping[str, str] = {
    'received': 'images that reached the node',
    'processed': 'inferred, decoded and published',
    'replaced': 'a newer image took their place before the worker was free',
    'stale': 'older than stale_after_ms when their turn came',
    'rejected': 'their data could not be used; told by reason below',
    'shed': 'left out on purpose, to keep to max_rate_hz or because the node was being deactivated',
    'failed': 'the engine failed on them',
    'waiting': 'received and not yet dealt with when the node was last asked',
}
"""What may become of a frame, in the order in which it may happen."""

LOSSES = ('replaced', 'stale', 'rejected', 'shed', 'failed')
"""The counters of frames that were not processed."""


def counter_meaning(name: str) -> str:
    """Return what a counter means; reasons of rejection are read out."""
    kind, _, reason = name.partition('/')
    if reason:
        return f'{kind} because of: {reason.replace("_", " ")}'
    return COUNTERS.get(kind, '')
