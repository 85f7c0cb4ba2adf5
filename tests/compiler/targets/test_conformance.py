"""Translation validation: what each target's objects do with a request is what the policy says of it.

The policy is read as plain data here, the router's files are executed by the runtime's own core, and the objects are
read by an interpreter that knows no policy. The linked policy is used to render, never to judge.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from support import rendering
from support.cases import GOLDEN, POLICIES, output_of, policy_file, policy_of
from support.consumers import envoy, probes
from support.gateway_interpreter import Answer, Place, Request, World, with_model
from vsr_compiler import targets
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.ir.names import object_name
from vsr_compiler.targets import profiles
from vsr_runtime.decision.guards.detection import TextSpan, TextVerdict
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import (
    Continue,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.settings import load
from vsr_schemas.headers import SELECTED_MODEL, STRIPPED

CHAT = "/v1/chat/completions"
CLIENT = Client({"user": "test", "team": "research"})
"""Who sends requests to policies that authenticate clients."""
DRAWS = 60
"""Requests of one kind: enough that a share of a tenth is missed once in five hundred runs, and the ids are fixed."""
Data = dict[str, Any]


@cache
def data_of(case: str) -> Data:
    """The policy as it is written."""
    data: Data = YAML(typ="safe").load(policy_file(case).read_text(encoding="utf-8"))
    return data


@cache
def program_of(case: str, keys: Path) -> Program:
    """The compiled program, from the committed files that a router would be given."""
    return load(output_of(case) / "router" / "config.yaml", keys).program


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for every endpoint that wants one."""
    folder = tmp_path_factory.mktemp("credentials")
    for case in (*GOLDEN, *POLICIES):
        for name, endpoint in data_of(case)["endpoints"].items():
            kinds = [kind for kind in endpoint.values() if isinstance(kind, dict)]
            if any("apiKey" in kind for kind in kinds):
                path = folder / object_name(name) / "api-key"
                path.parent.mkdir(exist_ok=True)
                path.write_text("none", encoding="utf-8")
    return folder


SIDES = ("sentences", "hard", "easy")
"""Where signals keep the sentences that they compare with."""


def routed(program: Program, model: str, category: str | None, seed: int) -> SendToModel:
    """What the router makes of a request, by the machine that serves."""
    rules = MachineConfig(program, 1 << 20)
    headers = ((":method", "POST"), (":path", CHAT), (":authority", "gateway"), ("content-type", "application/json"))
    start = RequestHeaders((*headers, ("x-request-id", f"conformance-{seed}")), end_of_stream=False, client=CLIENT)
    state, action = advance(rules, AwaitsHeaders(), start)
    assert isinstance(action, Continue)
    body = {"model": model, "user": f"{seed:06}", "messages": [{"role": "user", "content": "a question"}]}
    state, action = advance(rules, state, RequestBody(json.dumps(body).encode()))
    if isinstance(action, NeedSignals):
        state, action = advance(rules, state, answered(program, action, category))
    assert isinstance(action, SendToModel), action
    return action


@cache
def draw(case: str, keys: Path, category: str | None, count: int) -> list[SendToModel]:
    """Return the distinct decisions on auto requests of so many users, whom a split tells apart, in a category."""
    distinct: dict[tuple[str, str | None], SendToModel] = {}
    for seed in range(count):
        route = routed(program_of(case, keys), "auto", category, seed)
        distinct.setdefault((route.model, route.route), route)
    return list(distinct.values())


def answered(program: Program, question: NeedSignals, category: str | None) -> SignalsReady:
    """The category, and nothing that is like a sentence of the policy or like an attack."""
    sentences = [each for one in program.model_signals.values() for side in SIDES for each in getattr(one, side, ())]
    looks = {
        name: [TextVerdict(TextSpan(0, len(text), "benign", 0.0, name)) for text in texts]
        for name, texts in question.detector_texts.items()
    }
    return SignalsReady(category, 0.9, looks, dict.fromkeys(sentences, 0.0))


def sent(world: World, route: SendToModel, asked: str) -> tuple[Answer, str]:
    """Where a routed request ends, and the model that it asks for there. The client tried to choose by itself.

    The request passes the filters of the Gateway's listener, and what they make of it is routed.
    """
    spoofed = {SELECTED_MODEL: "spoofed", "x-gateway-destination-endpoint": "127.0.0.1:1", "x-ai-eg-model": "spoofed"}
    request = envoy.Request(CHAT, {**spoofed, "authorization": envoy.JWT}, body=json.dumps({"model": asked}).encode())
    decided = probes.DecidedRouter(envoy.Routed(dict(route.set_headers), route.remove_headers, route.body))
    outcome = envoy.sent(gateway_of(world), request, decided)
    if outcome.status == 403 and not outcome.router_ran:  # this gateway refuses who tries to choose
        request = envoy.Request(CHAT, {"authorization": envoy.JWT}, body=request.body)
        outcome = envoy.sent(gateway_of(world), request, decided)
    if not outcome.reached:
        return Answer({}, outcome.status or 404), asked
    return world.answer(Request(CHAT, outcome.headers)), json.loads(outcome.body)["model"]


