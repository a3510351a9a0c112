# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""What `jetson-infer profile` found, as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jetson_infer.toolchain.profile.picture import shortened

__all__ = ['as_text']

KINDS = 6
NARROWEST_NAME = 24


def as_text(profile: Mapping[str, Any], most: int, width: int) -> str:
    """Return a profile as lines: the longest layers first, then what they sum to.

    :param profile: what :func:`~jetson_infer.toolchain.profile.result.as_dict` returns.
    :param most: how many layers to show; 0 shows all.
    :param width: of a line, in characters.
    """
    layers = sorted(profile['layers'], key=lambda layer: -layer['ms'])
    shown = layers[:most] if most else layers
    rest = layers[len(shown) :]
    kinds = max([4, *(len(layer['kind']) for layer in shown)])
    names = max(NARROWEST_NAME, width - kinds - 33)
    network = 'x'.join(map(str, profile['network_size']))
    lines = [
        f'{profile["model"]}, variant {profile["variant"]} at {network}, on {profile["engine"]}',
        f'medians of {profile["runs"]} runs; {len(layers)} layers',
        '',
        f'{"ms":>9}{"share":>8}{"sum":>8}  {"in":<5} {"kind":<{kinds}} layer',
    ]
    sum_ms, total = 0.0, profile['layers_ms'] or 1.0
    for layer in shown:
        sum_ms += layer['ms']
        lines.append(
            f'{layer["ms"]:>9.4f}{layer["share"]:>8.1%}{sum_ms / total:>8.1%}  '
            f'{layer["precision"] or "-":<5} {layer["kind"] or "-":<{kinds}} '
            f'{shortened(layer["name"], names)}'
        )
    if rest:
        ms = sum(layer['ms'] for layer in rest)
        lines.append(
            f'{ms:>9.4f}{ms / total:>8.1%}{1:>8.1%}  {len(rest)} more (--most 0 shows all)'
        )
    return '\n'.join([*lines, '', *_sums(profile)])


def _sums(profile: Mapping[str, Any]) -> list[str]:
    total = profile['layers_ms'] or 1.0
    rows = (
        (profile['layers_ms'], 'all layers together'),
        (profile['outside_layers_ms'], 'in these runs outside the layers: launching and waiting'),
        (profile['observed_ms']['p50'], 'these runs as a whole, kernel by kernel, profiled'),
        (profile['alone_ms']['p50'], f'the network {profile["alone"]}'),
    )
    if not profile['engine'].startswith('tensorrt'):
        rows = (rows[0], (rows[1][0], 'in these runs outside the nodes'),
                (rows[2][0], 'these runs as a whole, profiled'), rows[3])  # fmt: skip
    shares = {
        'by kind': profile['kinds_ms'],
        'by precision': {
            {'none': 'moves data, or not told'}.get(name, name): ms
            for name, ms in profile['precisions_ms'].items()
        },
    }
    lines = [f'{ms:>9.4f} ms  {what}' for ms, what in rows]
    for title, parts in shares.items():
        listed = [f'{name} {ms / total:.1%}' for name, ms in list(parts.items())[:KINDS]]
        lines.append(f'{title}: {", ".join(listed)}')
    return [*lines, *(f'note: {note}' for note in profile['notes'])]
