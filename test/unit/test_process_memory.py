# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Images come and go without page faults once the allocator is told to keep their memory."""

import json
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource, sys
from jetson_infer.ros.memory import keep_freed_memory
took_effect = keep_freed_memory() if sys.argv[1] == 'keep' else None
def images():
    held = [b'x' * 6_220_800 for _ in range(3)]  # as rclpy holds an image in several forms at once
images()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    images()
print(json.dumps([took_effect, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before]))
"""


def faults(how):
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, how],
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='it is glibc that is told')
def test_freed_images_are_used_again():
    took_effect, kept = faults('keep')
    _, given_back = faults('default')
    assert took_effect
    assert given_back > 1000  # else the switch is needless
    assert kept < given_back / 10
