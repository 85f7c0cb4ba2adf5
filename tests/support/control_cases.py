"""The cases that real control planes showed: their policies, as they are or edited, compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from support.common import linked, reference
from support.gitops_support import compiled
from vsr_compiler.pipeline import Compiled

Edit = Callable[[str], str]


def policy_text(case: str, file: str = "policy.yaml") -> str:
    """The text of a policy of a case, by the beginning of the case's name."""
    (folder,) = (reference() / "data" / "cases" / "control").glob(f"{case}-*")
    return (folder / file).read_text(encoding="utf-8")


def edited(text: str, *replacements: tuple[str, str]) -> str:
    """The text with replacements, each of which must occur."""
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


@cache
def compiled_text(text: str) -> Compiled:
    """The compile of a policy's text."""
    return compiled(linked(text))
