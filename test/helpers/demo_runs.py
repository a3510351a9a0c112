# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of drawn pictures, and what an imagined detector published while one was played."""

import json

import cv2
import numpy as np

from jetson_infer.toolchain.report.run_record import STAGES
from recording_writer import IMAGE, NS, START_NS, write_recording

LIVE_NS = 1_800_000_000 * NS
RATE_HZ = 20


def picture(number, width=320, height=240):
    """Return a BGR picture that differs from frame to frame, with a box where the truth is."""
    image = np.full((height, width, 3), 90, np.uint8)
    cv2.rectangle(image, (10 + number, 20), (60 + number, 90), (40, 160, 220), -1)
    return image


def write_pictures(path, frames):
    """Write a recording whose images are JPEGs; the truth is one person a frame, moving."""
    jpegs = [cv2.imencode('.jpg', picture(i))[1].tobytes() for i in range(frames)]
    return write_recording(path, frames=frames, rate_hz=RATE_HZ, images=jpegs)


def run_lines(frames, lost=(), wrong=(), latency_ms=12.0):
    """Return the observer's lines of a run.

    :param lost: frames for which nothing is published.
    :param wrong: frames in which the person is taken for a dog.
    """
    lines = []
    for i in range(frames):
        stamp = LIVE_NS + i * NS // RATE_HZ - 5_000_000
        received = stamp + round((latency_ms + i % 3) * 1e6)
        label = 'dog' if i in wrong else 'person'
        box = [11.0 + i, 20.0, 60.0 + i, 91.0]
        if i not in lost:
            lines.append(
                {
                    'kind': 'detections',
                    'stamp': stamp,
                    'received': received,
                    'objects': [[label, 0.5 + i / 1000, box]],
                }
            )
    lines += [diagnostics(frames, len(lost)), playback(frames)]
    lines.append({'kind': 'end', 'received': LIVE_NS, 'reason': 'finished'})
    return [json.dumps(line) for line in lines]


def diagnostics(received, replaced=0, state='active'):
    """Return a line of the detector's diagnostics."""
    values = {'state': state, 'rate_in_hz': '20.0', 'rate_out_hz': '19.9', 'model': 'toy'}
    for number, stage in enumerate((*STAGES, 'total'), 1):
        for percentile, factor in (('p50', 1.0), ('p95', 1.5), ('p99', 2.0)):
            values[f'latency_ms/{stage}/{percentile}'] = f'{number * factor:.3f}'
    values['frames/received'] = str(received)
    values['frames/processed'] = str(received - replaced)
    values['frames/replaced'] = str(replaced)
    return {
        'kind': 'diagnostics',
        'received': LIVE_NS,
        'level': 0,
        'message': 'ok',
        'values': values,
    }


def playback(frames, state='finished'):
    """Return a line of the player's status."""
    return {
        'kind': 'playback',
        'received': LIVE_NS,
        'values': {
            'state': state,
            'position_s': str((frames - 1) / RATE_HZ),
            'duration_s': str((frames - 1) / RATE_HZ),
            f'published{IMAGE}': str(frames),
            'time_map/recorded_ns': str(START_NS),
            'time_map/live_ns': str(LIVE_NS),
            'time_map/rate': '1.0',
        },
    }
