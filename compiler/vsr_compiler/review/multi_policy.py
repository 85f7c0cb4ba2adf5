"""Checks across the policies of one run: duplicate names, conflicts in a cluster, orphaned output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.applications import cluster_of
from vsr_compiler.deploy.argocd.emit import conflicts, listed
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.tree import LOCK
from vsr_compiler.pipeline import Compiled
from vsr_compiler.syntax import Scalar, load
from vsr_compiler.syntax.text import read


def duplicate_names(paths: Iterable[Path]) -> dict[Path, Diagnostic]:
    """Return VSR308 for each policy with the name of an earlier one, whose output it would replace."""
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
    try:
        node = load(read(path, str(path)), str(path)).node(("metadata", "name"))
    except CompileError:
        return None
    return node if isinstance(node, Scalar) else None


def object_identities(compiled: Compiled) -> dict[str, set[str]]:
    """Return the identities of all objects in a policy's environments, by the cluster's API server."""
    clusters: dict[str, set[str]] = {}
    for environment in compiled.policy.environments:
        if compiled.policy.gitops is not None:
            clusters.setdefault(cluster_of(compiled.policy.gitops, environment), set()).update(
                f"{item.kind} {item.namespace + '/' if item.namespace else ''}{item.name}"
                for item in compiled.environments[environment.name]
            )
    return clusters


def cluster_conflicts(held: Mapping[str, tuple[ir.Policy, Mapping[str, set[str]]]]) -> Iterator[tuple[str, Diagnostic]]:
    """Yield VSR309 at the last of several policies that one Argo CD syncs to one cluster with objects of equal names.

    Args:
        held: Policies and the identities of their objects by cluster, by file.
    """
    clusters: dict[tuple[str, str], dict[str, set[str]]] = {}
    files = {policy.name: (file, policy) for file, (policy, _) in held.items()}
    for policy, servers in held.values():
        for server, names in servers.items():
            namespace = policy.gitops.namespace if policy.gitops is not None else ""
            clusters.setdefault((server, namespace), {})[policy.name] = names
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
            yield file, Diagnostic("VSR309", message, last.gitops.span if last.gitops else last.span, hint)


def orphaned_outputs(out: Path, names: Iterable[str]) -> Iterator[Diagnostic]:
    """Yield VSR310 for output folders of none of these policies. What was applied from them keeps running."""
    known = set(names)
    for folder in sorted(out.iterdir()) if out.is_dir() else ():
        if folder.name not in known and not folder.is_symlink() and (folder / LOCK).is_file():
            message = f"orphaned output folder {folder}: no policy of this run writes it"
            hint = "If the policy was removed or renamed, delete the applied objects and the folder."
            yield Diagnostic("VSR310", message, Span(str(folder)), hint)
