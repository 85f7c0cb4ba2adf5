"""The listeners and routes that Envoy Gateway, and Envoy AI Gateway beside it, make of objects."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from support.consumers import facts, json_patches
from support.consumers.envoy import PickerPod, Proxy, chains, manager
from support.consumers.gateway_api import Match, Objects, envoy_match, quantity, redirect, targets

Body = dict[str, Any]
CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
_LISTENER = "envoy.config.listener.v3.Listener"
_CLUSTER = "v3.Cluster"
_ROUTES = "envoy.config.route.v3.RouteConfiguration"
_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_ENABLED = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}


def proxy(objects: Objects, gateway: Body) -> Proxy:
    """Return the Envoy of a Gateway."""
    return _Translation(objects, gateway).proxy()


def generated(objects: Objects) -> Iterator[Body]:
    """Yield the HTTPRoutes: those of users, and one for each AIGatewayRoute, whose last rule answers 404."""
    yield from objects.of("HTTPRoute")
    for route in objects.of("AIGatewayRoute"):
        rules = [*copy.deepcopy(route["spec"]["rules"]), {"name": "route-not-found", "directResponse": 404}]
        spec = {**route["spec"], "rules": rules}
        yield {"kind": "HTTPRoute", "generated": True, "metadata": route["metadata"], "spec": spec}


@dataclass(frozen=True, slots=True)
class _Filters:
    """The HTTP filters that a route needs: each with what the route says to it, and its own configuration."""

    per_route: dict[str, Body]
    configs: dict[str, Body]


class _Translation:
    def __init__(self, objects: Objects, gateway: Body) -> None:
        self.objects, self.gateway = objects, gateway
        self.namespace, self.name = gateway["metadata"].get("namespace", ""), gateway["metadata"]["name"]
        self.routes: dict[str, Body] = {}
        self.ports: dict[str, int] = {}
        self.problems: list[str] = []
        self.pickers: dict[str, PickerPod] = {}
        self.obeying: dict[str, frozenset[str]] = {}
        self.http_routes = list(generated(objects))

    def proxy(self) -> Proxy:
        """Translate, apply the patches, and let AI Gateway add its filters."""
        by_port: dict[int, list[Body]] = {}
        for listener in self.gateway["spec"]["listeners"]:
            if listener["protocol"] in {"HTTP", "HTTPS"}:
                by_port.setdefault(listener["port"], []).append(listener)
        listeners = [item for port, group in by_port.items() for item in self._listeners(port, group)]
        listeners = [self._patched(_LISTENER, item) for item in listeners]
        self.routes = {name: self._patched(_ROUTES, item) for name, item in self.routes.items()}
        added = [patch for patch in self._patches() if _adds_resource(patch)]
        self._missing({item["name"] for item in listeners} | self.routes.keys() | {patch["name"] for patch in added})
        if any(route.get("generated") for route in self.http_routes):
            listeners = [self._with_ai_gateway(item) for item in listeners]
        values = [(patch["type"], patch["operation"]["value"]) for patch in added]
        sockets = {value["address"]["pipe"]["path"]: value for kind, value in values if kind.endswith(_LISTENER)}
        clusters = {value["name"]: value for kind, value in values if kind.endswith(_CLUSTER)}
        problems = tuple(self.problems)
        return Proxy(tuple(listeners), self.routes, self.ports, problems, self.pickers, self.obeying, sockets, clusters)

    def _listeners(self, port: int, group: list[Body]) -> Iterator[Body]:
        """Yield the xDS listener of a port, named after its first listener, and that of HTTP/3."""
        name = f"{self.namespace}/{self.name}/{group[0]['name']}"
        client = self._client_policy(group)
        limit = quantity(client.get("connection", {}).get("bufferLimit", facts.DEFAULT_BUFFER))
        listener: Body = {
            "name": name,
            "address": {"socket_address": {"port_value": port + 10_000 if port < 1024 else port}},
            "per_connection_buffer_limit_bytes": limit,
        }
        if group[0]["protocol"] == "HTTP":
            listener["default_filter_chain"] = {"filters": [self._manager(name, group, client)]}
        else:
            listener["filter_chains"] = [self._chain(item) for item in group]
        self.ports[name] = port
        yield listener
        if "http3" in client and group[0]["protocol"] == "HTTPS":
            self.ports[f"{name}-quic"] = port
            yield copy.deepcopy(listener) | {"name": f"{name}-quic"}

    def _chain(self, listener: Body) -> Body:
        name = f"{self.namespace}/{self.name}/{listener['name']}"
        client = self._client_policy([listener])
        demanded = "clientValidation" in client.get("tls", {})
        return {
            "filter_chain_match": {"server_names": [listener.get("hostname", "*")]},
            "filters": [self._manager(name, [listener], client)],
            "transport_socket": {"typed_config": {"require_client_certificate": demanded}},
        }

    def _client_policy(self, group: list[Body]) -> Body:
        """Return the ClientTrafficPolicy of a listener: that of its section as a whole, else that of the Gateway."""
        for section in (group[0]["name"], None):
            for policy in self.objects.of("ClientTrafficPolicy", self.namespace):
                if any(ref["name"] == self.name and ref.get("sectionName") == section for ref in targets(policy)):
                    shared = section is not None and len(group) > 1 and group[0]["protocol"] == "HTTP"
                    return {} if shared else policy["spec"]  # type: ignore[no-any-return]
        return {}

    def _manager(self, name: str, group: list[Body], client: Body) -> Body:
        filters = _Filters({}, {})
        hosts = [host for listener in group for host in self._virtual_hosts(listener, filters)]
        self.routes[name] = {"name": name, "virtual_hosts": hosts}
        config: Body = {"http_filters": _ordered(filters.configs), "rds": {"route_config_name": name}}
        early = client.get("headers", {}).get("earlyRequestHeaders", {})
        mutations: list[Body] = [{"remove": header.lower()} for header in early.get("remove", [])]
        mutations += [{"remove_on_match": {"key_matcher": _matcher(item)}} for item in early.get("removeOnMatch", [])]
        if mutations:
            config["early_header_mutation_extensions"] = [
                {"name": "envoy.http.early_header_mutation.header_mutation", "typed_config": {"mutations": mutations}}
            ]
        return {"name": facts.HCM, "typed_config": config}

    def _virtual_hosts(self, listener: Body, filters: _Filters) -> Iterator[Body]:
        found = self.objects.matches(self.gateway, listener, self.http_routes)
        for domain, matches in self.objects.virtual_hosts(listener, found):
            yield {"domains": [domain], "routes": [self._route(match, listener, filters) for match in matches]}

    def _route(self, match: Match, listener: Body, filters: _Filters) -> Body:
        found = self._filters(match, listener)
        filters.configs.update(found.configs)
        name = f"{match.cluster}/match/{match.index}/*"
        route = {"name": name, "match": envoy_match(match), **self._action(match)}
        return route | ({"typed_per_filter_config": found.per_route} if found.per_route else {})

    def _action(self, match: Match) -> Body:
        if "directResponse" in match.rule:
            return {"direct_response": {"status": match.rule["directResponse"]}}
        redirected = redirect(match)
        if redirected is not None:
            return redirected
        for item in match.rule.get("filters", []):
            response = self._route_filter(match, item).get("directResponse")
            if response:
                return {"direct_response": {"status": response["statusCode"]}}
        if not match.rule.get("backendRefs"):
            return {"direct_response": {"status": 500}}
        pools = self.objects.pools(match)
        self.obeying[match.cluster] = frozenset[str]().union(*(self.objects.obeying(pool) for pool in pools))
        return {"route": {"cluster": match.cluster}}

    def _route_filter(self, match: Match, item: Body) -> Body:
        ref = item.get("extensionRef", {})
        if ref.get("kind") != "HTTPRouteFilter":
            return {}
        found = self.objects.get("HTTPRouteFilter", match.namespace, ref["name"])
        if found is None:
            # A reference that leads nowhere makes the rule answer 500.
            return {"directResponse": {"statusCode": 500}}
        return found["spec"]  # type: ignore[no-any-return]

    def _filters(self, match: Match, listener: Body) -> _Filters:
        """Return the filters that the policies of a route ask for."""
        result = _Filters({}, {})
        for policy in self._effective("SecurityPolicy", match, listener):
            _security(policy, match, result)
        for policy in self._effective("BackendTrafficPolicy", match, listener):
            _traffic(policy, result)
        for policy in self._effective("EnvoyExtensionPolicy", match, listener):
            _extensions(policy, result)
        for item in match.rule.get("filters", []):
            spec = self._route_filter(match, item)
            if "credentialInjection" in spec:
                name = (
                    f"{facts.HTTP}.credential_injector/httproutefilter/{match.namespace}/{item['extensionRef']['name']}"
                )
                result.per_route[name] = _ENABLED
                result.configs[name] = {"@type": f"{_FILTERS}.credential_injector.v3.CredentialInjector"}
        return result

    def _effective(self, kind: str, match: Match, listener: Body) -> list[Body]:
        """Return the policies that count: the most specific one replaces others as a whole, unless it says to merge."""
        route, levels = match.route["metadata"]["name"], []
        wanted: list[tuple[str, str, str, str | None]] = [
            ("HTTPRoute", match.namespace, route, match.rule.get("name", "")),
            ("HTTPRoute", match.namespace, route, None),
            ("Gateway", self.namespace, self.name, listener["name"]),
            ("Gateway", self.namespace, self.name, None),
        ]
        for target_kind, namespace, name, section in wanted:
            for policy in self.objects.of(kind, namespace):
                if any(
                    (ref["kind"], ref["name"], ref.get("sectionName")) == (target_kind, name, section)
                    for ref in targets(policy)
                ):
                    levels.append(policy)
                    if "mergeType" not in policy["spec"]:
                        return levels
                    break
        return levels

    def _patched(self, kind: str, resource: Body) -> Body:
        for patch in self._patches():
            if patch["type"].endswith(kind) and patch["name"] == resource["name"]:
                try:
                    resource = json_patches.applied(resource, patch["operation"])
                except json_patches.PatchFailedError as error:
                    self.problems.append(f"{patch['name']}: {error}")
        return resource

    def _patches(self) -> Iterator[Body]:
        for policy in self.objects.of("EnvoyPatchPolicy", self.namespace):
            if any(ref["name"] == self.name for ref in targets(policy)):
                yield from policy["spec"]["jsonPatches"]

    def _missing(self, names: set[str]) -> None:
        for patch in self._patches():
            if patch["type"].endswith((_LISTENER, _ROUTES)) and patch["name"] not in names:
                self.problems.append(f"{patch['name']}: ResourceNotFound")

    def _with_ai_gateway(self, listener: Body) -> Body:
        """Return a listener after AI Gateway's translation, which is later than the patches."""
        for chain in chains(listener):
            config = manager(chain)
            pools: dict[str, Body] = {}
            generated_routes = []
            for host in self.routes[config["rds"]["route_config_name"]]["virtual_hosts"]:
                for route in host["routes"]:
                    rule = self._rule(route["name"])
                    if rule is None:
                        continue
                    own = {_picker_filter(pool): pool for pool in self.objects.pools(rule)}
                    pools |= own
                    generated_routes.append((route, own))
            for route, own in generated_routes:
                overrides = route.setdefault("typed_per_filter_config", {})
                overrides[facts.AI_GATEWAY_FILTER] = _ENABLED
                disabled = {"@type": f"{_FILTERS}.ext_proc.v3.ExtProcPerRoute", "disabled": True}
                overrides |= dict.fromkeys(pools.keys() - own.keys(), disabled)
            if generated_routes:
                _insert(config["http_filters"], pools)
            for name, pool in pools.items():
                pod = self.objects.picker(pool)
                if pod is not None:
                    self.pickers[name] = pod
        return listener

    def _rule(self, name: str) -> Match | None:
        """Return the rule of a generated route by the name of Envoy's route."""
        for route in self.http_routes:
            for index, rule in enumerate(route["spec"]["rules"]) if route.get("generated") else ():
                match = Match(route, rule, index, 0, {})
                if name.startswith(f"{match.cluster}/match/"):
                    return match
        return None


