"""Policies to start from: the texts that ``vsr-compile init`` writes."""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = {
    "minimal": "the shortest useful policy: two models, one category, a default",
    "quickstart": "generated model servers, routes, tests and two environments, with comments",
}
"""Names of the templates and what they contain."""


def render(template: str, name: str, target: str = "") -> str:
    """Return the text of a policy.

    Args:
        template: A key of ``TEMPLATES``.
        name: The name of the policy, a DNS label.
        target: The target of its environments; empty for that of the template.
    """
    text = (Path(__file__).parent / f"{template}.yaml").read_text(encoding="utf-8")
    if target:
        environments = f"\nenvironments:\n  dev: {{target: {target}}}\n"
        text = re.sub(r"target: [a-z-]+", f"target: {target}", text) if "target: " in text else text + environments
    return re.sub(rf"(metadata:\s*{{?\s*name: ){template}\b", rf"\g<1>{name}", text, count=1)
