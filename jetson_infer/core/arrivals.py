# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Why nothing, or little, arrives or leaves: from the facts of one moment to one sentence.

A node that runs and publishes nothing, without a word, is what users of every perception stack
complain of most.  Each cause here has a fixed word, under which it is logged once, and a remedy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jetson_infer.core.rhythm import Span
from jetson_infer.core.stamps import StampKind

__all__ = ['FAILED', 'ArrivalFacts', 'Finding', 'Problem', 'PublisherFacts', 'explain']

GRACE_S = 2.0
"""How long silence is not remarked on, in seconds: discovery takes its time after activation."""

SILENT_PERIODS = 3.0
"""How many times a stream's own period nothing has to come before it is called silent."""

LEAST_PACED = 4
"""How many images have to come before the share that is processed tells anything."""

SLOW_SHARE = 0.5
"""Below this share of frames processed, the node is called too slow for its input."""

FUTURE_MS = 1000.0
"""Stamps this far ahead of the node's clock come from another clock, in milliseconds."""

PAST_MS = 60_000.0
"""Stamps this far before the node's clock come from another clock: no delay is that long."""

DAY_MS = 86_400_000.0

FAILED = 'failed'
"""The kind of a problem that is no fault of the frame's data."""

_LISTED = 5


@dataclass(frozen=True)
class PublisherFacts:
    """One publisher on the input's topic.

    :param node: its node's fully qualified name.
    :param type: what it publishes, such as ``sensor_msgs/msg/Image``.
    :param reliable: whether it offers reliable delivery.
    """

    node: str
    type: str
    reliable: bool


@dataclass(frozen=True)
class Problem:
    """What went wrong with one frame.

    :param kind: the word that the frame was counted under: :data:`FAILED`, or the reason for which
        it was rejected, such as ``bad_step``.
    :param message: what happened.
    """

    kind: str
    message: str


@dataclass(frozen=True)
class ArrivalFacts:
    """What is known at one moment about an active node's input.

    :param topic: the input's topic.
    :param type: the type that is subscribed to.
    :param asks_reliable: whether the subscription asks for reliable delivery.
    :param active_s: how long the node has been active, in seconds.
    :param publishers: those on the topic, of whatever type.
    :param same_type: other topics of the type that have a publisher.
    :param counts: frames since the last look, by the names of the account.
    :param silent_s: how long no frame has come, in seconds.
    :param period_s: the usual time between the latest frames, in seconds; 0 before the second.
    :param pace: what became of the latest few frames, at least :data:`LEAST_PACED` where so many
        came lately; the same as `counts` where frames come fast.
    :param problem: the gravest problem of a single frame that is recent.
    :param newest_age_ms: how old the newest frame was when it came, by its stamp and the node's
        clock; None when none came or its stamp was zero.
    :param stamps: what is wrong with many of the latest stamps, compared with each other.
    :param stale_after_ms: the limit in force; 0 for none.
    :param lost: messages that the middleware says it lost since the last look.
    :param clock_stands: whether the node follows /clock and that has not moved since the last
        look.
    :param transport_profile: whether a DDS profile for large messages is in force.
    """

    topic: str
    type: str
    asks_reliable: bool = False
    active_s: float = 1e9
    publishers: tuple[PublisherFacts, ...] = ()
    same_type: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    silent_s: float = 0.0
    period_s: float = 0.0
    pace: Span = field(default_factory=lambda: Span({}, 0.0))
    problem: Problem | None = None
    newest_age_ms: float | None = None
    stamps: StampKind = StampKind.FORWARD
    stale_after_ms: float = 0.0
    lost: int = 0
    clock_stands: bool = False
    transport_profile: bool = True

    def count(self, name: str) -> int:
        """Return a counter; 0 where it is not there."""
        return self.counts.get(name, 0)


@dataclass(frozen=True)
class Finding:
    """A cause and what to do about it.

    :param cause: its fixed word, such as ``no_publisher``.
    :param message: what happens, with its numbers, and the next step.
    :param is_error: whether the node itself fails, or can do nothing of what it is there for.
    """

    cause: str
    message: str
    is_error: bool = False


