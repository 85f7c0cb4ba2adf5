"""The target attach: what the router and the routes of others do with a request is what the policy says of it.

The Gateway, its class and its routes are those of `support.attached`; the policy is read as plain data there.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from ruamel.yaml import YAML

from support import attached, rendering
from support.cases import GOLDEN, POLICIES, output_of, policy_file, policy_of
from support.consumers import checks, envoy, facts, probes
from support.consumers.compiled import CASES as VARIED
from support.consumers.machine import MachineRouter
from support.gateway_interpreter import Place, Request, World
from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.releases.attachments import CONVENTIONS
from vsr_compiler.targets.attach.names import routing
from vsr_runtime.decision.program.build_routing import with_routing
from vsr_runtime.settings import Settings, load
from vsr_schemas.headers import SELECTED_MODEL
from vsr_schemas.policy.v1alpha1.attach import Controller, Convention

Data = dict[str, Any]
CHAT = "/v1/chat/completions"
CONTROLLERS: tuple[Controller, ...] = ("istio", "envoy-gateway", "agentgateway")


@cache
def data_of(case: str) -> Data:
    """The policy as it is written."""
    data: Data = YAML(typ="safe").load(policy_file(case).read_text(encoding="utf-8"))
    return data


def attached_policy(case: str, controller: Controller, convention: Convention = "any") -> ir.Policy:
    """Return the policy of a case on a Gateway of others."""
    policy = policy_of(case, "current")
    header = CONVENTIONS[convention].header
    return replace(policy, attachment=ir.Attachment(convention, header, controller, policy.gateway.span))


@cache
def bodies_of(case: str, controller: Controller, convention: Convention = "any") -> list[Data] | None:
    """The objects, with those of the Gateway's owner; None where the target refuses the policy."""
    try:
        own = rendering.objects(attached_policy(case, controller, convention), "attach")
    except CompileError:
        return None  # for reasons that `test_attach.py` holds against a list
    data, header = data_of(case), CONVENTIONS[convention].header
    theirs = [*attached.gateway(data, controller), *attached.routes(data, header, VALUES[convention](data))]
    return [*(item.body for item in own), *theirs]


def publisher(data: Data) -> attached.Value:
    """KServe's values: the namespace of the server, and its name of the model."""
    home = data.get("gateway", {}).get("namespace", "default")

    def value(name: str, model: Data) -> str:
        end = data["endpoints"][next(iter(attached.weights(model, raw=True)))]
        kind = end.get("pool", {}) if "existing" in end.get("pool", {}) else next(iter(end.values())) or {}
        space = kind.get("namespace", home) if isinstance(kind, dict) else _namespace(kind, home)
        return str(end.get("route", f"publishers/{space}/models/{name}"))

    return value


def _namespace(service: str, home: str) -> str:
    """The namespace in the short form of a Service."""
    return service.split(":", maxsplit=1)[0].partition(".")[2] or home


def base(data: Data) -> attached.Value:
    """llm-d's values: the base model, whatever adapter is asked for."""
    names = {id(model): name for name, model in data["models"].items()}
    return lambda name, model: model.get("providerModel", names[id(model)]) if name in model.get("loras", {}) else name


def in_body(data: Data) -> attached.Value:
    """The values of body-based routing: the name in the body."""
    del data
    return attached.served_name


VALUES = {
    "any": in_body,
    "gke": in_body,
    "llm-d": base,
    "kserve": publisher,
}


def cases() -> Iterator[tuple[str, Controller]]:
    """Every case that is not refused, on every controller."""
    for case in (*GOLDEN, *POLICIES):
        for controller in CONTROLLERS:
            if bodies_of(case, controller) is not None:
                yield case, controller


def settings_of(case: str, controller: Controller, convention: Convention = "any") -> Settings:
    """What the router reads: the files of the policy, with the routing of its attachment."""
    settings = load(output_of(case) / "router" / "config.yaml")
    policy = attached_policy(case, controller, convention)
    return replace(settings, program=with_routing(settings.program, routing(policy)))


def router_of(case: str, controller: Controller) -> MachineRouter:
    """The router that our runtime is."""
    return MachineRouter(settings_of(case, controller))


def sent(bodies: list[Data], router: MachineRouter, model: str) -> tuple[dict[Place, Fraction], str]:
    """Where a request ends that tries to choose by itself, by shares, and the model that is asked for there."""
    spoofed = {SELECTED_MODEL: "spoofed", "x-gateway-model-name": "spoofed", "x-gateway-base-model-name": "spoofed"}
    request = probes.chat(model, {**spoofed, "authorization": envoy.JWT})
    (proxy,) = probes.proxies(bodies).values()
    outcome = envoy.sent(proxy, request, router)
    if any(body["kind"] == "AgentgatewayPolicy" for body in bodies):  # nothing removes a header there before the router
        assert (outcome.status, outcome.router_ran) == (403, False)
        outcome = envoy.sent(proxy, probes.chat(model), router)
    assert outcome.reached, (model, outcome.status, outcome.by)
    answer = World(bodies).answer(Request(CHAT, outcome.headers))
    return answer.shares, json.loads(outcome.body)["model"]


