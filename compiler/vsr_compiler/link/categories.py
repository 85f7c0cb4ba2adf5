"""Links categories: their examples as written, or from a set that ships with the compiler."""

from __future__ import annotations

from vsr_compiler import examples, ir
from vsr_compiler.diagnostics import Span
from vsr_compiler.link.example_texts import shipped_topics
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
            topics = shipped_topics(scope, entry, name, path)
            found = tuple(text for texts in topics.values() for text in texts)
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
