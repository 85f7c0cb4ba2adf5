"""Policies to start from: the texts that ``vsr-compile init`` writes."""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = {
    "minimal": "the shortest useful policy: two models, one category, a default",
    "quickstart": "servers that the compiler writes, routes, tests and two environments, with comments",
}
"""Names and what they are for."""


def policy(template: str, name: str) -> str:
    """A policy's text.

    Args:
        template: A key of ``TEMPLATES``.
        name: What the policy is to be called; a DNS label.
    """
    text = (Path(__file__).parent / f"{template}.yaml").read_text(encoding="utf-8")
    return re.sub(rf"(metadata:\s*{{?\s*name: ){template}\b", rf"\g<1>{name}", text, count=1)
