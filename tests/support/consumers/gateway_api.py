"""What all control planes do with a Gateway: which routes are attached to a listener, in which order, and behind them.

The order among matches is the Gateway API's precedence: an exact path, a longer path, a method, more headers, then the
route's name and the rule's place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from support.consumers import facts
from support.consumers.envoy import PickerPod
from support.workloads import deployed

Body = dict[str, Any]
_UNITS = {"": 1, "k": 10**3, "Ki": 2**10, "M": 10**6, "Mi": 2**20, "G": 10**9, "Gi": 2**30}


@dataclass(frozen=True, slots=True)
class Match:
    """One match of one rule of a route that is attached to a listener."""

    route: Body
    rule: Body
    rule_index: int
    index: int
    match: Body

    @property
    def namespace(self) -> str:
        """The namespace of the route."""
        return str(self.route["metadata"].get("namespace", ""))

    @property
    def cluster(self) -> str:
        """The name of the rule's cluster, in Envoy Gateway's form."""
        return f"httproute/{self.namespace}/{self.route['metadata']['name']}/rule/{self.rule_index}"


class Objects:
    """A set of objects. The order is their age: the first of two that contend is the older one."""

    def __init__(self, bodies: list[Body]) -> None:
        self.bodies = deployed(bodies)

    def of(self, kind: str, namespace: str | None = None) -> Iterator[Body]:
        """Yield the objects of a kind, of one namespace if it is given."""
        for body in self.bodies:
            if body["kind"] == kind and namespace in {None, body["metadata"].get("namespace", "")}:
                yield body

    def get(self, kind: str, namespace: str, name: str) -> Body | None:
        """Return an object, or None."""
        return next((body for body in self.of(kind, namespace) if body["metadata"]["name"] == name), None)

    def controller(self, gateway: Body) -> str:
        """Return which control plane has the Gateway: `istio`, or the controller of its class."""
        name = gateway["spec"]["gatewayClassName"]
        found = self.get("GatewayClass", "", name)
        return str(name if found is None else found["spec"]["controllerName"])

    def matches(self, gateway: Body, listener: Body, routes: list[Body]) -> list[Match]:
        """Return what decides about a request at a listener, in the order of precedence."""
        found = [
            ((
                path["type"] != "Exact", -len(path["value"]), "method" not in match, -len(match.get("headers", [])),
                route["metadata"].get("namespace", ""), route["metadata"]["name"], index, place,
            ), Match(route, rule, index, place, match))
            for route in routes
            if self.attached(gateway, listener, route)
            for index, rule in enumerate(route["spec"]["rules"])
            for place, match in enumerate(rule.get("matches") or [{}])
            for path in (match.get("path", {"type": "PathPrefix", "value": "/"}),)
        ]  # fmt: skip
        return [match for _, match in sorted(found, key=lambda item: item[0])]

    def virtual_hosts(self, listener: Body, matches: list[Match]) -> list[tuple[str, list[Match]]]:
        """Return the domains of a listener, each with what decides there: routes can have narrower hostnames."""
        domains: dict[str, list[Match]] = {}
        for match in matches:
            for hostname in match.route["spec"].get("hostnames") or ["*"]:
                domain = _common(listener.get("hostname", "*"), hostname)
                if domain is not None:
                    domains.setdefault(domain, []).append(match)
        return list(domains.items()) or [(listener.get("hostname", "*"), [])]

    def attached(self, gateway: Body, listener: Body, route: Body) -> bool:
        """Return whether a listener has a route, by the route's parentRefs and the namespaces that it admits."""
        own, home = route["metadata"].get("namespace", ""), gateway["metadata"].get("namespace", "")
        for parent in route["spec"].get("parentRefs", []):
            if (parent.get("namespace", own), parent["name"]) != (home, gateway["metadata"]["name"]):
                continue
            named = parent.get("sectionName") in {None, listener["name"]}
            if named and parent.get("port") in {None, listener["port"]} and self._admitted(listener, home, own):
                return True
        return False

    def _admitted(self, listener: Body, home: str, namespace: str) -> bool:
        admits = listener.get("allowedRoutes", {}).get("namespaces", {})
        which = admits.get("from", "Same")
        if which != "Selector":
            return which == "All" or home == namespace
        labels = {**self._labels(namespace), "kubernetes.io/metadata.name": namespace}
        selector = admits["selector"]
        return selector.get("matchLabels", {}).items() <= labels.items() and all(
            item["operator"] == "In" and labels.get(item["key"]) in item["values"]
            for item in selector.get("matchExpressions", [])
        )

    def _labels(self, namespace: str) -> Body:
        found = self.get("Namespace", "", namespace)
        return {} if found is None else found["metadata"].get("labels", {})

    def pools(self, match: Match) -> list[Body]:
        """Return the InferencePools of a rule."""
        refs = [ref for ref in match.rule.get("backendRefs", []) if ref.get("kind") == "InferencePool"]
        pools = (self.get("InferencePool", ref.get("namespace", match.namespace), ref["name"]) for ref in refs)
        return [pool for pool in pools if pool is not None]

    def picker(self, pool: Body) -> PickerPod | None:
        """Return the picker of a pool by its Deployment; None if it is not among the objects or not in the table."""
        namespace = pool["metadata"]["namespace"]
        service = self.get("Service", namespace, pool["spec"]["endpointPickerRef"]["name"])
        for deployment in self.of("Deployment", namespace) if service else ():
            template = deployment["spec"]["template"]
            if service and service["spec"]["selector"].items() <= template["metadata"]["labels"].items():
                container = template["spec"]["containers"][0]
                row = facts.picker_of(container["image"])
                return None if row is None else PickerPod(row.project, _limit(row, container), row.parsed)
        return None

    def obeying(self, pool: Body) -> frozenset[str]:
        """Return the components behind a pool that obey headers: the pool's own cluster, and sidecars of its pods."""
        labels = pool["spec"]["selector"].get("matchLabels", pool["spec"]["selector"])
        found = {"pool"}
        for deployment in self.of("Deployment", pool["metadata"]["namespace"]):
            template = deployment["spec"]["template"]
            if labels.items() <= template["metadata"]["labels"].items() and any(
                "sidecar" in container["image"] for container in template["spec"].get("initContainers", [])
            ):
                found.add("sidecar")
        return frozenset(found)