def _adds_resource(patch: Body) -> bool:
    """Whether a patch adds a whole resource, and does not change one (`jsonpatch.go`)."""
    operation = patch["operation"]
    return operation["op"] == "add" and not operation.get("path") and not operation.get("jsonPath")


def _matcher(item: Body) -> Body:
    """Return a StringMatch of a ClientTrafficPolicy as Envoy's."""
    if item.get("type", "Exact") == "RegularExpression":
        return {"safe_regex": {"regex": item["value"]}}
    return {item.get("type", "Exact").lower(): item["value"]}


def _insert(filters: list[Body], pools: dict[str, Body]) -> None:
    """Add AI Gateway's filter, those of the pickers behind it, and the one that reads a session."""
    processor = f"{_FILTERS}.ext_proc.v3.ExternalProcessor"
    added: list[Body] = [
        {
            "name": facts.AI_GATEWAY_FILTER,
            "disabled": True,
            "typed_config": {"@type": processor, "processing_mode": {"request_header_mode": "SEND"}},
        }
    ]
    added += [
        {
            "name": name,
            "typed_config": {
                "@type": processor,
                "grpc_service": {"envoy_grpc": {"cluster_name": name}},
                "processing_mode": {"request_header_mode": "SEND"},
            },
        }
        for name in pools
    ]
    place = next(
        index
        for index, item in enumerate(filters)
        if any(item["name"] == name or item["name"].startswith(f"{name}/") for name in facts.AI_GATEWAY_BEFORE)
    )
    filters[place:place] = added
    filters.insert(len(filters) - 1, {"name": f"{facts.HTTP}.header_to_metadata", "typed_config": {}})


