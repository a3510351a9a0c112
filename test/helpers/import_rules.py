# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""The import rules of the house, checked on the text of a module.

Rooms import downwards only: errors <- dependencies <- core <- cuda <- engines <- pipeline <-
{toolchain, power} <- {ros, cli}; rooms in one pair of braces do not know each other. A foreign
module with an owner is imported by that owner alone. Only cli ends the process; a module that is
run as a program may hand on its exit status, under ``if __name__ == '__main__':``.

All imports count, wherever they stand: in functions, under TYPE_CHECKING, and those by name through
``importlib.import_module``, ``__import__`` or ``dependencies.require``. To load CUDA's own library
through ctypes is to import ``cuda``.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass

PACKAGE = 'jetson_infer'

FLOOR = {
    'errors': 0,
    'dependencies': 1,
    'core': 2,
    'cuda': 3,
    'engines': 4,
    'pipeline': 5,
    'toolchain': 6,
    'power': 6,
    'ros': 7,
    'cli': 7,
}
"""A room imports itself and what lies on a lower floor."""

OWNERS = {
    'cuda': ('cuda', 'pycuda', 'pynvml', 'cupy', 'numba'),
    'engines.tensorrt': ('tensorrt', 'tensorrt_lean', 'tensorrt_dispatch'),
    'engines.onnxruntime': ('onnxruntime',),
    'power': ('jtop',),
    'ros': (
        'ament_index_python', 'builtin_interfaces', 'cv_bridge', 'diagnostic_updater', 'launch',
        'launch_ros', 'message_filters', 'rcl_interfaces', 'rclpy', 'ros2cli', 'rosbag2_py',
        'rosidl_runtime_py', 'sensor_msgs_py', 'std_srvs', 'tf2_ros', 'unique_identifier_msgs',
    ),
}  # fmt: skip
"""Who may import a foreign module; the names of ROS's message packages follow a pattern."""

ROS_SUFFIXES = ('_msgs', '_interfaces')
EVERYWHERE = {'numpy', 'yaml'}
"""What the package may count on besides the standard library; all else is imported on use."""

CORE_ALLOWED = {'numpy'}
IMPORTERS = {'import_module', '__import__', 'require'}
LOADERS = {'CDLL', 'PyDLL', 'LoadLibrary'}
CUDA_LIBRARIES = ('libcu', 'libnvrtc')
EXITS = {('sys', 'exit'), ('os', '_exit'), ('os', 'abort')}
EXIT_NAMES = {'SystemExit', 'exit', 'quit'}


@dataclass(frozen=True)
class Violation:
    """One broken rule, at a line of a module."""

    module: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f'{self.module}:{self.line}: {self.rule}'


@dataclass(frozen=True)
class Import:
    """One import statement, or a call that imports by name."""

    name: str
    line: int
    on_load: bool
    """Whether it runs when the module is loaded: neither in a function nor under TYPE_CHECKING."""


def violations(module: str, source: str, is_package: bool = False) -> list[Violation]:
    """Check the text of one module against all rules.

    :param module: its full name, such as ``jetson_infer.core.boxes``.
    :param source: its text.
    :param is_package: whether it is an ``__init__.py``, which relative imports count from.
    """
    tree = ast.parse(source)
    found = [
        Violation(module, item.line, rule)
        for item in imports(tree, module, is_package)
        for rule in _broken(module, item)
    ]
    if room_of(module) != 'cli':
        found += [
            Violation(module, line, f'{text} ends the process; only cli does')
            for text, line in exits(tree)
        ]
    return found


def room_of(module: str) -> str:
    """Name the room of a module of the package; the package itself is in none."""
    parts = module.split('.')
    return parts[1] if len(parts) > 1 else ''


def _broken(module: str, item: Import) -> Iterator[str]:
    room, root = room_of(module), item.name.split('.')[0]
    if root == PACKAGE:
        yield from _broken_direction(room, item)
        return
    if root in sys.stdlib_module_names:
        return
    owner = _owner(root)
    if owner and not f'{module}.'.startswith(f'{PACKAGE}.{owner}.'):
        yield f'imports {item.name}, which only {owner} may'
    if room in ('', 'errors') or (room == 'core' and root not in CORE_ALLOWED):
        yield f'imports {item.name}; {room or PACKAGE} knows NumPy and the standard library alone'
    elif item.on_load and root not in EVERYWHERE and room != 'ros':
        yield f'imports {item.name} when loaded; use dependencies.require where it is needed'


def _broken_direction(room: str, item: Import) -> Iterator[str]:
    parts = item.name.split('.')
    target = parts[1] if len(parts) > 1 else ''
    if target not in FLOOR:
        if target and not target.startswith('__'):
            yield f'imports {item.name}, a room that the house does not have'
        return
    if not room:
        yield f'imports {item.name}; the package itself imports nothing'
    elif room not in FLOOR:
        yield f'lies in {room}, a room that the house does not have'
    elif target != room and FLOOR[target] >= FLOOR[room]:
        yield f'imports {item.name}; {room} lies below {target} or beside it'
    elif room == 'core' and target == 'dependencies':
        yield f'imports {item.name}; core has no optional dependencies'


def _owner(root: str) -> str:
    for owner, modules in OWNERS.items():
        if root in modules:
            return owner
    return 'ros' if root.endswith(ROS_SUFFIXES) else ''


def imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[Import]:
    """List what a module imports, in any way and at any place."""
    for node, on_load in _walk(tree, on_load=True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, on_load)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, is_package)
            for alias in node.names:
                # `from jetson_infer import ros` names a room; `from numpy import ndarray` does not.
                name = f'{base}.{alias.name}' if base == PACKAGE else base
                yield Import(name, node.lineno, on_load)
        elif isinstance(node, ast.Call) and _called(node) in IMPORTERS and node.args:
            name = _leading_text(node.args[0])
            if name:
                yield Import(name.rstrip('.'), node.lineno, on_load=False)
        elif isinstance(node, ast.Call) and _loads_cuda(node):
            yield Import('cuda', node.lineno, on_load)


def _walk(node: ast.AST, on_load: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, on_load
        deferred = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.dump(child.test):
            deferred = True
        yield from _walk(child, on_load and not deferred)


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ''
    parts = module.split('.')
    kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return '.'.join([*kept, node.module] if node.module else kept)


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ''


def _loads_cuda(node: ast.Call) -> bool:
    """Whether a call loads a library of CUDA through ctypes."""
    if _called(node) not in LOADERS or not node.args:
        return False
    return _leading_text(node.args[0]).startswith(CUDA_LIBRARIES)


def _leading_text(node: ast.expr) -> str:
    """Return a string's constant beginning: of an f-string, what stands before the first brace."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0] if isinstance(node.values[0], ast.Constant) else ast.Constant('')
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ''


def exits(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """List what would end the process, as written, save where the module is the program."""
    for node in _walk_unless_main(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in EXITS:
                yield f'{node.value.id}.{node.attr}', node.lineno
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (node.module, alias.name) in EXITS:
                    yield f'from {node.module} import {alias.name}', node.lineno
        elif isinstance(node, ast.Name) and node.id in EXIT_NAMES:
            yield node.id, node.lineno


def _walk_unless_main(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "__name__ == '__main__'":
            continue
        yield child
        yield from _walk_unless_main(child)
