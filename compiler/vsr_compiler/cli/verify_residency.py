"""Hosts of other regions in manifests, Helm values and router configurations: VSR567, if the policy is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from vsr_compiler import ir
from vsr_compiler.deploy.addresses import Address, addresses, settings_addresses, value_addresses
from vsr_compiler.deploy.residency import ForeignHost, Hosts, foreign_hosts, hosts_of, report
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.pipeline.renders import render_policy
from vsr_compiler.verify import Manifest
from vsr_compiler.verify.documents import PlaceIndex
from vsr_compiler.verify.files import Read
from vsr_compiler.verify.limits import MAX_BYTES, Budget
from vsr_compiler.verify.manifest import as_mapping, as_strings
from vsr_compiler.verify.stream import parse_documents

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SHARED = frozenset({"base", "components", "helm"})
"""Folders of a target that every environment on it uses."""


def residency_findings(
    policy: ir.Policy, read: Read, inputs: Iterable[Path], skip: Callable[[Path], bool]
) -> list[Diagnostic]:
    """Return the hosts that environments must not refer to, each at its place; nothing without `residency`.

    An object is for the environment whose overlay it is in or includes. One of a base is for all environments on its
    target. Where that is unknown, a host is reported if no environment may refer to it.

    Args:
        policy: The linked policy.
        read: The objects.
        inputs: The files and folders that they are from.
        skip: Whether a path inside a folder is left out.
    """
    if policy.residency is None:
        return []
    _lines.cache_clear()
    hosts = hosts_of(policy, _emitted(policy))
    found: list[ForeignHost] = []
    for world in read.worlds:
        for unit in world.units:
            environments, strict = _scope(policy, unit.path)
            for item in unit.manifests:
                span, own = partial(_span_in, item), addresses(item.body, _parsed)
                found += foreign_hosts(policy, environments, hosts, own, span, item.title, strict=strict)
    for path in _settings(inputs, skip):
        found += _in_file(policy, hosts, path)
    return report(policy.residency, found)


def _emitted(policy: ir.Policy) -> Iterator[Address]:
    """Yield the addresses in the output of the policy."""
    renders = render_policy(policy, {})
    for rendered in (*renders.bases.values(), *(item.rendered for item in renders.places)):
        components = (item for component in rendered.components for item in component.objects)
        for item in (*rendered.objects, *components):
            yield from addresses(item.body, _parsed)
        for values in rendered.values:
            yield from value_addresses(values.body)


def _scope(policy: ir.Policy, path: Path) -> tuple[tuple[ir.Environment, ...], bool]:
    """Return the environments that a file or kustomization is for, and whether it is for each of them."""
    parts = path.resolve().parts
    known = {place.name: place for place in policy.places}
    for above, name in pairwise(parts):
        if above == "overlays" and name in known:
            return (known[name],), True
    if included := [known[name] for name in _included(path, known, set())]:
        return tuple(included), True
    if path.parent.name == "router":
        return policy.places, True
    for target, name in pairwise(parts):
        if name in _SHARED and (users := tuple(place for place in policy.places if place.target == target)):
            return users, True
    return policy.places, False


def _included(folder: Path, known: Iterable[str], seen: set[Path]) -> Iterator[str]:
    """Yield the environments whose overlays a kustomization includes, itself or by others; each folder is read once."""
    file = next((folder / name for name in _KUSTOMIZATIONS if (folder / name).is_file()), None)
    real = folder.resolve()
    if file is None or real in seen:
        return
    seen.add(real)
    for value, _ in _documents(file):
        for resource in as_strings(as_mapping(value).get("resources")):
            place = PurePosixPath(resource)
            if place.name in known and place.parent.name in {"overlays", ".."}:
                yield place.name
            elif (folder / resource).is_dir():
                yield from _included(folder / resource, known, seen)


def _settings(inputs: Iterable[Path], skip: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield the Helm values and router configurations in folders."""
    for folder in (path for path in inputs if path.is_dir()):
        own = folder.glob("*.yaml") if folder.name == "router" else ()
        files = {*folder.rglob("values*.y*ml"), *folder.rglob("router/*.yaml"), *own}
        yield from (path for path in sorted(files) if path.is_file() and not skip(path))


def _in_file(policy: ir.Policy, hosts: Hosts, path: Path) -> Iterator[ForeignHost]:
    environments, strict = _scope(policy, path)
    is_router = path.parent.name == "router"
    for value, places in _documents(path):
        items = settings_addresses(value) if is_router else value_addresses(value)
        yield from foreign_hosts(
            policy,
            environments,
            hosts,
            items,
            partial(_span_at, places),
            "the router configuration" if is_router else "the file of Helm values",
            strict=strict,
        )


def _documents(path: Path) -> Iterator[tuple[Any, PlaceIndex]]:
    """Yield each document of a file with its places; none of a file that cannot be read."""
    try:
        with path.open("rb") as file:
            yield from parse_documents(file.read(MAX_BYTES), str(path), Budget())
    except (OSError, CompileError):
        return


def _parsed(text: str) -> list[Any]:
    try:
        return [value for value, _ in parse_documents(text.encode(), "", Budget())]
    except CompileError:
        return []


def _span_at(places: PlaceIndex, item: Address) -> Span:
    return _at_host(places.span(item.path, key=False), item.host)


def _span_in(manifest: Manifest, item: Address) -> Span:
    return _at_host(manifest.span(*item.path), item.host)


def _at_host(span: Span, host: str) -> Span:
    """Return the place of a host in the text at a place, which may have many lines."""
    lines = _lines(span.file)
    for number in range(span.line, min(max(span.line, span.end_line), len(lines)) + 1):
        column = lines[number - 1].lower().find(host, span.column - 1 if number == span.line else 0)
        if column >= 0:
            return Span(span.file, number, column + 1, number, column + 1 + len(host))
    return span


@cache
def _lines(name: str) -> list[str]:
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8-sig", errors="replace").split("\n")
    except OSError:
        return []
