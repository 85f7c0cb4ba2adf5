"""What policies that are compiled in one run are to each other: namesakes, rivals for one cluster, or gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.emit import conflicts, listed
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.tree import LOCK
from vsr_compiler.pipeline import Compiled
from vsr_compiler.syntax import Scalar, load
from vsr_compiler.syntax.text import read


def duplicate_names(paths: Iterable[Path]) -> dict[Path, Diagnostic]:
    """VSR308 for each policy whose name an earlier one bears: its output would replace that one's."""
    first: dict[str, Path] = {}
    found: dict[Path, Diagnostic] = {}
    for path in paths:
        name = _name(path)
        if name is None:
            continue
        other = first.setdefault(name.text, path)
        if other.resolve() != path.resolve():
            message = f"`{name.text}` is the name of {other} as well, and both would be out of one folder"
            found[path] = Diagnostic("VSR308", message, name.span, "Give each policy a name of its own.")
    return found


def _name(path: Path) -> Scalar | None:
    """What a file calls its policy; None where that cannot be read."""
    try:
        node = load(read(path, str(path)), str(path)).node(("metadata", "name"))
    except CompileError:
        return None
    return node if isinstance(node, Scalar) else None


def object_identities(compiled: Compiled) -> set[str]:
    """What a policy's environments hold, by kind, namespace and name."""
    everything = (item for found in compiled.environments.values() for item in found)
    return {f"{item.kind} {item.namespace + '/' if item.namespace else ''}{item.name}" for item in everything}


def cluster_conflicts(held: Mapping[str, tuple[ir.Policy, set[str]]]) -> Iterator[tuple[str, Diagnostic]]:
    """VSR309 where policies that one Argo CD syncs to one cluster hold objects of the same names, at the last of them.

    Args:
        held: Policies and what their environments hold, by their files.
    """
    clusters: dict[tuple[str, str], dict[str, set[str]]] = {}
    files = {policy.name: (file, policy) for file, (policy, _) in held.items()}
    for policy, names in held.values():
        if policy.gitops is not None:
            clusters.setdefault((policy.gitops.server, policy.gitops.namespace), {})[policy.name] = names
    for cluster in clusters.values():
        for group in conflicts(cluster):
            both = sorted(cluster[group[0]] & cluster[group[1]])
            message = (
                f"the policies {listed(group, 'and')} hold objects of the same names, such as {both[0]}, so a cluster "
                "can run only one of them"
            )
            hint = "Give each a Gateway, a router namespace and namespaces for its servers, or a cluster."
            file, last = files[group[-1]]
            yield file, Diagnostic("VSR309", message, last.gitops.span if last.gitops else last.span, hint)


def orphaned_outputs(out: Path, names: Iterable[str]) -> Iterator[Diagnostic]:
    """VSR310 for outputs that none of these policies makes: what was applied from them runs on."""
    known = set(names)
    for folder in sorted(out.iterdir()) if out.is_dir() else ():
        if folder.name not in known and not folder.is_symlink() and (folder / LOCK).is_file():
            message = f"{folder} was made from a policy that is not among these"
            hint = "If the policy is gone or has another name, delete what was applied from the folder, and the folder."
            yield Diagnostic("VSR310", message, Span(str(folder)), hint)
