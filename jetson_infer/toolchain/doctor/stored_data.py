# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Models and recordings on their search paths: whether each can be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jetson_infer.core.cards import VariantCard
from jetson_infer.engines.models import CARD_FILE, Model, default_search_path, load_model
from jetson_infer.engines.select import open_session
from jetson_infer.errors import JetsonInferError, MissingDependencyError
from jetson_infer.pipeline.open_detection import open_detection
from jetson_infer.toolchain.doctor.findings import NOTE, OK, PROBLEM, WARNING, Finding
from jetson_infer.toolchain.recording_files import recording_folders
from jetson_infer.toolchain.recordings import Recording

__all__ = ['check_models', 'check_recordings']


def check_models(search_path: Sequence[Path] | None = None) -> list[Finding]:
    """Load every model, as a node does when it is configured: card, files, engine and decoder.

    :param search_path: the folders whose sub-folders are models; those that a node looks in unless
        given.
    """
    folders = default_search_path() if search_path is None else search_path
    findings = []
    for name, places in _by_name(folders, lambda folder: (folder / CARD_FILE).exists()).items():
        findings.append(_model(name, places[0]))
        findings += [_hidden('models.hidden', name, place, places[0]) for place in places[1:]]
    if not findings:
        findings.append(
            Finding(
                WARNING,
                'models.none',
                f'no model is found by name; looked in {_listed(folders)}',
                'export JETSON_INFER_MODEL_PATH=<the folder that holds model folders>, or give a '
                'node its model as a path',
            )
        )
    return findings


def check_recordings(folders: Sequence[Path] | None = None) -> list[Finding]:
    """Open every recording that is known by name and read what it holds.

    :param folders: the folders whose sub-folders are recordings; those of the search path unless
        given.
    """
    searched = recording_folders() if folders is None else folders
    findings = []
    for name, places in _by_name(searched, Path.is_dir).items():
        findings.append(_recording(name, places[0]))
        findings += [_hidden('recordings.hidden', name, place, places[0]) for place in places[1:]]
    if not findings:
        findings.append(
            Finding(
                NOTE,
                'recordings.none',
                'no recording is known by name; jetson-infer play takes a path too',
                'export JETSON_INFER_RECORDING_PATH=<the folder that holds recordings>',
            )
        )
    return findings


def _by_name(folders: Sequence[Path], is_one: Callable[[Path], bool]) -> dict[str, list[Path]]:
    """Return where each name is found, in the order of the search, without the same place twice."""
    found: dict[str, list[Path]] = {}
    for folder in folders:
        if not folder.is_dir():
            continue
        for entry in sorted(folder.iterdir()):
            if is_one(entry) and not entry.name.startswith('.'):
                places = found.setdefault(entry.name, [])
                if not any(_same(place, entry) for place in places):
                    places.append(entry)
    return found


def _same(one: Path, other: Path) -> bool:
    """Tell whether two folders are one: by their path, or by the files that link to the same."""
    if one.resolve() == other.resolve():
        return True
    names = {entry.name for entry in one.iterdir()}
    return names == {entry.name for entry in other.iterdir()} and all(
        (one / name).resolve() == (other / name).resolve() for name in names
    )


def _hidden(check: str, name: str, place: Path, first: Path) -> Finding:
    return Finding(NOTE, check, f'{name}: {place} is hidden by {first}, which is found first')


def _listed(folders: Sequence[Path]) -> str:
    return ', '.join(map(str, folders)) or 'no folder: the search path is empty'


def _model(name: str, folder: Path) -> Finding:
    check = f'models.{name}'
    try:
        model = load_model(folder)
    except JetsonInferError as error:
        return Finding(PROBLEM, check, f'{name}: {error}', f'mend it: {folder / CARD_FILE}')
    opened = []
    for variant in model.card.variants:
        try:
            engine = _open(model, variant)
        except MissingDependencyError as error:
            return Finding(
                WARNING, check, f'{name} ({folder}): card and files are good; {error}', error.remedy
            )
        except JetsonInferError as error:
            return Finding(
                PROBLEM,
                check,
                f'{name}, variant {variant.name} ({folder}): {error}',
                f'export the network again, or mend {folder / CARD_FILE}',
            )
        except Exception as error:  # noqa: BLE001 - a broken library raises anything
            return Finding(
                PROBLEM,
                check,
                f'{name}, variant {variant.name} ({folder}): {type(error).__name__}: {error}',
                'mend the libraries first: see Python and libraries',
            )
        opened.append(variant.name)
    return Finding(
        OK,
        check,
        f'{name}: {model.card.task}, {len(model.card.labels)} labels, variants '
        f'{", ".join(opened)}; opens in {engine}, decoder {model.card.output.decoder} fits',
    )


def _open(model: Model, variant: VariantCard) -> str:
    """Open a variant and return the engine's description.

    :raises JetsonInferError: if it cannot run.
    """
    if model.card.task == 'detection':
        pipeline = open_detection(model, variant, engine='onnxruntime')
        pipeline.close()
        return pipeline.engine
    with open_session(model, variant).session as session:
        return session.engine


def _recording(name: str, folder: Path) -> Finding:
    check = f'recordings.{name}'
    try:
        with Recording.open(folder) as recording:
            seconds = recording.duration_ns / 1e9
            return Finding(
                OK,
                check,
                f'{name}: {seconds:.1f} s, {recording.message_count} messages on '
                f'{len(recording.topics)} topics, {recording.size_bytes / 1e6:.1f} MB ({folder})',
            )
    except MissingDependencyError as error:
        return Finding(WARNING, check, f'{name} ({folder}) was not opened: {error}', error.remedy)
    except JetsonInferError as error:
        return Finding(PROBLEM, check, f'{name}: {error}', f'copy it again, or remove it: {folder}')
