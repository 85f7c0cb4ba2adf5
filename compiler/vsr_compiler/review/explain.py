"""Where something in an output came from, and what a line of a policy makes: both from a fresh compile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.deploy import overlays
from vsr_compiler.diagnostics import Span
from vsr_compiler.manifests.objects import Object
from vsr_compiler.pipeline import Compiled
from vsr_compiler.review.yaml_paths import Path, format_path, path_at_line, scalars
from vsr_compiler.syntax import Document, Mapping, Node, Scalar, load
from vsr_compiler.targets import kinds

MOST_FIELDS = 40
SHORTEST = 3
"""Characters of a value that is looked for elsewhere: shorter ones occur everywhere by chance."""
EVERYWHERE = frozenset({"true", "false"})
"""Values that say nothing about where they came from."""
HEADS = (".safetensors",)
OF_PODS = frozenset({"replicas", "images", "resources"})
"""Keys of an environment that go by endpoint. They change the kinds that the table of kinds marks as scaled."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in the policy, what it accounts for, and the source file of the emitter, if there is one."""

    what: str
    span: Span
    emitter: str = ""


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """A file, or a field of one, that a line of the policy makes."""

    file: str
    path: str = ""
    what: str = ""


def origins(compiled: Compiled, file: str, path: Path) -> list[Origin]:
    """Where a file of the output came from, and the value at a path in it.

    Args:
        compiled: A fresh compile.
        file: Path below the policy's output folder.
        path: Keys and indices in the file; empty for all of it.
    """
    item = compiled.objects.get(file) or compiled.patched.get(file)
    found: list[Origin] = []
    if item is not None:
        found.append(Origin(f"{item.kind} {item.name}", item.origin, item.emitter))
    if path:
        symbol = _symbol(compiled, file, path)
        if symbol is not None and (item is None or symbol.span != item.origin):
            found.append(symbol)
    if found and (environment := _environment(compiled.policy, file)) is not None:
        found.append(Origin(f"environment {environment.name}", environment.span))
    if not found:
        values = compiled.values.get(file)
        found.append(Origin(file, values.origin if values else _file_origin(compiled.policy, file)))
    return found


def outputs_of_line(compiled: Compiled, policy: Document, line: int) -> list[OutputPlace]:
    """Everything that a line of the policy makes: objects that came from its section, then fields with its words."""
    path = path_at_line(policy, line)
    if path is None:
        return []
    everything = {**compiled.objects, **compiled.patched}
    sections = _sections(policy, path)
    of_it = {file: item for file, item in everything.items() if item.origin in sections}
    of_it |= dict(_overlaid(compiled, policy, path, line))
    found = [OutputPlace(file, what=f"{item.kind} {item.name}") for file, item in of_it.items()]
    words = set(_words(policy, path, line))
    return found + list(_fields(compiled, words))[:MOST_FIELDS]


def _sections(policy: Document, path: Path) -> set[Span]:
    """The place of the innermost section on the way to a path from which something could have come."""
    depth = min(len(path), 2)
    return {policy.span(path[:depth], key=True), policy.span(path[:depth])} | (
        {policy.span(path[:1], key=True)} if depth == 1 or path[0] in {"router", "gateway", "gitops"} else set()
    )


def _overlaid(compiled: Compiled, policy: Document, path: Path, line: int) -> Iterator[tuple[str, Object]]:
    """What a line of an environment makes of its overlay: all, or what is of the pods that the line names."""
    pods = len(path) > 2 and path[2] in OF_PODS  # noqa: PLR2004 - environments.<name>.<key>
    node = policy.node(path[:3]) if pods else None
    entries = node.entries if isinstance(node, Mapping) else {}
    named = {key for key, (span, _) in entries.items() if span.line == line or key in path[3:4]}
    spans = {compiled.policy.router.span} if "router" in named else set()
    spans |= {endpoint.span for endpoint in compiled.policy.endpoints if endpoint.name in named}
    for file, item in {**compiled.objects, **compiled.patched}.items():
        environment = _environment(compiled.policy, file)
        if environment is None or path[:2] != ("environments", environment.name):
            continue
        if not pods or (kinds()[item.group_kind].scaled and item.origin in spans):
            yield file, item


