"""What must hold on every gateway, each as a function that returns what is wrong, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from support.consumers import agentgateway, facts, istio, probes
from support.consumers.edits import Edit, unchanged
from support.consumers.envoy import (
    BASIC,
    FORGED,
    JWT,
    KEY,
    Outcome,
    Proxy,
    Request,
    Router,
    manager,
    redirects,
    sent,
    served,
    through,
)
from support.consumers.gateway_api import Objects

Body = dict[str, Any]
WRONG = {"authorization": "Bearer wrong-token", "x-client-key": "wrong-key"}


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to authenticate clients at a Gateway.

    Attributes:
        objects: what a user adds, by the Gateway.
        valid: headers of a client that is let in.
        judge: the beginning of the name of the filter that judges these headers.
    """

    objects: Callable[[Body], list[Body]]
    valid: Mapping[str, str]
    judge: str


def _attached(kind: str, group: str, **spec: object) -> Callable[[Body], list[Body]]:
    def objects(gateway: Body) -> list[Body]:
        metadata = {"name": "of-the-user", "namespace": gateway["metadata"].get("namespace", "")}
        ref = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway["metadata"]["name"]}
        return [{"apiVersion": group, "kind": kind, "metadata": metadata, "spec": {"targetRefs": [ref], **spec}}]

    return objects


def _security(**spec: object) -> Callable[[Body], list[Body]]:
    return _attached("SecurityPolicy", "gateway.envoyproxy.io/v1alpha1", **spec)


def _request_authentication(gateway: Body) -> list[Body]:
    """Tokens are judged, and a request without one is refused: Istio needs an object for each."""
    rules = [{"from": [{"source": {"requestPrincipals": ["*"]}}]}]
    group = "security.istio.io/v1"
    return [
        *_attached("RequestAuthentication", group, jwtRules=[{"issuer": "me"}])(gateway),
        *_attached("AuthorizationPolicy", group, action="ALLOW", rules=rules)(gateway),
    ]


_BEARER = {"authorization": JWT}
_PROVIDERS = {"providers": [{"name": "me", "issuer": "me"}]}
ENVOY_GATEWAY_SCHEMES = {
    "jwt": Scheme(_security(jwt=_PROVIDERS), _BEARER, "jwt_authn"),
    "extAuth": Scheme(_security(extAuth={"http": {"backendRefs": [{"name": "authz"}]}}), _BEARER, "ext_authz"),
    "basicAuth": Scheme(_security(basicAuth={"users": {"name": "users"}}), {"authorization": BASIC}, "basic_auth"),
    "apiKeyAuth": Scheme(
        _security(apiKeyAuth={"extractFrom": [{"headers": ["x-client-key"]}]}), {"x-client-key": KEY}, "api_key_auth"
    ),
    "jwt and authorization": Scheme(
        _security(jwt=_PROVIDERS, authorization={"defaultAction": "Deny"}), _BEARER, "jwt_authn"
    ),
}
_JWKS = {"inline": "{}"}
AGENTGATEWAY_SCHEMES = {
    name: Scheme(
        _attached("AgentgatewayPolicy", "agentgateway.dev/v1alpha1", traffic={"phase": "PreRouting", name: settings}),
        valid,
        judge,
    )
    for name, settings, valid, judge in (
        ("jwtAuthentication", {"providers": [{"issuer": "me", "jwks": _JWKS}]}, _BEARER, "jwt_authn"),
        ("extAuth", {"backendRef": {"name": "authz", "port": 80}, "http": {}}, _BEARER, "ext_authz"),
        ("basicAuthentication", {"users": ["a:b"]}, {"authorization": BASIC}, "basic_auth"),
        (
            "apiKeyAuthentication",
            {"secretRef": {"name": "keys"}, "location": {"header": {"name": "x-client-key"}}},
            {"x-client-key": KEY},
            "api_key_auth",
        ),
    )
}
ISTIO_SCHEMES = {
    "RequestAuthentication": Scheme(_request_authentication, _BEARER, "jwt_authn"),
    "CUSTOM": Scheme(
        _attached("AuthorizationPolicy", "security.istio.io/v1", action="CUSTOM", rules=[{}]), _BEARER, "ext_authz"
    ),
}


def schemes(bodies: Iterable[Body]) -> Mapping[str, Scheme]:
    """Return the ways to authenticate on the control plane of the Gateway."""
    objects = Objects(list(bodies))
    controllers = {objects.controller(gateway) for gateway in objects.of("Gateway")}
    if controllers == {agentgateway.CONTROLLER}:
        return AGENTGATEWAY_SCHEMES
    return ISTIO_SCHEMES if controllers == {istio.CONTROLLER} else ENVOY_GATEWAY_SCHEMES


