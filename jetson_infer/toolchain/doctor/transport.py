# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The transport of large messages: the DDS profile in force, and what it needs of the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from jetson_infer.toolchain.doctor.findings import (
    NOTE,
    OK,
    PROBLEM,
    WARNING,
    Finding,
    read_integer,
)
from jetson_infer.toolchain.doctor.ros_setup import prefixes, rmw_of, stays_here
from jetson_infer.toolchain.doctor.shared_memory import check_shared_memory

__all__ = ['check_transport', 'profile_folder']

FASTDDS_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
FASTDDS_PROFILE = 'fastdds_shm.xml'
CYCLONEDDS_VARIABLE = 'CYCLONEDDS_URI'
CYCLONEDDS_PROFILE = 'cyclonedds.xml'

FULL_HD_BYTES = 1920 * 1080 * 3
IMAGES_IN_SEGMENT = 4
"""Being written, on its way, and held by two slow subscribers."""

BUFFER_WANTED = 64 << 20
"""Of a socket, in bytes: what the Cyclone DDS profile asks for, ten full HD images."""

BUFFER_LEAST = 1 << 20
"""With that much, Cyclone DDS's default, half and more of the full HD images were lost."""

FRAGMENTS_WANTED = 128 << 20
"""Memory for IP fragments, in bytes, as ROS 2's own guide to DDS tuning has it."""

FRAGMENT_SECONDS = 3
"""After which a fragment that waits for the rest is dropped, as the same guide has it."""


def check_transport(environment: Mapping[str, str], root: Path = Path('/')) -> list[Finding]:
    """Look at what large messages depend on.

    :param environment: the variables of the shell.
    :param root: the root of the file system to look at.
    """
    rmw = rmw_of(environment)
    if rmw.startswith('rmw_fastrtps'):
        findings = [_fastdds_profile(environment)]
        findings += check_shared_memory(root)
        return findings if stays_here(environment) else [*findings, *_between_hosts(root)]
    if rmw.startswith('rmw_cyclonedds'):
        findings = [_cyclonedds_profile(environment), _receive_buffer(root)]
        return findings if stays_here(environment) else [*findings, *_fragments(root)]
    return [
        Finding(
            NOTE,
            'transport.profile',
            f'{rmw}: the package ships profiles for rmw_fastrtps_cpp and rmw_cyclonedds_cpp; '
            'whether large images arrive with this one was not measured',
        )
    ]


def profile_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of the package's DDS profiles; None if it is not installed."""
    installed = [prefix / 'share' / 'jetson_infer' for prefix in prefixes(environment)]
    source_tree = Path(__file__).resolve().parents[3]
    for share in (*installed, source_tree):
        if (share / 'config' / 'dds' / FASTDDS_PROFILE).is_file():
            return share / 'config' / 'dds'
    return None


def _shipped(environment: Mapping[str, str], name: str) -> str:
    folder = profile_folder(environment)
    return str(folder / name) if folder else f'<share folder of jetson_infer>/config/dds/{name}'


def _fastdds_profile(environment: Mapping[str, str]) -> Finding:
    check = 'transport.profile'
    remedy = f'export {FASTDDS_VARIABLES[0]}={_shipped(environment, FASTDDS_PROFILE)}'
    named = next((name for name in FASTDDS_VARIABLES if environment.get(name)), None)
    if named is None:
        return Finding(
            WARNING,
            check,
            f'{FASTDDS_VARIABLES[0]} is not set: with the default transport most large '
            'best-effort images are lost. The launch files of jetson_infer set it for their own '
            'nodes; a camera driver that is started otherwise needs it as well',
            remedy,
        )
    path = Path(environment[named])
    try:
        segment = _segment_size(path)
    except OSError as error:
        return Finding(
            PROBLEM,
            check,
            f'{named} names {path}, which cannot be read ({error.strerror}): Fast DDS takes its '
            'default transport then, and most large best-effort images are lost',
            remedy,
        )
    except ElementTree.ParseError as error:
        return Finding(
            PROBLEM,
            check,
            f'{named} names {path}, which is not XML ({error}): Fast DDS takes its default '
            'transport then, and most large best-effort images are lost',
            remedy,
        )
    return _judge_segment(named, path, segment, remedy)


def _judge_segment(named: str, path: Path, segment: int, remedy: str) -> Finding:
    if segment < IMAGES_IN_SEGMENT * FULL_HD_BYTES:
        held = f'{segment / 1e6:.1f} MB' if segment else 'no set size'
        return Finding(
            WARNING,
            'transport.profile',
            f'{named} names {path}, whose shared memory has {held}; {IMAGES_IN_SEGMENT} images of '
            f'1920x1080 in bgr8 need {IMAGES_IN_SEGMENT * FULL_HD_BYTES / 1e6:.0f} MB',
            f'raise segment_size there, or {remedy}',
        )
    return Finding(
        OK,
        'transport.profile',
        f'{path}: {segment / 1e6:.0f} MB of shared memory a process, '
        f'{segment // FULL_HD_BYTES} images of 1920x1080 in bgr8',
    )


