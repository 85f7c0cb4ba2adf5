"""A request through Envoy's listeners and routes, filter by filter.

Listeners and RouteConfigurations are Envoy's own JSON, recorded from a control plane or made by `envoy_gateway` and
`istio`. Only what the questions of tests need is executed: which filters a request's chain has, what each of them is
shown, who answers, and which cluster gets the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

from support.consumers import agentgateway_steps, facts

Body = dict[str, Any]
JWT, BASIC, KEY = "Bearer valid-token", "Basic valid-pair", "valid-key-of-a-client"
"""The credentials that authentication accepts, each by its own filter."""
INTERN = "Bearer token-of-an-intern"
TOKENS: Mapping[str, Mapping[str, str]] = {
    JWT: {"sub": "ada", "team": "research"},
    INTERN: {"sub": "bob", "team": "interns"},
}
"""The claims of valid tokens."""
FORGED = "forged-by-the-client"
"""The value of every header that a client must not be able to set."""
_ATTEMPTS = "xds.filter_chain_name"
"""The attribute by which our filter tells the router that a request is an attempt."""
OURS = "semantic-router"
"""Part of the name of the router's cluster, whoever added the filter."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends. Header names are in lower case; ``port`` is the Gateway's, 0 for any.

    Without a ``host``, it is one that the first listener with models takes.
    """

    path: str = "/v1/chat/completions"
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    body: bytes = b""
    host: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer without a model."""

    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Routed:
    """What the router changes before it lets a request pass."""

    set_headers: Mapping[str, str]
    remove_headers: tuple[str, ...] = ()
    body: bytes | None = None


class Router(Protocol):
    """The router behind the ext_proc filter."""

    def on_headers(self, request: Request) -> Reply | None:
        """Return an answer that needs no body, or None."""

    def on_body(self, request: Request) -> Reply | Routed:
        """Return the decision."""


class AttemptRouter(Router, Protocol):
    """A router that is asked about the attempts of a request as well."""

    def on_attempt(self, request: Request) -> Reply | Routed:
        """Return the model of an attempt."""


@dataclass(frozen=True, slots=True)
class PickerPod:
    """An endpoint picker as it is deployed. ``limit`` is the size of its largest message in bytes."""

    project: str
    limit: int
    parsed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """The Envoy of one Gateway.

    Attributes:
        listeners: Envoy's listeners.
        routes: RouteConfigurations by name.
        ports: the Gateway's port of each listener, by the listener's name.
        problems: patches that were not applied, in words.
        pickers: pickers by the name of their filter, or of their cluster.
        obeying: components behind each cluster that obey headers, see `facts.OBEYED`.
        sockets: listeners on Unix sockets, which no client reaches, by path.
        clusters: the clusters that patches add, by name.
    """

    listeners: tuple[Body, ...]
    routes: Mapping[str, Body]
    ports: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    pickers: Mapping[str, PickerPod] = field(default_factory=dict)
    obeying: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sockets: Mapping[str, Body] = field(default_factory=dict)
    clusters: Mapping[str, Body] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        status: the status of a local reply; 200 if a cluster got the request.
        by: the filter that replied, or the cluster.
        ran: the filters that acted on the request, in order. One that its route does not concern is not among them.
        shown: the headers that each of these filters was shown.
        seen_by: the filters that are shown the answer, in order. A local reply passes those that have not run, too.
        route: the route that the request had in the end.
        headers: the headers in the end.
        body: the body in the end.
        obeyed: components with the forged headers that reached them.
        reached: whether a cluster got the request.
        counted: the counts of global rate limits that the request has: a rule, and the values that it counts by.
    """

    status: int
    by: str
    ran: tuple[str, ...]
    shown: Mapping[str, Mapping[str, str]]
    seen_by: tuple[str, ...]
    route: Body | None
    headers: Mapping[str, str]
    body: bytes
    obeyed: tuple[tuple[str, str], ...] = ()
    reached: bool = False
    counted: tuple[tuple[int, tuple[str, ...]], ...] = ()

    @property
    def router_ran(self) -> bool:
        """Whether the router was asked about the request."""
        return any(is_router(name) for name in self.ran)

    @property
    def model(self) -> str:
        """The selected model that the final route matches; empty if no model was reached."""
        if self.route is None or not self.reached:
            return ""
        conditions = {item["name"]: item["string_match"] for item in self.route["match"].get("headers", [])}
        own = conditions.get("x-selected-model") or conditions.get("x-gateway-model-name", {})  # a route of others
        return str(own.get("exact", ""))


def is_router(name: str) -> bool:
    """Return whether a filter calls the router: the patched one, or one of an EnvoyExtensionPolicy."""
    return name == "vsr.ext_proc" or ("/envoyextensionpolicy/" in name and OURS in name)


def chains(listener: Body) -> Iterator[Body]:
    """Yield the filter chains of a listener."""
    yield from listener.get("filter_chains", [])
    if "default_filter_chain" in listener:
        yield listener["default_filter_chain"]


def manager(chain: Body) -> Body:
    """Return the HttpConnectionManager of a chain."""
    found: Body = next(item for item in chain["filters"] if item["name"] == facts.HCM)["typed_config"]
    return found


def served(proxy: Proxy) -> Iterator[tuple[Body, Body]]:
    """Yield every listener with each of its chains, but Envoy Gateway's own one for readiness."""
    for listener in proxy.listeners:
        if not listener["name"].startswith("envoy-gateway-proxy-ready"):
            for chain in chains(listener):
                yield listener, chain