def authentication(
    bodies: list[Body], scheme: Scheme, router: Router, models: Iterable[str], edit: Edit = unchanged
) -> Iterator[str]:
    """Find strangers who are served, clients who are refused, and what authentication is shown in place of theirs."""
    names = list(models)
    for gateway in Objects(bodies).of("Gateway"):
        proxy = probes.proxies(edit([*bodies, *scheme.objects(gateway)]))[gateway["metadata"]["name"]]
        for credentials, who in (({}, "without credentials"), (WRONG, "with wrong credentials")):
            for request in probes.requests(names, credentials):
                yield from (f"{who}: {problem}" for problem in _refused(sent(proxy, request, router), request))
        for model in names:
            outcome = sent(proxy, probes.chat(model, scheme.valid), router)
            yield from (f"with valid credentials: {problem}" for problem in _judged(outcome, scheme, model))
        outcome = sent(proxy, Request("/v1/models", scheme.valid, "GET"), router)
        if outcome.status != 200 or not outcome.router_ran:
            yield f"with valid credentials: {outcome.by} answers /v1/models with {outcome.status}"


def _refused(outcome: Outcome, request: Request) -> Iterator[str]:
    if outcome.router_ran:
        yield f"the router is asked about {request.method} {request.path}"
    if outcome.reached:
        yield f"{request.path} reaches {outcome.model}"
    elif outcome.status not in {401, 403}:
        yield f"{request.path} is answered with {outcome.status} by {outcome.by}"


def _judged(outcome: Outcome, scheme: Scheme, model: str) -> Iterator[str]:
    if outcome.model != model:
        yield f"{model} is answered with {outcome.status} by {outcome.by}"
    shown = [headers for name, headers in outcome.shown.items() if name.startswith(f"{facts.HTTP}.{scheme.judge}")]
    if not shown:
        yield f"{scheme.judge} does not run for {model}"
    for headers in shown:
        yield from (
            f"{scheme.judge} is shown {name} of somebody else for {model}"
            for name, value in scheme.valid.items()
            if headers.get(name) != value
        )


def coverage(
    bodies: list[Body], router: Router, models: Iterable[str], *, default_is_open: bool = False
) -> Iterator[str]:
    """Find listeners where a client that sends what routes match reaches a model without the router, or another one.

    ``default_is_open``: the policy lets requests without a decision reach its default model.
    """
    asked = next(iter(models))
    for name, proxy in probes.proxies(bodies).items():
        for listener, chain, host in _hosts(proxy):
            where = f"{name}, listener {listener['name']}"
            for route in host["routes"]:
                forged = _forged(route)
                request = probes.chat(asked, forged, host=_name(host))
                for variant in (request, replace(request, headers={**forged, **dict.fromkeys(_HEADERS, FORGED)})):
                    outcome = through(proxy, listener, chain, variant, router)
                    if outcome.reached and not outcome.router_ran:
                        if default_is_open and not outcome.model:
                            continue
                        yield f"{where}: {forged} reaches {outcome.model} without the router"
                    elif outcome.reached and outcome.model != asked:
                        yield f"{where}: {forged} reaches {outcome.model} in place of {asked}"


_HEADERS = frozenset(row.header for row in facts.OBEYED)


def redirecting(bodies: list[Body], router: Router) -> Iterator[str]:
    """Find listeners that only redirect and still ask the router, or answer with something else than a redirect."""
    for name, proxy in probes.proxies(bodies).items():
        for listener, chain, host in _hosts(proxy):
            if redirects(host):
                outcome = through(proxy, listener, chain, probes.chat("any", host=_name(host)), router)
                if outcome.router_ran or outcome.status != 301:
                    yield f"{name}, listener {listener['name']}: {outcome.status} by {outcome.by}"


def demanding(bodies: list[Body]) -> dict[str, bool]:
    """Return by the hostname of each chain with TLS whether it demands certificates of clients."""
    return {
        chain["filter_chain_match"]["server_names"][0]: chain["transport_socket"]["typed_config"][
            "require_client_certificate"
        ]
        for proxy in probes.proxies(bodies).values()
        for _, chain in served(proxy)
        if "transport_socket" in chain
    }