def _picker_filter(pool: Body) -> str:
    metadata = pool["metadata"]
    return f"{facts.HTTP}.ext_proc/endpointpicker/{metadata['name']}_{metadata['namespace']}_ext_proc"


def _security(policy: Body, match: Match, result: _Filters) -> None:
    spec, metadata = policy["spec"], policy["metadata"]
    if "cors" in spec:
        result.per_route[f"{facts.HTTP}.cors"] = {"@type": f"{_FILTERS}.cors.v3.CorsPolicy"}
        result.configs[f"{facts.HTTP}.cors"] = {"@type": f"{_FILTERS}.cors.v3.Cors"}
    if "extAuth" in spec:
        name = f"{facts.HTTP}.ext_authz/securitypolicy/{metadata.get('namespace', '')}/{metadata['name']}"
        result.per_route[name] = {"@type": f"{_FILTERS}.ext_authz.v3.ExtAuthzPerRoute", "check_settings": {}}
        result.configs[name] = {"@type": f"{_FILTERS}.ext_authz.v3.ExtAuthz"}
    if "apiKeyAuth" in spec:
        headers = [
            {"header": header} for item in spec["apiKeyAuth"]["extractFrom"] for header in item.get("headers", [])
        ]
        name = f"{facts.HTTP}.api_key_auth"
        result.per_route[name] = {"@type": f"{_FILTERS}.api_key_auth.v3.ApiKeyAuthPerRoute", "key_sources": headers}
        result.configs[name] = {"@type": f"{_FILTERS}.api_key_auth.v3.ApiKeyAuth"}
    if "basicAuth" in spec:
        name = f"{facts.HTTP}.basic_auth"
        result.per_route[name] = {"@type": f"{_FILTERS}.basic_auth.v3.BasicAuthPerRoute"}
        result.configs[name] = {"@type": f"{_FILTERS}.basic_auth.v3.BasicAuth"}
    if "jwt" in spec:
        name = f"{facts.HTTP}.jwt_authn"
        requirement = f"{match.cluster}/match/{match.index}/*"
        result.per_route[name] = {
            "@type": f"{_FILTERS}.jwt_authn.v3.PerRouteConfig",
            "requirement_name": requirement,
        }
        claims = [
            {"header_name": item["header"].lower(), "claim_name": item["claim"]}
            for provider in spec["jwt"].get("providers", [])
            for item in provider.get("claimToHeaders", [])
        ]
        result.configs[name] = {"@type": f"{_FILTERS}.jwt_authn.v3.JwtAuthentication", "claim_to_headers": claims}
    if "authorization" in spec:
        default = {"ALLOW": {}, "DENY": {"action": "DENY"}}[spec["authorization"].get("defaultAction", "Deny").upper()]
        result.per_route[f"{facts.HTTP}.rbac"] = {
            "@type": f"{_FILTERS}.rbac.v3.RBACPerRoute",
            "rbac": {"matcher": {"on_no_match": {"action": {"typed_config": default}}}},
        }
        result.configs[f"{facts.HTTP}.rbac"] = {"@type": f"{_FILTERS}.rbac.v3.RBAC"}


