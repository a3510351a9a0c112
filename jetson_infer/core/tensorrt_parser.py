# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Reading the ``tensorrt`` section of a model card."""

from __future__ import annotations

from jetson_infer.core.cards import InputCard
from jetson_infer.core.fields import Fields, shown
from jetson_infer.core.sizes import Size
from jetson_infer.core.tensorrt_settings import SizeProfile, TensorRtSettings

__all__ = ['parse_tensorrt_settings']

MAX_EXTENT = 16384  # pixels a side; as everywhere in a card
MAX_WORKSPACE_MB = 1 << 20
MAX_DLA_CORE = 7  # an Orin has 2; far beyond any board
MAX_OPTIMIZATION_LEVEL = 5  # TensorRT's own scale, from 0
_KEYS = (
    *('profiles', 'workspace_mb', 'dla_core', 'sparsity', 'strongly_typed'),
    'optimization_level',
)
_PROFILE_KEYS = ('min', 'opt', 'max')


def parse_tensorrt_settings(
    parent: Fields,
    input_card: InputCard,
    size: Size | None = None,
    usual: TensorRtSettings | None = None,
) -> TensorRtSettings:
    """Read the section ``tensorrt`` of a card or of a variant.

    :param parent: the card or the variant; the section may be missing.
    :param input_card: the card's input, whose range holds every profile.
    :param size: the variant's size, which one of the profiles has to admit; None at the top level.
    :param usual: what holds where the section is silent.
    :raises CardError: if a value cannot work, naming it and what is allowed.
    """
    usual = usual or TensorRtSettings()
    fields = Fields(
        parent.raw('tensorrt') if parent.has('tensorrt') else {},
        parent.source,
        parent.path('tensorrt'),
        _KEYS,
    )
    profiles = _profiles(fields, input_card) if fields.has('profiles') else usual.profiles
    if size is not None and profiles and not any(profile.admits(size) for profile in profiles):
        there = '; '.join(map(str, profiles))
        raise parent.error(
            'tensorrt.profiles',
            f'none admits {size[0]}x{size[1]}, the size of this variant; there are {there} '
            '(min / opt / max)',
        )
    return TensorRtSettings(
        profiles=profiles,
        workspace_mb=_integer(fields, 'workspace_mb', (1, MAX_WORKSPACE_MB), usual.workspace_mb),
        dla_core=_integer(fields, 'dla_core', (0, MAX_DLA_CORE), usual.dla_core),
        sparsity=fields.flag('sparsity', usual.sparsity),
        strongly_typed=fields.flag('strongly_typed', usual.strongly_typed),
        optimization_level=_integer(
            fields, 'optimization_level', (0, MAX_OPTIMIZATION_LEVEL), usual.optimization_level
        ),
    )


def _integer(fields: Fields, key: str, limits: tuple[int, int], usual: int | None) -> int | None:
    return fields.integer(key, *limits) if fields.has(key) else usual


def _profiles(parent: Fields, input_card: InputCard) -> tuple[SizeProfile, ...]:
    if input_card.size_range is None:
        raise parent.error(
            'profiles',
            'are for a network that takes several sizes, and input.range, which tells them, is '
            'missing',
        )
    profiles: list[SizeProfile] = []
    for index, item in enumerate(parent.items('profiles')):
        prefix = parent.path(f'profiles[{index}]')
        profile = _profile(Fields(item, parent.source, prefix, _PROFILE_KEYS), input_card)
        if profile in profiles:
            raise parent.error(
                f'profiles[{index}]', f'is the same as profiles[{profiles.index(profile)}]'
            )
        profiles.append(profile)
    return tuple(profiles)


def _profile(fields: Fields, input_card: InputCard) -> SizeProfile:
    minimum, optimum, maximum = (_profile_size(fields, key, input_card) for key in _PROFILE_KEYS)
    for axis, extent in enumerate(('width', 'height')):
        low, best, high = minimum[axis], optimum[axis], maximum[axis]
        if not low <= best <= high:
            raise fields.error(
                'opt', f'its {extent} {best} must lie from {low} (min) to {high} (max)'
            )
    return SizeProfile(minimum, optimum, maximum)


def _profile_size(fields: Fields, key: str, input_card: InputCard) -> Size:
    value = fields.raw(key)
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise fields.error(key, f'must be [width, height] in pixels, not {shown(value)}')
    width, height = (
        fields.as_integer(f'{key}[{index}]', item, 1, MAX_EXTENT)
        for index, item in enumerate(value)
    )
    size_range = input_card.size_range
    if size_range is not None and not size_range.admits((width, height)):
        raise fields.error(key, f'{width}x{height} is not within input.range ({size_range})')
    return width, height
