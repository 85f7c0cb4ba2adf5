"""Who answers a request in a state of the cluster: the gateway's proxies, a router, a picker, and a model server."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from support.consumers import probes
from support.consumers.envoy import Outcome, Proxy, Reply, Request, Routed, manager, sent, served
from support.consumers.machine import MachineRouter
from support.rollouts.cluster import Cluster, State
from support.rollouts.versions import ABSENT, ROUTER, Body, Identity, settings_of
from vsr_runtime.settings import Settings

SECRET = "anna@example.com"  # noqa: S105 - what a guard masks
_ALLOWED = frozenset({"content-length"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets.

    Attributes:
        status: 200 if a server that knows the model got the request.
        by: Who answered.
        model: The model that the router selected; empty if no server got the request.
        shown: Whether the server saw what a guard masks.
        place: The host of a provider that got the request, with the key that it got.
    """

    status: int
    by: str
    model: str = ""
    shown: bool = False
    place: str = ""


class _Filtered:
    """A router behind Envoy's ext_proc filter, which rejects what its configuration does not allow."""

    def __init__(self, settings: Settings, config: Body) -> None:
        self.router, self.config = MachineRouter(settings), config
        self.reads = settings.program.reads_responses

    def on_headers(self, request: Request) -> Reply | None:
        if self.reads and self.config["processing_mode"]["response_body_mode"] != "STREAMED":
            return Reply(503)  # the runtime refuses a filter that does not send it what its guards must read
        return self.router.on_headers(request)

    def on_body(self, request: Request) -> Reply | Routed:
        decision = self.router.on_body(request)
        pattern = self.config.get("mutation_rules", {}).get("allow_expression", {}).get("regex")
        if isinstance(decision, Routed) and pattern is not None:
            changed = {*decision.set_headers, *decision.remove_headers} - _ALLOWED
            if any(re.fullmatch(pattern, name) is None for name in changed):
                return Reply(503)
        return decision