def _traffic(policy: Body, result: _Filters) -> None:
    spec = policy["spec"]
    if "requestBuffer" in spec:
        name, limit = f"{facts.HTTP}.buffer", {"max_request_bytes": quantity(spec["requestBuffer"]["limit"])}
        result.per_route.setdefault(name, {"@type": f"{_FILTERS}.buffer.v3.BufferPerRoute", "buffer": limit})
        result.configs.setdefault(name, {"@type": f"{_FILTERS}.buffer.v3.Buffer", **limit})
    if "local" in spec.get("rateLimit", {}):
        name = f"{facts.HTTP}.local_ratelimit"
        result.per_route.setdefault(name, {"@type": f"{_FILTERS}.local_ratelimit.v3.LocalRateLimit"})
        result.configs.setdefault(name, {"@type": f"{_FILTERS}.local_ratelimit.v3.LocalRateLimit"})
    if "global" in spec.get("rateLimit", {}):
        # The actions are the route's `rate_limits`, which the filter reads from the route that it finds.
        name, rules = f"{facts.HTTP}.ratelimit", spec["rateLimit"]["global"]["rules"]
        result.per_route.setdefault(name, {"@type": f"{_FILTERS}.ratelimit.v3.RateLimitPerRoute", "rules": rules})
        result.configs.setdefault(name, {"@type": f"{_FILTERS}.ratelimit.v3.RateLimit"})