@cache
def gateway_of(world: World) -> envoy.Proxy:
    """The Envoy of the only Gateway, as its control plane configures it; without listeners if there is no Gateway."""
    proxies = list(probes.proxies([*world.bodies, *world.beside]).values())
    return proxies[0] if proxies else envoy.Proxy((), {})


def names(data: Data) -> dict[str, tuple[Data, str, str]]:
    """What can be asked for: the model behind each name, its own name, and what its server calls it."""
    found: dict[str, tuple[Data, str, str]] = {}
    for name, model in data["models"].items():
        found[name] = (model, name, model.get("providerModel", name))
        for lora in model.get("loras", {}):
            found[lora] = (model, name, lora)
    return found


def expected(data: Data, model: Data) -> dict[str, tuple[Data, Fraction]]:
    """Endpoints by name with their shares, as the policy says."""
    ends = model["endpoints"]
    weights = {ends: 1} if isinstance(ends, str) else ends if isinstance(ends, dict) else dict.fromkeys(ends, 1)
    total = sum(weights.values())
    return {name: (data["endpoints"][name], Fraction(weight, total)) for name, weight in weights.items() if weight}


def fits(data: Data, world: World, name: str, endpoint: Data, place: Place, served: str) -> bool:
    """Whether a place is the one that an endpoint of the policy means."""
    home = data.get("gateway", {}).get("namespace", "default")
    if "vllm" in endpoint:
        own = object_name(name)
        inside = place.namespace == (endpoint["vllm"] or {}).get("namespace", home)
        if (place.kind, place.name, place.port) == ("service", "vllm-stack-router-service", 80):
            return inside and any(in_stack(values, own, served) for values in world.of("HelmValues"))
        fitting = place.name == own or place.name.startswith(f"{own}-")
        return place.kind == "deployment" and inside and fitting and bears(world.deployment(place), served)
    if "pods" in endpoint:
        pods = endpoint["pods"]
        words = ",".join(f"{key}={value}" for key, value in sorted(pods["selector"].items()))
        return place == Place("pods", pods.get("namespace", home), words)
    if "service" in endpoint or "existing" in endpoint.get("pool", {}):
        return place == elsewhere(endpoint, home)
    url = urlsplit(endpoint["external"]["url"])
    path = f"{url.path.rstrip('/') or '/v1'}/chat/completions"
    if place.path == "/translated\0":  # the gateway's own path
        known = endpoint["external"].get("schema") not in {None, "openai", "anthropic"}
        return known and (place.kind, place.name, place.port) == ("host", url.hostname, url.port or 443)
    return (place.kind, place.name, place.port) == ("host", url.hostname, url.port or 443) and same_path(place, path)


def elsewhere(endpoint: Data, home: str) -> Place:
    """A Service or a pool that others run."""
    if "service" in endpoint:
        return Place("service", *service_of(endpoint["service"], home))
    return Place("pool", endpoint["pool"].get("namespace", home), endpoint["pool"]["existing"])


def same_path(place: Place, path: str) -> bool:
    """A route that changes no path leaves the client's; a backend's schema gives a prefix in the place of /v1."""
    if place.path.endswith("\0"):
        return f"{place.path[:-1].rstrip('/')}/chat/completions" == path
    return (place.path or CHAT) == path


def service_of(endpoint: Data | str, home: str) -> tuple[str, str, int]:
    """Namespace, name and port of a Service, from either form."""
    if isinstance(endpoint, dict):
        return endpoint.get("namespace", home), endpoint["name"], endpoint.get("port", 80)
    address, _, port = endpoint.partition(":")
    name, _, namespace = address.partition(".")
    return namespace or home, name, int(port or 80)


def bears(deployment: Data, name: str) -> bool:
    """Whether the server is told to answer to the name."""
    args = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    return any(name == arg or arg.startswith(f"{name}=") or f'"{name}"' in arg for arg in args)


def in_stack(values: Data, name: str, served: str) -> bool:
    """Whether the stack's router finds a server that answers to the name: it asks each for its models."""
    specs = [spec for spec in values["servingEngineSpec"]["modelSpec"] if spec["name"] == name]
    args = [arg for spec in specs for arg in spec["vllmConfig"]["extraArgs"]]
    return any(served == arg or arg.startswith(f"{served}=") or f'"{served}"' in arg for arg in args)


