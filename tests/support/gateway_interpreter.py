"""What a gateway makes of a request, read from objects alone: which pods, Service or host each of them leads to.

A small reference interpreter of Gateway API matching (HTTPRoute, and the HTTPRoute that Envoy AI Gateway makes of an
AIGatewayRoute). It knows nothing of policies or of the compiler; what an object does not say does not happen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from support.consumers import agentgateway_steps
from support.workloads import deployed
from vsr_runtime.server.agentgateway import RESERVED

Body = dict[str, Any]
AI_MODEL = "x-ai-eg-model"
"""Where Envoy AI Gateway puts the model of the body before it matches."""
GATEWAY_KINDS = {"HTTPRoute": "gateway.networking.k8s.io", "AIGatewayRoute": "aigateway.envoyproxy.io"}


_ANY = {"Exact": "", "Prefix": "*"}
"""What follows a name or a prefix in the set of stripped headers."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it stands before routes are matched. Header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    method: str = "POST"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a request ends.

    ``kind`` is ``deployment`` for pods that an object among ours makes, ``pods`` for other pods (``name`` is their
    labels), ``service`` for a Service of others, ``host`` for what lies outside the cluster. ``path`` is told where a
    route changes it, ``port`` where something but the pods themselves decides on it.
    """

    kind: str
    namespace: str
    name: str
    port: int = 0
    path: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Shares of places, which add up to 1; none where the gateway answers by itself, with ``status``."""

    shares: Mapping[Place, Fraction]
    status: int = 200

    @property
    def places(self) -> frozenset[Place]:
        """The places with a share."""
        return frozenset(place for place, share in self.shares.items() if share)


@dataclass(frozen=True, slots=True)
class _Match:
    """One match of one rule, with what decides when several hold: the largest key wins."""

    key: tuple[Any, ...]
    route: Body
    rule: Body
    prefix: str