def _extensions(policy: Body, result: _Filters) -> None:
    metadata = policy["metadata"]
    for index, item in enumerate(policy["spec"].get("extProc", [])):
        name = f"{facts.HTTP}.ext_proc/envoyextensionpolicy/{metadata['namespace']}/{metadata['name']}/extproc/{index}"
        result.per_route[name] = _ENABLED
        result.configs[name] = {
            "@type": f"{_FILTERS}.ext_proc.v3.ExternalProcessor",
            "grpc_service": {"envoy_grpc": {"cluster_name": item["backendRefs"][0]["name"]}},
            "processing_mode": {"request_header_mode": "SEND"},
        }


def _ordered(configs: dict[str, Body]) -> list[Body]:
    """Return the filters in Envoy Gateway's order; those that are enabled per route are disabled."""
    configs = configs | {f"{facts.HTTP}.router": {"@type": f"{_FILTERS}.router.v3.Router"}}
    order = facts.ENVOY_GATEWAY_ORDER
    return [
        {
            "name": name,
            **({"disabled": True} if order[facts.rank(order, name)] in facts.ENVOY_GATEWAY_PER_ROUTE else {}),
            "typed_config": configs[name],
        }
        for name in sorted(configs, key=lambda name: (facts.rank(order, name), name))
    ]
