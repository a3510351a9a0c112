# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""A process in which NumPy, PyYAML and the standard library are all there is.

Usage: python -I bare_environment.py ROOT import MODULE...    prints {module: error} as JSON
       python -I bare_environment.py ROOT help [VERB]         runs jetson-infer [VERB] --help
"""

import importlib
import importlib.abc
import json
import sys

AVAILABLE = {'numpy', 'yaml', '_yaml', 'jetson_infer', *sys.stdlib_module_names}


class OnlyAvailable(importlib.abc.MetaPathFinder):
    """Refuses everything else, as if it were not installed."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Refuse a module; None leaves it to the finders that follow."""
        root = fullname.split('.')[0]
        if root not in AVAILABLE:
            raise ModuleNotFoundError(f'No module named {fullname!r}', name=fullname)


def import_all(names: list[str]) -> dict[str, str]:
    """Import modules one by one; return the errors."""
    errors = {}
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            errors[name] = str(error)
    return errors


def main() -> int:
    """Do what the command line says; return the exit status."""
    root, action, *rest = sys.argv[1:]
    # What is loaded already came with site's start-up files, not from the code under test.
    for name in list(sys.modules):
        if name.split('.')[0] not in AVAILABLE | {'__main__'}:
            del sys.modules[name]
    sys.meta_path.insert(0, OnlyAvailable())
    sys.path.insert(0, root)
    if action == 'import':
        print(json.dumps(import_all(rest)))
        return 0
    from jetson_infer.cli.main import main as command

    return command([*rest, '--help'])


if __name__ == '__main__':
    sys.exit(main())
