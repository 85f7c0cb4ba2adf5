"""Links categories: their examples as written, or from a set that ships with the compiler."""

from __future__ import annotations

from vsr_compiler import examples, ir
from vsr_compiler.diagnostics import Span
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema


def link_categories(scope: Scope, policy: schema.PolicySpec) -> dict[str, ir.Category]:
    """Return all categories by name, sorted."""
    return {name: _category(scope, name, spec) for name, spec in sorted(policy.categories.items())}


def _category(scope: Scope, name: str, spec: schema.CategorySpec) -> ir.Category:
    texts: list[tuple[str, Span]] = []
    shipped: set[str] = set()
    for index, entry in enumerate(spec.examples):
        path = ("categories", name, "examples", index)
        span = scope.span(*path)
        found: tuple[str, ...] = (entry,)
        if entry.startswith(examples.PREFIX):
            found = _shipped(scope, entry, name, path)
            shipped.update(found)
        texts += ((text, span) for text in found)
    return ir.Category(
        name,
        " ".join(spec.description.split()),
        tuple(text for text, _ in texts),
        scope.span("categories", name, key=True),
        tuple(span for _, span in texts),
        frozenset(shipped - {*spec.examples}),
    )


def _shipped(scope: Scope, entry: str, category: str, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """Return the texts of a shipped set; report VSR257 and return none if there is no such set or label."""
    reference = examples.parse(entry)
    if reference is None:
        hint = f"Write `builtin:NAME@VERSION`, such as `builtin:{examples.names()[0]}`."
        scope.report("VSR257", f"`{entry}` does not name a set of examples", path, hint)
        return ()
    if reference.file not in examples.names():
        hint = suggest(reference.file, examples.names()) or f"Shipped sets: {', '.join(examples.names())}."
        scope.report("VSR257", f"there is no set of examples `{reference.file}`", path, hint)
        return ()
    shipped = examples.read(reference.file)
    label = reference.label or category
    if label not in shipped.labels:
        hint = suggest(label, sorted(shipped.labels)) or f"Labels: {', '.join(sorted(shipped.labels))}."
        if reference.label is None:
            hint += f" Write `{entry}/LABEL` if the category has another name."
        scope.report("VSR257", f"the set `{shipped.name}` has no label `{label}`", path, hint)
        return ()
    return shipped.texts(label)
