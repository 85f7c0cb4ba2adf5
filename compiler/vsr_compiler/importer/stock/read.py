"""Documents of the stock router as one configuration in the layout of 0.4.0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.importer.coverage import covered, recording
from vsr_compiler.importer.family import Job, Recognised
from vsr_compiler.importer.nested import inside
from vsr_compiler.importer.sources import Part
from vsr_compiler.importer.stock import dsl, forms, objects, own_output, rest
from vsr_compiler.importer.stock.legacy import canonical
from vsr_compiler.importer.stock.mapper import carry_over
from vsr_compiler.importer.values import child
from vsr_compiler.syntax.nodes import Mapping, Node


@dataclass(slots=True)
class _Found:
    """What the documents have: whole configurations, and parts that complete one."""

    configs: list[Mapping] = field(default_factory=list)
    pools: list[Mapping] = field(default_factory=list)
    routes: list[Mapping] = field(default_factory=list)
    programs: list[Mapping] = field(default_factory=list)
    sources: list[Node] = field(default_factory=list)


def read(documents: Sequence[Recognised], job: Job) -> None:
    """Fill the draft from the documents of the stock router, and report all that is left of them."""
    with recording() as coverage:
        roots = _read(documents, job)
        rest.report(roots, coverage, job)


def _read(documents: Sequence[Recognised], job: Job) -> list[Node]:
    """Fill the draft. Return the configuration that was mapped, and the sources. There must be at most one."""
    found = _Found()
    own_output.report([part for form, part in documents if form in {forms.CONFIG, forms.SETTINGS}], job)
    for form, part in documents:
        try:
            _sort(form, part, found, job)
        except CompileError as error:
            for item in error.diagnostics:
                job.losses.add(item.code, item.message, item.span, item.hint, item.severity)
    first, *others = [*found.configs, None] if found.configs else [None]
    for other in others:
        if other is not None and first is not None:
            message = f"a second configuration; the first is in {first.span.file}:{first.span.line}"
            job.losses.add("VSR522", message, other.span, "Import them one by one. A policy has one set of routes.")
            covered(other)
    if found.pools or found.routes:
        first = objects.merged(first, found.pools, found.routes)
    for program in found.programs:
        first = dsl.merged(first, program)
    if first is not None:
        carry_over(first, job)
    mapped: list[Node] = [first] if first is not None else []
    return [*mapped, *found.sources]


def _sort(form: str, part: Part, found: _Found, job: Job) -> None:
    node: Node | None = part.node
    if node is not None:
        found.sources.append(node)
    if form == forms.DSL:
        program = dsl.parse(part.text, part.file)
        job.losses.secrets.scan(program)
        found.programs.append(program)
        found.sources.append(program)
    elif form == objects.POOL and isinstance(node, Mapping):
        found.pools.append(node)
    elif form == objects.ROUTE and isinstance(node, Mapping):
        found.routes.append(node)
    elif form == objects.OPERATOR and isinstance(node, Mapping):
        found.configs.append(objects.operator(node))
    elif form == forms.CONFIG_MAP and isinstance(node, Mapping):
        for _, value in forms.data_of(node):
            if forms.looks_like_config(value):
                covered(value)
                for document in inside(value, part):
                    found.sources.append(document)
                    job.losses.secrets.scan(document)
                    _config(document, found)
    else:
        _config(child(node, "config") if form == forms.VALUES else node, found)


def _config(node: Node | None, found: _Found) -> None:
    if isinstance(node, Mapping):
        form = forms.config_form(node)
        if form == forms.LEGACY or (form == forms.CONFIG and _flat(node)):
            found.configs.append(canonical(node))
        elif form == forms.CONFIG:
            found.configs.append(node)


def _flat(node: Mapping) -> bool:
    """Return whether a configuration mixes the layout of 0.3 with older keys."""
    return bool(set(node.entries) & {"signals", "decisions", "model_config", "vllm_endpoints"}) or any(
        child(node, "providers", key) is not None for key in ("default_model", "reasoning_families")
    )
