# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The ladder beside a model's card: read, written, and held against the files as they are now.

A ladder lets nothing run: what may is the verdicts' to say (``validation_gate``).  It tells what
to expect of what may.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from pathlib import Path

from jetson_infer.core.ladder import Ladder, RungDigests
from jetson_infer.core.ladder_file import ladder_text, parse_ladder
from jetson_infer.engines.cached_engine import CachedEngine
from jetson_infer.engines.durable_files import replace_file
from jetson_infer.engines.file_failures import megabytes
from jetson_infer.engines.models import Model
from jetson_infer.engines.verdict_key import EngineIdentity, make_verdict_key
from jetson_infer.errors import CardError, ModelError

__all__ = ['LADDER_FILE', 'PICTURE_FILE', 'digests_of', 'read_ladder', 'void_rungs', 'write_ladder']

LADDER_FILE, PICTURE_FILE = 'ladder.json', 'ladder.svg'
"""In the model's folder."""


def read_ladder(model: Model) -> Ladder | None:
    """Return the ladder beside a model's card; None if there is none.

    :raises CardError: if it is broken or another model's, naming the file and the key.
    """
    file = model.folder / LADDER_FILE
    try:
        text = file.read_text(encoding='utf-8')
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(str(file), '', f'cannot be read: {error}; measure it again') from error
    ladder = parse_ladder(text, str(file))
    if ladder.model != model.card.name:
        raise CardError(
            str(file), 'model', f'is {ladder.model!r}, and the card is of {model.card.name!r}'
        )
    return ladder


def write_ladder(folder: Path, ladder: Ladder, picture: str) -> Path:
    """Write a ladder and its picture beside a model's card; each whole or not at all.

    The ladder comes last: it is there only with its picture.

    :param picture: the front as SVG.
    :return: the ladder's file.
    :raises ModelError: if they cannot be written, with what is free; the old ladder stays.
    """
    try:
        replace_file(folder / PICTURE_FILE, picture.encode())
        replace_file(folder / LADDER_FILE, ladder_text(ladder).encode())
    except OSError as error:
        told = f'{folder}: the ladder cannot be written: {error.strerror or error}'
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            told += f'; {megabytes(shutil.disk_usage(folder).free)} are free there. Make room'
        raise ModelError(told) from error
    return folder / LADDER_FILE


def digests_of(model: Model, variant: str, cached: CachedEngine | None) -> RungDigests:
    """Return what a rung is about, as the files are now.

    :param cached: the TensorRT engine that runs the variant; None for ONNX Runtime.
    :raises ModelError: if there is no such variant, or its file cannot be read.
    """
    identity = EngineIdentity.of(cached)
    key = make_verdict_key(model, model.variant(variant), identity)
    words = (identity.kind, identity.version, identity.machine, identity.key, identity.plan)
    return RungDigests(
        key.onnx, key.reference, key.card, key.thresholds, ' '.join(filter(None, words))
    )


def void_rungs(model: Model, ladder: Ladder) -> Mapping[str, str]:
    """Say which rungs no longer fit the model's folder, by variant, and why.

    Engines are not looked at: they belong to the machine that the ladder was measured on.

    :raises ModelError: if an ONNX file cannot be read.
    """
    known = {variant.name for variant in model.card.variants}
    found = {}
    for rung in ladder.rungs:
        if rung.variant not in known:
            found[rung.variant] = 'the card has no such variant any more'
            continue
        # Of the engine nothing is compared, so that it need not be installed.
        key = make_verdict_key(model, model.variant(rung.variant), EngineIdentity(rung.engine, ''))
        now = RungDigests(key.onnx, key.reference, key.card, key.thresholds, rung.digests.engine)
        changed = rung.digests.changed_to(now)
        if changed:
            found[rung.variant] = f'since then has changed: {", ".join(changed)}'
    return found
