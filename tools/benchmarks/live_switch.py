#!/usr/bin/env python3
# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Switch a detector's variant every second while numbered frames come at 30 Hz.

Counted are frames that are lost or answered twice, and sets that are refused; measured is the
longest time between two answers, in frame times.  It ends with 1 if frames are lost or answered
twice, a set is refused, or the gap is above --limit: leave the machine alone meanwhile.

    make shell CMD='python3 tools/benchmarks/live_switch.py --tiny --rounds 3'

--tiny takes a network that costs next to nothing, so that only the node is measured; otherwise it
is a model with its first three variants, and images of 640x480.  --keep 1 has each variant loaded
anew; --ready has each set once before the first image, so that all that are kept are loaded then.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import live_switch_peers as peers
import numpy as np
import rclpy
import yaml

from jetson_infer.engines.models import find_model, load_model

SWITCH_EVERY_S = 1.0
HELPERS = Path(__file__).resolve().parents[2] / 'test' / 'helpers'


class Round(NamedTuple):
    """What came of one round.

    :param sent_s: when each frame was sent.
    :param heard: of each answer the frame's number and when it came, in seconds.
    :param sets_s: how long each set took.
    :param refused: why sets were refused.
    :param others: what part of the machine's CPU time other processes took, 0 to 1.
    """

    sent_s: list[float]
    heard: list[tuple[int, float]]
    sets_s: list[float]
    refused: list[str]
    others: float

    @property
    def longest_gap(self) -> float:
        """The longest time between two answers, in frame times."""
        return longest_gap([at for _, at in self.heard])

    def faults(self, limit: float) -> list[str]:
        """Return what is not as it should be."""
        numbers = [number for number, _ in self.heard]
        lost = len(self.sent_s) - len(set(numbers))
        twice = len(numbers) - len(set(numbers))
        found = [f'refused: {reason}' for reason in self.refused]
        if lost or twice:
            found.append(f'{lost} frames lost, {twice} answered twice')
        if self.longest_gap > limit:
            found.append(f'longest gap {self.longest_gap:.2f}, more than {limit:g} frame times')
        return found

    def __str__(self) -> str:
        return (
            f'{len(self.heard)} of {len(self.sent_s)} answered; longest gap in frame times: '
            f'{self.longest_gap:.2f} (between frames sent: {longest_gap(self.sent_s):.2f}); '
            f'{len(self.sets_s)} sets, ms: median {np.median(self.sets_s) * 1e3:.1f}, '
            f'longest {max(self.sets_s) * 1e3:.1f}; others took {self.others:.0%} of the CPU'
        )


class CpuClock:
    """Tells how busy a machine with Linux was with other things since this was made.

    The camera's own time, some 1 % of a core, counts as other processes'.

    :param pids: the processes that do not count as others.
    """

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self._begin = self._read()

    def others(self) -> float:
        """Return what part of the CPU time other processes, and other machines, took."""
        busy, everything, own = np.subtract(self._read(), self._begin)
        return float((busy - own) / everything)

    def _read(self) -> tuple[float, float, float]:
        times = [int(word) for word in Path('/proc/stat').read_text().splitlines()[0].split()[1:9]]
        idle = times[3] + times[4]
        own = 0
        for pid in self._pids:
            fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
            own += int(fields[11]) + int(fields[12])
        return sum(times) - idle, sum(times), own


def longest_gap(times_s: list[float]) -> float:
    """Return the longest time between two that follow each other, in frame times."""
    return float(np.diff(times_s).max()) * peers.RATE_HZ


def tiny_model(folder: Path) -> Path:
    """Write a model with three variants of a network that costs next to nothing."""
    sys.path.insert(0, str(HELPERS))
    from brightness_model import write_brightness_model

    card_file = write_brightness_model(folder) / 'model.yaml'
    card = yaml.safe_load(card_file.read_text())
    card['variants'] = [{**card['variants'][0], 'name': name} for name in ('a', 'b', 'c')]
    card_file.write_text(yaml.safe_dump(card))
    return folder


def run_round(model: Path, variants: list[str], size: str, options: argparse.Namespace) -> Round:
    """Start the processes, switch until the camera has sent everything, and gather what came."""
    with ExitStack() as stack:

        def start(command: list[str]) -> subprocess.Popen[str]:
            child = subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(child.kill)
            return child

        settings = {'model': model, 'keep_loaded': options.keep, 'allow_unvalidated': 'true'}
        settings.update(engine='onnxruntime', variant=variants[0])
        given = [word for key, value in settings.items() for word in ('-p', f'{key}:={value}')]
        detector = start(['-m', 'jetson_infer.ros.detector_node', '--ros-args', *given])
        listener = start([peers.__file__, 'listener'])
        switcher = peers.Switcher()
        stack.callback(switcher.end)
        switcher.begin()
        if options.ready:
            for name in [*variants[1:], variants[0]]:
                switcher.switch(name)
        clock = CpuClock([os.getpid(), detector.pid, listener.pid])
        camera = start([peers.__file__, 'camera', str(options.frames), *size.split('x')])
        sent_s, sets = switch_until_ended(switcher, camera, variants)
        others = clock.others()
        heard = json.loads(listener.communicate()[0])
        detector.terminate()
        detector.wait(peers.PATIENCE_S)
    return Round(sent_s, heard, [took for took, _ in sets], [why for _, why in sets if why], others)


def switch_until_ended(
    switcher: peers.Switcher, camera: subprocess.Popen[str], variants: list[str]
) -> tuple[list[float], list[tuple[float, str]]]:
    """Set one variant after the other until the camera ends.

    :return: what it printed; how long each set took and why it was refused.
    """
    sets = []
    with ThreadPoolExecutor(1) as pool:
        printed = pool.submit(camera.communicate)
        names = itertools.cycle([*variants[1:], variants[0]])
        while not wait([printed], SWITCH_EVERY_S).done:
            sets.append(switcher.switch(next(names)))
    return json.loads(printed.result()[0]), sets


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--tiny', action='store_true', help='a network that costs next to nothing')
    parser.add_argument('--model', default='scene_detector', help='name or folder of a model')
    parser.add_argument('--variants', help='names, with commas; the first three unless given')
    parser.add_argument('--frames', type=int, default=1000)
    parser.add_argument('--rounds', type=int, default=1)
    parser.add_argument('--keep', type=int, default=3, help='keep_loaded')
    parser.add_argument('--ready', action='store_true', help='set each once before the images')
    parser.add_argument('--limit', type=float, default=2.0, help='longest gap, in frame times')
    return parser.parse_args()


def main() -> int:
    """Measure; return the exit code."""
    options = arguments()
    rclpy.init()
    faulty = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = tiny_model(Path(temporary, 'tiny')) if options.tiny else find_model(options.model)
        known = [variant.name for variant in load_model(folder).card.variants]
        variants = options.variants.split(',') if options.variants else known[:3]
        print(f'{folder.name}: {", ".join(variants)}; keep_loaded {options.keep}', flush=True)
        for _ in range(options.rounds):
            done = run_round(folder, variants, '64x48' if options.tiny else '640x480', options)
            print(done, flush=True)
            for fault in done.faults(options.limit):
                print(f'FAULT: {fault}', flush=True)
                faulty = True
    rclpy.try_shutdown()
    return int(faulty)


if __name__ == '__main__':
    sys.exit(main())