@pytest.mark.parametrize(("case", "controller"), list(cases()))
def test_every_name_ends_at_the_route_of_others_that_the_policy_means(case: str, controller: Controller) -> None:
    """A client that names a model or an adapter gets its endpoints by their weights, under the right name."""
    bodies, data = bodies_of(case, controller), data_of(case)
    assert bodies is not None
    router = router_of(case, controller)
    apis = {name: target.limits.apis for name, target in router.settings.program.models.items()}
    for name, (served, model) in zip(_names(data), attached.known(data), strict=True):
        if CHAT not in apis[name]:
            continue
        shares, body = sent(bodies, router, name)
        weights = attached.weights(model)
        total = sum(weights.values())
        assert shares == {
            Place("service", attached.HOME, service, 80): Fraction(weight, total)
            for service, weight in weights.items()
            if weight
        }, name
        assert body == served, name


@pytest.mark.parametrize("convention", ["kserve", "gke", "llm-d"])
@pytest.mark.parametrize("case", ["lora", "cross-namespace", "policies/attach-kserve"])
def test_each_convention_names_models_as_its_routes_do(case: str, convention: Convention) -> None:
    """KServe's routes match a publisher's name, llm-d's the base model of an adapter, GKE's what is in the body."""
    bodies, data = bodies_of(case, "istio", convention), data_of(case)
    assert bodies is not None
    router = MachineRouter(settings_of(case, "istio", convention))
    for name, (served, model) in zip(_names(data), attached.known(data), strict=True):
        shares, body = sent(bodies, router, name)
        assert set(shares) == {Place("service", attached.HOME, service, 80) for service in attached.weights(model)}
        assert body == (publisher(data)(served, model) if convention == "kserve" else served)


def _names(data: Data) -> list[str]:
    """The names of clients in the order of `attached.known`."""
    return [one for name, model in data["models"].items() for one in (name, *model.get("loras", {}))]


@pytest.mark.parametrize(("case", "controller"), [item for item in cases() if item[0] in VARIED])
def test_authentication_of_their_gateway_comes_before_our_router(case: str, controller: Controller) -> None:
    """Strangers get no answer of router or models, and authentication judges the client's own credentials."""
    bodies = bodies_of(case, controller)
    assert bodies is not None
    served = [name for name, _ in attached.known(data_of(case))]
    for name, scheme in checks.schemes(bodies).items():
        found = checks.authentication(bodies, scheme, router_of(case, controller), served)
        assert list(found) == [], name


@pytest.mark.parametrize(("case", "controller"), list(cases()))
def test_a_client_chooses_no_route_of_others_by_a_header(case: str, controller: Controller) -> None:
    """What routes match, and what components obey, has no effect if a client sends it."""
    bodies, data = bodies_of(case, controller), data_of(case)
    assert bodies is not None
    found = checks.coverage(bodies, router_of(case, controller), [name for name, _ in attached.known(data)])
    assert list(found) == []


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_a_request_as_long_as_the_policy_allows_passes_and_a_longer_one_gets_413(controller: Controller) -> None:
    """The buffer of a Gateway of others is 32 KiB or 1 MiB, unless somebody sets it."""
    bodies, case = bodies_of("two-models", controller), "two-models"
    assert bodies is not None
    limit = settings_of(case, controller).limits.maxBody
    found = checks.bodies_of_size(bodies, router_of(case, controller), data_of(case)["models"], limit, guarded=False)
    assert list(found) == []


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_routes_of_kserve_by_path_lead_to_no_model(controller: Controller) -> None:
    """They match without the header; the router answers paths that are no API by itself."""
    bodies = bodies_of("policies/attach-kserve", controller)
    assert bodies is not None
    (route, *_) = attached.routes(data_of("policies/attach-kserve"))
    spec = copy.deepcopy(route["spec"])
    spec["rules"][0]["matches"] = [{"path": {"type": "PathPrefix", "value": "/llm/qwen/v1/chat/completions"}}]
    by_path = {"kind": "HTTPRoute", "metadata": {"name": "path", "namespace": attached.HOME}, "spec": spec}
    (proxy,) = probes.proxies([*bodies, by_path]).values()
    request = replace(probes.chat("qwen"), path="/llm/qwen/v1/chat/completions")
    outcome = envoy.sent(proxy, request, router_of("policies/attach-kserve", controller))
    assert (outcome.reached, outcome.status, outcome.by) == (False, 404, "vsr.ext_proc")


def test_a_route_to_a_pool_of_others_is_asked_after_the_router() -> None:
    """Istio has its filter for pickers only with such a route: with and without one, ours comes first."""
    bodies = bodies_of("two-models", "istio")
    assert bodies is not None
    orders = []
    for pool in ([], [_pool_route()]):
        (proxy,) = probes.proxies([*bodies, *pool]).values()
        (listener,) = proxy.listeners
        filters = envoy.manager(listener["filter_chains"][0])["http_filters"]
        orders.append([item["name"] for item in filters])
    for order in orders:
        ours = order.index("vsr.ext_proc")
        assert order.count(f"{facts.HTTP}.ext_proc") == 1
        assert order.index(f"{facts.HTTP}.ext_proc") == ours + 1
        assert order.index("vsr.header_mutation") == ours - 1


def _pool_route() -> Data:
    """A route to a pool that is not among the objects."""
    (route, *_) = attached.routes(data_of("two-models"))
    spec = copy.deepcopy(route["spec"])
    spec["rules"][0] |= {
        "matches": [{"path": {"type": "PathPrefix", "value": "/other"}}],
        "backendRefs": [{"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "pool"}],
    }
    return {"kind": "HTTPRoute", "metadata": {"name": "pool", "namespace": attached.HOME}, "spec": spec}
