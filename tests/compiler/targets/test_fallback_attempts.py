"""Attempts on every target, executed on its objects with our router: which models get a request, and as what."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from pathlib import Path

import pytest

from support import rendering
from support.common import linked, reference
from support.consumers import probes
from support.consumers.attempts import Sent, attempts
from support.consumers.compiled import Body, bodies_of, objects, router_of, with_keys
from support.consumers.envoy import sent
from vsr_compiler import targets
from vsr_compiler.deploy.policy_assumptions import rendered_assumptions
from vsr_compiler.diagnostics import Severity
from vsr_compiler.targets import profiles
from vsr_compiler.verify import check_objects

CASE = "fallback"
LARGE, LARGER, LLAMA = "example-large-2026-01", "vendor-b-larger", "llama"
EVERYWHERE = [
    (target, profile)
    for target in sorted(targets.TARGETS)
    for profile in sorted(profiles())
    if bodies_of(CASE, target, profile) is not None
]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for every provider, named after it."""
    folder = with_keys(tmp_path_factory.mktemp("credentials"))
    for name in ("provider", "second"):
        (folder / name / "api-key").write_text(f"key-of-{name}", encoding="utf-8")
    return folder


def asked(target: str, profile: str, keys: Path, text: str, does: dict[str, str], model: str = "auto") -> list[Sent]:
    """What leaves the gateway for a prompt, when models do this."""
    bodies = objects(CASE, target, profile)
    (proxy,) = probes.proxies(bodies).values()
    request = probes.chat(model, {"authorization": "Bearer of-the-client"})
    request = replace(request, body=request.body.replace(b"a question", text.encode()))
    return attempts(bodies, proxy, request, router_of(CASE, keys), does)


def models(sent: list[Sent]) -> list[str]:
    """The names in the bodies."""
    return [one.model for one in sent]


def test_every_target_can_fall_back() -> None:
    """None refuses the policy, except where the routes are those of others, and agentgateway."""
    assert {target for target, _ in EVERYWHERE} == set(targets.TARGETS) - {"agentgateway", "attach"}


SCRIPTS: list[tuple[dict[str, str], list[str]]] = [
    ({}, [LARGE]),
    ({LARGE: "connect"}, [LARGE, LARGER]),
    ({LARGE: "429"}, [LARGE, LARGER]),
    ({LARGE: "500", LARGER: "529"}, [LARGE, LARGER, LLAMA]),
    ({LARGE: "stall"}, [LARGE, LARGER]),
    ({LARGE: "reset", LARGER: "picker"}, [LARGE, LARGER, LLAMA]),
    ({LARGE: "400"}, [LARGE]),
    ({LARGE: "500", LARGER: "500", LLAMA: "500"}, [LARGE, LARGER, LLAMA, LARGE]),
]


@pytest.mark.parametrize(("does", "reached"), SCRIPTS, ids=[str(does) for does, _ in SCRIPTS])
@pytest.mark.parametrize(("target", "profile"), EVERYWHERE)
def test_models_are_asked_in_their_order_by_their_own_names(
    target: str, profile: str, keys: Path, does: dict[str, str], reached: list[str]
) -> None:
    """Four attempts are allowed for three models, so the order begins again."""
    assert models(asked(target, profile, keys, "prove it", does)) == reached


@pytest.mark.parametrize(("target", "profile"), EVERYWHERE)
def test_a_route_moves_on_only_after_the_failures_that_it_names(target: str, profile: str, keys: Path) -> None:
    """`on: [connect]`: a model that may have worked on the request is not replaced."""
    assert models(asked(target, profile, keys, "hello", {LLAMA: "connect"})) == [LLAMA, LARGE]
    for failure in ("500", "429", "reset", "stall"):
        assert models(asked(target, profile, keys, "hello", {LLAMA: failure})) == [LLAMA], failure


@pytest.mark.parametrize("failure", ["connect", "500", "429", "reset"])
@pytest.mark.parametrize(("target", "profile"), EVERYWHERE)
def test_a_request_without_a_policy_is_sent_once(target: str, profile: str, keys: Path, failure: str) -> None:
    """A client that names a model: no gateway's own retries repeat it, Istio's default ones neither."""
    assert models(asked(target, profile, keys, "prove it", {LARGE: failure}, "large")) == [LARGE]