def explain(facts: ArrivalFacts) -> Finding | None:
    """Return the first cause, in the order of a message's way, or None when all is well."""
    for rule in _RULES:
        finding = rule(facts)
        if finding is not None:
            return finding
    return None


def _publishers(facts: ArrivalFacts) -> Finding | None:
    if not facts.publishers:
        return None if facts.active_s < GRACE_S else _no_publisher(facts)
    if not any(publisher.type == facts.type for publisher in facts.publishers):
        other = facts.publishers[0]
        return Finding(
            'wrong_type',
            f'{other.node} publishes {other.type} on {facts.topic}, and this node takes '
            f'{facts.type} there; set image_transport, or remap ~/input/image',
        )
    return None if _heard(facts) else _unheard(facts)


def _heard(facts: ArrivalFacts) -> list[PublisherFacts]:
    """Return the publishers whose type and delivery the subscription takes.

    It asks for nothing else that a publisher could lack: no durability, deadline or liveliness.
    """
    return [
        publisher
        for publisher in facts.publishers
        if publisher.type == facts.type and (publisher.reliable or not facts.asks_reliable)
    ]


def _unheard(facts: ArrivalFacts) -> Finding | None:
    """Tell of publishers that offer less than is asked for: an error where there are no others."""
    heard = [publisher.node for publisher in _heard(facts)]
    unheard = [
        publisher.node
        for publisher in facts.publishers
        if publisher.type == facts.type and facts.asks_reliable and not publisher.reliable
    ]
    if not unheard:
        return None
    comes = 'nothing arrives' if not heard else f'only {_names(heard)} can be heard'
    return Finding(
        'incompatible_qos',
        f'{_names(unheard)} offers best-effort delivery on {facts.topic}, and input_qos asks for '
        f'reliable, so that {comes}; set input_qos to sensor_data',
        is_error=not heard,
    )


def _names(nodes: Sequence[str]) -> str:
    more = f' and {len(nodes) - _LISTED} more' if len(nodes) > _LISTED else ''
    return ', '.join(nodes[:_LISTED]) + more


def _no_publisher(facts: ArrivalFacts) -> Finding:
    if facts.same_type:
        shown = _names(facts.same_type)
        hint = f'{facts.type} is published on: {shown}; remap ~/input/image to one of them'
    else:
        hint = f'nothing in this ROS domain publishes {facts.type}; is the camera driver running?'
    return Finding('no_publisher', f'no publisher on {facts.topic}; {hint}')


def _clock(facts: ArrivalFacts) -> Finding | None:
    if facts.clock_stands:
        return Finding(
            'clock_stands',
            'use_sim_time is set and /clock does not advance; start the simulation or the '
            'recording with its clock, or unset use_sim_time',
        )
    return None


def _age(facts: ArrivalFacts) -> Finding | None:
    """Tell why frames are left out for their age."""
    if not (facts.count('stale') or facts.count('rejected/future_stamp')):
        return None
    if facts.stamps is StampKind.UNSET:
        return _unstamped(facts)
    age = facts.newest_age_ms
    if age is None:
        return None
    return _foreign_clock(facts, age) or Finding(
        'stale',
        f'images on {facts.topic} are {age:.0f} ms old when they come, and stale_after_ms is '
        f'{facts.stale_after_ms:g}; look for the delay before this node, or raise the limit',
    )


def _stamps(facts: ArrivalFacts) -> Finding | None:
    """Tell of stamps that no image is left out for, but that mislead whoever goes by them."""
    if not facts.count('received'):
        return None
    if facts.stamps is StampKind.UNSET:
        return _unstamped(facts)
    names = [publisher.node for publisher in facts.publishers if publisher.type == facts.type]
    if facts.stamps is not StampKind.FORWARD:
        kind = facts.stamps.value
        if len(names) > 1:
            hint = f'{len(names)} publishers share the topic: {", ".join(names)}; remap one'
        else:
            hint = f'have {names[0] if names else "the driver"} stamp every image anew, in order'
        return Finding(
            f'{kind}_stamps',
            f'many stamps on {facts.topic} are {kind}; the images are processed, and results go '
            f'by the same stamps; {hint}',
        )
    return None if facts.newest_age_ms is None else _foreign_clock(facts, facts.newest_age_ms)


