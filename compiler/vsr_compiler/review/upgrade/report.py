"""Builds the report: compiles the policy for today's and the wanted releases, and compares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity
from vsr_compiler.pipeline import Compiled, Existing, compile_policy, read_policy
from vsr_compiler.releases.breakages import between
from vsr_compiler.releases.breakages.words import is_about, sentence
from vsr_compiler.releases.components import title_of
from vsr_compiler.releases.data import PROJECTS, project
from vsr_compiler.releases.installation import INSTALLATION
from vsr_compiler.releases.known import looked_up
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.diff_report import report as diff_report
from vsr_compiler.review.upgrade import policy_text
from vsr_compiler.review.upgrade.broken import Environments, broken, finding
from vsr_compiler.review.upgrade.steps import Delivery, is_later, steps
from vsr_compiler.review.upgrade.wanted import Versions, Wanted, revised
from vsr_compiler.syntax import load
from vsr_compiler.syntax.text import read
from vsr_compiler.targets import TARGETS, profiles
from vsr_compiler.targets.common import helm
from vsr_compiler.verify import Manifest
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.release_checks.found import installed
from vsr_schemas.reports_upgrade import Behaviour, ReleaseChange, UpgradeReport

_OVERLAYS = "overlays"
_OF_RELEASES = frozenset({"VSR350", "VSR351"})
"""Codes about the end of life of a release, and about its vulnerabilities."""


@dataclass(frozen=True, slots=True)
class _Side:
    """The policy with one set of releases.

    Attributes:
        policy: The linked policy.
        compiled: Its output.
        environments: The objects of each environment; of a policy without environments, of each target.
        releases: The releases of each of them.
    """

    policy: ir.Policy
    compiled: Compiled
    environments: Environments
    releases: Mapping[str, Mapping[str, str]]


def upgrade_report(
    path: Path, wanted: Wanted, existing: Callable[[str], Existing], out: Path, today: dt.date | None = None
) -> UpgradeReport:
    """Compare a policy with itself for other releases. Nothing is written.

    Args:
        path: The policy.
        wanted: The releases that are asked for.
        existing: Returns what reads the existing output of a policy, by its name.
        out: The root of the output, for commands.
        today: The day on which releases are judged; None to leave it out.

    Raises:
        CompileError: The policy does not compile for today's releases, or the environment does not exist.
    """
    policy = read_policy(path)
    environment = next((item for item in policy.environments if item.name == wanted.environment), None)
    before = (environment.versions if environment is not None else None) or policy.versions
    versions = wanted.versions(before)
    after = profiles()[versions] if isinstance(versions, str) else {**profiles()["current"], **versions}
    changes = list(release_changes(policy, before, after, wanted.environment))
    report = UpgradeReport(
        policy=policy.name,
        old=_profile_of(before, changes),
        new=wanted.text,
        environment=wanted.environment,
        releases=changes,
        behaviour=list(_behaviour(changes)),
        policy_diff=_difference(path, versions, wanted.environment) if changes else "",
    )
    if not changes:
        return report
    old = _side(policy, existing(policy.name), wanted.environment, today)
    try:
        revision = read_policy(path, lambda spec: revised(spec, versions, wanted.environment))
        # Heads do not depend on releases: what the first compile has trained is used again.
        heads = {name: file.content for name, file in old.compiled.tree.items() if name.startswith("router/")}
        new = _side(revision, heads.get, wanted.environment, today)
    except CompileError as error:
        by_hand = [finding(item) for item in error.diagnostics if item.level is Severity.ERROR]
        return report.model_copy(update={"by_hand": by_hand})
    return _compared(report, old, new, delivery_of(path, new.compiled, out, wanted.environment))


def _compared(report: UpgradeReport, old: _Side, new: _Side, delivery: Delivery) -> UpgradeReport:
    """Add to a report what both outputs show."""
    before = broken(old.environments, new.releases, old.releases)
    after = broken(new.environments, old.releases, new.releases)
    files = [{name: file.content for name, file in side.compiled.tree.items()} for side in (old, new)]
    used = [used_projects(side.environments) for side in (old, new)]
    changes = [*report.releases, *new_projects(report.releases, used[0], used[1])]
    return report.model_copy(
        update={
            "releases": sorted(changes, key=lambda item: _order(item.component)),
            "solved": [
                finding(item)
                for item in _new_warnings(old.compiled.warnings, new.compiled.warnings)
                if item.code in _OF_RELEASES
            ],
            "warnings": [finding(item) for item in _new_warnings(new.compiled.warnings, old.compiled.warnings)],
            "before": before,
            "after": after,
            "behaviour": list(_behaviour(changes, [item.message for item in before])),
            "steps": steps(changes, before, after, delivery),
            "diff": diff_report(report.policy, Baseline(report.old, files[0]), files[1]),
        }
    )


def _side(policy: ir.Policy, existing: Existing, only: str | None, today: dt.date | None) -> _Side:
    compiled = compile_policy(policy, existing, today=today)
    environments = dict(compiled.environments)
    releases = {item.name: item.versions or policy.versions for item in policy.environments}
    if not environments:
        for target in policy.targets:
            prefix = f"{target}/base/"
            environments[target] = tuple(item for path, item in compiled.objects.items() if path.startswith(prefix))
            releases[target] = policy.versions
    if only is not None:
        environments = {only: environments[only]}
    manifests = {
        name: [Manifest.generated(item.body, item.origin) for item in objects] for name, objects in environments.items()
    }
    return _Side(policy, compiled, manifests, releases)


def _projects(policy: ir.Policy, only: str | None) -> Iterator[str]:
    """Yield the projects whose release the targets look up."""
    chosen = [item for item in policy.environments if only is None or item.name == only]
    targets = [item.target for item in chosen] or list(policy.targets)
    for name in dict.fromkeys(targets):
        for part, seen in TARGETS[name].parts(policy):
            yield from looked_up(part.releases, seen.versions)
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        yield "semantic-router"
    if any(item.simulate for item in chosen):
        yield "llm-d-inference-sim"


def release_changes(
    policy: ir.Policy, before: Mapping[str, str], after: Mapping[str, str], only: str | None = None
) -> Iterator[ReleaseChange]:
    """Yield the projects of the policy's targets whose release changes, in the order of their upgrade."""
    for name in sorted(set(_projects(policy, only)), key=_order):
        if before.get(name, after[name]) != after[name]:
            installation = INSTALLATION.get(name)
            yield ReleaseChange(
                component=name,
                title=title_of(name),
                old=before[name],
                new=after[name],
                installed_by=installation.by if installation else "controller",
                notes=list(_notes(name, before[name], after[name])),
            )


