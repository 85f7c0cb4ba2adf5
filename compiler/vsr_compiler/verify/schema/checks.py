"""All objects of a run against their schemas; what could not be checked is said once for the run, never silently."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.diagnostics.model import more
from vsr_compiler.diagnostics.suggestions import did_you_mean
from vsr_compiler.verify.manifest import Body, Manifest, Path
from vsr_compiler.verify.schema import core, core_tables, meta, patterns
from vsr_compiler.verify.schema.catalog import Catalog, Found, Releases
from vsr_compiler.verify.schema.cel import Budget, CostError
from vsr_compiler.verify.schema.defaults import defaulted
from vsr_compiler.verify.schema.node import Node
from vsr_compiler.verify.schema.rules import Evaluator
from vsr_compiler.verify.schema.walk import WALK_STEPS, Problem, Walk

EXTRA = "Install it: pip install 'vsr-compile[verify]'"
MAX_FOUND = 1000
"""Findings of a run: a file that is wrong throughout need not be told in full."""
_OF_THE_KIND = frozenset({"VSR449", "VSR454"})
"""Codes of findings about a kind, whose object does not matter."""
_TEMPLATE: Path = ("spec", "template", "metadata")


def check(manifests: Iterable[Manifest], catalog: Catalog, releases: Callable[[str], Releases]) -> list[Diagnostic]:
    """What an API server would refuse, sorted by place.

    Args:
        manifests: The objects.
        catalog: Where CustomResourceDefinitions are.
        releases: The releases of projects that hold for the objects of a file, by its name; empty where not known.
    """
    run = _Run(catalog, releases)
    for each in manifests:
        run.take(each)
    found = sorted(run.found, key=lambda item: item.order)
    if len(found) > MAX_FOUND:
        found[MAX_FOUND:] = [more(len(found) - MAX_FOUND, found[MAX_FOUND].span)]
    return sorted([*found, *run.notes()], key=lambda item: item.order)


@dataclass(slots=True)
class _Run:
    """One run: findings so far, and what was not checked."""

    catalog: Catalog
    releases: Callable[[str], Releases]
    found: list[Diagnostic] = field(default_factory=list)
    evaluator: Evaluator = field(default_factory=Evaluator)
    _missing: dict[str, Span] = field(default_factory=dict)
    _said: dict[str, Diagnostic] = field(default_factory=dict)
    _several: dict[str, Span] = field(default_factory=dict)
    _sources: set[str] = field(default_factory=set)
    _missed: Span | None = None
    _core: Span | None = None
    _patterns: Span | None = None
    _walked: Budget = field(default_factory=lambda: Budget(WALK_STEPS))
    _failed: dict[str, tuple[str, Span]] = field(default_factory=dict)

    def take(self, manifest: Manifest) -> None:
        """Check an object; nothing more once there is enough to mend, or no budget."""
        if len(self.found) >= MAX_FOUND or self._walked.left <= 0:
            return
        if manifest.group in core_tables.GROUPS:
            self._own(manifest)
            return
        found = self.catalog.find(manifest.group, manifest.kind, self.releases(manifest.span().file))
        if found.others:
            self._unclear(manifest, found)
        elif found.document is None:
            self._missing.setdefault(f"{manifest.group}/{manifest.kind}", manifest.span("kind"))
        else:
            self._custom(manifest, found)

    def _own(self, manifest: Manifest) -> None:
        if not core.available():
            self._core = self._core or manifest.span("kind")
            return
        node = core.kind(manifest.group, manifest.version, manifest.kind)
        if node is not None:
            self._held(manifest, node, manifest.body)
            return
        version = str(manifest.body["apiVersion"])
        if not core.served(manifest.group, manifest.version):
            hint = "Use a version that is served: `kubectl api-versions` lists them."
            self._add(
                manifest, Problem("VSR449", ("apiVersion",), f"`{version}` is no longer there, or never was", hint)
            )
            return
        hint = did_you_mean(manifest.kind, core.alike(manifest.version)) or "`kubectl api-resources` lists kinds."
        self._add(manifest, Problem("VSR449", ("kind",), f"there is no {manifest.kind[:80]} in `{version}`", hint))

    def _custom(self, manifest: Manifest, found: Found) -> None:
        assert found.document is not None  # noqa: S101 - the caller looked
        versions = found.versions(manifest.group, manifest.kind)
        version = versions.get(manifest.version)
        source = found.document.source
        if found.wanted:
            message = f"{manifest.kind} is checked by {source}, where {found.wanted} is asked for"
            hint = f"Fetch it: vsr-compile crds pull {found.wanted.split()[0]}"
            self._said.setdefault(message, Diagnostic("VSR447", message, manifest.span("kind"), hint))
        if version is None or not version.served:
            served = ", ".join(f"`{name}`" for name, each in versions.items() if each.served)
            message = f"{manifest.kind} has no version `{manifest.version[:80]}` in {source}"
            self._add(manifest, Problem("VSR449", ("apiVersion",), message, f"Served: {served or 'none'}."))
            return
        if version.deprecation:
            message = f"`{manifest.body['apiVersion']}` of {manifest.kind}: {version.deprecation[:200]}"
            self._add(manifest, Problem("VSR454", ("apiVersion",), message, "Move to a newer version."))
        body = manifest.body
        if version.drops_status and "status" in body:
            body = {key: value for key, value in body.items() if key != "status"}
        self._held(manifest, version.node, body)

    def _held(self, manifest: Manifest, node: Node, body: Body) -> None:
        """Structure first; the rules only where it holds, as an API server does it."""
        walk = Walk(self._walked)
        try:
            walk.value(node, defaulted(node, body, self._walked), ())
        except CostError:
            self._missed = manifest.span("kind")
            return
        for path, message, hint in (*meta.problems(body), *meta.label_problems(body, _TEMPLATE)):
            walk.say("VSR444", path, message, hint)
        problems = list(walk.problems)
        if not any(problem.blocks for problem in problems):
            problems += [each for item in walk.due for each in self.evaluator.problems(*item)]
        if self.evaluator.budget.left <= 0:
            self._missed = self._missed or manifest.span("kind")
        for problem in problems:
            self._add(manifest, problem)
        for rule, reason in self.evaluator.failed.items():
            self._failed.setdefault(rule, (f"{manifest.kind}: {reason}", manifest.span("kind")))
        if not patterns.available():
            self._patterns = self._patterns or manifest.span("kind")

    def _add(self, manifest: Manifest, problem: Problem) -> None:
        where = f"{manifest.title}, `{dotted(problem.path)}`" if problem.path else manifest.title
        text = problem.message if problem.code in _OF_THE_KIND else f"{where}: {problem.message}"
        span = manifest.span(*problem.path, key=problem.at_key)
        self.found.append(Diagnostic(problem.code, text, span, problem.hint))

    def _unclear(self, manifest: Manifest, found: Found) -> None:
        self._several.setdefault(manifest.kind, manifest.span("kind"))
        self._sources |= {each.source for each in found.others}

    def notes(self) -> list[Diagnostic]:
        """What was not checked, once."""
        notes = list(self._said.values())
        for path, reason in self.catalog.failed:
            notes.append(
                Diagnostic("VSR450", f"no CustomResourceDefinition can be read: {reason}", Span(str(path)), "")
            )
        if self._several:
            message = f"{_listed(self._several)} not checked: {_listed(self._sources)} define them differently"
            hint = "Name the folder of one release with --crds, or a profile with --versions."
            notes.append(Diagnostic("VSR447", message, min(self._several.values()), hint))
        if self._missing:
            kinds = _listed({name.rpartition("/")[2] for name in self._missing})
            message = f"fields and rules of {kinds} not checked: their CustomResourceDefinitions are not known"
            hint = "Fetch them, `vsr-compile crds pull`, or name a folder in VSR_CRDS."
            notes.append(Diagnostic("VSR440", message, min(self._missing.values()), hint))
        if self._core is not None:
            message = "Kubernetes' own kinds were not checked: the Python client is not installed"
            notes.append(Diagnostic("VSR453", message, self._core, EXTRA))
        if self._patterns is not None:
            message = "patterns in schemas were not checked: RE2 is not installed"
            notes.append(Diagnostic("VSR453", message, self._patterns, EXTRA))
        if self._missed is not None:
            message = "checking by these schemas and rules costs too much: from here on not all were"
            notes.append(Diagnostic("VSR448", message, self._missed, "Check fewer objects at a time."))
        for rule, (reason, span) in self._failed.items():
            shown = " ".join(rule.split())[:120]
            message = f"a rule cannot be evaluated, {reason}: `{shown}`"
            notes.append(Diagnostic("VSR448", message, span, "Ask an API server: kubectl apply --dry-run=server"))
        return notes


def _listed(names: Iterable[str]) -> str:
    """Names in a message, a dozen at most."""
    found = sorted(names)
    return ", ".join(found[:12]) + (f" and {len(found) - 12} more" if len(found) > 12 else "")  # noqa: PLR2004 - a dozen


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
