# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Finding and loading model folders: a card, ``model.yaml``, and the ONNX files it names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jetson_infer.core.card_parser import parse_card
from jetson_infer.core.cards import ModelCard, VariantCard
from jetson_infer.errors import CardError, ModelError

__all__ = ['CARD_FILE', 'Model', 'default_search_path', 'find_model', 'load_model']

CARD_FILE = 'model.yaml'
SEARCH_PATH_VARIABLE = 'JETSON_INFER_MODEL_PATH'


@dataclass(frozen=True)
class Model:
    """A model folder whose card was checked and whose files are there.

    :param card: what ``model.yaml`` says.
    :param folder: the absolute folder.
    :param files: the absolute ONNX file of every variant, by the variant's name.
    """

    card: ModelCard
    folder: Path
    files: Mapping[str, Path]

    def variant(self, name: str = 'auto') -> VariantCard:
        """Return a variant by its name, or the first, which is the best, for ``auto``.

        :raises ModelError: if there is none of that name, with the names there are.
        """
        if name == 'auto':
            return self.card.variants[0]
        for variant in self.card.variants:
            if variant.name == name:
                return variant
        names = ', '.join(variant.name for variant in self.card.variants)
        raise ModelError(f'model {self.card.name!r} has no variant {name!r}; it has auto, {names}')


def default_search_path(environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Return the folders in which models are looked for, the first before the last.

    They are those of ``$JETSON_INFER_MODEL_PATH``, then ``share/jetson_infer/models`` of every
    prefix in ``$AMENT_PREFIX_PATH``, then ``models`` of the source tree if this is one.

    :param environment: the variables to use instead of the process's own.
    """
    variables = os.environ if environment is None else environment
    folders = [Path(entry) for entry in _entries(variables.get(SEARCH_PATH_VARIABLE, ''))]
    folders += [
        Path(prefix) / 'share' / 'jetson_infer' / 'models'
        for prefix in _entries(variables.get('AMENT_PREFIX_PATH', ''))
    ]
    source_tree = Path(__file__).resolve().parents[2]
    if (source_tree / 'package.xml').is_file():
        folders.append(source_tree / 'models')
    return tuple(dict.fromkeys(folders))


def find_model(name_or_path: str, search_path: Sequence[Path] | None = None) -> Path:
    """Return a model's folder.

    :param name_or_path: a folder, or a name to look for.  What contains a path separator, or is
        ``.`` or ``..``, or starts with ``~``, is a folder; anything else is a name.
    :param search_path: folders that hold models; :func:`default_search_path` unless given.
    :raises ModelError: if there is none, with the places that were searched and what is there.
    """
    if not name_or_path.strip():
        raise ModelError('no model was named; give the name of a model or its folder')
    if '/' in name_or_path or os.sep in name_or_path or name_or_path[0] in '.~':
        return Path(name_or_path).expanduser().resolve()
    folders = default_search_path() if search_path is None else tuple(search_path)
    for folder in folders:
        if (folder / name_or_path / CARD_FILE).is_file():
            return (folder / name_or_path).resolve()
    places = ', '.join(str(folder) for folder in folders) or 'nowhere: the search path is empty'
    there = ', '.join(sorted(_models_in(folders))) or 'none'
    raise ModelError(
        f'there is no model {name_or_path!r}; searched {places}; models found there: {there}. '
        f"Give a folder with a '/' in it, or add its parent to ${SEARCH_PATH_VARIABLE}"
    )


def load_model(folder: Path) -> Model:
    """Read a model's card and check that its files are there.

    :param folder: the model's folder, or its ``model.yaml``.
    :raises ModelError: if the folder, the card or an ONNX file is missing, unreadable or empty.
    :raises CardError: if the card cannot work.
    """
    folder = Path(folder)
    if folder.name == CARD_FILE:
        folder = folder.parent
    card_file = folder / CARD_FILE
    if not folder.is_dir():
        what = 'is a file' if folder.exists() else 'does not exist'
        raise ModelError(f'{folder}: a model is a folder with a {CARD_FILE} in it; this {what}')
    if not card_file.is_file():
        found = ', '.join(sorted(entry.name for entry in folder.iterdir())[:8]) or 'nothing'
        raise ModelError(
            f'{folder}: has no {CARD_FILE}; it holds {found}. Write the card beside the ONNX file'
        )
    card = parse_card(_read_yaml(card_file), str(card_file))
    folder = folder.resolve()
    files = {variant.name: folder / variant.onnx for variant in card.variants}
    for index, variant in enumerate(card.variants):
        _check_file(card, f'variants[{index}].onnx', files[variant.name])
    return Model(card, folder, files)


def _check_file(card: ModelCard, key: str, file: Path) -> None:
    if not file.is_file():
        there = ', '.join(sorted(entry.name for entry in file.parent.glob('*.onnx'))) or 'none'
        raise ModelError(
            f'{card.source}: {key}: {file} does not exist; ONNX files in that folder: {there}'
        )
    if not file.stat().st_size:
        raise ModelError(f'{card.source}: {key}: {file} is empty; export or copy it again')
    if not os.access(file, os.R_OK):
        raise ModelError(f'{card.source}: {key}: {file} cannot be read; check its permissions')
    with file.open('rb') as stream:
        if stream.read(40).startswith(b'version https://git-lfs'):
            raise ModelError(
                f'{card.source}: {key}: {file} is a Git LFS pointer, not the file itself; '
                'run: git lfs pull'
            )


def _entries(path: str) -> list[str]:
    return [entry for entry in path.split(os.pathsep) if entry]


def _models_in(folders: Sequence[Path]) -> set[str]:
    return {card.parent.name for folder in folders for card in folder.glob(f'*/{CARD_FILE}')}


class _CardLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key written twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        f'the key {key_node.value!r} is written twice',
                        key_node.start_mark,
                    )
                seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _read_yaml(file: Path) -> object:
    """Return what YAML makes of a file.

    :raises ModelError: if the file cannot be read.
    :raises CardError: if it is not YAML, with line and column.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f'{file}: cannot be read: {error.strerror}') from error
    try:
        return yaml.load(content, Loader=_CardLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f'line {mark.line + 1}, column {mark.column + 1}: ' if mark else ''
        raise CardError(str(file), '', f'{where}{error.problem or error}') from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CardError(str(file), '', f'is not a YAML text that can be read: {error}') from error
