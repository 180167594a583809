"""The HTML pages of the preflight and of the grader: one engine, one look, one place to escape.

A page is a template in ``templates/`` that extends ``base.html.j2``. It gets plain values, decides
nothing but how they look, and needs nothing from the network. Whatever a stranger wrote (a name, an
error message, a file's name) is escaped by Jinja2: no template marks text as safe.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **values: Any) -> str:
    """Return a page as HTML text.

    Args:
        template: the file's name in ``templates/`` without ``.html.j2``.
        **values: what the template shows.

    Raises:
        jinja2.UndefinedError: if the template asks for a value that it was not given.
        jinja2.TemplateNotFound: if there is no such template.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{template}.html.j2").render(values)
