# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Adding variants to the text of a card, whose comments and order stay as somebody wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from jetson_infer.errors import CardError

__all__ = ['add_variants']

_PLAIN = re.compile(r'[A-Za-z_][\w.-]*(/[\w.-]+)*\Z')


def add_variants(text: str, after: str, entries: Sequence[Mapping[str, Any]], source: str) -> str:
    """Return a card's text with further variants behind one that it has.

    Nothing else is changed, and the result was read again to be sure of it.  A variant that is
    there already, to the letter, is not added twice.

    :param text: the card.
    :param after: the name of the variant behind which the new ones go.
    :param entries: the new variants, in their order; texts, numbers, booleans, and lists and
        mappings of those.
    :param source: the card's file, for messages.
    :raises CardError: if a variant of such a name says something else, or the text is written in a
        way that cannot be added to.
    """
    card = _load(text, source)
    present = {variant['name']: variant for variant in card['variants']}
    for entry in entries:
        if present.get(entry['name'], entry) != entry:
            raise CardError(
                source,
                'variants',
                f'there is a variant {entry["name"]!r} already, and it is another one; rename or '
                'remove it',
            )
    new = [entry for entry in entries if entry['name'] not in present]
    if not new:
        return text
    sequence = _variants_node(text, source)
    place = [variant['name'] for variant in card['variants']].index(after)
    changed = _insert(text, sequence, place, new)
    expected = dict(card)
    expected['variants'] = [*card['variants'][: place + 1], *new, *card['variants'][place + 1 :]]
    if changed is None or not _reads_as(changed, expected):
        lines = '\n'.join(f'  - {_flow(entry)}' for entry in new)
        raise CardError(
            source, 'variants', f'cannot be added to as it is written; add these lines:\n{lines}'
        )
    return changed


def _load(text: str, source: str) -> dict[str, Any]:
    try:
        return dict(yaml.safe_load(text))
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise CardError(source, '', f'cannot be read back as YAML: {error}') from error


def _reads_as(text: str, expected: Mapping[str, Any]) -> bool:
    try:
        return bool(yaml.safe_load(text) == expected)
    except yaml.YAMLError:
        return False


def _variants_node(text: str, source: str) -> yaml.SequenceNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    for key, value in pairs:
        if key.value == 'variants' and isinstance(value, yaml.SequenceNode):
            return value
    raise CardError(source, 'variants', 'is not a list')


def _insert(
    text: str, sequence: yaml.SequenceNode, place: int, entries: Sequence[Mapping[str, Any]]
) -> str | None:
    """Write entries behind an item of a sequence; None where that cannot be done."""
    item = sequence.value[place]
    if sequence.flow_style:
        at = item.end_mark.index
        return text[:at] + ''.join(f', {_flow(entry)}' for entry in entries) + text[at:]
    newline = '\r\n' if '\r\n' in text else '\n'
    lines = text.splitlines(keepends=True)
    last = _last_line(item)
    if last >= len(lines):
        return None
    if not lines[last].endswith('\n'):
        lines[last] += newline
    indent = ' ' * sequence.start_mark.column
    added = []
    for entry in entries:
        if item.flow_style:
            added.append(f'{indent}- {_flow(entry)}{newline}')
            continue
        for number, (key, value) in enumerate(entry.items()):
            lead = '  ' if number else '- '
            added.append(f'{indent}{lead}{key}: {_flow(value)}{newline}')
    lines[last + 1 : last + 1] = added
    return ''.join(lines)


def _last_line(node: yaml.Node) -> int:
    """Return the number of the line on which a node's last character stands.

    The end of a block mapping is where the next thing begins, behind comments and empty lines that
    belong to that; the end of what stands last in it is not.
    """
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    mark = node.end_mark
    is_block = isinstance(node, yaml.ScalarNode) and node.style in ('|', '>')
    return int(mark.line - 1 if is_block else mark.line)


def _flow(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, Mapping):
        return '{' + ', '.join(f'{key}: {_flow(item)}' for key, item in value.items()) + '}'
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(_flow(item) for item in value) + ']'
    if isinstance(value, str) and _PLAIN.match(value) and yaml.safe_load(value) == value:
        return value
    if isinstance(value, str):
        return '"' + yaml.safe_dump(value, default_style='"', width=2**20).strip()[1:-1] + '"'
    return str(yaml.safe_dump(value, default_flow_style=True).splitlines()[0])
