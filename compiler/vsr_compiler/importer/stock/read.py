"""Documents of the stock router as one configuration in the layout of 0.4.0."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_compiler.importer.family import Job, Recognised
from vsr_compiler.importer.stock import forms
from vsr_compiler.importer.stock.mapper import carry_over
from vsr_compiler.importer.values import child
from vsr_compiler.syntax.nodes import Mapping


def read(documents: Sequence[Recognised], job: Job) -> None:
    """Fill the draft from the documents of the stock router. There must be one configuration."""
    found: list[Mapping] = []
    for form, part in documents:
        node = part.node
        if form == forms.VALUES:
            node = child(node, "config")
        if isinstance(node, Mapping):
            found.append(node)
    if not found:
        return
    first, *others = found
    for other in others:
        message = f"a second configuration; the first is in {first.span.file}:{first.span.line}"
        job.losses.add("VSR522", message, other.span, "Import them one by one. A policy has one set of routes.")
    carry_over(first, job)