class World:
    """A set of objects, as a control plane would see it, and those that others run beside it."""

    def __init__(self, bodies: Iterable[Body], beside: Iterable[Body] = ()) -> None:
        self.bodies, self.beside = deployed(bodies), list(beside)
        self._by_name = {
            (body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"]): body
            for body in self.bodies
        }

    def stripped(self) -> frozenset[str]:
        """Headers that are taken off a client's request before any filter reads it. A prefix ends with an asterisk."""
        found: set[str] = set()
        for body in self.of("ClientTrafficPolicy"):
            early = body["spec"].get("headers", {}).get("earlyRequestHeaders", {})
            found |= {name.lower() for name in early.get("remove", [])}
            found |= {each["value"].lower() + _ANY[each["type"]] for each in early.get("removeOnMatch", [])}
        for body in self.of("EnvoyFilter"):
            for patch in body["spec"]["configPatches"]:
                found |= set(_early(patch["patch"].get("value", {})))
        if any("extProc" in body["spec"].get("traffic", {}) for body in self.of("AgentgatewayPolicy")):
            found |= self._by_router()
        return frozenset(found)

    def _by_router(self) -> frozenset[str]:
        """Headers that the router takes off, which no step of agentgateway before it can."""
        started = [
            container.get("args", [])
            for body in self.of("Deployment")
            for container in body["spec"]["template"]["spec"]["containers"]
        ]
        return RESERVED if any("--gateway=agentgateway" in args for args in started) else frozenset()

    def strips(self, name: str) -> bool:
        """Whether a header is taken off a client's request, by its name or a prefix."""
        found = self.stripped()
        return name in found or any(name.startswith(each[:-1]) for each in found if each.endswith("*"))

    def answer(self, request: Request) -> Answer:
        """What becomes of a request that the router has dealt with."""
        request = replace(request, headers={**request.headers, **self._marks()})
        matches = [match for route in self._routes() for match in self._matches(route, request)]
        if not matches:
            return Answer({}, 404)
        best = max(matches, key=lambda match: match.key)
        return self._forwarded(best, request)

    def _marks(self) -> dict[str, str]:
        """Headers that filters of the gateway set before the router decides."""
        values = [patch["patch"].get("value", {}) for body in self.of("EnvoyFilter") for patch in _patches(body)]
        values += [patch["operation"]["value"] for body in self.of("EnvoyPatchPolicy") for patch in _patches(body)]
        mutations = [
            mutation
            for value in values
            if isinstance(value, dict)
            for mutation in value.get("typed_config", {}).get("mutations", {}).get("request_mutations", [])
        ]
        headers = [mutation["append"]["header"] for mutation in mutations if "append" in mutation]
        marks = {header["key"]: header["value"] for header in headers}
        for body in self.of("AgentgatewayPolicy"):
            request = body["spec"].get("traffic", {}).get("transformation", {}).get("request", {})
            words = agentgateway_steps.mark()
            marks |= {item["name"]: words[item["value"].removeprefix("extproc.")] for item in request.get("set", [])}
        return marks

    def of(self, kind: str) -> Iterator[Body]:
        """Every object of a kind."""
        return (body for body in self.bodies if body["kind"] == kind)

    def deployment(self, place: Place) -> Body:
        """The Deployment that a place stands for."""
        return self._by_name["Deployment", place.namespace, place.name]

    def _routes(self) -> Iterator[Body]:
        """Routes that some Gateway among the objects admits."""
        for kind in GATEWAY_KINDS:
            for route in self.of(kind):
                if any(self._attached(route, parent) for parent in route["spec"].get("parentRefs", [])):
                    yield route

    def _attached(self, route: Body, parent: Body) -> bool:
        own = route["metadata"].get("namespace", "")
        gateway = self._by_name.get(("Gateway", parent.get("namespace", own), parent["name"]))
        if gateway is None:
            return False
        wanted = parent.get("sectionName")
        for listener in gateway["spec"]["listeners"]:
            admits = listener.get("allowedRoutes", {}).get("namespaces", {})
            near = own == gateway["metadata"].get("namespace", "")
            chosen = {"All": True, "Same": near, "Selector": self._chosen(admits.get("selector", {}), own)}
            if wanted in {None, listener["name"]} and chosen[admits.get("from", "Same")]:
                return True
        return False

    def _chosen(self, selector: Body, namespace: str) -> bool:
        """Whether a selector takes a namespace, by the labels that it is known to have."""
        known = self._by_name.get(("Namespace", "", namespace), {"metadata": {}})["metadata"].get("labels", {})
        own = {**known, "kubernetes.io/metadata.name": namespace}
        return selector.get("matchLabels", {}).items() <= own.items() and all(
            each["operator"] == "In" and own.get(each["key"]) in each["values"]
            for each in selector.get("matchExpressions", [])
        )

    def _matches(self, route: Body, request: Request) -> Iterator[_Match]:
        """The matches of a route that hold. The order among them is that of the Gateway API's precedence."""
        name = (route["metadata"].get("namespace", ""), route["metadata"]["name"])
        for index, rule in enumerate(route["spec"]["rules"]):
            for match in rule.get("matches") or [{}]:
                path = match.get("path", {"type": "PathPrefix", "value": "/"})
                if not _path_holds(path, request.path) or match.get("method", request.method) != request.method:
                    continue
                headers = match.get("headers", [])
                if not all(_header_holds(header, request.headers) for header in headers):
                    continue
                key = (
                    path["type"] == "Exact",
                    len(path["value"]),
                    "method" in match,
                    len(headers),
                    _Reversed(name),
                    -index,
                )
                yield _Match(key, route, rule, path["value"])

    def _forwarded(self, match: _Match, request: Request) -> Answer:
        refs = match.rule.get("backendRefs", [])
        for own in match.rule.get("filters", []) if not refs else ():
            if own["type"] == "RequestRedirect":
                return Answer({}, own["requestRedirect"]["statusCode"])
            home, name = match.route["metadata"]["namespace"], own.get("extensionRef", {}).get("name", "")
            reply = self._by_name.get(("HTTPRouteFilter", home, name))
            if reply is not None:
                return Answer({}, reply["spec"]["directResponse"]["statusCode"])
        total = sum(ref.get("weight", 1) for ref in refs)
        if not total:
            return Answer({}, 500)
        host, path = _rewritten(match, request.path)
        shares: dict[Place, Fraction] = {}
        for ref in refs:
            weight = Fraction(ref.get("weight", 1), total)
            if not weight:
                continue
            found = self._resolved(match.route, ref, host, path)
            if found is None:
                return Answer({}, 500)
            for place in found:
                shares[place] = shares.get(place, Fraction(0)) + weight / len(found)
        return Answer(shares)

    def _resolved(self, owner: Body, ref: Body, host: str | None, path: str) -> list[Place] | None:
        """The places behind a reference; None where it leads nowhere, or may not be followed."""
        own = owner["metadata"].get("namespace", "")
        kind, namespace = ref.get("kind", _default_kind(owner)), ref.get("namespace", own)
        if namespace != own and kind != "Hostname" and not self._granted(owner, kind, namespace, ref):
            return None
        if kind == "Hostname":
            return self._hostname(ref, host, path)
        if kind == "Service":
            return self._service(namespace, ref["name"], ref["port"])
        body = self._by_name.get((kind, namespace, ref["name"]))
        if body is None and kind == "InferencePool":
            return [Place("pool", namespace, ref["name"])]  # of others
        return None if body is None else self._behind(body, host, path)

    def _behind(self, body: Body, host: str | None, path: str) -> list[Place] | None:
        """The places behind an object that stands for others."""
        spec = body["spec"]
        if body["kind"] == "InferencePool":
            return self._pods(body["metadata"]["namespace"], _labels(spec["selector"]))
        if body["kind"] == "AIServiceBackend":
            prefix = _schema_prefix(spec["schema"])
            return self._resolved(body, spec["backendRef"], host, path if prefix is None or path else f"{prefix}\0")
        if body["kind"] == "AgentgatewayBackend":
            return self._agentgateway(spec, path)
        if body["kind"] == "Backend":
            return [place for end in spec["endpoints"] for place in self._endpoint(end, path) or []] or None
        return None

    def _agentgateway(self, spec: Body, path: str) -> list[Place] | None:
        """A host, or a provider whose host and path the gateway builds itself."""
        if "static" in spec:
            static = spec["static"]
            return self._endpoint({"fqdn": {"hostname": static["host"], "port": static["port"]}}, path)
        ((kind, own),) = spec["ai"]["provider"].items()
        region = own["region"]
        host = {
            "bedrock": f"bedrock-runtime.{region}.amazonaws.com",
            "vertexai": "aiplatform.googleapis.com" if region == "global" else f"{region}-aiplatform.googleapis.com",
        }[kind]
        return [Place("host", "", host, 443, "/translated\0")]

    def _endpoint(self, endpoint: Body, path: str) -> list[Place] | None:
        """A Backend's endpoint: a Service by its DNS name, or a host outside."""
        name, port = endpoint["fqdn"]["hostname"], endpoint["fqdn"]["port"]
        inside = re.fullmatch(r"([^.]+)\.([^.]+)\.svc\.cluster\.local", name)
        if inside:
            return self._service(inside[2], inside[1], port)
        return [Place("host", "", name, port, path)]

    def _hostname(self, ref: Body, host: str | None, path: str) -> list[Place] | None:
        """Istio's own kind: a host that a ServiceEntry makes known."""
        known = any(
            ref["name"] in entry["spec"]["hosts"] and ref["port"] in {port["number"] for port in entry["spec"]["ports"]}
            for entry in self.of("ServiceEntry")
        )
        if not known or host not in {None, ref["name"]}:
            return None
        return [Place("host", "", ref["name"], ref["port"], path)]

    def _service(self, namespace: str, name: str, port: int) -> list[Place] | None:
        body = self._by_name.get(("Service", namespace, name))
        if body is None:
            return [Place("service", namespace, name, port)]
        if port not in {each["port"] for each in body["spec"]["ports"]}:
            return None
        return self._pods(namespace, body["spec"]["selector"])

    def _pods(self, namespace: str, labels: Mapping[str, str]) -> list[Place]:
        """Deployments whose pods bear the labels; the labels themselves where nobody among the objects makes such."""
        made = [
            Place("deployment", namespace, body["metadata"]["name"])
            for body in self.of("Deployment")
            if body["metadata"].get("namespace", "") == namespace
            and labels.items() <= body["spec"]["template"]["metadata"]["labels"].items()
        ]
        words = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        return made or [Place("pods", namespace, words)]

    def _granted(self, owner: Body, kind: str, namespace: str, ref: Body) -> bool:
        group = owner["apiVersion"].split("/")[0]
        own = owner["metadata"].get("namespace", "")
        # Envoy AI Gateway makes an HTTPRoute of its own, which is what needs the grant.
        asking = {(group, owner["kind"])} | (
            {(GATEWAY_KINDS["HTTPRoute"], "HTTPRoute")} if kind != owner["kind"] else set()
        )
        for grant in self.of("ReferenceGrant"):
            if grant["metadata"].get("namespace", "") != namespace:
                continue
            froms = {(each["group"], each["kind"]) for each in grant["spec"]["from"] if each["namespace"] == own}
            to = any(
                each["kind"] == kind and each.get("name", ref["name"]) == ref["name"] for each in grant["spec"]["to"]
            )
            if to and froms & asking:
                return True
        return False


@dataclass(frozen=True, slots=True)
class _Reversed:
    """A name for a key whose largest wins where the first in the alphabet must."""

    name: tuple[str, str]

    def __lt__(self, other: _Reversed) -> bool:
        return other.name < self.name


def _patches(body: Body) -> list[Body]:
    patches: list[Body] = body["spec"].get("configPatches") or body["spec"].get("jsonPatches") or []
    return patches


def with_model(world: World, request: Request, model: str) -> Request:
    """The request after Envoy AI Gateway has read the body's model, where it is there to do so."""
    if not any(world.of("AIGatewayRoute")):
        return request
    return replace(request, headers={**request.headers, AI_MODEL: model})


def _path_holds(path: Body, wanted: str) -> bool:
    value = path["value"]
    if path["type"] == "Exact":
        return bool(value == wanted)
    if path["type"] == "PathPrefix":
        bare = value.rstrip("/")
        return wanted == bare or wanted.startswith(f"{bare}/")
    return re.fullmatch(value, wanted) is not None


def _header_holds(header: Body, headers: Mapping[str, str]) -> bool:
    found = headers.get(header["name"].lower())
    if found is None:
        return False
    if header.get("type", "Exact") == "Exact":
        return bool(found == header["value"])
    return re.fullmatch(header["value"], found) is not None


def _rewritten(match: _Match, path: str) -> tuple[str | None, str]:
    """The host and the path that a rule's filters put in; no path where they leave it."""
    host, new = None, ""
    for each in match.rule.get("filters", []):
        rewrite = each.get("urlRewrite", {})
        host = rewrite.get("hostname", host)
        if rewrite.get("path", {}).get("type") == "ReplacePrefixMatch":
            new = rewrite["path"]["replacePrefixMatch"].rstrip("/") + path[len(match.prefix.rstrip("/")) :]
        elif "path" in rewrite:
            new = rewrite["path"]["replaceFullPath"]
    return host, new


def _default_kind(owner: Body) -> str:
    return "AIServiceBackend" if owner["kind"] == "AIGatewayRoute" else "Service"


def _labels(selector: Body) -> Mapping[str, str]:
    labels: Mapping[str, str] = selector.get("matchLabels", selector)
    return labels


def _schema_prefix(schema: Body) -> str | None:
    """The path below which a backend's API lies, in either spelling that releases have had.

    AI Gateway builds the paths of clouds itself: `internal/translator` of v1.1.0. This one stands for them.
    """
    if schema["name"] not in {"OpenAI", "Anthropic"}:
        return "/translated"
    prefix: str | None = schema.get("prefix", schema.get("version"))
    return prefix and f"/{prefix.strip('/')}"


def _early(value: object) -> Iterator[str]:
    """Every header that an early mutation anywhere in an Envoy fragment removes."""
    if isinstance(value, dict):
        for extension in value.get("early_header_mutation_extensions", []):
            for mutation in extension["typed_config"]["mutations"]:
                if "remove" in mutation:
                    yield mutation["remove"]
                else:
                    yield mutation["remove_on_match"]["key_matcher"]["prefix"] + _ANY["Prefix"]
        for each in value.values():
            yield from _early(each)
    elif isinstance(value, list):
        for each in value:
            yield from _early(each)
