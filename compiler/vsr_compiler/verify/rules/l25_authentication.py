"""L25: policies that do not apply to the route that a request matches on its arrival."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.filter_order import ENVOY_GATEWAY
from vsr_compiler.releases.route_filters import ROUTE_FILTERS, RouteFilter
from vsr_compiler.verify.ext_proc import ExtProcFilter
from vsr_compiler.verify.filter_position import position
from vsr_compiler.verify.listeners import Listener, domains, routes_of
from vsr_compiler.verify.manifest import Body, Manifest, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import AI, ENVOY, ManifestIndex
from vsr_compiler.verify.policy_targets import EffectivePolicy, effective_policies
from vsr_compiler.verify.router_filters import filters_of, router_listeners, router_routes
from vsr_compiler.verify.rules.rule import LinkRule

_ON_ARRIVAL = "matches before the router has chosen a model"


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """A rule of a route at a listener."""

    route: Manifest
    name: str

    def policies(self, index: ManifestIndex, kind: str, listener: Listener) -> list[EffectivePolicy]:
        """Return the policies of which one applies to it."""
        return effective_policies(index, kind, listener, self.route, self.name)


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    reported: set[tuple[int, str, str]] = set()
    for listener, _ in router_listeners(index):
        filters = [item for item in filters_of(index, listener) if item.source.group == ENVOY]
        for item in _governed(filters) if filters else ():
            for source, problem, message, hint in _holes(index, listener, item):
                if (id(source), item.setting, problem) not in reported:
                    reported.add((id(source), item.setting, problem))
                    yield Diagnostic("VSR625", message, source.span("spec", item.setting), hint)


def _governed(filters: list[ExtProcFilter]) -> Iterator[RouteFilter]:
    """Return the settings about which the route on arrival decides: enabled by it, or carried out before the router."""
    last = max(map(position, filters))
    own = {id(item.source) for item in filters}
    for item in ROUTE_FILTERS:
        if item.kind == "EnvoyExtensionPolicy" and any(
            source.source.kind == item.kind and id(source.source) in own for source in filters
        ):
            continue
        if item.enabled_by_route or ENVOY_GATEWAY.index(item.filter) < last:
            yield item


def _holes(index: ManifestIndex, listener: Listener, item: RouteFilter) -> Iterator[tuple[Manifest, str, str, str]]:
    """Return the policies that do not apply to every request, each with a problem, a message and a hint."""
    arrivals = list(_arrivals(index, listener))
    parents = effective_policies(index, item.kind, listener)
    yield from _replaced(index, listener, item, arrivals, parents)
    models = index.cached("routes of the router", lambda: {id(item.route) for item in router_routes(index)})
    for route in routes_of(index, listener):
        if id(route) not in models:
            continue
        covering = [arrival for arrival in arrivals if _covers(arrival, listener, route)]
        for rule in _rules(route):
            for policy in rule.policies(index, item.kind, listener):
                if policy.source is not None and policy.settings.get(item.setting):
                    yield from _hole(index, listener, item, route, policy, parents, covering)


def _replaced(
    index: ManifestIndex, listener: Listener, item: RouteFilter, arrivals: list[_Rule], parents: list[EffectivePolicy]
) -> Iterator[tuple[Manifest, str, str, str]]:
    """Return the policies that replace the Gateway's on a route that requests match on their arrival."""
    for arrival, parent in product(arrivals, parents):
        if parent.source is None or not parent.settings.get(item.setting):
            continue
        for policy in arrival.policies(index, item.kind, listener):
            if policy.source is not None and not _equal(policy, parent, item):
                message = (
                    f"{policy.source.title} replaces {parent.source.title} on {arrival.route.title}, which every "
                    f"request {_ON_ARRIVAL}: `{item.setting}` does not run"
                )
                hint = f"Remove it, or repeat `{item.setting}` in it."
                yield policy.source, "replaced", message, hint


def _hole(
    index: ManifestIndex,
    listener: Listener,
    item: RouteFilter,
    route: Manifest,
    policy: EffectivePolicy,
    parents: list[EffectivePolicy],
    arrivals: list[_Rule],
) -> Iterator[tuple[Manifest, str, str, str]]:
    """Return a policy with a setting on a model's route, unless the route on arrival carries the same."""
    source = policy.source
    if source is None:
        return
    subject = f"`{item.setting}` of {source.title} does not run for requests to {route.title}"
    if not arrivals:
        message = f"{subject}: no route {_ON_ARRIVAL}"
        hint = (
            "Add an HTTPRoute with the path prefix `/`, the same hostnames and no other condition that answers 404, "
            "and attach the policy to the Gateway."
        )
        yield source, "no arrival", message, hint
        return
    if any(parent.source is source for parent in parents):
        return
    for arrival in arrivals:
        if not all(_equal(other, policy, item) for other in arrival.policies(index, item.kind, listener)):
            message = f"{subject}: {arrival.route.title} {_ON_ARRIVAL}, and does not have it"
            yield source, "not on arrival", message, f"Attach it to {listener.gateway.title}."
            return


def _equal(one: EffectivePolicy, other: EffectivePolicy, item: RouteFilter) -> bool:
    return bool(one.settings.get(item.setting) == other.settings.get(item.setting))


def _arrivals(index: ManifestIndex, listener: Listener) -> Iterator[_Rule]:
    """Return the rules that a request can match before the router has set a header.

    AI Gateway adds a rule that answers 404 to each of its routes. Which route is first is not known.
    """
    for route in routes_of(index, listener):
        if route.group == AI:
            yield _Rule(route, "")
        for rule in as_mappings(route.spec.get("rules")):
            if _is_catch_all(rule):
                yield _Rule(route, as_string(rule.get("name")))


def _is_catch_all(rule: Body) -> bool:
    matches = as_mappings(rule.get("matches"))
    return not matches or any(
        not match.get("headers")
        and not match.get("queryParams")
        and not match.get("method")
        and as_string(value_at(match, "path", "type")) in {"", "PathPrefix"}
        and as_string(value_at(match, "path", "value")) in {"", "/"}
        for match in matches
    )


def _covers(arrival: _Rule, listener: Listener, route: Manifest) -> bool:
    """Whether requests to a route meet a rule in their virtual host, which Envoy chooses by the hostname alone."""
    return domains(listener, route) <= domains(listener, arrival.route)


def _rules(route: Manifest) -> Iterator[_Rule]:
    for rule in as_mappings(route.spec.get("rules")):
        yield _Rule(route, as_string(rule.get("name")))


RULE = LinkRule(
    name="L25",
    code="VSR625",
    purpose="On Envoy Gateway, authentication and other filters apply to the route that a request matches on its "
    "arrival, before the router has chosen a model: Envoy decides then which filters a route enables (extAuth, "
    "basicAuth, apiKeyAuth, oidc, lua, wasm), and jwt runs before the router. So there is a route without conditions, "
    "and policies are attached to the Gateway, or also to that route. Each route of Agent Router has such a rule.",
    check=_check,
)