def _hosts(proxy: Proxy) -> Iterator[tuple[Body, Body, Body]]:
    """Yield every listener with each chain and each virtual host."""
    for listener, chain in served(proxy):
        for host in proxy.routes[manager(chain)["rds"]["route_config_name"]]["virtual_hosts"]:
            yield listener, chain, host


def _name(host: Body) -> str:
    """Return a name by which clients call a virtual host."""
    return str(host["domains"][0]).replace("*", "any.example.com")


def _forged(route: Body) -> dict[str, str]:
    """Return the headers that a route matches, as a client would forge them."""
    conditions = route["match"].get("headers", [])
    return {item["name"]: item["string_match"]["exact"] for item in conditions if not item["name"].startswith(":")}


def served_models(bodies: list[Body], router: Router, models: Iterable[str]) -> Iterator[str]:
    """Find models that a client without special headers does not reach, at any listener."""
    for name, proxy in probes.proxies(bodies).items():
        for listener, chain, host in _hosts(proxy):
            for model in models if not redirects(host) else ():
                outcome = through(proxy, listener, chain, probes.chat(model, host=_name(host)), router)
                if outcome.model != model:
                    where = f"{name}, listener {listener['name']}"
                    yield f"{where}: {model} is answered with {outcome.status} by {outcome.by}"


def headers(bodies: list[Body], router: Router, models: Iterable[str], names: Iterable[str] = ()) -> Iterator[str]:
    """Find headers of clients that a component obeys, of every row of the table, and further names that get through."""
    forged = dict.fromkeys([*names, *(row.header for row in facts.OBEYED)], FORGED)
    for proxy in probes.proxies(bodies).values():
        for model in models:
            refused = [name for name in forged if _forbids(proxy, model, name, router)]
            passed = {name: value for name, value in forged.items() if name not in refused}
            outcome = sent(proxy, probes.chat(model, passed), router)
            if not outcome.reached:
                yield f"{model} is answered with {outcome.status} by {outcome.by}"
            yield from (f"{component} obeys {header} for {model}" for component, header in outcome.obeyed)
            yield from (f"{header} gets to {model}" for header in names if outcome.headers.get(header) == FORGED)


def _forbids(proxy: Proxy, model: str, header: str, router: Router) -> bool:
    """Return whether the gateway refuses a request because of a header."""
    outcome = sent(proxy, probes.chat(model, {header: FORGED}), router)
    return outcome.status == 403 and not outcome.router_ran


SIZES = (3.9, 4.1, 8.1)
"""Bodies in MiB: below a picker's default, above it, above the default of `maxBody`."""


def bodies_of_size(
    bodies: list[Body], router: Router, models: Iterable[str], max_body: int, *, guarded: bool
) -> Iterator[str]:
    """Find bodies that get neither to their model nor a 413. ``guarded``: a guard may refuse a long text earlier."""
    below = min(max_body, facts.MESSAGE) - facts.MIB // 16 - 1024
    for proxy in probes.proxies(bodies).values():
        for model in models:
            for size in SIZES:
                length = int(size * facts.MIB)
                outcome = sent(proxy, _long(model, length), router)
                if not outcome.reached and outcome.status != 413:
                    yield f"{model}, {size} MiB: {outcome.status} by {outcome.by}"
                if outcome.reached and length > max_body:
                    yield f"{model}, {size} MiB: reaches the model"
                if not outcome.reached and not guarded and length < below:
                    yield f"{model}, {size} MiB: {outcome.status}, although it is below every limit"


def _long(model: str, length: int) -> Request:
    """Return a request of some bytes, whose text fits any model's context."""
    request = probes.chat(model)
    field = b'{"metadata": {"pad": "%s"}, '
    filler = length - len(request.body) - len(field)
    return replace(request, body=request.body.replace(b"{", field % (b" ." * (filler // 2)), 1))


def paths(bodies: list[Body], router: Router, models: Iterable[str]) -> Iterator[str]:
    """Find APIs and queries that a picker refuses: the router has to do so, in the API's own form."""
    for proxy in probes.proxies(bodies).values():
        for model in models:
            for path in ("/v1/messages", "/v1/messages?beta=true", "/v1/chat/completions?x=1"):
                request = replace(probes.chat(model), path=path)
                request = replace(request, body=request.body.replace(b'"messages"', b'"max_tokens": 9, "messages"'))
                outcome = sent(proxy, request, router)
                if not outcome.reached and outcome.by != "vsr.ext_proc":
                    yield f"{model}, {path}: {outcome.status} by {outcome.by}"