def _segment_size(path: Path) -> int:
    """Return the bytes of a Fast DDS profile's shared memory; 0 if it sets none.

    :raises OSError: if the file cannot be read.
    :raises xml.etree.ElementTree.ParseError: if it is not XML.
    """
    sizes = [
        int(element.text or 0)
        for element in ElementTree.fromstring(path.read_bytes()).iter()
        if element.tag.rpartition('}')[2] == 'segment_size' and (element.text or '').isdecimal()
    ]
    return max(sizes, default=0)


def _cyclonedds_profile(environment: Mapping[str, str]) -> Finding:
    check, uri = 'transport.profile', environment.get(CYCLONEDDS_VARIABLE, '')
    remedy = f'export {CYCLONEDDS_VARIABLE}=file://{_shipped(environment, CYCLONEDDS_PROFILE)}'
    if not uri:
        return Finding(
            WARNING,
            check,
            f'{CYCLONEDDS_VARIABLE} is not set: with the default socket buffer, 1 MB, most large '
            'best-effort images are lost. The launch files of jetson_infer set it for their own '
            'nodes; a camera driver that is started otherwise needs it as well',
            remedy,
        )
    if '<' in uri:
        return Finding(NOTE, check, f'{CYCLONEDDS_VARIABLE} holds settings of your own')
    for part in uri.split(','):
        path = Path(re.sub('^file://', '', part.strip()))
        if not path.is_file():
            return Finding(
                PROBLEM,
                check,
                f'{CYCLONEDDS_VARIABLE} names {path}, which does not exist: no node can start',
                remedy,
            )
        try:
            ElementTree.fromstring(path.read_bytes())
        except (OSError, ElementTree.ParseError) as error:
            return Finding(
                PROBLEM,
                check,
                f'{CYCLONEDDS_VARIABLE} names {path}, which cannot be read ({error}): no node can '
                'start',
                remedy,
            )
    return Finding(OK, check, f'{CYCLONEDDS_VARIABLE}={uri}')


def _receive_buffer(root: Path) -> Finding:
    """Judge the socket buffer's limit for Cyclone DDS, whose images all pass through it."""
    limit = read_integer(root / 'proc/sys/net/core/rmem_max')
    check, remedy = 'transport.receive_buffer', _sysctl('net.core.rmem_max', BUFFER_WANTED)
    if limit is None:
        return Finding(NOTE, check, 'the kernel does not tell net.core.rmem_max here')
    what = (
        f'net.core.rmem_max is {limit / 1e6:.1f} MB: with Cyclone DDS a larger best-effort image '
        'is lost as soon as its receiver falls behind'
    )
    if limit < FULL_HD_BYTES:
        level = PROBLEM if limit < BUFFER_LEAST else WARNING
        return Finding(level, check, f'{what}; one of 1920x1080 in bgr8 has 6.2 MB', remedy)
    if limit < BUFFER_WANTED:
        return Finding(NOTE, check, what, remedy)
    return Finding(OK, check, f'net.core.rmem_max is {limit / 1e6:.0f} MB')


def _between_hosts(root: Path) -> Iterator[Finding]:
    limit = read_integer(root / 'proc/sys/net/core/rmem_max')
    if limit is not None and limit < BUFFER_WANTED:
        yield Finding(
            NOTE,
            'transport.receive_buffer',
            f'net.core.rmem_max is {limit / 1e6:.1f} MB; on this machine images go through shared '
            'memory, but raw images from another one will be lost',
            _sysctl('net.core.rmem_max', BUFFER_WANTED),
        )
    yield from _fragments(root)


def _fragments(root: Path) -> Iterator[Finding]:
    folder = root / 'proc/sys/net/ipv4'
    memory = read_integer(folder / 'ipfrag_high_thresh')
    seconds = read_integer(folder / 'ipfrag_time')
    if memory is None or seconds is None:
        return
    wanting = []
    if memory < FRAGMENTS_WANTED:
        wanting.append(_sysctl('net.ipv4.ipfrag_high_thresh', FRAGMENTS_WANTED))
    if seconds > FRAGMENT_SECONDS:
        wanting.append(_sysctl('net.ipv4.ipfrag_time', FRAGMENT_SECONDS))
    what = (
        f'{memory / 1e6:.1f} MB for IP fragments, kept {seconds} s (net.ipv4.ipfrag_high_thresh, '
        'ipfrag_time)'
    )
    if wanting:
        yield Finding(
            NOTE,
            'transport.fragments',
            f'{what}: little for raw images from another machine; after one loss the fragments of '
            'broken images fill it',
            ' && '.join(wanting),
        )
    else:
        yield Finding(OK, 'transport.fragments', what)


def _sysctl(name: str, value: int) -> str:
    return f'sudo sysctl -w {name}={value}'
