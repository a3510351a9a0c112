# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Describe the module ``tensorrt`` as a type stub: ``python describe.py > tensorrt.pyi``.

Runs in the Python that the binding module was made for, with the standard library alone. What
pybind11 writes into docstrings tells every signature; a type that it could not name is Any.
"""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator

HEADER = """\
from builtins import bool as _bool
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, overload
"""
PLAIN = {
    'int': 'int', 'float': 'float', 'bool': '_bool', 'str': 'str', 'bytes': 'bytes', 'None': 'None',
    'typing.SupportsInt': 'int', 'typing.SupportsFloat': 'float', 'typing.SupportsIndex': 'int',
    'buffer': 'bytes | bytearray | memoryview | IHostMemory',
    'typing_extensions.Buffer': 'bytes | bytearray | memoryview | IHostMemory',
    'tuple': 'tuple[Any, ...]', 'list': 'list[Any]', 'dict': 'dict[Any, Any]',
}  # fmt: skip
GENERIC = {
    'List': 'list', 'list': 'list', 'Tuple': 'tuple', 'tuple': 'tuple', 'Dict': 'dict',
    'dict': 'dict', 'collections.abc.Sequence': 'Sequence', 'Sequence': 'Sequence',
}  # fmt: skip
IDENTIFIER = re.compile(r'^[A-Za-z_]\w*$')


class Describer:
    """Writes the stub of one module."""

    def __init__(self, module) -> None:
        self.module = module
        self.classes = {
            name: value
            for name, value in vars(module).items()
            if isinstance(value, type) and IDENTIFIER.match(name)
        }
        self.by_type = {}
        for name, value in self.classes.items():
            self._index(name, value)

    def _index(self, path: str, cls: type) -> None:
        if cls in self.by_type:
            return
        self.by_type[cls] = path
        for name, value in vars(cls).items():
            if isinstance(value, type) and not name.startswith('_'):
                self._index(f'{path}.{name}', value)

    def text(self) -> str:
        """Return the whole stub."""
        lines = [HEADER]
        for name, value in self.classes.items():
            if self.by_type[value] == name:
                lines += [*self.class_lines(name, value), '']
            else:
                lines += [f'{name} = {self.by_type[value]}', '']
        for name, value in vars(self.module).items():
            if IDENTIFIER.match(name) and name not in self.classes:
                lines += self.module_member(name, value)
        return '\n'.join(lines) + '\n'

    def module_member(self, name: str, value: object) -> list[str]:
        """Describe a function or a constant of the module."""
        if type(value) in self.by_type:
            return [f'{name}: {self.by_type[type(value)]}']
        if name.startswith('__') and name != '__version__':
            return []
        if isinstance(value, str):
            return [f'{name}: str']
        return [f'{name}: Any']

    def class_lines(self, path: str, cls: type) -> list[str]:
        """Describe a class."""
        bases = [self.by_type[base] for base in cls.__bases__ if base in self.by_type]
        lines = [f'class {path.rpartition(".")[2]}({", ".join(bases)}):']
        is_enum = '__members__' in vars(cls)
        if is_enum:
            lines.append(f'    __members__: ClassVar[dict[str, {path}]]')
        if 'buffer protocol' in (cls.__doc__ or ''):
            lines.append('    def __buffer__(self, flags: int) -> memoryview: ...')
        if '__len__' in vars(cls) and '__getitem__' in vars(cls):
            item = next(signatures(vars(cls)['__getitem__'], '__getitem__'))[1]
            lines.append(f'    def __iter__(self) -> Iterator[{self.type_of(item)}]: ...')
        for name, value in vars(cls).items():
            lines += [f'    {line}' for line in self.member_lines(path, cls, name, value)]
        return [*lines, '    ...']

    def member_lines(self, path: str, cls: type, name: str, value: object) -> list[str]:
        """Describe a class's attribute."""
        if isinstance(value, type):
            if name.startswith('_'):
                return []
            known = self.by_type[value]
            return (
                self.class_lines(known, value)
                if known == f'{path}.{name}'
                else [f'{name}: ClassVar[type[{known}]]']
            )
        if isinstance(value, property):
            if name.startswith('__'):
                return []
            return self.property_lines(name, value)
        if isinstance(value, cls):
            return [f'{name}: ClassVar[{path}]']
        if type(value) in self.by_type:
            return [f'{name}: ClassVar[{self.by_type[type(value)]}]']
        if callable(value) or isinstance(value, (staticmethod, classmethod)):
            return self.method_lines(name, value)
        return []

    def property_lines(self, name: str, value: property) -> list[str]:
        """Describe a property, from what its accessors say of themselves."""
        read = next(signatures(value.fget, ''), None) if value.fget else None
        lines = [
            '@property',
            f'def {name}(self) -> {self.type_of(read[1]) if read else "Any"}: ...',
        ]
        if value.fset:
            write = next(signatures(value.fset, ''), None)
            given = self.type_of(write[0][1][1]) if write and len(write[0]) > 1 else 'Any'
            lines += [f'@{name}.setter', f'def {name}(self, value: {given}) -> None: ...']
        return lines

    def method_lines(self, name: str, value: object) -> list[str]:
        """Describe a method with all its overloads."""
        if name.startswith('__') and name not in ('__init__', '__getitem__', '__len__', '__int__'):
            return []
        found = list(signatures(value, name))
        if not found:
            return [] if name.startswith('_') else [f'{name}: Any']
        lines = []
        for parameters, returned in found:
            lines += ['@overload'] if len(found) > 1 else []
            shown = ['self', *self.parameters(parameters[1:])]
            result = 'None' if name == '__init__' else self.type_of(returned)
            lines.append(f'def {name}({", ".join(shown)}) -> {result}: ...')
        return lines

    def parameters(self, parameters: list[tuple[str, str, str]]) -> Iterator[str]:
        """Describe a method's parameters; after the first that may be left out, all may."""
        optional = False
        for name, kind, default in parameters:
            optional = optional or bool(default)
            if not IDENTIFIER.match(name):
                yield name if name in '/*' else f'{name}: Any'
                continue
            # pybind11 fills a std::vector from any sequence, whatever it calls it.
            shown = self.type_of(re.sub(r'^(List|list)(?=\[)', 'Sequence', kind)) + (
                ' | None' if default == 'None' else ''
            )
            yield f'{name}{"_" * keyword.iskeyword(name)}: {shown}' + ' = ...' * optional

    def type_of(self, text: str) -> str:
        """Return the type that pybind11 names."""
        text = text.strip()
        if text in PLAIN:
            return PLAIN[text]
        generic = re.match(r'^([\w.]+)\[(.*)\]$', text)
        if generic and generic[1] in GENERIC:
            inner = ', '.join(self.type_of(part) for part in split(generic[2]))
            return f'{GENERIC[generic[1]]}[{inner}]'
        known = set(self.by_type.values())
        short = re.sub(r'^(tensorrt(_bindings)?\.)+', '', text)
        if short in known:
            return short
        # Not registered yet when the signature was written: a name of C++.
        plain = '.'.join(re.sub(r'^(nvinfer1|nvonnxparser)::', '', text).split('::'))
        for name in (plain, plain.removeprefix('I')):
            if name in known:
                return name
        return 'Any'


def signatures(function: object, name: str) -> Iterator[tuple[list[tuple[str, str, str]], str]]:
    """Yield parameters (name, type, default) and result of every overload in a docstring."""
    for line in (getattr(function, '__doc__', None) or '').splitlines():
        match = re.match(rf'^(?:\d+\. )?{re.escape(name)}\((.*)\) -> (.*)$', line)
        if match and not match[1].startswith('*args'):
            yield [_parameter(part) for part in split(match[1])], match[2]


def _parameter(text: str) -> tuple[str, str, str]:
    declared, _, default = text.partition(' = ')
    name, _, kind = declared.partition(':')
    return name.strip(), kind.strip(), default.strip()


def split(text: str) -> list[str]:
    """Split at the commas that no bracket encloses."""
    parts, depth, current = [], 0, ''
    for character in text:
        depth += (character in '([{<') - (character in ')]}>')
        if character == ',' and depth == 0:
            parts.append(current)
            current = ''
        else:
            current += character
    return [part.strip() for part in [*parts, current] if part.strip()]


if __name__ == '__main__':
    import tensorrt

    sys.stdout.write(Describer(tensorrt).text())