def redirect(match: Match) -> Body | None:
    """Return the reply of a rule that redirects, as Envoy's direct response; None for any other rule."""
    for item in match.rule.get("filters", []):
        if item["type"] == "RequestRedirect":
            return {"direct_response": {"status": item["requestRedirect"]["statusCode"]}, "redirect": True}
    return None


def _common(one: str, other: str) -> str | None:
    for wide, narrow in ((one, other), (other, one)):
        if wide in {"*", narrow} or (wide.startswith("*.") and narrow.endswith(wide[1:])):
            return narrow
    return None


def _limit(row: facts.Picker, container: Body) -> int:
    for argument in container.get("args", []) if row.flag else ():
        name, _, value = argument.partition("=")
        if name == row.flag:
            return quantity(value)
    return facts.MESSAGE


def quantity(text: str | int) -> int:
    """Return the bytes of a Kubernetes quantity."""
    found = re.fullmatch(r"(\d+)([A-Za-z]*)", str(text))
    if found is None:
        raise ValueError(f"not a quantity: {text}")
    return int(found[1]) * _UNITS[found[2]]


def targets(policy: Body) -> list[Body]:
    """Return the targetRefs of a policy, in either spelling."""
    spec = policy["spec"]
    refs: list[Body] = spec.get("targetRefs") or ([spec["targetRef"]] if "targetRef" in spec else [])
    return refs


def envoy_match(match: Match) -> Body:
    """Return a match of a route as Envoy's."""
    path = match.match.get("path", {"type": "PathPrefix", "value": "/"})
    value = path["value"]
    body: Body = {
        "Exact": {"path": value},
        "PathPrefix": {"prefix": "/"} if value == "/" else {"path_separated_prefix": value.rstrip("/")},
        "RegularExpression": {"safe_regex": {"regex": value}},
    }[path["type"]]
    headers = [
        {
            "name": item["name"],
            "string_match": {"exact": item["value"]}
            if item.get("type", "Exact") == "Exact"
            else {"safe_regex": {"regex": item["value"]}},
        }
        for item in match.match.get("headers", [])
    ]
    if "method" in match.match:
        headers.append({"name": ":method", "string_match": {"exact": match.match["method"]}})
    return body | ({"headers": headers} if headers else {})
