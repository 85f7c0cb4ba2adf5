"""Links examples: as written, or those of a set that ships with the compiler."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_compiler import examples
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path


def shipped_topics(scope: Scope, entry: str, label: str, path: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the texts of a shipped set by topic; report VSR257 and return none if there is no such set or label.

    Args:
        scope: The document, for diagnostics.
        entry: The reference.
        label: The label that is meant if the reference names none.
        path: The place of the entry.
    """
    reference = examples.parse(entry)
    if reference is None:
        hint = f"Write `builtin:NAME@VERSION`, such as `builtin:{examples.names()[0]}`."
        scope.report("VSR257", f"`{entry}` does not name a set of examples", path, hint)
        return {}
    if reference.file not in examples.names():
        hint = suggest(reference.file, examples.names()) or f"Shipped sets: {', '.join(examples.names())}."
        scope.report("VSR257", f"there is no set of examples `{reference.file}`", path, hint)
        return {}
    shipped = examples.read(reference.file)
    own = reference.label or label
    if own not in shipped.labels:
        hint = suggest(own, sorted(shipped.labels)) or f"Labels: {', '.join(sorted(shipped.labels))}."
        if reference.label is None:
            hint += f" Write `{entry}/LABEL` if the label has another name here."
        scope.report("VSR257", f"the set `{shipped.name}` has no label `{own}`", path, hint)
        return {}
    return shipped.labels[own]
