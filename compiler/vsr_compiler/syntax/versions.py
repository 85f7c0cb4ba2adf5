"""Judgement of a file's ``apiVersion``: older than today's version of the policy language, newer, or unknown."""

from __future__ import annotations

import re

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_schemas.policy.versions import VERSIONS

COMMAND = "vsr-compile migrate FILE --write"
_NAME = re.compile(r"vsr\.dev/v([1-9][0-9]{0,5})(?:(alpha|beta)([1-9][0-9]{0,5}))?", re.ASCII)
_STAGES = ("alpha", "beta", None)


def judge(name: str, span: Span, versions: tuple[str, ...] = VERSIONS) -> Diagnostic | None:
    """Return VSR570 for an older version and VSR571 for a newer one; None for today's, and for what is no version."""
    today = versions[-1]
    if name in versions[:-1]:
        message = f"`{name}` is an older version of the policy language; today's is `{today}`"
        return Diagnostic("VSR570", message, span, f"Convert the file: `{COMMAND}`.")
    rank, last = _rank(name), _rank(today)
    if rank is None or last is None or rank <= last:
        return None
    message = f"`{name}` is newer than this release of vsr-compile, which reads up to `{today}`"
    return Diagnostic("VSR571", message, span, "Install a newer release: `pip install --upgrade vsr-compile`.")


def _rank(name: str) -> tuple[int, int, int] | None:
    """Return the order of a version: v1alpha1 < v1beta1 < v1 < v2alpha1."""
    found = _NAME.fullmatch(name)
    return None if found is None else (int(found[1]), _STAGES.index(found[2]), int(found[3] or 0))