class Serving:
    """The answers in the states of one change. What does not depend on the whole state is computed once."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.versions = cluster, cluster.versions
        self._proxies: dict[tuple[int, ...], tuple[Proxy, Body]] = {}
        self._outcomes: dict[tuple[tuple[int, ...], int, int], Outcome] = {}

    def answers(self, state: State, request: Request) -> frozenset[Answer]:
        """Return every answer that a request can get."""
        seen = self._seen(state)
        routers = list(self._settings(state))
        if not routers:
            return frozenset({Answer(503, "no router")})
        proxy, config = self._proxy(seen)
        found: set[Answer] = set()
        for settings in routers:
            key = (seen, id(settings), id(request))
            outcome = self._outcomes.get(key)
            if outcome is None:
                outcome = sent(proxy, request, _Filtered(settings, config))
                self._outcomes[key] = outcome
            found |= set(self._behind(state, outcome))
        return frozenset(found)

    def _seen(self, state: State) -> tuple[int, ...]:
        return tuple(state.seen[at] for at in self.cluster.read_by_gateway)

    def _proxy(self, seen: tuple[int, ...]) -> tuple[Proxy, Body]:
        if seen not in self._proxies:
            bodies = [body for name, body in self.versions.static.items()]
            for at, version in zip(self.cluster.read_by_gateway, seen, strict=True):
                body = self.versions.body(self.versions.changed[at], version)
                bodies += [] if body is None else [body]
            # Services and Deployments only tell what a picker is and obeys.
            rest = [name for name in self.versions.changed if name[0] in {"Service", "Deployment", "Namespace"}]
            for name in rest:
                body = self.versions.sides[1].get(name) or self.versions.sides[0].get(name)
                bodies += [] if body is None else [body]
            (proxy,) = probes.proxies(bodies).values()  # type: ignore[arg-type]
            self._proxies[seen] = proxy, _filter_of(proxy)
        return self._proxies[seen]

    def _settings(self, state: State) -> Iterator[Settings]:
        """Yield what the ready routers serve."""
        static = self.versions.static.get(ROUTER)
        if static is not None:
            yield from self._read(state, static)
            return
        place = self.cluster.deployments.index(ROUTER)
        for version in sorted(state.pods[place]):
            body = self.versions.sides[version].get(ROUTER)
            if body is not None:
                yield from self._read(state, body)

    def _read(self, state: State, deployment: Body) -> Iterator[Settings]:
        volumes = deployment["spec"]["template"]["spec"]["volumes"]
        name = next(volume["configMap"]["name"] for volume in volumes if volume["name"] == "config")
        key = ("ConfigMap", ROUTER[1], name)
        if key in self.versions.static:
            yield settings_of(self.versions.static[key])
            return
        sides = [side for side in (0, 1) if key in self.versions.sides[side]]
        if len(sides) == 1:
            yield settings_of(self.versions.sides[sides[0]][key])
            return
        at = self.cluster.index[key]
        for version in sorted({state.node, *({state.live[at]} - {ABSENT})}):
            yield settings_of(self.versions.sides[version][key])

    def _behind(self, state: State, outcome: Outcome) -> Iterator[Answer]:
        """Yield the answers of what is behind the gateway: for each backend of the route."""
        if not outcome.reached:
            yield Answer(outcome.status, outcome.by)
            return
        _, namespace, route, _, index = outcome.by.split("/")[:5]
        kind, body = self._route(state, namespace, route)
        refs = body["spec"]["rules"][int(index)]["backendRefs"]
        for place, ref in enumerate(refs):
            if ref.get("weight", 1) == 0:
                continue
            if kind == "AIGatewayRoute" and not self._known(state, namespace, route, int(index), place, ref["name"]):
                yield Answer(500, "AI Gateway's sidecar: unknown backend")
                continue
            yield from self._backend(state, outcome, namespace, ref, kind)

    def _route(self, state: State, namespace: str, name: str) -> tuple[str, Body]:
        for kind in ("HTTPRoute", "AIGatewayRoute"):
            body = self._seen_body(state, (kind, namespace, name))
            if body is not None:
                return kind, body
        raise LookupError(f"no route {name}")

    def _known(self, state: State, namespace: str, route: str, rule: int, place: int, backend: str) -> bool:
        """Return whether the sidecar knows a backend by the name that Envoy has for it."""
        name = ("AIGatewayRoute", namespace, route)
        if name in self.versions.static:
            return True
        body = self.versions.body(name, state.names[self.cluster.index[name]])
        if body is None:
            return False
        rules = body["spec"]["rules"]
        refs = rules[rule]["backendRefs"] if rule < len(rules) else []
        return place < len(refs) and refs[place]["name"] == backend

    def _backend(self, state: State, outcome: Outcome, namespace: str, ref: Body, kind: str) -> Iterator[Answer]:
        home = ref.get("namespace", namespace)
        match ref.get("kind", "AIServiceBackend" if kind == "AIGatewayRoute" else "Service"):
            case "InferencePool":
                yield from self._pool(state, outcome, home, ref["name"])
            case "Hostname":
                entries = [body for body in self._of(state, "ServiceEntry") if ref["name"] in body["spec"]["hosts"]]
                yield self._provider(outcome, ref["name"]) if entries else Answer(500, "no such host")
            case "AIServiceBackend" if self._seen_body(state, ("AIServiceBackend", home, ref["name"])) is None:
                yield Answer(500, "no AIServiceBackend")
            case "AIServiceBackend" | "Backend":
                backend = self._seen_body(state, ("Backend", home, ref["name"]))
                if backend is None:
                    yield Answer(500, "no Backend")
                    return
                fqdn = backend["spec"]["endpoints"][0]["fqdn"]["hostname"]
                if fqdn.endswith(".svc.cluster.local"):
                    service, there = fqdn.split(".")[:2]
                    yield from self._service(state, outcome, there, service)
                else:
                    yield self._provider(outcome, fqdn)
            case "Service":
                if home != namespace and not self._granted(state, home, ref["name"]):
                    yield Answer(500, "no ReferenceGrant")
                else:
                    yield from self._service(state, outcome, home, ref["name"])
            case other:
                raise LookupError(f"no rule for a backend of kind {other}")

    def _provider(self, outcome: Outcome, host: str) -> Answer:
        key = outcome.headers.get("authorization", "")
        return _ok(outcome, f"{host} with {key}")

    def _granted(self, state: State, namespace: str, name: str) -> bool:
        return any(
            body["metadata"]["namespace"] == namespace and item.get("name") in {None, name}
            for body in self._of(state, "ReferenceGrant")
            for item in body["spec"]["to"]
        )

    def _pool(self, state: State, outcome: Outcome, namespace: str, name: str) -> Iterator[Answer]:
        pool = self._live(state, ("InferencePool", namespace, name))
        if pool is None:
            yield Answer(500, "no InferencePool")
            return
        picker = ("Deployment", namespace, pool["spec"]["endpointPickerRef"]["name"])
        if self._live(state, ("Service", *picker[1:])) is None or not self._ready(state, picker):
            yield Answer(500, "no picker")
            return
        yield from self._pods(state, outcome, namespace, pool["spec"]["selector"]["matchLabels"])

    def _service(self, state: State, outcome: Outcome, namespace: str, name: str) -> Iterator[Answer]:
        key = ("Service", namespace, name)
        if not any(key in side for side in self.versions.sides):
            yield _ok(outcome)  # a Service that exists already
            return
        service = self._live(state, key)
        if service is None:
            yield Answer(500, "no Service")
            return
        yield from self._pods(state, outcome, namespace, service["spec"]["selector"])

    def _pods(self, state: State, outcome: Outcome, namespace: str, labels: Body) -> Iterator[Answer]:
        """Yield the answers of every ready pod with these labels."""
        ours = False
        answered = False
        for name in {name for side in self.versions.sides for name in side if name[0] == "Deployment"}:
            for body in self._running(state, name):
                template = body["spec"]["template"]
                if name[1] == namespace and labels.items() <= template["metadata"]["labels"].items():
                    ours = answered = True
                    yield _answered(outcome, template["spec"]["containers"][0].get("args", []))
            ours |= name[1] == namespace and any(
                name in side and labels.items() <= side[name]["spec"]["template"]["metadata"]["labels"].items()
                for side in self.versions.sides
            )
        if not ours:
            yield _ok(outcome)  # pods that exist already
        elif not answered:
            yield Answer(503, "no ready server")

    def _running(self, state: State, name: Identity) -> Iterator[Body]:
        """Yield the versions of a Deployment that have ready pods."""
        if name in self.versions.static:
            yield self.versions.static[name]
        elif name in self.cluster.deployments:
            for version in state.pods[self.cluster.deployments.index(name)]:
                body = self.versions.sides[version].get(name)
                if body is not None:
                    yield body

    def _ready(self, state: State, name: Identity) -> bool:
        return any(True for _ in self._running(state, name))

    def _live(self, state: State, name: Identity) -> Body | None:
        if name in self.versions.static:
            return self.versions.static[name]
        return self.versions.body(name, state.live[self.cluster.index[name]]) if name in self.cluster.index else None

    def _seen_body(self, state: State, name: Identity) -> Body | None:
        if name in self.versions.static:
            return self.versions.static[name]
        return self.versions.body(name, state.seen[self.cluster.index[name]]) if name in self.cluster.index else None

    def _of(self, state: State, kind: str) -> Iterator[Body]:
        for name in itertools.chain(self.versions.static, self.versions.changed):
            body = self._seen_body(state, name) if name[0] == kind else None
            if body is not None:
                yield body


def _filter_of(proxy: Proxy) -> Body:
    """Return the configuration of the router's filter; one that changes nothing where a listener has none."""
    for _, chain in served(proxy):
        for item in manager(chain)["http_filters"]:
            if item["name"] == "vsr.ext_proc":
                config: Body = item["typed_config"]
                return config
    return {"processing_mode": {"response_body_mode": "STREAMED"}}


def _ok(outcome: Outcome, place: str = "") -> Answer:
    return Answer(200, "server", outcome.model, SECRET.encode() in outcome.body, place)


def _answered(outcome: Outcome, arguments: Iterable[str]) -> Answer:
    """Return the answer of a server, which knows the models of its arguments."""
    names = served_names(list(arguments))
    model = json.loads(outcome.body)["model"]
    return _ok(outcome) if not names or model in names else Answer(404, f"server: no model {model}")


def served_names(arguments: list[str]) -> set[str]:
    """Return the names of models that a server of vLLM or its simulator knows by its arguments."""
    names: set[str] = set()
    for flag in ("--served-model-name", "--lora-modules"):
        if flag in arguments:
            values = itertools.takewhile(lambda text: not text.startswith("--"), arguments[arguments.index(flag) + 1 :])
            names |= {_name(value) for value in values}
    return names


def _name(value: str) -> str:
    if value.startswith("{"):
        return str(json.loads(value)["name"])
    return value.partition("=")[0] if "=" in value else value
