"""Checks across the policies of one run: duplicate names, conflicts in a cluster, orphaned output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.tree import LOCK

if TYPE_CHECKING:
    from vsr_compiler.pipeline import Compiled
    from vsr_compiler.syntax import Scalar


@dataclass(frozen=True, slots=True)
class Held:
    """What a compiled policy puts into clusters.

    Attributes:
        name: Its name.
        namespace: The namespace of Argo CD that syncs it.
        span: Where it says so.
        identities: All objects of its environments, by the cluster's API server.
    """

    name: str
    namespace: str
    span: Span
    identities: Mapping[str, frozenset[str]]


def duplicate_names(paths: Sequence[Path]) -> dict[Path, Diagnostic]:
    """Return VSR308 for each policy with the name of an earlier one, whose output it would replace."""
    if len(paths) < 2:  # noqa: PLR2004 - nothing to compare
        return {}
    first: dict[str, Path] = {}
    duplicates: dict[Path, Diagnostic] = {}
    for path in paths:
        name = _name(path)
        if name is None:
            continue
        other = first.setdefault(name.text, path)
        if other.resolve() != path.resolve():
            message = f"policy name `{name.text}` is also used by {other}, so both would write the same folder"
            duplicates[path] = Diagnostic("VSR308", message, name.span, "Rename one of them.")
    return duplicates


def _name(path: Path) -> Scalar | None:
    """Return the policy name in a file; None if it cannot be read."""
    from vsr_compiler.syntax import Scalar, load  # noqa: PLC0415 - not needed for one policy
    from vsr_compiler.syntax.text import read  # noqa: PLC0415 - as above

    try:
        node = load(read(path, str(path)), str(path)).node(("metadata", "name"))
    except CompileError:
        return None
    return node if isinstance(node, Scalar) else None


def held(compiled: Compiled) -> Held:
    """Return what a compiled policy puts into clusters."""
    from vsr_compiler.deploy.argocd.applications import cluster_of  # noqa: PLC0415 - not needed for a known answer

    policy = compiled.policy
    clusters: dict[str, set[str]] = {}
    for environment in policy.environments:
        if policy.gitops is not None:
            clusters.setdefault(cluster_of(policy.gitops, environment), set()).update(
                f"{item.kind} {item.namespace + '/' if item.namespace else ''}{item.name}"
                for item in compiled.environments[environment.name]
            )
    span = policy.span if policy.gitops is None else policy.gitops.span
    namespace = "" if policy.gitops is None else policy.gitops.namespace
    return Held(policy.name, namespace, span, {server: frozenset(names) for server, names in clusters.items()})


def cluster_conflicts(policies: Mapping[str, Held]) -> Iterator[tuple[str, Diagnostic]]:
    """Yield VSR309 at the last of several policies that one Argo CD syncs to one cluster with objects of equal names.

    Args:
        policies: What each policy puts into clusters, by file.
    """
    if len(policies) < 2:  # noqa: PLR2004 - nothing to compare
        return
    from vsr_compiler.deploy.argocd.emit import conflicts, listed  # noqa: PLC0415 - not needed for one policy

    clusters: dict[tuple[str, str], dict[str, set[str]]] = {}
    files = {policy.name: (file, policy) for file, policy in policies.items()}
    for policy in policies.values():
        for server, names in policy.identities.items():
            clusters.setdefault((server, policy.namespace), {})[policy.name] = set(names)
    seen: set[tuple[str, ...]] = set()
    for cluster in clusters.values():
        for group in conflicts(cluster):
            if tuple(group) in seen:
                continue
            seen.add(tuple(group))
            both = sorted(cluster[group[0]] & cluster[group[1]])
            message = (
                f"the policies {listed(group, 'and')} contain the same objects, such as {both[0]}, so a cluster "
                "can run only one of them"
            )
            hint = (
                "Use a Gateway in a namespace of its own for each policy, and separate namespaces for the router and "
                "the servers, or separate clusters."
            )
            file, last = files[group[-1]]
            yield file, Diagnostic("VSR309", message, last.span, hint)


def orphaned_outputs(out: Path, names: Iterable[str]) -> Iterator[Diagnostic]:
    """Yield VSR310 for output folders of none of these policies. What was applied from them keeps running."""
    known = set(names)
    for folder in sorted(out.iterdir()) if out.is_dir() else ():
        if folder.name not in known and not folder.is_symlink() and (folder / LOCK).is_file():
            message = f"orphaned output folder {folder}: no policy of this run writes it"
            hint = "If the policy was removed or renamed, delete the applied objects and the folder."
            yield Diagnostic("VSR310", message, Span(str(folder)), hint)
