# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The ladder that comes with a model, as a report shows it: with where it was measured, or void."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from jetson_infer.core.ladder import Ladder
from jetson_infer.engines.engine_order import named_by
from jetson_infer.engines.ladders import read_ladder, void_rungs
from jetson_infer.engines.models import Model
from jetson_infer.errors import CardError, ModelError
from jetson_infer.toolchain.ladder.picture import draw_front
from jetson_infer.toolchain.ladder.table import about, columns, data_lines, rows, when_and_where

__all__ = ['LadderPanel', 'find_panel', 'panel_context', 'panel_summary']


@dataclass(frozen=True)
class LadderPanel:
    """A model's ladder, or why it is not shown.

    :param ladder: None where it is void or broken.
    :param void: why it is not shown; empty where it is.
    :param command: what measures it here.
    """

    ladder: Ladder | None
    void: str
    command: str


def find_panel(model: Model, recording: str) -> LadderPanel | None:
    """Return what is to be shown of the ladder beside a model's card; None if there is none.

    :param recording: the name of the recording to measure it on.
    """
    command = shlex.join(['jetson-infer', 'ladder', named_by(model), recording])
    try:
        ladder = read_ladder(model)
        if ladder is None:
            return None
        void = void_rungs(model, ladder)
    except (CardError, ModelError) as error:
        return LadderPanel(None, str(error), command)
    if void:
        told = '; '.join(f'{name}: {why}' for name, why in void.items())
        where = f'the ladder of {when_and_where(ladder)} is void'
        return LadderPanel(None, f'{where}. {told}', command)
    return LadderPanel(ladder, '', command)


def panel_context(panel: LadderPanel | None) -> dict[str, Any] | None:
    """Return what the page's section is made of; None for no section."""
    if panel is None:
        return None
    shown: dict[str, Any] = {'void': panel.void, 'command': panel.command}
    if panel.ladder is None:
        return shown
    ladder = panel.ladder
    return {
        **shown,
        'lede': f'{about(ladder)}.'[:1].upper() + f'{about(ladder)}.'[1:],
        'where': when_and_where(ladder),
        'data': '; '.join(data_lines(ladder)),
        'frames': ladder.measured.frames,
        'chart': draw_front(ladder, standalone=False),
        'columns': columns(ladder),
        'rows': [
            {'kind': row.kind, 'cells': row.cells, 'standing': row.standing} for row in rows(ladder)
        ],
    }


def panel_summary(panel: LadderPanel | None) -> dict[str, Any] | None:
    """Return the same for programs."""
    if panel is None:
        return None
    found: dict[str, Any] = {'void': panel.void, 'command': panel.command}
    if panel.ladder is not None:
        found['measured'] = when_and_where(panel.ladder)
        found['front'] = [rung.variant for rung in panel.ladder.front()]
    return found
