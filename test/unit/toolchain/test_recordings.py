# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jetson_infer.errors import RecordingError
from jetson_infer.toolchain.recording_files import find_recording
from jetson_infer.toolchain.recordings import Recording
from recording_writer import IMAGE, NS, START_NS, TRUTH, write_recording


@pytest.fixture(
    params=[('MCAP', 'NONE'), ('MCAP', 'STORAGE'), ('SQLITE3', 'NONE'), ('SQLITE3', 'MESSAGE')],
    ids='-'.join,
)
def any_recording(request, tmp_path) -> Path:
    storage, compression = request.param
    return write_recording(tmp_path / 'walk', storage=storage, compression=compression)


def test_tells_what_it_holds(any_recording):
    with Recording.open(any_recording) as recording:
        assert {t.name: (t.type, t.count) for t in recording.topics.values()} == {
            IMAGE: ('sensor_msgs/msg/CompressedImage', 10),
            TRUTH: ('vision_msgs/msg/Detection2DArray', 10),
            '/tf_static': ('tf2_msgs/msg/TFMessage', 1),
        }
        assert recording.start_ns == START_NS
        assert recording.duration_ns == 9 * NS // 20
        assert recording.message_count == 21
        camera, static = recording.topics[IMAGE].qos, recording.topics['/tf_static'].qos
        assert not camera.reliable
        assert camera.depth == 7
        assert static.reliable
        assert static.transient_local


