"""L38: limits that count nothing, or something else than they seem to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import AI, ManifestIndex
from vsr_compiler.verify.rate_limits import LimitRule, cost_keys, limit_rules, limited_routes
from vsr_compiler.verify.rules.rule import LinkRule

_MODEL = "x-ai-eg-model"
_MANY = 1000
"""Requests in a window from which on a limit seems to be one of tokens."""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    routes = limited_routes(index)
    read: dict[int, set[str]] = defaultdict(set)
    for rule in limit_rules(index):
        applied = routes.get(id(rule.policy), [])
        if rule.cost_key:
            read[id(rule.policy)].add(rule.cost_key)
            yield from _unwritten(index, rule, applied)
            if "request" not in as_mapping(rule.body.get("cost")):
                message = f"a limit of {rule.policy.title} counts each request as one besides `{rule.cost_key}`"
                hint = "Set cost.request: {from: Number, number: 0}."
                yield Diagnostic("VSR638", message, rule.policy.span(*rule.path, "cost"), hint, Severity.WARNING)
        yield from _models(rule, applied)
    yield from _unread(index, routes, read)
    yield from _quotas(index)


def _unwritten(index: ManifestIndex, rule: LimitRule, routes: list[Manifest]) -> Iterator[Diagnostic]:
    """The cost that a rule reads is one of the route's."""
    lacking = [route for route in routes if rule.cost_key not in cost_keys(index, route)]
    if lacking:
        known = sorted(cost_keys(index, lacking[0]))
        message = f"{rule.policy.title} limits by the cost `{rule.cost_key}`, which {lacking[0].title} does not have"
        span = rule.policy.span(*rule.path, "cost", "response", "metadata", "key")
        other = suggest(rule.cost_key, known)
        hint = other or f"Add `metadataKey: {rule.cost_key}` to llmRequestCosts of the route."
        level = Severity.ERROR if len(lacking) == len(routes) else Severity.WARNING
        yield Diagnostic("VSR638", message, span, hint, level)


def _unread(index: ManifestIndex, routes: dict[int, list[Manifest]], read: dict[int, set[str]]) -> Iterator[Diagnostic]:
    """A limit of requests on routes with costs is often meant to be one of tokens."""
    policies: dict[int, LimitRule] = {}
    for rule in limit_rules(index):
        requests = value_at(rule.body, "limit", "requests")
        if rule.scope == "global" and not rule.cost and isinstance(requests, int) and requests >= _MANY:
            policies.setdefault(id(rule.policy), rule)
    all_read = set().union(*read.values())
    for key, rule in policies.items():
        written = set().union(*(cost_keys(index, route) for route in routes.get(key, ())))
        if written and not read.get(key) and not written & all_read:
            message = (
                f"{rule.policy.title} counts requests: no rule reads the costs of its routes "
                f"({', '.join(f'`{one}`' for one in sorted(written))})"
            )
            hint = "Set cost.response: {from: Metadata, metadata: {namespace: io.envoy.ai_gateway, key: …}}."
            yield Diagnostic("VSR638", message, rule.policy.span(*rule.path), hint, Severity.WARNING)


def _models(rule: LimitRule, routes: list[Manifest]) -> Iterator[Diagnostic]:
    """The header has the model that the client names, not the one that the backend gets."""
    asked = {
        as_string(header.get("value"))
        for route in routes
        for path, _ in route.entries("spec", "rules")
        for _, match in route.entries(*path, "matches")
        for header in as_mappings(match.get("headers"))
        if as_string(header.get("name")).lower() == _MODEL and header.get("type", "Exact") == "Exact"
    }
    sent = {as_string(ref.get("modelNameOverride")) for route in routes for ref in _refs(route)}
    for path, selector in rule.policy.entries(*rule.path, "clientSelectors"):
        for header in as_mappings(selector.get("headers")):
            value = as_string(header.get("value"))
            exact = as_string(header.get("name")).lower() == _MODEL and header.get("type", "Exact") == "Exact"
            if exact and value in sent and value not in asked and asked:
                message = f"a limit of {rule.policy.title} counts requests for `{value}`, as only the backend calls it"
                hint = f"The header has the model of the request: {', '.join(f'`{one}`' for one in sorted(asked))}."
                yield Diagnostic("VSR638", message, rule.policy.span(*path), hint)


def _refs(route: Manifest) -> Iterator[dict[str, object]]:
    for path, _ in route.entries("spec", "rules"):
        yield from (ref for _, ref in route.entries(*path, "backendRefs"))


def _quotas(index: ManifestIndex) -> Iterator[Diagnostic]:
    """AI Gateway applies a quota where a route sends the model's name to the backend by `modelNameOverride`."""
    quotas = index.of_kind("QuotaPolicy", AI)
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for route in index.of_kind("AIGatewayRoute", AI) if quotas else ():
        for ref in _refs(route):
            key = (as_string(ref.get("namespace")) or route.namespace, as_string(ref.get("name")))
            names[key].add(as_string(ref.get("modelNameOverride")))
    for quota in quotas:
        backends = [(quota.namespace, as_string(ref.get("name"))) for ref in as_mappings(quota.spec.get("targetRefs"))]
        used = [names[key] for key in backends if key in names]
        sent = set().union(*used) - {""}
        for path, item in quota.entries("spec", "perModelQuotas"):
            name = as_string(item.get("modelName"))
            if used and name and name not in sent:
                message = f"{quota.title} limits `{name}`, which no route sends to its backends by `modelNameOverride`"
                found = ", ".join(f"`{one}`" for one in sorted(sent))
                hint = (
                    f"Use one of {found}." if sent else f"Set `modelNameOverride: {name}` in the route's backendRefs."
                )
                yield Diagnostic("VSR638", message, quota.span(*path, "modelName"), hint)


RULE = LinkRule(
    name="L38",
    code="VSR638",
    purpose="A limit by a cost of Agent Router reads one that its routes write (`llmRequestCosts`), and counts no "
    "request besides. The model of a QuotaPolicy is the `modelNameOverride` of a route to its backend, and the model "
    "of a limit by `x-ai-eg-model` is that of the request.",
    check=_check,
)
