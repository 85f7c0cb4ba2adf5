"""Which errors of a build are only effects of others: without a resource, no patch for it matches anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from vsr_compiler.diagnostics import Diagnostic, Severity

_EFFECT = re.compile(
    r"no \S+ `.*` matches the patch|the source of a replacement matches 0 |no workload has the name "
    r"|there is no (?:ConfigMap|Secret) `|.* has no field `.*` for a replacement"
)
_RESTRICTED = re.compile(r"(?:`([^`]+)`|.*security; file '([^']+)') is not in or below ")
_CAUSES = frozenset({"VSR001", "VSR002", "VSR003", "VSR430", "VSR431"})


def is_effect(item: Diagnostic) -> bool:
    """Whether an error says that something lacks, which a resource that could not be read may contain."""
    return item.code == "VSR482" and _EFFECT.match(item.message) is not None


def is_cause(item: Diagnostic) -> bool:
    """Whether an error says that a resource could not be read."""
    return item.code in _CAUSES or (item.code == "VSR482" and not is_effect(item))


def without_effects(errors: Iterable[Diagnostic], *, is_incomplete: bool) -> list[Diagnostic]:
    """Return the errors of a build; if a resource lacks, only those that say so.

    Args:
        errors: All errors.
        is_incomplete: Whether a resource lacks for a reason that is no error among these.
    """
    every = list(errors)
    if not is_incomplete and not any(map(is_cause, every)):
        return every
    return [item for item in every if not is_effect(item)]


def restricted(errors: Iterable[Diagnostic], root: Path | None) -> list[Diagnostic]:
    """Return the errors of a build; of those about files of the input outside its folder one warning, with a count."""
    shown = [(item, _restricted(item, root)) for item in errors]
    changed = [new for old, new in shown if new is not old]
    if not changed:
        return [item for item, _ in shown]
    first = changed[0]
    if len(changed) > 1:
        first = replace(first, message=f"{first.message}, nor are {len(changed) - 1} others")
    return [*(old for old, new in shown if new is old), first]


def _restricted(item: Diagnostic, root: Path | None) -> Diagnostic:
    """Return an error about a file outside of a kustomization's folder; a warning if the file is in the input.

    kustomize reads it with a flag, which repositories with such files set.
    """
    found = _RESTRICTED.match(item.message) if root is not None else None
    if found is None or root is None:
        return item
    path = (Path(item.span.file).parent / (found.group(1) or found.group(2))).resolve()
    if not path.exists() or not path.is_relative_to(root.resolve()):
        return item
    hint = "Move it, or build with `--load-restrictor LoadRestrictionsNone`, and check the output."
    return replace(item, hint=hint, severity=Severity.WARNING)