def sent(proxy: Proxy, request: Request, router: Router) -> Outcome:
    """Send a request to the listener of its port, and to the chain of its host."""
    if not request.host:
        request = replace(request, host=any_host(proxy))
    fitting = [
        (listener, chain)
        for listener, chain in served(proxy)
        if request.port in {0, proxy.ports.get(listener["name"], 0)}
        and _matches_host(chain.get("filter_chain_match", {}).get("server_names", ["*"]), request.host)
    ]
    if not fitting:
        return Outcome(0, "no listener", (), {}, (), None, request.headers, request.body)
    return through(proxy, *fitting[0], request, router)


def any_host(proxy: Proxy) -> str:
    """Return a host of the first listener that does not only redirect."""
    for _, chain in served(proxy):
        for host in proxy.routes[manager(chain)["rds"]["route_config_name"]]["virtual_hosts"]:
            if not redirects(host):
                domain = str(host["domains"][0])
                return "gateway.example.com" if domain == "*" else domain.replace("*", "any")
    return "gateway.example.com"


def redirects(host: Body) -> bool:
    """Return whether a virtual host redirects. Routes to models have others."""
    return any("redirect" in route for route in host["routes"])


def through(proxy: Proxy, listener: Body, chain: Body, request: Request, router: Router) -> Outcome:
    """Send a request through one chain of one listener."""
    return _Stream(proxy, listener, manager(chain), request, router).run()


def matched(configuration: Body, request: Request) -> Body | None:
    """Return the route of a RouteConfiguration that a request matches; the first one wins."""
    hosts = [item for item in configuration["virtual_hosts"] if _matches_host(item["domains"], request.host)]
    hosts.sort(key=lambda item: max(len(domain) for domain in item["domains"]), reverse=True)
    for host in hosts[:1]:
        for route in host["routes"]:
            if _fits(route["match"], request):
                return route  # type: ignore[no-any-return]
    return None


