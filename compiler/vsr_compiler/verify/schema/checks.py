"""Check all objects of a run against the schemas of their kinds. What could not be checked is reported once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.diagnostics.model import more
from vsr_compiler.diagnostics.suggestions import did_you_mean
from vsr_compiler.verify.manifest import Body, Manifest, Path
from vsr_compiler.verify.schema import builtin_kinds, builtin_tables, crd, metadata, patterns, validation
from vsr_compiler.verify.schema.bundled import BundledDocument
from vsr_compiler.verify.schema.catalog import Catalog, Definition, Releases
from vsr_compiler.verify.schema.cel import Budget, CostError
from vsr_compiler.verify.schema.cel_rules import Evaluator
from vsr_compiler.verify.schema.crd import Document
from vsr_compiler.verify.schema.defaults import defaulted
from vsr_compiler.verify.schema.earlier import Fits, best
from vsr_compiler.verify.schema.leniency import completed, may_be_newer
from vsr_compiler.verify.schema.node import Node
from vsr_compiler.verify.schema.removed_kinds import removed_in
from vsr_compiler.verify.schema.structure import MAX_PROBLEMS, WALK_STEPS, Problem, Walk
from vsr_compiler.verify.schema.validation import sizes
from vsr_compiler.verify.stream import Budget as ReadBudget

EXTRA = "Run: pip install 'vsr-compile[verify]'"
MAX_FINDINGS = 1000
"""Limit of findings of a run."""
_ENVOY_GATEWAY = "gateway.envoyproxy.io"
"""Its chart installs the experimental channel of the Gateway API."""
_KIND_CODES = frozenset({"VSR449", "VSR454"})
"""Codes of findings about a kind, whose messages do not name the object."""
_DEPRECATED = "VSR454"
_VALUE_CODES = frozenset({"VSR443", "VSR444"})
"""Codes of findings about a value, beside which Kubernetes' own validation need not report it."""
_TEMPLATE: Path = ("spec", "template", "metadata")


def check_schemas(
    manifests: Iterable[Manifest], catalog: Catalog, releases: Callable[[str], Releases]
) -> list[Diagnostic]:
    """Return what an API server would reject, sorted by place.

    Args:
        manifests: The objects.
        catalog: The CustomResourceDefinitions.
        releases: Returns the required releases for the objects of a file, by the file's name; empty if unknown.
    """
    objects = list(manifests)
    run = _Run(
        _with_inputs(catalog, objects),
        releases,
        any(item.group == _ENVOY_GATEWAY for item in objects),
        completed(objects),
    )
    for item in objects:
        run.check(item)
    findings = sorted(run.findings, key=lambda item: item.order)
    if len(findings) > MAX_FINDINGS:
        findings[MAX_FINDINGS:] = [more(len(findings) - MAX_FINDINGS, findings[MAX_FINDINGS].span)]
    return sorted([*findings, *run.notes()], key=lambda item: item.order)


def _with_inputs(catalog: Catalog, objects: list[Manifest]) -> Catalog:
    """Return the catalog with the definitions among the objects, which are used before all others."""
    budget = ReadBudget(values=0)
    found = [
        crd.of_input(item.body, item.span().file, budget)
        for item in objects
        if item.kind == "CustomResourceDefinition" and item.group == "apiextensions.k8s.io"
    ]
    documents = tuple(document for document in found if document is not None)
    return replace(catalog, input_documents=documents, _documents=None, _definitions={}) if documents else catalog