def _unstamped(facts: ArrivalFacts) -> Finding:
    hint = 'have the driver stamp them'
    if facts.stale_after_ms > 0:
        hint += ', or set stale_after_ms to 0: without a stamp every image is too old'
    return Finding('unstamped', f'images on {facts.topic} have no stamp; {hint}')


def _foreign_clock(facts: ArrivalFacts, age: float) -> Finding | None:
    unset = ', or stale_after_ms to 0' if facts.stale_after_ms > 0 else ''
    if age < -FUTURE_MS:
        return Finding(
            'foreign_clock',
            f"images on {facts.topic} are stamped {_duration(-age)} in this node's future; "
            f'synchronize the clocks of both hosts (chrony, PTP)',
        )
    if age > PAST_MS:
        return Finding(
            'foreign_clock',
            f"images on {facts.topic} are stamped {_duration(age)} before this node's time: they "
            f'follow another clock; set use_sim_time if it is simulated or recorded{unset}',
        )
    return None


def _transport(facts: ArrivalFacts) -> Finding | None:
    if not facts.lost:
        return None
    if facts.transport_profile:
        hint = 'raise net.core.rmem_max, or send compressed images (docs/transport.md)'
    else:
        hint = 'set the DDS profile for large messages (docs/transport.md)'
    return Finding(
        'transport_loses',
        f'the middleware lost {facts.lost} messages of {facts.topic} on their way, while '
        f'{facts.count("received")} arrived; {hint}',
    )


def _silence(facts: ArrivalFacts) -> Finding | None:
    patience_s = max(GRACE_S, SILENT_PERIODS * facts.period_s)
    if facts.silent_s < patience_s or facts.active_s < GRACE_S or not facts.publishers:
        return None
    if unheard := _unheard(facts):
        return unheard  # what was to be heard is rather there than with a publisher that rests
    hint = 'the publisher is silent'
    if not facts.transport_profile:
        hint += ', or all of its large messages get lost: set the DDS profile (docs/transport.md)'
    return Finding(
        'silent_publisher',
        f'nothing has come on {facts.topic} for {_duration(facts.silent_s * 1000)}, although '
        f'{_names([publisher.node for publisher in _heard(facts)])} is connected; {hint}',
    )


def _frames(facts: ArrivalFacts) -> Finding | None:
    problem = facts.problem
    if problem is None:
        return None
    failed = problem.kind == FAILED
    return Finding('failed' if failed else 'rejected', problem.message, is_error=failed)


def _pace(facts: ArrivalFacts) -> Finding | None:
    count, seconds = facts.pace.counts.get, facts.pace.seconds
    received, processed = count('received', 0), count('processed', 0)
    due = received - count('shed', 0)
    if received < LEAST_PACED or not count('replaced', 0) or processed >= SLOW_SHARE * due:
        return None
    return Finding(
        'too_slow',
        f'{processed} of {received} images were processed in {seconds:.0f} s: the network is '
        'slower than the camera; choose a smaller variant, or set max_rate_hz',
    )


def _duration(milliseconds: float) -> str:
    """Return a duration in the unit a person would use."""
    for unit, size in (('days', DAY_MS), ('h', 3_600_000.0), ('s', 1000.0)):
        if milliseconds >= size:
            return f'{milliseconds / size:.1f} {unit}'
    return f'{milliseconds:.0f} ms'


_RULES = (
    _publishers,
    _clock,
    _age,
    _transport,
    _silence,
    _frames,
    _unheard,
    _pace,
    _stamps,
)
"""In the order of a message's way; what costs no frame comes last."""