class _Stream:
    """One request on its way."""

    def __init__(self, proxy: Proxy, listener: Body, connection: Body, request: Request, router: Router) -> None:
        self.proxy, self.router = proxy, router
        self.limit = int(listener.get("per_connection_buffer_limit_bytes", facts.MIB))
        # Another proxy removes nothing by itself.
        internal = frozenset() if connection.get("agentgateway") else facts.INTERNAL
        headers = {name: value for name, value in request.headers.items() if name not in internal}
        for extension in connection.get("early_header_mutation_extensions", []):
            headers = _mutated(headers, extension["typed_config"]["mutations"])
        self.request = replace(request, headers=headers)
        self.routes = proxy.routes[connection["rds"]["route_config_name"]]
        self.route = matched(self.routes, self.request)
        # Which filters there are is decided now, by the route that matches now (facts.ENVOY_ARRIVAL).
        self.filters = [item for item in connection["http_filters"] if self._exists(item)]
        self.ran: list[str] = []
        self.shown: dict[str, Mapping[str, str]] = {}
        self.obeyed: list[tuple[str, str]] = []
        self.principal = False
        self.cluster = ""
        self.counted: list[tuple[int, tuple[str, ...]]] = []
        self.claims: Mapping[str, Any] = {}
        self.metadata: dict[str, str] = {}

    def run(self) -> Outcome:
        """Run the filters in order until one replies."""
        for item in self.filters:
            self.name = item["name"]
            reply = self._decoded(item)
            if self.cluster:
                return self._outcome(200, self.cluster, reached=True)
            if reply is not None:
                return self._outcome(reply.status, self.name, reached=False)
        raise LookupError("the chain does not end with the router filter")

    def _exists(self, item: Body) -> bool:
        override = self._override(item["name"])
        if override.get("disabled") and _kind(override) == "FilterConfig":
            return False
        return bool(override) or not item.get("disabled", False)

    def _override(self, name: str) -> Body:
        found: Body = (self.route or {}).get("typed_per_filter_config", {}).get(name, {})
        return found

    def _outcome(self, status: int, by: str, *, reached: bool) -> Outcome:
        seen_by = tuple(item["name"] for item in reversed(self.filters))
        final = self.request
        obeyed = tuple(dict.fromkeys(self.obeyed))
        return Outcome(
            status,
            by,
            tuple(self.ran),
            self.shown,
            seen_by,
            self.route,
            final.headers,
            final.body,
            obeyed,
            reached,
            tuple(self.counted),
        )

    def _acts(self) -> None:
        self.ran.append(self.name)
        self.shown[self.name] = dict(self.request.headers)

    def _decoded(self, item: Body) -> Reply | None:
        config = item.get("typed_config", {})
        step = {
            "Cors": self._cors,
            "ExtAuthz": self._ext_authz,
            "BasicAuth": self._basic,
            "ApiKeyAuth": self._api_key,
            "JwtAuthentication": self._jwt,
            "Buffer": self._buffer,
            "ExternalProcessor": self._processed,
            "HeaderMutation": self._header_mutation,
            "RBAC": self._rbac,
            "RateLimit": self._rate_limit,
            "Router": self._forwarded,
            "AgentgatewayTokens": self._agentgateway_tokens,
            "AgentgatewayKeys": self._agentgateway_keys,
            "AgentgatewayRules": self._agentgateway_rules,
            "AgentgatewayProcessor": self._agentgateway_processor,
            "AgentgatewayTransformation": self._agentgateway_transformation,
            "AgentgatewayRoute": self._agentgateway_route,
        }.get(_kind(config))
        return None if step is None else step(config)

    def _cors(self, config: Body) -> Reply | None:
        policy = self._override(self.name) or config.get("policy", {})
        headers = self.request.headers
        preflight = self.request.method == "OPTIONS" and "access-control-request-method" in headers
        if not policy or "origin" not in headers:
            return None
        self._acts()
        return Reply(200) if preflight else None

    def _ext_authz(self, config: Body) -> Reply | None:
        del config
        if self._override(self.name).get("disabled"):
            return None
        self._acts()
        return None if self.request.headers.get("authorization") == JWT else Reply(403)

    def _basic(self, config: Body) -> Reply | None:
        del config
        self._acts()
        return None if self.request.headers.get("authorization") == BASIC else Reply(401)

    def _api_key(self, config: Body) -> Reply | None:
        sources = (self._override(self.name) or config).get("key_sources", [])
        self._acts()
        sent = (self.request.headers.get(item["header"].lower()) for item in sources)
        first = next((value for value in sent if value is not None), "")  # facts.ENVOY_KEYS
        return None if first.removeprefix("Bearer ") == KEY else Reply(401)

    def _jwt(self, config: Body) -> Reply | None:
        """Judge the token by the requirement of the route, or by the rule of Istio, where it may be missing."""
        required = "requirement_name" in self._override(self.name)
        if not required and not config.get("rules"):
            return None
        self._acts()
        token = self.request.headers.get("authorization")
        if self.request.method == "OPTIONS" and config.get("bypass_cors_preflight"):
            return None
        claims = config.get("claim_to_headers", [])
        removed = {item["header_name"] for item in claims}  # facts.ENVOY_CLAIMS
        kept = {name: value for name, value in self.request.headers.items() if name not in removed}
        self.request = replace(self.request, headers=kept)
        if token in TOKENS:
            own = {item["header_name"]: TOKENS[token].get(item["claim_name"]) for item in claims}
            kept |= {name: value for name, value in own.items() if value is not None}
            if config.get("forward") is False:
                del kept["authorization"]
            self.request = replace(self.request, headers=kept)
            self.principal = True
            return None
        missing = token is None or not token.startswith("Bearer ")
        return None if missing and not required else Reply(401)

    def _rbac(self, config: Body) -> Reply | None:
        route = self._override(self.name).get("rbac", {})
        if route:
            self._acts()
            denies = route["matcher"]["on_no_match"]["action"]["typed_config"].get("action") == "DENY"
            return Reply(403) if denies and not self.principal else None
        for rules in config.get("policies", []):
            self._acts()
            if _istio_denies(rules, self.request, principal=self.principal):
                return Reply(403)
        return None

    def _rate_limit(self, config: Body) -> Reply | None:
        del config
        for index, rule in enumerate(self._override(self.name).get("rules", [])):
            values: list[str] = []
            fits = True
            for selector in rule.get("clientSelectors", []):
                for item in selector.get("headers", []):
                    value = self.request.headers.get(item["name"].lower())
                    fits = fits and _selected(item, value) is not item.get("invert", False)
                    values += [value] if value is not None and item.get("type") == "Distinct" else []
                values += [selector["sourceCIDR"]["value"]] if "sourceCIDR" in selector else []
            if fits:
                self._acts()
                self.counted.append((index, tuple(values)))
        return None

    def _value(self, expression: str) -> Any:
        return agentgateway_steps.evaluated(expression, self.request.headers, self.claims, self.metadata)

    def _agentgateway_tokens(self, config: Body) -> Reply | None:
        """Judge the token, and take it off the request. Its claims are variables of expressions."""
        self._acts()
        if self.request.method == "OPTIONS" and "access-control-request-method" in self.request.headers:
            return Reply(401)  # preflights have been answered by cors, or by nobody
        token = self.request.headers.get("authorization")
        if token not in TOKENS:
            lenient = config["settings"].get("mode", "Strict") != "Strict" and token is None
            return None if lenient else Reply(401)
        self.claims = TOKENS[token]
        kept = {name: value for name, value in self.request.headers.items() if name != "authorization"}
        self.request = replace(self.request, headers=kept)
        return None

    def _agentgateway_keys(self, config: Body) -> Reply | None:
        place = config["settings"].get("location", {}).get("header", {"name": "authorization"})["name"]
        self._acts()
        key = self.request.headers.get(place, "").removeprefix("Bearer ")
        kept = {name: value for name, value in self.request.headers.items() if name != place}
        self.request = replace(self.request, headers=kept)
        return None if key == KEY else Reply(401)

    def _agentgateway_rules(self, config: Body) -> Reply | None:
        self._acts()
        return None if agentgateway_steps.permitted(config["rules"], self._value) else Reply(403)

    def _agentgateway_processor(self, config: Body) -> Reply | None:
        """Let the router decide; a processor that does not answer is an error (facts.AGENTGATEWAY_DOWN)."""
        self._acts()
        attributes = {name: self._value(item) for name, item in config["settings"].get("requestAttributes", {}).items()}
        known = None
        if config["dialect"]:
            settings = getattr(self.router, "settings", None)
            identity = None if settings is None else settings.program.identity
            headers, known = agentgateway_steps.vouched(self.request.headers, attributes, identity)
            self.request = replace(self.request, headers=headers)
        try:
            reply = self.router.on_headers(self.request) or self.router.on_body(self.request)
        except ConnectionError:
            return Reply(facts.AGENTGATEWAY_DOWN_STATUS)
        if isinstance(reply, Reply):
            return reply
        if known is not None:
            self.metadata = agentgateway_steps.mark()
        self._apply(reply)
        return None

    def _agentgateway_transformation(self, config: Body) -> Reply | None:
        self._acts()
        headers = agentgateway_steps.applied(self.request.headers, config["settings"], self._value)
        self._change(replace(self.request, headers=headers))
        return None

    def _agentgateway_route(self, config: Body) -> Reply | None:
        """Apply what policies say of the route that the request has now."""
        del config
        if self.route is None:
            return Reply(404)
        rules = []
        for traffic in self._override(self.name).get("policies", []):
            rules += [traffic["authorization"]] if "authorization" in traffic else []
            if "jwtAuthentication" in traffic and self.request.headers.get("authorization") not in TOKENS:
                return Reply(401)
        if rules:
            self._acts()
        return None if agentgateway_steps.permitted(rules, self._value) else Reply(403)

    def _buffer(self, config: Body) -> Reply | None:
        limit = self._override(self.name).get("buffer", config).get("max_request_bytes")
        self._acts()
        return Reply(413) if len(self.request.body) > int(limit) else None

    def _header_mutation(self, config: Body) -> Reply | None:
        self._acts()
        mutations = config.get("mutations", {}).get("request_mutations", [])
        self.request = replace(self.request, headers=_mutated(self.request.headers, mutations))
        return None

    def _processed(self, config: Body) -> Reply | None:
        if is_router(self.name):
            return self._attempted() if _ATTEMPTS in config.get("request_attributes", []) else self._decided()
        if self.name == facts.AI_GATEWAY_FILTER:
            return self._read_by_ai_gateway()
        override = self._override(self.name)
        if override.get("disabled"):
            return None
        overrides = override.get("overrides", {})
        if (overrides.get("processing_mode") or config["processing_mode"]).get("request_header_mode") == "SKIP":
            return None
        cluster = (overrides.get("grpc_service") or config["grpc_service"])["envoy_grpc"]["cluster_name"]
        pod = self.proxy.pickers.get(self.name) or self.proxy.pickers.get(cluster)
        return None if pod is None else self._picked(pod)

    def _decided(self) -> Reply | None:
        self._acts()
        reply = self.router.on_headers(self.request)
        if reply is not None:
            return reply
        if len(self.request.body) > self.limit:
            return Reply(413)
        decision = self.router.on_body(self.request)
        return decision if isinstance(decision, Reply) else self._apply(decision)

    def _apply(self, decision: Routed) -> None:
        headers = dict(self.request.headers) | dict(decision.set_headers)
        for name in decision.remove_headers:
            headers.pop(name, None)
        self._change(replace(self.request, headers=headers, body=decision.body or self.request.body))

    def _attempted(self) -> Reply | None:
        """Ask the router for the model of an attempt; this listener has no other purpose."""
        self._acts()
        decision = cast("AttemptRouter", self.router).on_attempt(self.request)
        return decision if isinstance(decision, Reply) else self._apply(decision)

    def _read_by_ai_gateway(self) -> Reply | None:
        self._acts()
        try:
            model = json.loads(self.request.body)["model"]
        except (ValueError, KeyError, TypeError):
            return Reply(400)
        self._change(replace(self.request, headers={**self.request.headers, facts.AI_GATEWAY_MODEL: model}))
        return None

    def _change(self, request: Request) -> None:
        """A filter that changes headers clears the route: the next filter has another one."""
        self.request = request
        self.route = matched(self.routes, request)

    def _picked(self, pod: PickerPod) -> Reply | None:
        self._acts()
        self._obey(frozenset({pod.project}))
        path = self.request.path
        if pod.parsed and not path.endswith(pod.parsed) and b'"prompt"' not in self.request.body:
            return Reply(400, b"inference error: BadRequest - invalid completions request: must have prompt field")
        # The message has the body and a few bytes around it (facts.ENVOY_BUFFERED).
        if len(self.request.body) + 64 > pod.limit:
            return Reply(500)
        chosen = {"x-gateway-destination-endpoint": "10.0.0.1:8000"}
        self.request = replace(self.request, headers={**self.request.headers, **chosen})
        return None

    def _obey(self, components: frozenset[str]) -> None:
        for row in facts.OBEYED:
            if row.component in components and self.request.headers.get(row.header) == FORGED:
                self.obeyed.append((row.component, row.header))

    def _forwarded(self, config: Body) -> Reply | None:
        del config
        if self.route is None:
            return Reply(404)
        if "direct_response" in self.route:
            return Reply(int(self.route["direct_response"]["status"]))
        self.cluster = self.route["route"]["cluster"]
        self._obey(self.proxy.obeying.get(self.cluster, frozenset()))
        return None


