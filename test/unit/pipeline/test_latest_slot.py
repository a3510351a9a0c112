# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
import threading

from jetson_infer.pipeline.latest_slot import LatestSlot


def test_a_newer_item_replaces_the_waiting_one():
    slot = LatestSlot()
    assert slot.put(1) is None
    assert slot.put(2) == 1
    assert slot.take() == 2
    assert slot.put(3) is None


def test_a_closed_slot_returns_what_was_left_and_what_comes():
    slot = LatestSlot()
    slot.put(1)
    assert slot.close() == 1
    assert slot.put(2) == 2
    assert slot.take() is None
    assert slot.close() is None


def test_closing_wakes_a_waiting_taker():
    slot = LatestSlot()
    taken = []
    taker = threading.Thread(target=lambda: taken.append(slot.take()))
    taker.start()
    slot.close()
    taker.join(timeout=60)
    assert not taker.is_alive()
    assert taken == [None]


def test_every_item_is_taken_or_displaced_exactly_once():
    slot = LatestSlot()
    seen = []
    lock = threading.Lock()

    def note(item):
        with lock:
            seen.append(item)

    def produce(start):
        for item in range(start, start + 1000):
            displaced = slot.put(item)
            if displaced is not None:
                note(displaced)

    def consume():
        while (item := slot.take()) is not None:
            note(item)

    consumer = threading.Thread(target=consume)
    consumer.start()
    producers = [threading.Thread(target=produce, args=(1 + n * 1000,)) for n in range(3)]
    for thread in producers:
        thread.start()
    for thread in producers:
        thread.join()
    left = slot.close()
    if left is not None:
        note(left)
    consumer.join(timeout=60)
    assert sorted(seen) == list(range(1, 3001))
