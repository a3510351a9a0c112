# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Pages made of this package's templates and its one style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jetson_infer.dependencies import require

__all__ = ['fill_page']

STYLE = 'page.css'


def fill_page(room: str, template: str, context: Mapping[str, Any]) -> str:
    """Return a page; text is escaped, and a name that the context lacks is an error.

    :param room: the module whose folder holds the template, and those that it extends.
    :param context: what the template names, but for `style`.
    :raises MissingDependencyError: if Jinja2 is not installed.
    """
    jinja2 = require('jinja2', 'Writing the report')
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(lambda name: (files(room) / name).read_text('utf-8')),
    )
    style = (files('jetson_infer.toolchain.report') / STYLE).read_text('utf-8')
    rendered = environment.from_string(style).render()
    return str(environment.get_template(template).render(style=rendered, **context))
