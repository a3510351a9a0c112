# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The folder that a ladder is made in, and what earlier runs have left there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.ladders import LADDER_FILE, PICTURE_FILE
from jetson_infer.engines.models import CARD_FILE, Model, load_model
from jetson_infer.engines.onnx_file import read_onnx
from jetson_infer.errors import ModelError
from jetson_infer.toolchain.dataset import Dataset
from jetson_infer.toolchain.ladder.split import Part
from jetson_infer.toolchain.quantize.write import FOLDER, write_copy

__all__ = [
    'KINDS',
    'MadeFrom',
    'Source',
    'made_from',
    'open_workspace',
    'record_file',
    'sources_of',
]

KINDS = ('int8', 'mixed')
_RECORD = '_made_from.json'


@dataclass(frozen=True)
class Source:
    """A variant of full precision, and what it was or is to be quantized to.

    :param variant: the variant.
    :param missing: the kinds that the card has none of at its size.
    """

    variant: VariantCard
    missing: tuple[str, ...]


@dataclass(frozen=True)
class MadeFrom:
    """From what a source's quantized variants were made.

    :param source: SHA-256 of its ONNX file, in hex.
    :param recording: of the whole recording's images.
    :param data: of the images that could be chosen from.
    :param name: the recording's name.
    :param part: which of its images; empty for all.
    :param settings: how they were chosen and what was asked for.
    """

    source: str
    recording: str
    data: str
    name: str
    part: str
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, file: Path, dataset: Dataset, whole: str, settings: Mapping[str, Any]) -> MadeFrom:
        """Return what is recorded of a quantization that is about to begin.

        :param file: the source's ONNX file.
        :param whole: the digest of the whole recording.
        :raises ModelError: if the file cannot be read.
        """
        part = str(dataset) if isinstance(dataset, Part) else ''
        digest = read_onnx(file).digest
        return cls(digest, whole, dataset.digest, dataset.path.name, part, dict(settings))

    def content(self) -> bytes:
        """Return the record as it is written."""
        return (json.dumps(asdict(self), indent=2) + '\n').encode()


def sources_of(model: Model) -> tuple[Source, ...]:
    """Return the variants of full precision, each file and size once, in the card's order."""
    found: dict[tuple[Path, tuple[int, int]], Source] = {}
    for variant in model.card.variants:
        if variant.precision != 'fp32':
            continue
        there = {v.precision for v in model.card.variants if v.size == variant.size}
        missing = tuple(kind for kind in KINDS if kind not in there)
        found.setdefault((model.files[variant.name], variant.size), Source(variant, missing))
    return tuple(found.values())


def record_file(source: str) -> str:
    """Return where the record of a source lies, within the model's folder."""
    return f'{FOLDER}/{source}{_RECORD}'


def made_from(model: Model) -> Iterator[tuple[str, MadeFrom]]:
    """Iterate over the records of earlier runs: the source's name and the record.

    What cannot be read is passed over: it records nothing.
    """
    for path in sorted((model.folder / FOLDER).glob(f'*{_RECORD}')):
        try:
            yield path.name[: -len(_RECORD)], MadeFrom(**json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            continue


def open_workspace(model: Model, out: Path | None) -> Model:
    """Return the model to work on: itself, or its copy, which is made where there is none.

    :param out: the copy's folder; what an earlier run left there is gone on with.
    :raises ModelError: if the folder holds something else, or cannot be written.
    """
    if out is None:
        return model
    if out.is_dir() and any(out.iterdir()):
        work = _load_copy(out)
        _check_same(model, work, out)
        return work
    work = write_copy(model, {}, out)
    for name in (LADDER_FILE, PICTURE_FILE):  # of the machine where the model comes from
        (work.folder / name).unlink(missing_ok=True)
    return work


def _load_copy(out: Path) -> Model:
    if not (out / CARD_FILE).is_file():
        raise ModelError(f'{out}: is there already, and is no model; name a new folder with --out')
    return load_model(out)


def _check_same(model: Model, work: Model, out: Path) -> None:
    """Refuse to go on with the ladder of another model."""
    differing = '' if work.card.name == model.card.name else f'its name is {work.card.name!r}'
    for variant in model.card.variants:
        copy = next((each for each in work.card.variants if each.name == variant.name), None)
        if differing:
            break
        if copy is None:
            differing = f'it has no variant {variant.name}'
        elif _digest(work, copy) != _digest(model, variant):
            differing = f'its {variant.name} is another network'
        elif (copy.size, copy.validation) != (variant.size, variant.validation):
            differing = f'its card says something else of {variant.name}'
    if differing:
        raise ModelError(
            f'{out}: holds the ladder of another model than {model.folder}: {differing}; name a '
            'new folder with --out, or remove this one'
        )


def _digest(model: Model, variant: VariantCard) -> str:
    return read_onnx(model.files[variant.name]).digest
