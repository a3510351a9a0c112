# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.playback.time_map import TimeMap
from jetson_infer.toolchain.report.run_record import RunRecord


def line(kind, **fields):
    return json.dumps({'kind': kind, 'received': 2_000_000_000, **fields})


def test_a_run_fills_line_by_line():
    record = RunRecord()
    assert record.counters == {}
    assert record.time_map is None
    record.feed(
        line('detections', stamp=1_985_000_000, objects=[['dog', 0.9, [1.0, 2.0, 3.0, 4.0]]])
    )
    record.feed(
        line(
            'diagnostics',
            level=1,
            message='slow',
            values={
                'state': 'active',
                'frames/received': '7',
                'frames/rejected/bad_step': '1',
                'latency_ms/infer/p50': '3.5',
                'latency_ms/infer/p95': 'nan?',
            },
        )
    )
    record.feed(
        line(
            'playback',
            values={
                'state': 'playing',
                'published/camera': '8',
                'time_map/recorded_ns': '5',
                'time_map/live_ns': '9',
                'time_map/rate': '2.0',
            },
        )
    )
    assert record.published[0].latency_ms == 15.0
    assert record.published[0].objects[0].label == 'dog'
    assert record.published[0].objects[0].box == (1.0, 2.0, 3.0, 4.0)
    assert record.counters == {'received': 7, 'rejected/bad_step': 1}
    assert record.latest.latency('infer') == {'p50': 3.5}
    assert record.latest.number('nothing') is None
    assert record.frames_played('/camera') == 8
    assert record.frames_played('/other') == 0
    assert record.time_map == TimeMap(5, 9, 2.0)
    assert record.end == ''
    record.feed(line('end', reason='finished'))
    assert record.end == 'finished'


@pytest.mark.parametrize(
    'text',
    [
        '',
        'Traceback (most recent call last):',
        '[]',
        '{}',
        '{"kind": "detections", "received": 1, "stamp": 2}',
        '{"kind": "detections", "received": 1, "stamp": 2, "objects": [["dog", 0.5, [1, 2]]]}',
        '{"kind": "diagnostics", "received": 1, "level": 0, "message": "", "values": 5}',
        '{"kind": "weather", "received": 1}',
    ],
)
def test_what_is_no_line_is_quoted(text):
    with pytest.raises(RecordingError, match='not a line of the observer'):
        RunRecord().feed(text)
