"""Limits that the gateway counts: the objects, what they count of requests, and what is refused by name."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support import crds, rendering, verify_support
from support.common import linked, reference
from support.consumers import probes
from support.consumers.envoy import INTERN, JWT, Outcome, sent
from support.consumers.machine import MachineRouter
from support.limit_policies import REST, policy
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.targets import profiles
from vsr_runtime.settings import load
from vsr_schemas.identity import HEADERS

Body = dict[str, Any]
PROFILES = sorted(profiles())
REQUESTS = "name: all, per: team, requests: 60, window: 1m"
TOKENS = "name: tokens, per: [team, model], for: {model: [large, small]}, tokens: 2000000, window: 1d"
DOLLARS = "name: dollars, per: team, for: {team: [interns, guests], model: large}, dollars: 500, window: 30d"


def objects(text: str, target: str = "envoy-gateway", profile: str = "current") -> list[Body]:
    """The objects of a policy."""
    return [item.body for item in rendering.objects(replace(linked(text), versions=profiles()[profile]), target)]


def rules(bodies: list[Body]) -> list[Body]:
    """The rules of the only BackendTrafficPolicy."""
    (body,) = (body for body in bodies if body["kind"] == "BackendTrafficPolicy")
    return body["spec"]["rateLimit"]["global"]["rules"]  # type: ignore[no-any-return]


def codes(text: str, target: str) -> list[str]:
    """What a target says about limits."""
    return [item.code for item in rendering.notices(linked(text), target) if item.code in {"VSR337", "VSR338"}]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("target", "limits"), [("envoy-gateway", (REQUESTS,)), ("ai-gateway", (REQUESTS, TOKENS, DOLLARS))]
)
def test_objects_fit_the_definitions_of_their_release(target: str, limits: tuple[str, ...], profile: str) -> None:
    """In structure, and `verify` has nothing to say."""
    bodies = objects(policy(*limits), target, profile)
    schema = crds.profile(reference(), *crds.folders(profiles()[profile]))
    for body in bodies:
        group, _, _ = body["apiVersion"].rpartition("/")
        if (found := schema.get((group, body["kind"]))) is not None:
            assert crds.problems(found, body) == [], body["kind"]


def test_one_policy_of_the_gateway_has_the_buffer_and_the_limits() -> None:
    """Of two, one would lose; and all routes count together."""
    (body,) = (body for body in objects(policy(REQUESTS)) if body["kind"] == "BackendTrafficPolicy")
    assert {"requestBuffer", "rateLimit"} <= body["spec"].keys()
    assert all(rule["shared"] for rule in rules([body]))


def test_tokens_and_dollars_are_costs_of_every_route() -> None:
    """Nothing is spent before the response, and a rule reads what some route writes."""
    bodies = objects(policy(REQUESTS, TOKENS, DOLLARS), "ai-gateway")
    read = {rule["cost"]["response"]["metadata"]["key"] for rule in rules(bodies) if "cost" in rule}
    assert all(rule["cost"]["request"]["number"] == 0 for rule in rules(bodies) if "cost" in rule)
    routes = [body for body in bodies if body["kind"] == "AIGatewayRoute"]
    assert routes
    for route in routes:
        assert (
            {cost["metadataKey"] for cost in route["spec"]["llmRequestCosts"]} == read == {"vsr_tokens", "vsr_dollars"}
        )
    assert rules(bodies)[-1]["limit"] == {"requests": 500_000_000, "unit": "Month"}


def _value(node: ast.expr, names: dict[str, float]) -> float:
    """The value of an expression of Python that means the same as one of CEL."""
    return float(eval(compile(ast.Expression(node), "cel", "eval"), {"double": float, "uint": int}, names))  # noqa: S307


@pytest.mark.parametrize(
    ("model", "tokens", "cost"),
    [
        ("small", (10, 10, 0), 4),
        ("large", (10, 10, 0), 100),
        ("large", (10, 10, 4), 94),
        ("large", (10, 10, 99), 100),
        ("stranger", (1, 0, 0), 2),
    ],
)
def test_dollars_are_the_price_of_the_model_rounded_up(model: str, tokens: tuple[int, int, int], cost: int) -> None:
    """In millionths; a model with an unknown name is as dear as the dearest."""
    bodies = objects(policy(DOLLARS), "ai-gateway")
    route = next(body for body in bodies if body["kind"] == "AIGatewayRoute")
    text = route["spec"]["llmRequestCosts"][0]["cel"]
    names = {"model": model, **dict(zip(("input_tokens", "output_tokens", "cached_input_tokens"), tokens, strict=True))}
    assert _value(ast.parse(_python(text), mode="eval").body, names) == cost


def _python(text: str) -> str:
    """An expression of CEL with conditions in the form of Python."""
    depth = 0
    for at, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "?" and depth == 0:
            level = 0
            for end in range(at + 1, len(text)):
                level += {"(": 1, ")": -1}.get(text[end], 0)
                if text[end] == ":" and level == 0:
                    return f"({_python(text[at + 1 : end])}) if ({text[:at].strip()}) else ({_python(text[end + 1 :])})"
    for name in ("uint", ""):
        if text.strip().startswith(f"{name}(") and text.strip().endswith(")"):
            return f"{name}({_python(text.strip()[len(name) + 1 : -1])})"
    return text.strip()


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> MachineRouter:
    """The router of the policy."""
    folder: Path = tmp_path_factory.mktemp("router")
    (folder / "policy.yaml").write_text(
        policy(REQUESTS) + "environments: {dev: {target: ai-gateway}}\n", encoding="utf-8"
    )
    compiled = compile_policy(read_policy(folder / "policy.yaml"), lambda _: None).policy
    for name, data in compiled.router.files.items():
        (folder / name).write_bytes(data)
    return MachineRouter(load(folder / "config.yaml"))


def asked(router: MachineRouter, target: str, limits: tuple[str, ...], prompt: str, token: str) -> Outcome:
    """What becomes of a request that forges its team."""
    (proxy,) = probes.proxies(objects(policy(*limits), target)).values()
    forged = dict.fromkeys(HEADERS.values(), "nobody") | {"x-selected-model": "nothing"}
    return sent(proxy, probes.chat(prompt, {**forged, "authorization": token}), router)


@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway"])
def test_gateway_counts_behind_the_decision_by_what_the_token_says(target: str, router: MachineRouter) -> None:
    """Whatever a client forges. Each team has a count, and each request one."""
    for token, team in ((JWT, "research"), (INTERN, "interns")):
        outcome = asked(router, target, (REQUESTS,), "auto", token)
        assert outcome.reached
        assert outcome.counted == ((0, (team,)),)
        names = [name for name in outcome.ran if "ratelimit" in name or "ext_proc/" in name or "vsr" in name]
        assert "ratelimit" in names[-1]


def test_gateway_counts_by_the_model_that_the_router_chose(router: MachineRouter) -> None:
    """One rule of those by model, and of those by team only that of the team."""
    outcome = asked(router, "ai-gateway", (TOKENS, DOLLARS), "large", INTERN)
    assert outcome.model == "large"
    assert [values for _, values in outcome.counted] == [("interns",), ()]
    assert len(asked(router, "ai-gateway", (TOKENS, DOLLARS), "small", INTERN).counted) == 1


def test_stranger_counts_for_nothing(router: MachineRouter) -> None:
    """The gateway refuses before it counts."""
    (proxy,) = probes.proxies(objects(policy(REQUESTS))).values()
    assert sent(proxy, probes.chat("auto", {}), router).counted == ()


def test_router_counts_nothing_that_the_gateway_counts() -> None:
    """Otherwise each replica would allow its share only."""
    compiled = linked(policy(REQUESTS))
    assert all(limit.by_gateway for limit in compiled.limits)


def test_values_of_the_chart_name_redis_and_refuse_without_it() -> None:
    """A limit holds while Redis is gone, too."""
    (values,) = rendering.values(linked(policy(REQUESTS)), "envoy-gateway")
    settings = values.body["config"]["envoyGateway"]["rateLimit"]
    assert settings == {"backend": {"type": "Redis", "redis": {"url": "redis.cache:6379"}}, "failClosed": True}


@pytest.mark.parametrize("target", ["istio", "gie", "llm-d"])
def test_gateway_without_common_counts_is_refused_by_name(target: str) -> None:
    """Each proxy would allow all of the limit."""
    assert codes(policy(REQUESTS), target) == ["VSR337"]


def test_envoy_gateway_alone_counts_no_tokens() -> None:
    """Nothing reads the usage for it."""
    assert sorted(codes(policy(REQUESTS, TOKENS), "envoy-gateway")) == ["VSR337", "VSR338"]


def test_what_a_request_with_several_models_counts_as_is_refused() -> None:
    """The gateway sees the route, not the model of an attempt."""
    rest = REST.replace("model: large}]", "model: large, fallback: [small]}]")
    assert "VSR337" in codes(policy(REQUESTS, rest=rest), "envoy-gateway")
    assert "VSR337" in codes(policy(REQUESTS, rest=rest), "ai-gateway")


def test_more_than_the_service_can_count_is_refused() -> None:
    """Its counts have 32 bits."""
    assert "VSR337" in codes(policy("per: model, tokens: 5000000000, window: 1d"), "ai-gateway")


def test_more_rules_than_the_api_allows_is_refused() -> None:
    """With the number."""
    teams = ", ".join(f"team-{number}" for number in range(129))
    limits = [f"name: {name}, per: team, for: {{team: [{teams}]}}, requests: 9, window: 1m" for name in "ab"]
    assert "VSR337" in codes(policy(*limits), "envoy-gateway")
    assert "VSR337" not in codes(policy(limits[0]), "envoy-gateway")


BROKEN = {
    "another model": "per: team, for: {model: large}, requests: 9, window: 1m, over: {route: small}",
    "a route": "per: route, requests: 9, window: 1m",
    "requests of a route": "per: team, for: {route: hard}, requests: 9, window: 1m",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_only_the_router_knows_cannot_be_counted_by_the_gateway(name: str) -> None:
    """At linking, on every target."""
    with pytest.raises(CompileError) as caught:
        linked(policy(BROKEN[name]))
    assert {item.code for item in caught.value.diagnostics} == {"VSR277"}


def test_limit_of_the_gateway_needs_redis() -> None:
    """The compiler writes none."""
    with pytest.raises(CompileError) as caught:
        linked(policy(REQUESTS).replace('gateway: {redis: "redis.cache:6379"}\n', ""))
    assert [item.code for item in caught.value.diagnostics] == ["VSR277"]


def test_addresses_of_both_families_count_without_identity() -> None:
    """One rule each: the mask of the other one would not fit."""
    found = rules(objects(policy("per: client, requests: 9, window: 1m", identity="")))
    assert [rule["clientSelectors"][0]["sourceCIDR"]["value"] for rule in found] == ["0.0.0.0/0", "::/0"]


def test_clients_without_a_team_share_a_count() -> None:
    """A rule that needs the header would let them pass."""
    found = rules(objects(policy(REQUESTS)))
    assert [item["headers"][-1].get("invert", False) for rule in found for item in rule["clientSelectors"]] == [
        False,
        True,
    ]


def test_verify_accepts_the_objects() -> None:
    """As those of anybody else."""
    bodies = objects(policy(REQUESTS, TOKENS, DOLLARS), "ai-gateway")
    found = verify_support.found("---\n".join(json.dumps(body) + "\n" for body in bodies))
    assert {item.code for item in found} & {"VSR637", "VSR638", "VSR639", "VSR625"} == set()
