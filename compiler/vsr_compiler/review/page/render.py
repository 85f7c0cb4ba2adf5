"""Renders a page with Jinja2. Every text is escaped; the page loads nothing and runs nothing."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from vsr_compiler.review.page.model import Page
from vsr_compiler.review.page.svg import HEIGHT, WIDTH, picture


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("vsr_compiler.review.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def render(page: Page) -> str:
    """Return the HTML of a page."""
    return _template().render(page=page, picture=picture, box_width=WIDTH, box_height=HEIGHT) + "\n"