def repeating(bodies: list[Body]) -> list[Body]:
    """The objects without the header that switches a gateway's own retries off."""
    changed = copy.deepcopy(bodies)
    for body in changed:
        for patch in body.get("spec", {}).get("configPatches", []):
            value = patch["patch"]["value"]
            if value.get("name") == "vsr.header_mutation":
                mutations = value["typed_config"]["mutations"]["request_mutations"]
                mutations[:] = [item for item in mutations if "x-envoy-max-retries" not in str(item)]
    return changed


def test_istio_would_send_a_post_request_three_times(keys: Path) -> None:
    """The fault that the header repairs: two retries of every route."""
    bodies = repeating(objects(CASE, "istio", "current"))
    (proxy,) = probes.proxies(bodies).values()
    left = attempts(bodies, proxy, probes.chat("large"), router_of(CASE, keys), {LARGE: "connect"})
    assert models(left) == [LARGE] * 3


@pytest.mark.parametrize(("target", "profile"), EVERYWHERE)
def test_a_guard_of_a_fallback_masks_the_first_attempt(target: str, profile: str, keys: Path) -> None:
    """The model of the route is exempt from the guard, the one that it falls back to is not."""
    bodies = objects(CASE, target, profile)
    (proxy,) = probes.proxies(bodies).values()
    request = probes.chat("auto")
    request = replace(request, body=request.body.replace(b"a question", b"hello, mail ann@example.com"))
    router = router_of(CASE, keys)
    assert b"ann@example.com" not in sent(proxy, request, router).body


PLAIN = [(target, profile) for target, profile in EVERYWHERE if target not in {"ai-gateway", "production-stack"}]


@pytest.mark.parametrize(("target", "profile"), PLAIN)
def test_no_provider_gets_the_key_or_host_of_another(target: str, profile: str, keys: Path) -> None:
    """The router sets the key of each attempt, and the model's own route its host; the cluster's model gets none."""
    left = asked(target, profile, keys, "prove it", {LARGE: "500", LARGER: "500"})
    expected = ["Bearer key-of-provider", "Bearer key-of-second", None]
    assert [one.authorization for one in left] == expected
    assert all("x-vsr-chain" not in (one.headers or {}) for one in left)


REFUSED = [
    ("{service: {name: a}}", "{pods: {selector: {app: a}}, pool: {}}", "is a pool"),
    ("retry: {}", "retry: {on: [timeout], firstByte: 9s}", "do not distinguish a timeout"),
    ("{endpoints: two}", "{endpoints: two, reasoningFamily: qwen3}", "differ in the fields"),
    ("retry: {}", "retry: {budget: 20}", "no retry budget"),
]


@pytest.mark.parametrize("target", ["ai-gateway", "production-stack"])
def test_policies_for_routes_that_the_gateway_makes_are_no_errors(target: str) -> None:
    """AI Gateway makes an HTTPRoute of each AIGatewayRoute. So a policy with fallbacks compiles as every other does."""
    policy = linked(POLICY.replace("ai-gateway", target))
    found = check_objects(rendering.objects(policy, target), rendered_assumptions(policy))
    assert [item.message for item in found if item.level is not Severity.NOTE] == []


@pytest.mark.parametrize(("old", "new", "words"), REFUSED)
def test_ai_gateway_refuses_by_name_what_it_cannot_do(old: str, new: str, words: str) -> None:
    """The route, the reason, and what to change."""
    assert old in POLICY
    policy = linked(POLICY.replace(old, new))
    (finding,) = [item for item in rendering.notices(policy, "ai-gateway") if item.code == "VSR324"]
    assert words in finding.message
    assert "route `default`" in finding.message
    assert finding.hint


POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: small}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gateway: {versions: seed}
endpoints:
  one: {service: {name: a}}
  two: {service: {name: b}}
models:
  one: {endpoints: one}
  two: {endpoints: two}
default: {model: one, fallback: [two], retry: {}}
environments: {dev: {target: ai-gateway}}
"""


def test_a_policy_with_failover_between_two_providers_compiles() -> None:
    """The case of two providers: its own words for attempts, and a model per try (bugs/07)."""
    text = (reference() / "data/cases/bugs/07-no-fallback-retry-ratelimit/policy.yaml").read_text(encoding="utf-8")
    text = re.sub(r"retries: 2, rateLimit: \{[^}]*\}", "retry: {attempts: 2, on: [connect, 5xx, 429]}", text)
    policy = linked(text)
    (route,) = policy.retrying
    assert route.retry is not None
    assert [model.name for model in route.retry.models] == ["spare"]
    for target in PLAIN_TARGETS:
        assert any("vsr-route/u" in str(item.body) for item in rendering.objects(policy, target)), target


PLAIN_TARGETS = sorted({target for target, _ in PLAIN})
