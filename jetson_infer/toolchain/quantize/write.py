# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Writing quantized variants into a model's folder, or into a copy of it: whole or not at all."""

from __future__ import annotations

import errno
import json
import secrets
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.durable_files import replace_folder, sync_folder, write_file
from jetson_infer.engines.file_failures import megabytes
from jetson_infer.engines.models import CARD_FILE, Model, load_model
from jetson_infer.errors import ModelError
from jetson_infer.toolchain.quantize.card_edit import add_variants
from jetson_infer.toolchain.quantize.chart import sensitivity_chart, sensitivity_table
from jetson_infer.toolchain.quantize.job import Quantization, as_dict, known

__all__ = ['FOLDER', 'check_target', 'files_of', 'variant_name', 'write_copy', 'write_in_place']

FOLDER = 'quantization'
"""In the model's folder, where the sensitivity's chart and table and the figures go."""


def variant_name(reference: VariantCard, kind: str) -> str:
    """Return what a new variant is called: ``fp32_640x480`` becomes ``int8_640x480``."""
    if 'fp32' in reference.name:
        return reference.name.replace('fp32', kind, 1)
    return f'{reference.name}_{kind}'


def files_of(
    model: Model,
    reference: VariantCard,
    result: Quantization,
    only: Collection[str] | None = None,
) -> dict[str, bytes]:
    """Return what is written beside what the folder holds, by path within it; the card last.

    :param only: the kinds that become variants; all that were made unless given.
    :raises CardError: if the card has other variants of these names.
    """
    stem = Path(reference.onnx).with_suffix('')
    card = (model.folder / CARD_FILE).read_bytes().decode('utf-8')
    accepted = _own_validation(card, reference)
    files: dict[str, bytes] = {}
    entries = []
    for candidate in result.made:
        if only is not None and candidate.name not in only:
            continue
        onnx = f'{stem.as_posix()}_{candidate.name}.onnx'
        files[onnx] = candidate.model.SerializeToString()
        kind = 'int8' if candidate.name == 'int8' else 'mixed'
        entry: dict[str, Any] = {
            'name': variant_name(reference, candidate.name),
            'onnx': onnx,
            'precision': kind,
            'size': list(reference.size),
        }
        if candidate.name == 'mixed_trt11':
            entry['tensorrt'] = {'strongly_typed': True}
        if accepted:
            entry['validation'] = accepted
        entries.append(entry)
    left = {candidate.name: candidate.left_out for candidate in result.made}
    picture = sensitivity_chart(
        result.layers,
        left['int8'],
        left['mixed'],
        f'{model.card.name} {reference.name}: which layers INT8 does not suit',
    )
    table = sensitivity_table(result.layers, left['int8'], left['mixed'])
    prefix = f'{FOLDER}/{reference.name}'
    files[f'{prefix}_sensitivity.svg'] = picture.encode()
    files[f'{prefix}_sensitivity.csv'] = table.encode()
    files[f'{prefix}.json'] = (json.dumps(figures(result), indent=2) + '\n').encode()
    # The best quality comes first in a card.
    order = {'mixed': 0, 'mixed_trt11': 1, 'int8': 2}
    entries.sort(key=lambda entry: order[_kind(entry['onnx'])])
    changed = add_variants(card, reference.name, entries, str(model.folder / CARD_FILE))
    files[CARD_FILE] = changed.encode()
    return files


def _own_validation(card: str, variant: VariantCard) -> Any:
    """Return a variant's own section ``validation``: what is accepted of it is of its kin too."""
    variants = yaml.safe_load(card)['variants']
    return next(each.get('validation') for each in variants if each['name'] == variant.name)


def figures(result: Quantization) -> dict[str, Any]:
    """Return what was measured as what :mod:`json` writes."""
    reference = result.reference
    return {
        'calibration': {
            'images': len(result.calibration.sources),
            'digest': result.calibration.digest,
            'sources': list(result.calibration.sources),
        },
        'rejected': dict(result.rejected),
        'evaluated_images': reference.frames,
        'against': 'ground truth' if result.has_truth else "the reference's own detections",
        'safety_classes': list(result.safety),
        'reference': {'ap50': known(reference.ap50), 'recall': known(reference.recall())},
        'compared': [as_dict(candidate) for candidate in result.compared],
        'made': [as_dict(candidate) for candidate in result.made],
        'notes': list(result.notes),
    }


def check_target(folder: Path) -> None:
    """Refuse a folder for the copy that holds something, before minutes of work.

    :raises ModelError: if it does.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f'{folder}: is there already; name a new folder, or remove this one')


def write_copy(model: Model, files: Mapping[str, bytes], folder: Path) -> Model:
    """Write a copy of a model's folder with further files; nothing is left if that fails.

    :param folder: new or empty.
    :return: the new model.
    :raises ModelError: if it cannot be written, with what is free.
    """
    check_target(folder)
    folder = folder.absolute()
    draft = folder.with_name(f'.{folder.name}.{secrets.token_hex(4)}')
    try:
        shutil.copytree(model.folder, draft)
        for name, content in files.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            write_file(draft / name, content)
        load_model(draft)
        replace_folder(draft, folder)
    except OSError as error:
        raise _failed(folder, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return load_model(folder)


def write_in_place(model: Model, files: Mapping[str, bytes]) -> Model:
    """Write files into a model's folder; the card, which names them, last.

    All are written under other names and synced before the first takes its own, so that a full disk
    leaves the folder as it was.

    :return: the model with its new variants.
    :raises ModelError: if they cannot be written, with what is free.
    """
    drafts: dict[Path, Path] = {}
    try:
        for name, content in files.items():
            path = model.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            drafts[path] = path.with_name(f'.{path.name}.{secrets.token_hex(4)}')
            write_file(drafts[path], content)
        for path, draft in drafts.items():
            draft.replace(path)
        for folder in {path.parent for path in drafts}:
            sync_folder(folder)
    except OSError as error:
        raise _failed(model.folder, error) from error
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return load_model(model.folder)


def _kind(onnx: str) -> str:
    return next(kind for kind in ('mixed_trt11', 'mixed', 'int8') if onnx.endswith(f'{kind}.onnx'))


def _failed(folder: Path, error: OSError) -> ModelError:
    place = folder if folder.exists() else folder.parent
    text = f'{folder}: the variants cannot be written: {error.strerror or error}'
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) and place.exists():
        text += f'; {megabytes(shutil.disk_usage(place).free)} are free there. Make room'
    return ModelError(f'{text}; nothing was changed')