def _istio_denies(rules: Body, request: Request, *, principal: bool) -> bool:
    """Whether one action of an AuthorizationPolicy denies a request; see `istio.authorization`."""
    holds = any(
        (principal or not rule["principal"])
        and not (rule["no_principal"] and principal)
        and (not rule["paths"] or request.path.split("?")[0] in rule["paths"])
        and (not rule["methods"] or request.method in rule["methods"])
        and all(name in request.headers for name in rule["present"])
        for rule in rules["rules"]
    )
    return holds if rules["action"] == "DENY" else not holds


def _kind(config: Body) -> str:
    return str(config.get("@type", "")).rsplit(".", 1)[-1]


def _mutated(headers: Mapping[str, str], mutations: list[Body]) -> dict[str, str]:
    """Return headers after Envoy's header mutations, which are applied in their order."""
    result = dict(headers)
    for mutation in mutations:
        if "remove" in mutation:
            result.pop(mutation["remove"].lower(), None)
        elif "remove_on_match" in mutation:
            matcher = mutation["remove_on_match"]["key_matcher"]
            for name in [name for name in result if _text_fits(matcher, name)]:
                del result[name]
        elif "append" in mutation:
            result[mutation["append"]["header"]["key"].lower()] = mutation["append"]["header"]["value"]
        else:
            raise LookupError(f"no rule for the mutation {sorted(mutation)}")
    return result