def wrong(data: Data, world: World, answer: Answer, asked: str, served: str, also: str = "") -> str:
    """What is not as the policy says, in words; empty where all is. ``also`` is a second name of the model."""
    model, _, own = names(data)[asked]
    ends = expected(data, model)
    if answer.status != 200:
        return f"{asked}: the gateway answers {answer.status}"
    if served not in {own, also}:
        return f"{asked}: the server is asked for {served} instead of {own}"
    shares: Counter[str] = Counter()
    for place, share in answer.shares.items():
        name = next((name for name, (each, _) in ends.items() if fits(data, world, name, each, place, served)), None)
        if name is None:
            return f"{asked}: goes to {place}"
        shares[name] += share  # type: ignore[assignment] # a Counter of fractions
    return "" if shares == {name: share for name, (_, share) in ends.items()} else f"{asked}: shares are {dict(shares)}"


def chosen(data: Data, category: str | None) -> set[str] | None:
    """The names that an auto request of a category may get; None where more than the category decides."""
    for route in data.get("routes", []):
        when = route["when"]
        if not isinstance(when, dict) or set(when) != {"category"} or not {"model", "split"} & set(route):
            return None
    for route in data.get("routes", []):
        if route["when"]["category"] == category:
            split = {name for name, share in route.get("split", {}).items() if share}
            return split or {route["model"]}
    return {data["default"]}


@cache
def world_of(case: str, target: str, profile: str) -> World | None:
    """The target's objects; None where it refuses the policy, for reasons that another test holds against a list.

    Beside them lies what the production stack's chart is given: it starts servers that are no objects of ours.
    """
    policy = policy_of(case, profile)
    try:
        bodies = [item.body for item in rendering.objects(policy, target)]
    except CompileError:
        return None
    values = [item for item in rendering.values(policy, target) if item.chart == "vllm-stack"]
    metadata = {"name": "vllm-stack"}
    charts = ({"kind": "HelmValues", "metadata": metadata, **item.body} for item in values)
    return World([*bodies, *charts], pools_of_others(data_of(case)))


def pools_of_others(data: Data) -> list[Data]:
    """The pools that the policy says exist. Istio has the filter before which ours runs once it sees a pool."""
    home = data.get("gateway", {}).get("namespace", "default")
    pools = (end["pool"] for end in data["endpoints"].values() if "existing" in (end.get("pool") or {}))
    return [
        {
            "kind": "InferencePool",
            "metadata": {"name": pool["existing"], "namespace": pool.get("namespace", home)},
            "spec": {
                "selector": {"matchLabels": {"app": pool["existing"]}},
                "endpointPickerRef": {"name": f"{pool['existing']}-epp", "port": {"number": 9002}},
            },
        }
        for pool in pools
    ]


def worlds(case: str, target: str) -> Iterator[tuple[str, World]]:
    """Return the target's objects at each profile, and equal ones once."""
    previous: list[World] = []
    for profile in sorted(profiles()):
        world = world_of(case, target, profile)
        if world is not None and all(world.bodies != other.bodies for other in previous):
            previous.append(world)
            yield profile, world


OWN_ROUTES = sorted(set(targets.TARGETS) - {"attach"})
"""The targets whose routes are ours; `test_attach_conformance.py` has the other."""
CASES = (*GOLDEN, *POLICIES)
EXECUTED = [case for case in CASES if data_of(case)["router"].get("engine") != "semantic-router"]
"""The cases whose router files our runtime executes."""


@pytest.mark.parametrize("target", OWN_ROUTES)
@pytest.mark.parametrize("case", EXECUTED)
def test_every_name_ends_where_the_policy_says(case: str, target: str, keys: Path) -> None:
    """A client that names a model or an adapter gets just its endpoints, by their weights, under the right name."""
    data, program = data_of(case), program_of(case, keys)
    chats = [name for name in names(data) if CHAT in program.models[name].limits.apis]
    routes = {name: routed(program, name, None, 0) for name in chats}
    for profile, world in worlds(case, target):
        problems = []
        for name, route in routes.items():
            answer, served = sent(world, route, name)
            problems.append(wrong(data, world, answer, name, served))
        assert [problem for problem in problems if problem] == [], profile


