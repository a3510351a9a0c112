# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Decoders: from a network's outputs to detections, one module a family of layouts."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from jetson_infer.core.cards import OutputCard
from jetson_infer.core.decoders import detr, end_to_end, postprocessed, yolo, yolo_objectness
from jetson_infer.core.decoders.base import Decoder
from jetson_infer.core.fields import Fields, shown
from jetson_infer.errors import CardError

__all__ = ['Decoder', 'make_decoder']

# Importing a family registers its decoders.
FAMILIES = (detr, end_to_end, postprocessed, yolo, yolo_objectness)


def make_decoder(output: OutputCard, labels: Sequence[str]) -> Decoder:
    """Make the decoder that a card names.

    :param output: the card's output.
    :param labels: the card's labels, by class index.
    :raises CardError: if there is no such decoder, or a setting of it is unknown or cannot work.
    """
    kind = Decoder.registry.get(output.decoder)
    if kind is None:
        near = difflib.get_close_matches(output.decoder, Decoder.registry, n=1)
        hint = f' (did you mean {near[0]!r}?)' if near else ''
        raise CardError(
            output.source,
            'output.decoder',
            f'there is no decoder {shown(output.decoder)}{hint}; '
            f'there are {", ".join(sorted(Decoder.registry))}',
        )
    fields = Fields(output.settings, output.source, 'output.settings', kind.allowed_settings)
    return kind(fields, labels)
