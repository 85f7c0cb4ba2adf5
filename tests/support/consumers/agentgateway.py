"""The filters and routes that agentgateway makes of objects, in the form in which `envoy` executes them.

agentgateway is no Envoy. What it does in its phase before routing, and then by route, is a list of steps here that
bears the names of Envoy's filters where there is one of the kind.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from support.consumers import facts
from support.consumers.envoy import OURS, PickerPod, Proxy
from support.consumers.gateway_api import Match, Objects, envoy_match, redirect, targets

Body = dict[str, Any]
CONTROLLER = "agentgateway"
ROUTE_STEP = "agentgateway.route"
"""The step behind the choice of the route: what policies without a phase say of it."""
_TYPES = "type.googleapis.com/agentgateway"
_POOL = f"{facts.HTTP}.ext_proc"


def proxy(objects: Objects, gateway: Body) -> Proxy:
    """Return the proxy of a Gateway."""
    return _Translation(objects, gateway).proxy()


class _Translation:
    def __init__(self, objects: Objects, gateway: Body) -> None:
        self.objects, self.gateway = objects, gateway
        self.namespace, self.name = gateway["metadata"].get("namespace", ""), gateway["metadata"]["name"]
        self.routes: dict[str, Body] = {}
        self.pickers: dict[str, PickerPod] = {}
        self.obeying: dict[str, frozenset[str]] = {}

    def proxy(self) -> Proxy:
        """Translate each listener with its policies."""
        listeners, ports = [], {}
        for port in dict.fromkeys(item["port"] for item in self.gateway["spec"]["listeners"]):
            name = f"bind/{port}"
            ports[name] = port
            own = [item for item in self.gateway["spec"]["listeners"] if item["port"] == port]
            chains = [self._chain(item) for item in own if item["protocol"] in {"HTTP", "HTTPS"}]
            # Bodies in full duplex have no limit (facts.AGENTGATEWAY_BODIES).
            listeners.append({"name": name, "per_connection_buffer_limit_bytes": sys.maxsize, "filter_chains": chains})
        return Proxy(tuple(listeners), self.routes, ports, (), self.pickers, self.obeying)

    def _chain(self, listener: Body) -> Body:
        name = f"{self.namespace}/{self.name}/{listener['name']}"
        found = self.objects.matches(self.gateway, listener, list(self.objects.of("HTTPRoute")))
        hosts = [
            {"domains": [domain], "routes": [self._route(item) for item in own]}
            for domain, own in self.objects.virtual_hosts(listener, found)
        ]
        self.routes[name] = {"name": name, "virtual_hosts": hosts}
        config = {"agentgateway": True, "http_filters": self._steps(listener), "rds": {"route_config_name": name}}
        chain: Body = {
            "filter_chain_match": {"server_names": [listener.get("hostname", "*")]},
            "filters": [{"name": facts.HCM, "typed_config": config}],
        }
        if listener["protocol"] == "HTTPS":
            chain["transport_socket"] = {"typed_config": {"require_client_certificate": self._demands(listener)}}
        return chain

    def _demands(self, listener: Body) -> bool:
        """Return whether a listener demands certificates: by its port, or as every port (GEP-91)."""
        frontend = self.gateway["spec"].get("tls", {}).get("frontend", {})
        ports = {item["port"]: item["tls"] for item in frontend.get("perPort", [])}
        return "validation" in ports.get(listener["port"], frontend.get("default", {}))

    def _steps(self, listener: Body) -> list[Body]:
        """Return the steps before routing: each field of the nearest policy that has it, all rules (facts)."""
        fields: Body = {}
        rules: list[Body] = []
        for policy in self._policies(listener):
            traffic = policy["spec"]["traffic"]
            rules += [traffic["authorization"]] if "authorization" in traffic else []
            for field, value in traffic.items():
                fields.setdefault(field, value)
        order = (
            ("cors", f"{facts.HTTP}.cors", "Cors"),
            ("jwtAuthentication", f"{facts.HTTP}.jwt_authn", "AgentgatewayTokens"),
            ("basicAuthentication", f"{facts.HTTP}.basic_auth", "BasicAuth"),
            ("apiKeyAuthentication", f"{facts.HTTP}.api_key_auth", "AgentgatewayKeys"),
            ("extAuth", f"{facts.HTTP}.ext_authz", "ExtAuthz"),
            ("authorization", f"{facts.HTTP}.rbac", "AgentgatewayRules"),
            ("extProc", self._processor(fields), "AgentgatewayProcessor"),
            ("transformation", "agentgateway.transformation", "AgentgatewayTransformation"),
        )
        steps = [
            {"name": name, "typed_config": {"@type": f"{_TYPES}.{kind}", **_config(field, fields[field])}}
            for field, name, kind in order
            if field in fields
        ]
        for step in steps:
            if step["typed_config"]["@type"].endswith("Rules"):
                step["typed_config"]["rules"] = rules
            if step["typed_config"]["@type"].endswith("Processor"):
                step["typed_config"]["dialect"] = self._dialect(fields["extProc"])
        mode = {"request_header_mode": "SKIP"}
        picker = {"grpc_service": {"envoy_grpc": {"cluster_name": "none"}}, "processing_mode": mode}
        envoy = "type.googleapis.com/envoy.extensions.filters.http"
        return [
            *steps,
            {"name": ROUTE_STEP, "typed_config": {"@type": f"{_TYPES}.AgentgatewayRoute"}},
            {"name": _POOL, "typed_config": {"@type": f"{envoy}.ext_proc.v3.ExternalProcessor", **picker}},
            {"name": f"{facts.HTTP}.router", "typed_config": {"@type": f"{envoy}.router.v3.Router"}},
        ]

    def _processor(self, fields: Body) -> str:
        name = fields.get("extProc", {}).get("backendRef", {}).get("name", "")
        return "vsr.ext_proc" if OURS in name else f"agentgateway.ext_proc/{name}"

    def _dialect(self, processor: Body) -> bool:
        """Return whether the processor's pods are started for agentgateway."""
        namespace = processor["backendRef"].get("namespace", self.namespace)
        return any(
            "--gateway=agentgateway" in container.get("args", [])
            for deployment in self.objects.of("Deployment", namespace)
            for container in deployment["spec"]["template"]["spec"]["containers"]
        )

    def _policies(self, listener: Body) -> Iterator[Body]:
        """Yield the policies of the phase before routing, those of the listener itself first."""
        for section in (listener["name"], None):
            for policy in self.objects.of("AgentgatewayPolicy", self.namespace):
                traffic = policy["spec"].get("traffic", {})
                if traffic.get("phase") == "PreRouting" and any(
                    (ref["kind"], ref["name"], ref.get("sectionName")) == ("Gateway", self.name, section)
                    for ref in targets(policy)
                ):
                    yield policy

    def _route(self, match: Match) -> Body:
        route: Body = {"name": match.cluster, "match": envoy_match(match)}
        own = [policy["spec"]["traffic"] for policy in self._of_route(match)]
        route["typed_per_filter_config"] = {ROUTE_STEP: {"policies": own}}
        redirected = redirect(match)
        if redirected is not None:
            return route | redirected
        if not match.rule.get("backendRefs"):
            return route | {"direct_response": {"status": 500}}
        pools = self.objects.pools(match)
        self.obeying[match.cluster] = frozenset[str]().union(*(self.objects.obeying(pool) for pool in pools))
        pod = self.objects.picker(pools[0]) if pools else None
        if pod is not None:
            # The picker gets the parts of the body as they come (facts.AGENTGATEWAY_BODIES).
            self.pickers[match.cluster] = replace(pod, limit=sys.maxsize)
            grpc = {"envoy_grpc": {"cluster_name": match.cluster}}
            overrides = {"grpc_service": grpc, "processing_mode": {"request_header_mode": "SEND"}}
            route["typed_per_filter_config"][_POOL] = {"overrides": overrides}
        return route | {"route": {"cluster": match.cluster}}

    def _of_route(self, match: Match) -> Iterator[Body]:
        """Yield the policies without a phase that concern a route: its own, and those of the Gateway."""
        for policy in self.objects.of("AgentgatewayPolicy"):
            traffic = policy["spec"].get("traffic")
            if traffic is None or traffic.get("phase", "PostRouting") != "PostRouting":
                continue
            home = policy["metadata"].get("namespace", "")
            for ref in targets(policy):
                of_route = (ref["kind"], home, ref["name"]) == (
                    "HTTPRoute", match.namespace, match.route["metadata"]["name"],
                )  # fmt: skip
                if of_route or (ref["kind"], home, ref["name"]) == ("Gateway", self.namespace, self.name):
                    yield policy


def _config(field: str, value: Body) -> Body:
    """Return the settings of a step. A cors policy concerns every route."""
    return {"policy": value} if field == "cors" else {"settings": value}