def _words(policy: Document, path: Path, line: int) -> Iterator[str]:
    """The values on a line, and the name of the entry that it belongs to."""
    for _, scalar in scalars(policy.root):
        if scalar.span.line == line and len(scalar.text) >= SHORTEST and scalar.text not in EVERYWHERE:
            yield scalar.text
    if len(path) > 1 and path[0] in {"endpoints", "models", "categories", "guards", "signals", "classifiers"}:
        yield str(path[1])
    if len(path) > 1 and path[0] == "routes" and isinstance(path[1], int):
        name = policy.node((*path[:2], "name"))
        if isinstance(name, Scalar):
            yield name.text


def _fields(compiled: Compiled, words: set[str]) -> Iterator[OutputPlace]:
    """The fields of the output whose value is one of the words."""
    for file, content in compiled.tree.items():
        if file.endswith(HEADS) or file.startswith("local/") or file.endswith("kustomization.yaml"):
            continue
        if not any(word.encode() in content.content for word in words):
            continue
        for path, scalar in scalars(load(content.content.decode(), file).root):
            if scalar.text in words:
                yield OutputPlace(file, format_path(path), scalar.text)


def _symbol(compiled: Compiled, file: str, path: Path) -> Origin | None:
    """The symbol that a field was made from: its own value's, or that of the nearest entry around it."""
    root = load(compiled.tree[file].content.decode(), file).root
    known = _symbols(compiled.policy, file)
    for end in range(len(path), 0, -1):
        for name in _names(_node(root, path[:end])):
            if name in known:
                return Origin(f"{format_path(path[:end])}: {name}", known[name])
    return None


def _names(node: Node | None) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Mapping):
        for key in ("name", "model", "value", "host", "cluster_name", "endpoint"):
            if key in node.entries and isinstance(child := node.entries[key][1], Scalar):
                yield child.text


def _node(root: Node, path: Path) -> Node | None:
    return Document("", "", root).node(path)


def _symbols(policy: ir.Policy, file: str) -> dict[str, Span]:
    """Where each spelling came from; names that differ only by place in the router's files are kept apart."""
    found: dict[str, Span] = {}
    router = policy.router
    for ref in (router.grpc, router.http):
        for text in (ref.name, ref.host, ref.authority, ref.istio_cluster, ref.envoy_cluster):
            found[text] = router.span
    found |= {router.image: router.span, policy.gateway.name: policy.gateway.span}
    for endpoint in policy.endpoints:
        ref = endpoint.service
        names = (endpoint.name, endpoint.host, ref.name, ref.host, ref.authority, ref.istio_cluster)
        found |= dict.fromkeys(names, endpoint.span)
        if endpoint.server is not None:
            found[endpoint.server.checkpoint] = endpoint.span
    found |= {model.name: model.span for model in policy.models}
    if file.startswith("router/"):
        found |= {category.name: category.span for category in policy.categories}
        found |= {route.name: route.span for route in policy.routes}
    return found


def _file_origin(policy: ir.Policy, file: str) -> Span:
    """The section of the policy that a file without an object represents."""
    parts = file.split("/")
    if policy.classifier is not None and policy.categories and parts[-1] == f"{policy.classifier.name}{HEADS[0]}":
        return min(each.span for each in policy.categories)  # the examples that it learnt from
    if parts[0] == "router":
        return policy.router.span
    environment = _environment(policy, file)
    return Span(policy.span.file) if environment is None else environment.span


def _environment(policy: ir.Policy, file: str) -> ir.Environment | None:
    """The environment whose overlay a file is of."""
    for environment in policy.environments:
        if file.startswith(f"{overlays.overlay_path(environment)}/"):
            return environment
    return None
