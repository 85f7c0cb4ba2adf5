"""Map places in the output to lines of the policy, and lines of the policy to places in the output.

Both directions use a fresh compile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.deploy import compose, overlays
from vsr_compiler.diagnostics import Span
from vsr_compiler.heads.label_heads import head_file
from vsr_compiler.manifests.objects import Object
from vsr_compiler.pipeline import Compiled
from vsr_compiler.review.compare import is_derived
from vsr_compiler.review.yaml_paths import Path, format_path, path_at_line, scalars
from vsr_compiler.syntax import Document, Mapping, Node, Scalar, load
from vsr_compiler.targets import kinds

MAX_FIELDS = 40
MIN_LENGTH = 3
"""Minimum length, in characters, of a value that is searched for in the output; shorter ones match by chance."""
BOOLEANS = frozenset({"true", "false"})
"""Values that are not searched for, because they do not identify their source."""
HEAD_SUFFIX = ".safetensors"
POD_FIELDS = frozenset({"replicas", "images", "resources"})
"""Fields of an environment that are keyed by endpoint. They change the kinds marked as scaled in the table of kinds."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The policy span that an object, field or file comes from, and the source file of its emitter, if any.

    ``what`` names the object, field or file.
    """

    what: str
    span: Span
    emitter: str = ""


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """A file, or a field of one, that is produced from a line of the policy."""

    file: str
    path: str = ""
    what: str = ""


def origins(compiled: Compiled, file: str, path: Path) -> list[Origin]:
    """Return the origins of a file of the output, and of the value at a path in it.

    Args:
        compiled: A fresh compile.
        file: Path below the policy's output folder.
        path: Keys and indices in the file; empty for all of it.
    """
    item = compiled.objects.get(file) or compiled.patched.get(file)
    result: list[Origin] = []
    if item is not None:
        result.append(Origin(f"{item.kind} {item.name}", item.origin, item.emitter))
    if path:
        symbol = _symbol(compiled, file, path)
        if symbol is not None and (item is None or symbol.span != item.origin):
            result.append(symbol)
    if result and (environment := _environment(compiled.policy, file)) is not None:
        result.append(Origin(f"environment {environment.name}", environment.span))
    if not result:
        values = compiled.values.get(file)
        result.append(Origin(file, values.origin if values else _file_origin(compiled.policy, file)))
    return result


def outputs_of_line(compiled: Compiled, policy: Document, line: int) -> list[OutputPlace]:
    """Return what is produced from a line of the policy: objects of its section, then fields with one of its values."""
    path = path_at_line(policy, line)
    if path is None:
        return []
    outputs = {**compiled.objects, **compiled.patched}
    sections = _sections(policy, path)
    objects = {file: item for file, item in outputs.items() if item.origin in sections}
    objects |= dict(_overlaid(compiled, policy, path, line))
    places = [OutputPlace(file, what=f"{item.kind} {item.name}") for file, item in objects.items()]
    words = set(_words(policy, path, line))
    return places + list(_fields(compiled, words))[:MAX_FIELDS]


def _sections(policy: Document, path: Path) -> set[Span]:
    """Return the spans of the innermost section around a path that objects can have as their origin."""
    depth = min(len(path), 2)
    own = {policy.span(path[:4], key=True)} if path[:1] == ("environments",) and path[2:3] == ("clusters",) else set()
    return (
        {policy.span(path[:depth], key=True), policy.span(path[:depth])}
        | own
        | ({policy.span(path[:1], key=True)} if depth == 1 or path[0] in {"router", "gateway", "gitops"} else set())
    )


def _overlaid(compiled: Compiled, policy: Document, path: Path, line: int) -> Iterator[tuple[str, Object]]:
    """Yield the objects that a line of an environment affects: those of its overlay, or of the pods that it names."""
    in_cluster = path[:1] == ("environments",) and path[2:3] == ("clusters",)
    field = 4 if in_cluster else 2  # environments.<name>.<key>, or below `clusters.<name>`
    pods = len(path) > field and path[field] in POD_FIELDS
    node = policy.node(path[: field + 1]) if pods else None
    entries = node.entries if isinstance(node, Mapping) else {}
    named = {key for key, (span, _) in entries.items() if span.line == line or key in path[field + 1 : field + 2]}
    spans = {compiled.policy.router.span} if "router" in named else set()
    spans |= {endpoint.span for endpoint in compiled.policy.endpoints if endpoint.name in named}
    for file, item in {**compiled.objects, **compiled.patched}.items():
        environment = _environment(compiled.policy, file)
        if environment is None or not _is_about(environment, path):
            continue
        if not pods or (kinds()[item.group_kind].scaled and item.origin in spans):
            yield file, item


def _is_about(environment: ir.Environment, path: Path) -> bool:
    """Return whether a path is in an environment: in its own words, or in those of its cluster."""
    if path[:1] != ("environments",) or len(path) == 1:
        return False
    cluster = environment.cluster
    if cluster is None:
        return path[1] == environment.name
    own = path[3:4] if path[2:3] == ("clusters",) else ()
    return f"{path[1]}-{cluster.name}" == environment.name and own in {(), (cluster.name,)}


def _words(policy: Document, path: Path, line: int) -> Iterator[str]:
    """Yield the values on a line, and the name of the entry that contains it."""
    for _, scalar in scalars(policy.root):
        if scalar.span.line == line and len(scalar.text) >= MIN_LENGTH and scalar.text not in BOOLEANS:
            yield scalar.text
    if len(path) > 1 and path[0] in {"endpoints", "models", "categories", "guards", "signals", "classifiers"}:
        yield str(path[1])
    if len(path) > 1 and path[0] == "routes" and isinstance(path[1], int):
        name = policy.node((*path[:2], "name"))
        if isinstance(name, Scalar):
            yield name.text


def _fields(compiled: Compiled, words: set[str]) -> Iterator[OutputPlace]:
    """Yield the fields of the output whose value is one of the words."""
    for file, content in compiled.tree.items():
        if not file.endswith(".yaml") or file.endswith("kustomization.yaml") or is_derived(file):
            continue
        if not any(word.encode() in content.content for word in words):
            continue
        for path, scalar in scalars(load(content.content.decode(), file).root):
            if scalar.text in words:
                yield OutputPlace(file, format_path(path), scalar.text)


def _symbol(compiled: Compiled, file: str, path: Path) -> Origin | None:
    """Return the origin of the name in a field, or else of the name in the nearest entry around it."""
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
    """Return the span of each name in the output. Categories and routes are names only in the files of the router."""
    spans: dict[str, Span] = {}
    router = policy.router
    for ref in (router.grpc, router.http):
        for text in (ref.name, ref.host, ref.authority, ref.istio_cluster, ref.envoy_cluster):
            spans[text] = router.span
    spans |= {router.image: router.span, policy.gateway.name: policy.gateway.span}
    for endpoint in policy.endpoints:
        ref = endpoint.service
        names = (endpoint.name, endpoint.host, ref.name, ref.host, ref.authority, ref.istio_cluster)
        spans |= dict.fromkeys(names, endpoint.span)
        if isinstance(endpoint.kind, ir.VllmServer):
            spans[endpoint.kind.checkpoint] = endpoint.span
    spans |= {model.name: model.span for model in policy.models}
    if file.startswith("router/"):
        spans |= {category.name: category.span for category in policy.categories}
        spans |= {route.name: route.span for route in policy.routes}
    return spans


def _file_origin(policy: ir.Policy, file: str) -> Span:
    """Return the section of the policy that produces a file without an object."""
    parts = file.split("/")
    if policy.classifier is not None and policy.categories and parts[-1] == f"{policy.classifier.name}{HEAD_SUFFIX}":
        return min(category.span for category in policy.categories)  # the examples that it is trained on
    for classifier in policy.classifiers:
        if classifier.examples and parts[-1] == head_file(classifier):
            return classifier.span
    if parts[0] == "router":
        return policy.router.span
    environment = _environment(policy, file)
    return Span(policy.span.file) if environment is None else environment.span


def _environment(policy: ir.Policy, file: str) -> ir.Environment | None:
    """Return the environment whose overlay or folder of a host contains a file."""
    for environment in policy.hosts:
        if file.startswith(f"{compose.folder(environment)}/"):
            return environment
    for environment in policy.environments:
        if file.startswith(f"{overlays.overlay_path(environment)}/"):
            return environment
    return None
