# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Where recordings lie, and what is wrong with one that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

from jetson_infer.errors import RecordingError

__all__ = ['explain_fault', 'find_recording', 'locate_recording', 'recording_folders']

SEARCH_PATH = 'JETSON_INFER_RECORDING_PATH'
STORAGE_SUFFIXES = ('.mcap', '.db3')
MCAP_MAGIC = b'\x89MCAP0\r\n'
SQLITE_MAGIC = b'SQLite format 3\x00'


def recording_folders() -> list[Path]:
    """Return the folders whose sub-folders are recordings known by name, first come first.

    Those of the environment variable ``JETSON_INFER_RECORDING_PATH`` (separated by ``:``), of the
    installed packages (``share/jetson_infer/recordings`` below each entry of
    ``AMENT_PREFIX_PATH``), and of the source tree this module lies in.
    """
    named = [Path(p) for p in os.environ.get(SEARCH_PATH, '').split(os.pathsep) if p]
    installed = [
        Path(prefix, 'share', 'jetson_infer', 'recordings')
        for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
        if prefix
    ]
    source_tree = Path(__file__).resolve().parents[2] / 'recordings'
    return [folder for folder in (*named, *installed, source_tree) if folder.is_dir()]


def find_recording(name_or_path: str | Path) -> Path:
    """Return where a recording lies.

    :param name_or_path: a path, or the name of a recording in one of :func:`recording_folders`.
    :raises RecordingError: if there is none; the message lists the names that are known.
    """
    path = Path(name_or_path).expanduser()
    if path.exists():
        return path
    folders = recording_folders()
    if len(path.parts) == 1:
        for folder in folders:
            if (folder / path).exists():
                return folder / path
    names = sorted({p.name for folder in folders for p in folder.iterdir() if p.is_dir()})
    known = f'known by name: {", ".join(names)}' if names else 'no recording is known by name'
    raise RecordingError(
        f"there is no recording '{name_or_path}': no such path, and {known}; give the path of a "
        f'rosbag2 folder, or put its parent folder into ${SEARCH_PATH}'
    )


def locate_recording(path: Path) -> Path:
    """Check that a path looks like a recording, and return the path to read.

    :raises RecordingError: if it is missing, no rosbag2 folder, or of a kind that is not read.
    """
    if not path.exists():
        raise RecordingError(f'{path}: there is no such file or folder')
    if path.is_file():
        if path.name == 'metadata.yaml':
            return path.parent
        if path.suffix == '.bag':
            raise RecordingError(
                f'{path}: this is a ROS 1 recording; convert it: '
                f'rosbags-convert --src {path} --dst {path.with_suffix("")}'
            )
        if path.suffix not in STORAGE_SUFFIXES:
            raise RecordingError(
                f'{path}: not a recording; a recording is a rosbag2 folder or one '
                f'{" or ".join(STORAGE_SUFFIXES)} file'
            )
        return path
    if not (path / 'metadata.yaml').is_file():
        files = sorted(f.name for f in path.iterdir() if f.suffix in STORAGE_SUFFIXES)
        if not files:
            raise RecordingError(
                f'{path}: not a recording: the folder holds no metadata.yaml and no '
                f'{" or ".join(STORAGE_SUFFIXES)} file'
            )
        raise RecordingError(
            f'{path}: metadata.yaml is missing (the recorder did not finish) beside '
            f'{", ".join(files)}; write it with `ros2 bag reindex {path}`'
            + (f', or give the file itself: {path / files[0]}' if len(files) == 1 else '')
        )
    return path


def explain_fault(path: Path, error: Exception) -> str:
    """Tell which file of a recording cannot be read and what to do.

    :param path: the recording.
    :param error: what the reading library raised; its text is part of the message.
    """
    said = f'{type(error).__name__}: {error}' if str(error) else type(error).__name__
    for file in _storage_files(path):
        fault = _storage_fault(file)
        if fault:
            return f'{file}: {fault} (the reader says: {said})'
    if isinstance(error, PermissionError):
        return f'{path}: no permission to read it; check the owner and mode of its files'
    if 'metadata' in said:
        return (
            f'{path / "metadata.yaml"}: {said}; write it anew with `ros2 bag reindex {path}`, or '
            'copy it again'
        )
    if 'missing' in said:
        return (
            f'{path}: a file that metadata.yaml lists is not there ({said}); copy the whole folder '
            f'again, or write the metadata anew with `ros2 bag reindex {path}`'
        )
    return (
        f'{path}: the recording is damaged ({said}); copy it again, or save what can be read: '
        '`mcap recover` for mcap, `sqlite3 FILE .recover` for db3'
    )


def _storage_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(f for f in path.iterdir() if f.suffix in STORAGE_SUFFIXES and f.is_file())


def _storage_fault(file: Path) -> str:
    """Return what is visibly wrong with a storage file, or nothing."""
    size = file.stat().st_size
    if size == 0:
        return 'the file is empty; copy it again'
    try:
        with file.open('rb') as stream:
            head = stream.read(16)
            stream.seek(max(0, size - len(MCAP_MAGIC)))
            tail = stream.read()
    except PermissionError:
        return 'no permission to read it; check its owner and mode'
    if file.suffix == '.mcap':
        if not head.startswith(MCAP_MAGIC):
            return f'not an mcap file: it begins with {head[:8]!r}'
        if size < 2 * len(MCAP_MAGIC) or tail != MCAP_MAGIC:
            return (
                f'the file is cut short: its end mark is missing after {size} bytes, because the '
                'recorder was killed or a copy broke off; copy it again, or save what is there '
                f'with `mcap recover {file} -o {file.with_name(file.stem + "_recovered.mcap")}`'
            )
        return ''
    if not head.startswith(SQLITE_MAGIC):
        return f'not an sqlite3 file: it begins with {head!r}'
    return ''