def _notes(name: str, old: str, new: str) -> Iterator[str]:
    """Yield what the tables of releases say about two of them."""
    known = project(name).releases if name in PROJECTS else {}
    ends = [known[release].end_of_life if release in known else None for release in (old, new)]
    if ends[0] != ends[1]:
        words = [f"{end:%Y-%m-%d}" if end else "not announced" for end in ends]
        yield f"end of life: {words[0]} → {words[1]}"
    if new in known and not known[new].confirmed:
        yield f"facts about {new} are not confirmed in its source"


def used_projects(environments: Environments) -> dict[str, str]:
    """Return the projects whose images are in the objects, with their releases."""
    manifests = [manifest for objects in environments.values() for manifest in objects]
    return {item.component: item.release.removeprefix("v") for item in installed(ManifestIndex(manifests))}


def new_projects(
    changes: Iterable[ReleaseChange], old: Mapping[str, str], new: Mapping[str, str]
) -> Iterator[ReleaseChange]:
    """Yield the projects that only the new objects use, such as the endpoint picker of another project."""
    known = {change.component for change in changes}
    for name in sorted(new.keys() - old.keys() - known):
        yield ReleaseChange(component=name, title=title_of(name), old="", new=new[name], installed_by="objects")


def _order(name: str) -> tuple[int, str]:
    return (INSTALLATION[name].order if name in INSTALLATION else 99, name)


def _profile_of(releases: Mapping[str, str], changes: list[ReleaseChange]) -> str:
    """Return the profile with these releases, or today's of those that change."""
    for name, profile in profiles().items():
        if all(profile.get(project) == release for project, release in releases.items()):
            return name
    return ", ".join(f"{item.component} {item.old}" for item in changes) or "the same releases"


def _behaviour(changes: Iterable[ReleaseChange], messages: Sequence[str] = ()) -> Iterator[Behaviour]:
    """Yield the changes of later releases about which no finding is."""
    for change in changes:
        for item in between(change.component, change.old, change.new) if change.old and is_later(change) else ():
            if not any(is_about(item, message) for message in messages):
                yield Behaviour(
                    component=change.title,
                    since=item.since,
                    text=sentence(item),
                    source=item.source,
                    confirmed=item.confirmed,
                )


def _new_warnings(warnings: Iterable[Diagnostic], known: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    texts = {(item.code, item.message) for item in known}
    yield from (item for item in warnings if (item.code, item.message) not in texts)


def delivery_of(path: Path, compiled: Compiled, out: Path, only: str | None = None) -> Delivery:
    """Return how the objects of a policy come into the cluster."""
    policy = compiled.policy
    root = f"{out.as_posix()}/{policy.name}"
    chosen = [item for item in policy.environments if only is None or item.name == only]
    overlays = {item.name: f"{root}/{item.target}/{_OVERLAYS}/{item.name}" for item in chosen}
    targets = list(dict.fromkeys(item.target for item in chosen)) or list(policy.targets)
    overlays = overlays or {target: f"{root}/{target}/base" for target in targets}
    values = {
        Path(name).stem.removeprefix("values-"): f"{root}/{name}"
        for name in sorted(compiled.values, reverse=True)
        if name.split("/")[0] in targets and f"/{helm.FOLDER}/" in name
    }
    projects = set(_projects(policy, only))
    gitops = policy.gitops
    return Delivery(
        policy=policy.name,
        file=path.as_posix(),
        overlays=overlays,
        argo_cd=gitops is not None and getattr(gitops, "flux", None) is None,
        flux=gitops is not None and getattr(gitops, "flux", None) is not None,
        values=values,
        with_envoy_gateway="envoy-gateway" in projects,
    )


def _difference(path: Path, versions: Versions, environment: str | None) -> str:
    """Return the change of the policy's text; empty if its form leaves no simple place for it, or it means another."""
    text = read(path, str(path))
    new = policy_text.edited(load(text, str(path)), versions, environment)
    if new is None or not _means(new, path, versions, environment):
        return ""
    return policy_text.difference(text, new, path.as_posix())


def _means(text: str, path: Path, versions: Versions, environment: str | None) -> bool:
    try:
        document = load(text, str(path))
    except CompileError:
        return False
    place = ("gateway",) if environment is None else ("environments", environment)
    node = document.node((*place, "versions"))
    written = getattr(node, "text", None)
    entries = getattr(node, "entries", None)
    if isinstance(versions, str):
        return written == versions
    return entries is not None and {name: child.text for name, (_, child) in entries.items()} == versions
