"""The listeners and routes that Istio makes of objects: a Gateway's filters in its order, and EnvoyFilters applied."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from support.consumers import facts
from support.consumers.envoy import PickerPod, Proxy, chains, manager
from support.consumers.gateway_api import Match, Objects, envoy_match, redirect, targets

Body = dict[str, Any]
CONTROLLER = "istio"
_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_POOL = f"{facts.HTTP}.ext_proc"


def proxy(objects: Objects, gateway: Body) -> Proxy:
    """Return the Envoy of a Gateway."""
    return _Translation(objects, gateway).proxy()


class _Translation:
    def __init__(self, objects: Objects, gateway: Body) -> None:
        self.objects, self.gateway = objects, gateway
        self.namespace, self.name = gateway["metadata"].get("namespace", ""), gateway["metadata"]["name"]
        self.routes: dict[str, Body] = {}
        self.ports: dict[str, int] = {}
        self.pickers: dict[str, PickerPod] = {}
        self.obeying: dict[str, frozenset[str]] = {}

    def proxy(self) -> Proxy:
        """Translate, then apply the EnvoyFilters in their order."""
        by_port: dict[int, list[Body]] = {}
        for listener in self.gateway["spec"]["listeners"]:
            if listener["protocol"] in {"HTTP", "HTTPS"}:
                by_port.setdefault(listener["port"], []).append(listener)
        listeners = [self._listener(port, group) for port, group in by_port.items()]
        sockets: dict[str, Body] = {}
        clusters: dict[str, Body] = {}
        for patch in self._patches():
            operation, value = patch["patch"]["operation"], patch["patch"].get("value", {})
            match patch["applyTo"], operation:
                case "LISTENER", "ADD":
                    sockets[value["address"]["pipe"]["path"]] = copy.deepcopy(value)
                case "CLUSTER", "ADD":
                    clusters[value["name"]] = copy.deepcopy(value)
                case "HTTP_ROUTE", ("ADD" | "INSERT_FIRST"):
                    self._add_route(value, first=operation == "INSERT_FIRST")
                case "CLUSTER", _:
                    pass
                case _:
                    for listener in listeners:
                        _patched(patch, listener)
        return Proxy(tuple(listeners), self.routes, self.ports, (), self.pickers, self.obeying, sockets, clusters)

    def _add_route(self, route: Body, *, first: bool) -> None:
        """Add a route to every virtual host (`envoyfilter/rc_patch.go`)."""
        for configuration in self.routes.values():
            for host in configuration["virtual_hosts"]:
                host["routes"].insert(0 if first else len(host["routes"]), copy.deepcopy(route))

    def _listener(self, port: int, group: list[Body]) -> Body:
        """Return the listener of a port: HTTP listeners share a chain, those with TLS have one each."""
        name = f"0.0.0.0_{port}"
        self.ports[name] = port
        listener: Body = {
            "name": name,
            "address": {"socket_address": {"port_value": port}},
            "per_connection_buffer_limit_bytes": facts.ISTIO_DEFAULT_BUFFER,
        }
        if group[0]["protocol"] == "HTTP":
            listener["filter_chains"] = [{"filters": [self._manager(f"http.{port}", group)]}]
        else:
            listener["filter_chains"] = [
                {
                    "filter_chain_match": {"server_names": [item.get("hostname", "*")]},
                    "filters": [self._manager(_table(self.gateway, item), [item])],
                    "transport_socket": {"typed_config": {"require_client_certificate": _demands(item)}},
                }
                for item in group
            ]
        return listener

    def _manager(self, name: str, group: list[Body]) -> Body:
        hosts = []
        for listener in group:
            found = self.objects.matches(self.gateway, listener, list(self.objects.of("HTTPRoute")))
            hosts += [
                {
                    "domains": [domain],
                    "routes": [self._route(item) for item in own],
                    "include_request_attempt_count": True,
                }
                for domain, own in self.objects.virtual_hosts(listener, found)
            ]
        self.routes[name] = {"name": name, "virtual_hosts": hosts}
        return {
            "name": facts.HCM,
            "typed_config": {"http_filters": self._filters(), "rds": {"route_config_name": name}},
        }

    def _route(self, match: Match) -> Body:
        route: Body = {"name": match.cluster, "match": envoy_match(match)}
        redirected = redirect(match)
        if redirected is not None:
            return route | redirected
        if not match.rule.get("backendRefs"):
            return route | {"direct_response": {"status": 500}}
        pools = self.objects.pools(match)
        self.obeying[match.cluster] = frozenset[str]().union(*(self.objects.obeying(pool) for pool in pools))
        if pools:
            picker = self._picker(pools[0])
            route["typed_per_filter_config"] = {
                _POOL: {
                    "@type": f"{_FILTERS}.ext_proc.v3.ExtProcPerRoute",
                    "overrides": {
                        "grpc_service": {"envoy_grpc": {"cluster_name": picker}},
                        "processing_mode": {"request_header_mode": "SEND"},
                    },
                }
            }
        return route | {"route": {"cluster": match.cluster, "retry_policy": facts.ISTIO_RETRIES}}

    def _picker(self, pool: Body) -> str:
        ref = pool["spec"]["endpointPickerRef"]
        cluster = f"outbound|{ref['port']['number']}||{ref['name']}.{pool['metadata']['namespace']}.svc.cluster.local"
        pod = self.objects.picker(pool)
        if pod is not None:
            self.pickers[cluster] = pod
        return cluster

    def _filters(self) -> list[Body]:
        """Return the HTTP filters: what every Gateway has, and what its policies and pools add."""
        configs: dict[str, Body] = {name: {} for name in facts.ISTIO_ALWAYS}
        configs[f"{facts.HTTP}.router"] = {"@type": f"{_FILTERS}.router.v3.Router"}
        configs[f"{facts.HTTP}.cors"] = {"@type": f"{_FILTERS}.cors.v3.Cors"}
        policies = [body for body in self.objects.of("AuthorizationPolicy") if self._selects(body)]
        if any(body["spec"].get("action") == "CUSTOM" for body in policies):
            configs[f"{facts.HTTP}.ext_authz"] = {"@type": f"{_FILTERS}.ext_authz.v3.ExtAuthz"}
        if any(self._selects(body) for body in self.objects.of("RequestAuthentication")):
            jwt: Body = {"@type": f"{_FILTERS}.jwt_authn.v3.JwtAuthentication", "rules": [{"requires": "any"}]}
            for body in self.objects.of("RequestAuthentication"):
                if self._selects(body):
                    jwt |= _token_rules(body["spec"].get("jwtRules", []))
            configs[f"{facts.HTTP}.jwt_authn"] = jwt
        actions = authorization(policies)
        if actions:
            configs[f"{facts.HTTP}.rbac"] = {"@type": f"{_FILTERS}.rbac.v3.RBAC", "policies": actions}
        if self._has_pools():
            mode = {"request_header_mode": "SKIP"}
            grpc = {"envoy_grpc": {"cluster_name": "dummy"}}
            config = {"@type": f"{_FILTERS}.ext_proc.v3.ExternalProcessor", "grpc_service": grpc}
            configs[_POOL] = config | {"processing_mode": mode}
        order = facts.ISTIO_ORDER
        return [
            {"name": name, "typed_config": copy.deepcopy(configs[name])}
            for name in sorted(configs, key=lambda name: facts.rank(order, name))
        ]

    def _has_pools(self) -> bool:
        return any(
            self.objects.pools(match)
            for listener in self.gateway["spec"]["listeners"]
            for match in self.objects.matches(self.gateway, listener, list(self.objects.of("HTTPRoute")))
        )

    def _selects(self, policy: Body) -> bool:
        """Return whether a policy is for this Gateway: by its targetRefs, or as one for the whole namespace."""
        if policy["metadata"].get("namespace", "") != self.namespace:
            return False
        refs = targets(policy)
        return any(ref["kind"] == "Gateway" and ref["name"] == self.name for ref in refs) or (
            not refs and "selector" not in policy["spec"]
        )

    def _patches(self) -> Iterator[Body]:
        policies = [body for body in self.objects.of("EnvoyFilter") if self._selects(body)]
        for policy in sorted(policies, key=lambda body: body["spec"].get("priority", 0)):
            for patch in policy["spec"]["configPatches"]:
                if patch.get("match", {}).get("context", "ANY") in {"ANY", "GATEWAY"}:
                    yield patch


def _table(gateway: Body, listener: Body) -> str:
    """Return the name of the routes of a listener with TLS (pilot/pkg/model/gateway.go, `gatewayRDSRouteName`)."""
    metadata = gateway["metadata"]
    name = f"{metadata['name']}~istio-autogenerated-k8s-gateway~{listener['name']}"
    return f"https.{listener['port']}.default.{name}.{metadata.get('namespace', '')}"


def _demands(listener: Body) -> bool:
    """Return whether a listener demands certificates of clients."""
    options = listener.get("tls", {}).get("options", {})
    return bool(options.get("gateway.istio.io/tls-terminate-mode") == "MUTUAL")


def authorization(policies: list[Body]) -> list[Body]:
    """Return what the rbac filter decides by: an entry per action, each with its rules. One that denies comes first."""
    found = []
    for action in ("DENY", "ALLOW"):
        rules = [
            rule
            for policy in policies
            if policy["spec"].get("action", "ALLOW") == action
            for rule in map(_rule, policy["spec"].get("rules", []))
        ]
        if rules or any(policy["spec"].get("action", "ALLOW") == action == "ALLOW" for policy in policies):
            found.append({"action": action, "rules": rules})
    return found


def _token_rules(rules: list[Body]) -> Body:
    """Return the claims that tokens put into headers, and whether tokens go on."""
    claims = [
        {"header_name": item["header"].lower(), "claim_name": item["claim"]}
        for rule in rules
        for item in rule.get("outputClaimToHeaders", [])
    ]
    forwarded = any(rule.get("forwardOriginalToken", False) for rule in rules)
    return {"claim_to_headers": claims, "bypass_cors_preflight": True} | ({} if forwarded else {"forward": False})


def _rule(rule: Body) -> Body:
    sources = [item["source"] for item in rule.get("from", [])]
    return {
        "principal": any("requestPrincipals" in source for source in sources),
        "no_principal": any("notRequestPrincipals" in source for source in sources),
        "methods": [method for item in rule.get("to", []) for method in item["operation"].get("methods", [])],
        "present": [_header_of(item["key"]) for item in rule.get("when", []) if item.get("values") == ["*"]],
        "paths": [path for item in rule.get("to", []) for path in item["operation"].get("paths", [])],
    }


def _header_of(key: str) -> str:
    """Return the header that a condition tests.

    Raises:
        LookupError: It tests something else.
    """
    if not key.startswith("request.headers["):
        raise LookupError(f"no rule for the condition {key}")
    return key.removeprefix("request.headers[").removesuffix("]")


def _patched(patch: Body, listener: Body) -> None:
    """Apply one patch of an EnvoyFilter to a listener, in place. A patch without its place changes nothing."""
    where = patch.get("match", {}).get("listener", {})
    if where.get("portNumber") not in {None, listener["address"]["socket_address"]["port_value"]}:
        return
    value, operation = patch["patch"].get("value", {}), patch["patch"]["operation"]
    if patch["applyTo"] == "LISTENER":
        _merge(listener, value)
        return
    for chain in chains(listener):
        if patch["applyTo"] == "NETWORK_FILTER":
            found = next(item for item in chain["filters"] if item["name"] == facts.HCM)
            if operation == "INSERT_BEFORE":
                chain["filters"].insert(chain["filters"].index(found), copy.deepcopy(value))
                continue
            _merge(found["typed_config"], value.get("typed_config", {}))
        elif patch["applyTo"] == "HTTP_FILTER":
            anchor = where.get("filterChain", {}).get("filter", {}).get("subFilter", {}).get("name")
            _http_filter(manager(chain)["http_filters"], operation, anchor, value)


def _http_filter(filters: list[Body], operation: str, anchor: str | None, value: Body) -> None:
    names = [item["name"] for item in filters]
    if operation == "INSERT_FIRST" or (operation == "INSERT_BEFORE" and anchor is None):
        filters.insert(0, copy.deepcopy(value))
    elif operation == "ADD" or (operation == "INSERT_AFTER" and anchor is None):
        filters.append(copy.deepcopy(value))
    elif anchor in names:
        place = names.index(anchor)
        if operation in {"INSERT_BEFORE", "INSERT_AFTER"}:
            filters.insert(place + (operation == "INSERT_AFTER"), copy.deepcopy(value))
        elif operation == "REMOVE":
            del filters[place]
        elif operation == "MERGE":
            _merge(filters[place], value)
        elif operation == "REPLACE":
            filters[place] = copy.deepcopy(value)


def _merge(base: Body, more: Body) -> None:
    """Merge as protobuf does: messages by field, repeated fields by appending."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        elif isinstance(value, list) and isinstance(base.get(key), list):
            base[key] += copy.deepcopy(value)
        else:
            base[key] = copy.deepcopy(value)