@pytest.mark.parametrize("target", OWN_ROUTES)
@pytest.mark.parametrize("case", EXECUTED)
def test_every_category_ends_where_the_policy_says(case: str, target: str, keys: Path) -> None:
    """An auto request gets a model of its category's route, each of a split's in turn, and the default otherwise."""
    data = data_of(case)
    for category in (*data.get("categories", {}), None):
        allowed = chosen(data, category)
        draws = DRAWS if allowed is None or len(allowed) > 1 else 1
        routes = draw(case, keys, category, draws)
        assert allowed is None or {route.model for route in routes} == allowed, category
        for profile, world in worlds(case, target):
            for route in routes:
                answer, served = sent(world, route, "auto")
                assert wrong(data, world, answer, route.model, served) == "", (profile, category)


@pytest.mark.parametrize("target", OWN_ROUTES)
@pytest.mark.parametrize("case", CASES)
def test_what_no_router_has_decided_reaches_no_model(case: str, target: str) -> None:
    """Without the router's header, or with one that names nothing, the gateway answers by itself.

    Only a policy that says `onFailure: default-model` lets it reach the default, under a name that serves there.
    """
    data = data_of(case)
    lenient = data["router"].get("onFailure") == "default-model"
    for profile, world in worlds(case, target):
        # The list of Envoy Gateway 1.6.7 ends at 64. Envoy removes the rest by itself, or nothing deployed reads it.
        missing = {name for name in STRIPPED if not world.strips(name)} - {"x-ai-eg-mcp-metadata-resource-uri"}
        assert all(name.startswith(("x-envoy-", "x-aigw-")) for name in missing)
        assert not missing or (profile == "seed" and target in {"ai-gateway", "envoy-gateway", "production-stack"})
        for headers in ({}, {SELECTED_MODEL: "nothing"}, {SELECTED_MODEL: "auto"}):
            for path in (CHAT, "/v1/models", "/", "/v1", "/healthz"):
                answer = world.answer(with_model(world, Request(path, headers), "auto"))
                if lenient and (path == CHAT or answer.places):
                    assert wrong(data, world, answer, data["default"], "auto", "auto") == "", (headers, path)
                else:
                    assert not answer.places, (headers, path)


def objects_of(case: str) -> list[Data]:
    """Return a copy of the objects of a case on Istio."""
    world = world_of(case, "istio", "current")
    assert world is not None
    return copy.deepcopy(world.bodies)


def at(bodies: list[Data], kind: str, name: str) -> Data:
    """An object among others."""
    return next(body for body in bodies if body["kind"] == kind and body["metadata"]["name"] == name)


def header(bodies: list[Data], route: str) -> Data:
    """The header match of a model's route."""
    match: Data = at(bodies, "HTTPRoute", route)["spec"]["rules"][0]["matches"][0]["headers"][0]
    return match


def swap(bodies: list[Data]) -> None:
    """Two models' routes change places."""
    one, two = header(bodies, "ours"), header(bodies, "theirs")
    one["value"], two["value"] = two["value"], one["value"]


FAULTS: dict[str, tuple[str, Callable[[list[Data]], object], str]] = {
    "an alias that is changed in one place": ("ours", lambda b: header(b, "ours").update(value="our"), "answers 404"),
    "two routes that are swapped": ("ours", swap, "goes to"),
    "a grant that is gone": (
        "theirs",
        lambda b: b.remove(next(each for each in b if each["kind"] == "ReferenceGrant" and "theirs" in str(each))),
        "answers 500",
    ),
    "a Service of other pods": (
        "theirs",
        lambda b: at(b, "Service", "theirs")["spec"].update(selector={"app": "other"}),
        "goes to",
    ),
    "a server that bears another name": (
        "ours",
        lambda b: at(b, "Deployment", "ours")["spec"]["template"]["spec"]["containers"][0].update(args=["--x"]),
        "goes to",
    ),
    "a route to no Gateway": ("ours", lambda b: b.remove(at(b, "Gateway", "edge")), "answers 404"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_seen(fault: str, keys: Path) -> None:
    """Otherwise agreement would show nothing: each fault, put into objects that have none, makes a model go astray."""
    name, edit, words = FAULTS[fault]
    data, program = data_of("cross-namespace"), program_of("cross-namespace", keys)
    bodies = objects_of("cross-namespace")
    edit(bodies)
    world = World(bodies)
    answer, served = sent(world, routed(program, name, None, 0), name)
    assert words in wrong(data, world, answer, name, served)


def test_weights_that_differ_are_seen(keys: Path) -> None:
    """A tenth is not a fifth."""
    data, program = data_of("weighted"), program_of("weighted", keys)
    bodies = objects_of("weighted")
    refs = at(bodies, "HTTPRoute", "llama")["spec"]["rules"][0]["backendRefs"]
    next(ref for ref in refs if ref["name"] == "old")["weight"] = 40
    world = World(bodies)
    answer, served = sent(world, routed(program, "llama", None, 0), "llama")
    assert "shares are" in wrong(data, world, answer, "llama", served)
