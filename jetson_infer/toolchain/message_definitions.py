# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Message types of recordings: what decodes them, where no ROS is installed.

A recording may embed its definitions (mcap always does; sqlite3 since Iron); those are the truth
about its bytes and win.  Otherwise the distribution it was recorded on decides, and vision_msgs,
which no distribution's base set contains, is added from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jetson_infer.dependencies import require

__all__ = ['VISION_MSGS', 'make_typestore']

VISION_MSGS = {
    'BoundingBox2D': 'Pose2D center\nfloat64 size_x\nfloat64 size_y',
    'BoundingBox2DArray': 'std_msgs/Header header\nBoundingBox2D[] boxes',
    'BoundingBox3D': 'geometry_msgs/Pose center\ngeometry_msgs/Vector3 size',
    'BoundingBox3DArray': 'std_msgs/Header header\nBoundingBox3D[] boxes',
    'Classification': 'std_msgs/Header header\nObjectHypothesis[] results',
    'Detection2D': (
        'std_msgs/Header header\nObjectHypothesisWithPose[] results\nBoundingBox2D bbox\nstring id'
    ),
    'Detection2DArray': 'std_msgs/Header header\nDetection2D[] detections',
    'Detection3D': (
        'std_msgs/Header header\nObjectHypothesisWithPose[] results\nBoundingBox3D bbox\nstring id'
    ),
    'Detection3DArray': 'std_msgs/Header header\nDetection3D[] detections',
    'LabelInfo': 'std_msgs/Header header\nVisionClass[] class_map\nfloat32 threshold',
    'ObjectHypothesis': 'string class_id\nfloat64 score',
    'ObjectHypothesisWithPose': (
        'ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose'
    ),
    'Point2D': 'float64 x\nfloat64 y',
    'Pose2D': 'Point2D position\nfloat64 theta',
    'VisionClass': 'uint16 class_id\nstring class_name',
    'VisionInfo': (
        'std_msgs/Header header\nstring method\nstring database_location\nint32 database_version'
    ),
}
"""The fields of vision_msgs 4.x, which Humble and Jazzy share, by message name."""


def make_typestore(
    ros_distro: str | None, definitions: Iterable[tuple[str, str, bool]] = ()
) -> Any:
    """Make the store that decodes a recording's messages.

    :param ros_distro: the distribution the recording names; where it names none that is known, the
        newest known one, whose standard messages extend the older ones'.
    :param definitions: the recording's own, as ``(type name, text, is_idl)``.
    :return: a ``rosbags.typesys.store.Typestore``.
    :raises MissingDependencyError: if rosbags is not installed.
    :raises rosbags.typesys.TypesysError: if a definition cannot be parsed.
    """
    typesys = require('rosbags.typesys', 'Reading recordings')
    known = {store.name: store for store in typesys.Stores}
    store = known.get(f'ROS2_{(ros_distro or "").upper()}', typesys.Stores.LATEST)
    # An empty store first: the types of a distribution's own store cannot be redefined in it.
    types = dict(typesys.get_typestore(store).fielddefs)
    for name, text in VISION_MSGS.items():
        types.update(typesys.get_types_from_msg(text, f'vision_msgs/msg/{name}'))
    for name, text, is_idl in definitions:
        types.update(_parse(typesys, name, text, is_idl))
    typestore = typesys.get_typestore(typesys.Stores.EMPTY)
    typestore.register(types)
    return typestore


def _parse(typesys: Any, name: str, text: str, is_idl: bool) -> dict[str, Any]:
    if not is_idl:
        return dict(typesys.get_types_from_msg(text, name))
    # rosbag2 joins the IDL of a message and of all it contains, each under a ruler and its name.
    ruler = '=' * 80 + '\n'
    parts = [part.partition('\n')[2] for part in text.split(ruler) if part.startswith('IDL: ')]
    types: dict[str, Any] = {}
    for part in parts or [text]:
        types.update(typesys.get_types_from_idl(part))
    return types
