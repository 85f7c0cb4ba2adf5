"""Rules of routes that choose a model by a header, of HTTPRoute and AIGatewayRoute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.manifests.objects import Index, Resource
from vsr_compiler.importer.values import Fields, child, is_null, text
from vsr_compiler.syntax.nodes import Node

ROUTER_HEADERS = ("x-selected-model", "x-vsr-selected-model")
"""Headers that the stock router and ours write."""
MODEL_HEADERS = (
    *ROUTER_HEADERS,
    "x-ai-eg-model",
    "x-gateway-model-name",
    "x-gateway-base-model-name",
    "x-model",
    "x-model-name",
    "x-target-model",
    "model",
)


@dataclass(frozen=True, slots=True)
class Target:
    """One backend of a rule."""

    kind: str
    namespace: str
    name: str
    port: int
    weight: int
    span: Span
    rename: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for one model.

    Attributes:
        route: The object.
        header: The header that chooses the model; empty for a rule without one.
        value: Its value.
        targets: The backends with a weight over zero.
        span: The place of the value, or of the rule.
    """

    route: Resource
    header: str
    value: str
    targets: tuple[Target, ...]
    span: Span
    rest: dict[str, Span] = field(default_factory=dict)


def rules(index: Index) -> list[Rule]:
    """Return the rules of all routes."""
    found: list[Rule] = []
    for kind in ("HTTPRoute", "AIGatewayRoute"):
        for route in index.of(kind):
            for node in route.spec.items("rules"):
                found += _of_rule(route, Fields.of(node, "rules[]", node.span))
    return found


def _of_rule(route: Resource, fields: Fields) -> Iterator[Rule]:
    targets = tuple(_targets(route, fields))
    rest = dict(_rest(fields))
    matched = False
    for match in fields.items("matches"):
        for header in Fields.of(match, "match", match.span).items("headers"):
            item = Fields.of(header, "header", header.span)
            name = item.text("name").lower()
            if name in MODEL_HEADERS:
                matched = True
                if item.text("type") in {"", "Exact"}:
                    yield Rule(route, name, item.text("value"), targets, item.value_at("value"), rest)
                else:
                    lost = {**rest, f"matches.headers.{item.text('type')}": item.at("type")}
                    yield Rule(route, name, "", targets, item.at("type"), lost)
    if not matched:
        yield Rule(route, "", "", targets, fields.span, rest)


def _targets(route: Resource, fields: Fields) -> Iterator[Target]:
    default = "AIServiceBackend" if route.kind == "AIGatewayRoute" else "Service"
    for node in fields.items("backendRefs"):
        item = Fields.of(node, "backendRef", node.span)
        weight = item.integer("weight")
        if weight == 0 or not item.text("name"):
            continue
        yield Target(
            item.text("kind") or default,
            item.text("namespace") or route.namespace,
            item.text("name"),
            item.integer("port") or 0,
            1 if weight is None else max(weight, 1),
            item.value_at("name"),
            item.text("modelNameOverride"),
        )


def _rest(fields: Fields) -> Iterator[tuple[str, Span]]:
    """Yield what a rule does besides the choice of a backend."""
    for node in fields.items("filters"):
        kind = text(child(node, "type"))
        if kind == "URLRewrite" and _prefix_only(node):
            continue
        yield f"filters.{kind[:40]}", node.span
    for key in ("retry", "sessionPersistence", "streamIdleTimeout"):
        if fields.has(key):
            yield key, fields.at(key)
    for match in fields.items("matches"):
        for key in ("queryParams", "method"):
            if not is_null(child(match, key)):
                yield f"matches.{key}", match.span


def _prefix_only(node: Node) -> bool:
    """Return whether a rewrite only names another host, as routes to providers do."""
    rewrite = child(node, "urlRewrite")
    return child(rewrite, "hostname") is not None and child(rewrite, "path") is None


def timeout_of(route: Resource) -> list[tuple[str, Span]]:
    """Return the request timeouts of a route's rules."""
    found = []
    for node in route.spec.items("rules"):
        value = child(node, "timeouts", "request")
        if text(value):
            found.append((text(value), value.span if value is not None else node.span))
    return found