@dataclass(slots=True)
class _Run:
    """The state of one run: findings so far, and what could not be checked.

    Attributes:
        has_experimental: Whether the objects use a project whose chart installs the experimental channel.
        completed: Kinds whose missing fields something else fills in.
    """

    catalog: Catalog
    releases: Callable[[str], Releases]
    has_experimental: bool = False
    completed: frozenset[str] = frozenset()
    findings: list[Diagnostic] = field(default_factory=list)
    evaluator: Evaluator = field(default_factory=Evaluator)
    _experimental: dict[str, tuple[Span, dict[str, None]]] = field(default_factory=dict)
    _missing: dict[str, Span] = field(default_factory=dict)
    _other_release: dict[str, Diagnostic] = field(default_factory=dict)
    _ambiguous: dict[str, Span] = field(default_factory=dict)
    _ambiguous_sources: set[str] = field(default_factory=set)
    _fits: Fits = field(default_factory=Fits)
    _unserved: dict[str, list[tuple[Span, str]]] = field(default_factory=dict)
    _over_budget: Span | None = None
    _without_client: Span | None = None
    _without_re2: Span | None = None
    _walk_budget: Budget = field(default_factory=lambda: Budget(WALK_STEPS))
    _unevaluable: dict[str, tuple[str, Span]] = field(default_factory=dict)

    def check(self, manifest: Manifest) -> None:
        """Check an object, unless the limit of findings or the budget is reached."""
        if len(self.findings) >= MAX_FINDINGS or self._walk_budget.left <= 0:
            return
        if manifest.group in builtin_tables.GROUPS:
            self._check_builtin(manifest)
            return
        releases = self.releases(manifest.span().file)
        definition = self.catalog.find(manifest.group, manifest.kind, releases)
        old, instead = definition.removed_in, ""
        if definition.document is None and not old:
            old, instead = removed_in(manifest.group, manifest.kind, releases)
        if old:
            message = f"{manifest.kind} of the API group `{manifest.group}` does not exist in {old}"
            hint = f"Use {instead or 'the kind or API group that replaces it'}, or the release that has it."
            self._add(manifest, Problem("VSR449", ("kind",), message, hint))
        elif definition.alternatives:
            self._note_ambiguity(manifest, definition)
        elif definition.document is None:
            for path, message, hint in sizes.faults(manifest.group, manifest.kind, manifest.body):
                self._add(manifest, Problem("VSR464", path, message, hint))
            self._missing.setdefault(f"{manifest.group}/{manifest.kind}", manifest.span("kind"))
        else:
            self._check_custom(manifest, definition)

    def _check_builtin(self, manifest: Manifest) -> None:
        if not builtin_kinds.available():
            self._without_client = self._without_client or manifest.span("kind")
            return
        node = builtin_kinds.schema_of(manifest.group, manifest.version, manifest.kind)
        if node is not None:
            for problem in self._structural(manifest, node, manifest.body):
                self._add(manifest, problem)
            self._validate(manifest)
            return
        version = str(manifest.body["apiVersion"])
        if not builtin_kinds.is_served(manifest.group, manifest.version):
            hint = "Use a version that is served; `kubectl api-versions` lists them."
            message, is_newer = (
                f"`{version}` does not exist, or was removed",
                may_be_newer(manifest.group, manifest.version),
            )
            if is_newer:
                message = f"`{version}` does not exist in the known releases of Kubernetes, but a newer one may have it"
            self._add(manifest, Problem("VSR449", ("apiVersion",), message, hint, is_mild=is_newer))
            return
        hint = did_you_mean(manifest.kind, builtin_kinds.kinds_of(manifest.version)) or (
            "Use a kind of this version; `kubectl api-resources` lists them."
        )
        self._add(manifest, Problem("VSR449", ("kind",), f"`{version}` has no kind {manifest.kind[:80]}", hint))

    def _check_custom(self, manifest: Manifest, definition: Definition) -> None:
        assert definition.document is not None  # noqa: S101 - checked by the caller
        source = definition.document.source
        if definition.required_release:
            message = f"{manifest.kind} is checked by {source}, but {definition.required_release} is required"
            hint = f"Run: vsr-compile crds pull {definition.required_release.split()[0]}"
            self._other_release.setdefault(message, Diagnostic("VSR447", message, manifest.span("kind"), hint))
        problems = self._problems_of(manifest, definition.document, definition.experimental)
        earlier = ((item.source, self._problems_of(manifest, item, None)) for item in definition.earlier)
        others = ((name, [item for item in found if item.code != _DEPRECATED]) for name, found in earlier)
        release, kept = best([item for item in problems if item.code != _DEPRECATED], others)
        kept += [item for item in problems if item.code == _DEPRECATED]
        if release:
            still = {(problem.code, problem.path) for problem in kept}
            fields = [problem.path for problem in problems if (problem.code, problem.path) not in still]
            self._fits.add(
                source, release, manifest.span("kind"), (f"`{dotted(path)}` of {manifest.kind}" for path in fields)
            )
        for problem in kept:
            if problem.is_mild and problem.code == "VSR449":
                self._unserved.setdefault(problem.message, []).append((manifest.span(*problem.path), problem.hint))
            else:
                self._add(manifest, problem)

    def _problems_of(self, manifest: Manifest, document: Document, experimental: Document | None) -> list[Problem]:
        """Return what is wrong with an object by the definition of a document."""
        key = (manifest.group, manifest.kind)
        versions = document.versions[key]
        version = versions.get(manifest.version)
        newer = None if experimental is None else experimental.versions.get(key, {}).get(manifest.version)
        if version is not None and version.served:
            return self._by_version(manifest, version, newer)
        if newer is not None and newer.served:
            self._note_experimental(manifest, document.source, f"version `{manifest.version}` of {manifest.kind}")
            return self._by_version(manifest, newer)
        served = ", ".join(f"`{name}`" for name, item in versions.items() if item.served)
        message = f"{manifest.kind} has no version `{manifest.version[:80]}` in {document.source}"
        hint = f"Use a served version: {served or 'none is served'}."
        is_known = isinstance(document, BundledDocument) and not self.releases(manifest.span().file)
        return [Problem("VSR449", ("apiVersion",), message, hint, is_mild=is_known)]

    def _by_version(self, manifest: Manifest, version: crd.Version, newer: crd.Version | None = None) -> list[Problem]:
        body, problems = manifest.body, []
        if version.deprecation:
            message = f"`{manifest.body['apiVersion']}` of {manifest.kind}: {version.deprecation[:200]}"
            problems.append(Problem("VSR454", ("apiVersion",), message, "Use a newer version."))
        if version.drops_status and "status" in body:
            body = {key: value for key, value in body.items() if key != "status"}
        return problems + self._structural(manifest, version.node, body, None if newer is None else newer.node)

    def _structural(self, manifest: Manifest, node: Node, body: Body, newer: Node | None = None) -> list[Problem]:
        """Return what the structure is, then the CEL rules of all parts whose structure is valid, find wrong.

        Args:
            manifest: The object.
            node: The schema.
            body: The object, without what an API server drops.
            newer: The schema of the experimental channel, if it may know more fields.
        """
        try:
            walk = self._walk(node, body)
            if newer is not None and any(problem.code == "VSR441" for problem in walk.problems):
                walk = self._experimental_walk(manifest, newer, body, walk)
        except CostError:
            self._over_budget = manifest.span("kind")
            return []
        _add_form_problems(walk, manifest, body)
        problems = list(walk.problems)
        for rule_node, value, path in walk.rule_nodes:
            if not any(problem.concerns(path) for problem in walk.problems):
                problems += self.evaluator.problems(rule_node, value, path)
        if self.evaluator.budget.left <= 0:
            self._over_budget = self._over_budget or manifest.span("kind")
        for rule, reason in self.evaluator.unevaluable.items():
            self._unevaluable.setdefault(rule, (f"{manifest.kind}: {reason}", manifest.span("kind")))
        if not patterns.available():
            self._without_re2 = self._without_re2 or manifest.span("kind")
        return problems

    def _validate(self, manifest: Manifest) -> None:
        """Apply Kubernetes' own validation, except to values with a fault already."""
        faulty = {item.span for item in self.findings[-MAX_PROBLEMS:] if item.code in _VALUE_CODES}
        for path, message, hint in validation.faults(manifest.group, manifest.kind, manifest.body):
            if manifest.span(*path) not in faulty:
                self._add(manifest, Problem("VSR463", path, message, hint))

    def _walk(self, node: Node, body: Body) -> Walk:
        walk = Walk(self._walk_budget)
        walk.check(node, defaulted(node, body, self._walk_budget), ())
        return walk

    def _experimental_walk(self, manifest: Manifest, newer: Node, body: Body, walk: Walk) -> Walk:
        """Return the walk by the schema of the experimental channel, if that knows more of the object's fields."""
        other = self._walk(newer, body)
        unknown, still = (
            [problem.path for problem in each.problems if problem.code == "VSR441"] for each in (walk, other)
        )
        names = [dotted(path) for path in unknown if path not in still]
        for name in names:
            self._note_experimental(manifest, "", f"`{name}` of {manifest.kind}")
        return other if names else walk

    def _note_experimental(self, manifest: Manifest, source: str, name: str) -> None:
        """Remember what only the experimental channel has."""
        if not source:
            found = self.catalog.find(manifest.group, manifest.kind, self.releases(manifest.span().file))
            source = "" if found.document is None else found.document.source
        if not self.has_experimental:
            _, names = self._experimental.setdefault(source, (manifest.span("kind"), {}))
            names.setdefault(name)

    def _add(self, manifest: Manifest, problem: Problem) -> None:
        where = f"{manifest.title}, `{dotted(problem.path)}`" if problem.path else manifest.title
        text = problem.message if problem.code in _KIND_CODES else f"{where}: {problem.message}"
        span = manifest.span(*problem.path, key=problem.at_key)
        level = Severity.WARNING if problem.is_mild or _is_accepted_twice(problem) else None
        if problem.code == "VSR442" and manifest.kind.lower() in self.completed:
            level = Severity.NOTE
        self.findings.append(Diagnostic(problem.code, text, span, problem.hint, level))

    def _note_ambiguity(self, manifest: Manifest, definition: Definition) -> None:
        self._ambiguous.setdefault(manifest.kind, manifest.span("kind"))
        self._ambiguous_sources |= {item.source for item in definition.alternatives}

    def notes(self) -> list[Diagnostic]:
        """Return what was not checked, each once."""
        notes = [*self._other_release.values(), *self._fits.notes()]
        for text, places in self._unserved.items():
            more_of_it = f", as of {len(places) - 1} more objects" if len(places) > 1 else ""
            notes.append(Diagnostic("VSR449", f"{text}{more_of_it}", *places[0], Severity.WARNING))
        for source, (span, names) in self._experimental.items():
            message = f"only in the experimental channel of {source}: {_listed(names)}"
            hint = "Install the experimental channel, which the cluster needs for this."
            notes.append(Diagnostic("VSR462", message, span, hint))
        for path, reason in self.catalog.unreadable:
            notes.append(Diagnostic("VSR450", f"unreadable CustomResourceDefinition: {reason}", Span(str(path)), ""))
        if self._ambiguous:
            message = (
                f"{_listed(self._ambiguous)} not checked: {_listed(self._ambiguous_sources)} define them differently"
            )
            hint = "Name the folder of one release by --crds, or a profile by --versions."
            notes.append(Diagnostic("VSR447", message, min(self._ambiguous.values()), hint))
        if self._missing:
            kinds = _listed({name.rpartition("/")[2] for name in self._missing})
            message = f"fields and rules of {kinds} not checked: no CustomResourceDefinitions found"
            hint = "Run `vsr-compile crds pull`, or name a folder in VSR_CRDS."
            notes.append(Diagnostic("VSR440", message, min(self._missing.values()), hint))
        if self._without_client is not None:
            message = "built-in kinds not checked: the Kubernetes client is not installed"
            notes.append(Diagnostic("VSR453", message, self._without_client, EXTRA))
        if self._without_re2 is not None:
            message = "patterns in schemas not checked: RE2 is not installed"
            notes.append(Diagnostic("VSR453", message, self._without_re2, EXTRA))
        if self._over_budget is not None:
            message = "schemas and rules not completely checked from here on: they take too many steps"
            notes.append(Diagnostic("VSR448", message, self._over_budget, "Check fewer objects at a time."))
        for rule, (reason, span) in self._unevaluable.items():
            shown = " ".join(rule.split())[:120]
            message = f"a rule cannot be evaluated: {reason}: `{shown}`"
            notes.append(Diagnostic("VSR448", message, span, "Ask an API server: vsr-compile verify --server"))
        return notes


def _add_form_problems(walk: Walk, manifest: Manifest, body: Body) -> None:
    """Report names, labels and sizes that no schema limits."""
    for path, message, hint in (*metadata.metadata_problems(body), *metadata.label_problems(body, _TEMPLATE)):
        walk.report("VSR444", path, message, hint)
    for path, message, hint in sizes.faults(manifest.group, manifest.kind, body):
        walk.report("VSR464", path, message, hint)


def _listed(names: Iterable[str]) -> str:
    """Return names for a message, a dozen at most."""
    definition = sorted(names)
    return ", ".join(definition[:12]) + (f" and {len(definition) - 12} more" if len(definition) > 12 else "")  # noqa: PLR2004 - a dozen


def dotted(path: Path) -> str:
    """A path as Kubernetes writes it."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif "." in step or "/" in step:
            text += f'["{step}"]'
        else:
            text += f".{step}" if text else step
    return text


def _is_accepted_twice(problem: Problem) -> bool:
    """Whether an API server takes a repeated item: of two variables of one name the last applies, with a warning.

    A server-side apply is refused. Source: Kubernetes 1.34, `pkg/api/pod/warnings.go`.
    """
    return problem.code == "VSR445" and problem.path[-2:-1] == ("env",)