def test_decodes_by_topic_in_order(any_recording):
    with Recording.open(any_recording) as recording:
        messages = list(recording.messages([TRUTH]))
    assert [m.topic for m in messages] == [TRUTH] * 10
    assert [m.log_ns for m in messages] == [START_NS + i * NS // 20 for i in range(10)]
    lefts = [
        m.message.detections[0].bbox.center.position.x - m.message.detections[0].bbox.size_x / 2
        for m in messages
    ]
    assert lefts == [10.0 + i for i in range(10)]
    assert messages[0].message.detections[0].results[0].hypothesis.class_id == 'person'


def test_a_range_of_time_is_read_alone(any_recording):
    with Recording.open(any_recording) as recording:
        times = [m.log_ns for m in recording.raw([IMAGE], START_NS + NS // 10, START_NS + NS // 5)]
    assert times == [START_NS + NS // 10, START_NS + 3 * NS // 20]


def test_a_single_file_is_a_recording(tmp_path):
    folder = write_recording(tmp_path / 'walk')
    with Recording.open(next(folder.glob('*.mcap'))) as recording:
        assert len(list(recording.messages([IMAGE]))) == 10


def test_sqlite_without_definitions_is_decoded(tmp_path):
    """As Humble's recorder writes it: no message_definitions table."""
    folder = write_recording(tmp_path / 'walk', storage='SQLITE3')
    import sqlite3

    with sqlite3.connect(next(folder.glob('*.db3'))) as database:
        database.execute('DELETE FROM message_definitions')
    with Recording.open(folder) as recording:
        assert len(list(recording.messages([TRUTH]))) == 10


def test_a_topic_that_is_not_there_lists_those_that_are(any_recording):
    with Recording.open(any_recording) as recording, pytest.raises(RecordingError) as caught:
        list(recording.raw(['/camera/image']))
    assert "no topic '/camera/image'" in str(caught.value)
    assert f'{IMAGE}  (sensor_msgs/msg/CompressedImage)' in str(caught.value)


@pytest.mark.parametrize('keep', [0, 5, 8, 0.3, 0.9, -1])
def test_a_cut_mcap_file_is_named(tmp_path, keep):
    folder = write_recording(tmp_path / 'walk', frames=50)
    file = next(folder.glob('*.mcap'))
    data = file.read_bytes()
    file.write_bytes(data[: int(keep * len(data)) if 0 < keep < 1 else keep])
    with pytest.raises(RecordingError) as caught:
        Recording.open(folder)
    assert str(file) in str(caught.value)
    assert 'copy it again' in str(caught.value) or 'not an mcap file' in str(caught.value)


@pytest.mark.parametrize('storage', ['MCAP', 'SQLITE3'])
def test_flipped_bytes_are_an_error_and_never_another(tmp_path, storage):
    """Wherever a file is damaged, a RecordingError or the whole recording comes out."""
    import numpy as np

    folder = write_recording(tmp_path / 'walk', storage=storage, compression='NONE')
    file = next(f for f in folder.iterdir() if f.suffix in ('.mcap', '.db3'))
    data = file.read_bytes()
    rng = np.random.default_rng(7)
    damaged = 0
    for _ in range(40):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), 6):
            changed[place] ^= int(rng.integers(1, 256))
        file.write_bytes(bytes(changed))
        error = _read_all(folder)
        if error:
            damaged += 1
            assert str(folder) in error
    assert damaged > 0


def _read_all(folder: Path) -> str:
    try:
        with Recording.open(folder) as recording:
            list(recording.messages())
    except RecordingError as error:
        return str(error)
    return ''


def test_missing_messages_are_told(tmp_path):
    folder = write_recording(tmp_path / 'walk', storage='SQLITE3')
    import sqlite3

    with sqlite3.connect(next(folder.glob('*.db3'))) as database:
        database.execute('DELETE FROM messages WHERE id > 15')
    with Recording.open(folder) as recording, pytest.raises(RecordingError, match=r'promises 21'):
        list(recording.raw())


@pytest.mark.parametrize(
    ('prepare', 'message'),
    [
        (lambda folder: shutil.rmtree(folder), 'no such file or folder'),
        (lambda folder: (folder / 'metadata.yaml').unlink(), 'ros2 bag reindex'),
        (lambda folder: [f.unlink() for f in folder.iterdir()], 'not a recording'),
        (lambda folder: (folder / 'walk.mcap').unlink(), 'not there'),
        (lambda folder: (folder / 'metadata.yaml').write_text('a: [1'), 'metadata.yaml'),
        (lambda folder: (folder / 'metadata.yaml').write_text('a: 1'), 'metadata'),
        (lambda folder: (folder / 'metadata.yaml').write_text(''), 'metadata'),
    ],
)
def test_a_broken_folder_is_told_with_the_next_step(tmp_path, prepare, message):
    folder = write_recording(tmp_path / 'walk')
    prepare(folder)
    with pytest.raises(RecordingError, match=message) as caught:
        Recording.open(folder)
    assert str(folder) in str(caught.value)


def test_an_unknown_message_type_is_told_when_it_is_decoded(tmp_path):
    folder = write_recording(tmp_path / 'walk', storage='SQLITE3')
    import sqlite3

    with sqlite3.connect(next(folder.glob('*.db3'))) as database:
        database.execute('DELETE FROM message_definitions')
        database.execute("UPDATE topics SET type = 'acme_msgs/msg/Rocket' WHERE name = ?", (TRUTH,))
    metadata = folder / 'metadata.yaml'
    text = metadata.read_text()
    metadata.write_text(text.replace('vision_msgs/msg/Detection2DArray', 'acme_msgs/msg/Rocket'))
    with Recording.open(folder) as recording:
        assert len(list(recording.messages([IMAGE]))) == 10
        assert len(list(recording.raw([TRUTH]))) == 10
        with pytest.raises(RecordingError, match=r'acme_msgs/msg/Rocket.*record it again as mcap'):
            list(recording.messages([TRUTH]))


def test_recordings_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_recording(tmp_path / 'share' / 'jetson_infer' / 'recordings' / 'garden')
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path}')
    assert find_recording('garden').name == 'garden'
    with pytest.raises(RecordingError, match=r"'gardn'.*garden"):
        find_recording('gardn')
    monkeypatch.setenv('JETSON_INFER_RECORDING_PATH', str(tmp_path / 'share' / 'jetson_infer'))
    assert find_recording('recordings').parent == tmp_path / 'share' / 'jetson_infer'


def test_importing_needs_no_rosbags():
    code = (
        "import sys; sys.modules['rosbags'] = None\n"
        'import jetson_infer.toolchain.recordings as r\n'
        'import jetson_infer.toolchain.playback.player\n'
        'from jetson_infer.errors import MissingDependencyError\n'
        'try: r.Recording.open("/")\n'
        'except MissingDependencyError as e: print(e)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert 'pip install rosbags' in done.stdout