def _text_fits(matcher: Body, text: str) -> bool:
    """Whether a StringMatcher of Envoy's takes a text."""
    ((kind, value),) = ((kind, value) for kind, value in matcher.items() if kind != "ignore_case")
    match kind:
        case "exact":
            return bool(text == value)
        case "prefix":
            return text.startswith(value)
        case "suffix":
            return text.endswith(value)
        case "contains":
            return value in text
        case _:
            return re.fullmatch(value["regex"], text) is not None


def _matches_host(domains: list[str], host: str) -> bool:
    return any(domain in {"*", host} or (domain.startswith("*.") and host.endswith(domain[1:])) for domain in domains)


def _fits(match: Body, request: Request) -> bool:
    path = request.path.split("?")[0]
    if "path" in match and path != match["path"]:
        return False
    if "prefix" in match and not path.startswith(match["prefix"]):
        return False
    if "path_separated_prefix" in match:
        prefix = match["path_separated_prefix"]
        if path != prefix and not path.startswith(f"{prefix}/"):
            return False
    if "safe_regex" in match and re.fullmatch(match["safe_regex"]["regex"], path) is None:
        return False
    headers = {**request.headers, ":method": request.method, ":path": request.path}
    return all(_header_fits(item, headers.get(item["name"].lower())) for item in match.get("headers", []))


def _selected(item: Body, value: str | None) -> bool:
    """Whether a header of a rate limit's selector has a value that it takes."""
    match item.get("type", "Exact"):
        case "Distinct":
            return value is not None
        case "RegularExpression":
            return value is not None and re.fullmatch(item["value"], value) is not None
        case _:
            return value == item["value"]


def _header_fits(item: Body, value: str | None) -> bool:
    if value is None:
        return False
    return _text_fits(item["string_match"], value) if "string_match" in item else bool(item.get("present_match", True))
