"""The target agentgateway: its published scenarios from short policies, and what holds when parts are missing."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from support import rendering
from support.common import linked
from support.consumers import envoy, facts, probes
from support.consumers.compiled import cases, data_of, objects, router_of, with_keys
from support.consumers.envoy import FORGED, Reply, Request, Routed
from vsr_compiler import ir
from vsr_compiler.targets.agentgateway.router_policy import forbidden
from vsr_schemas.headers import DECIDED, DECIDED_VALUE, SELECTED_MODEL

Body = dict[str, Any]
TARGET = "agentgateway"
EVERYWHERE = [(case, profile) for case, target, profile in cases() if target == TARGET]
HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: scenario}
router: {image: "vsr-runtime:0.1.0"}
endpoints: {openai: {external: {url: "https://api.openai.com/v1", apiKey: {secret: openai, key: apiKey}}}}
models: {nano: {endpoints: openai, providerModel: gpt-5.4-nano}, large: {endpoints: openai, providerModel: gpt-5.5}}
"""
SCENARIOS = {
    "cost": HEAD
    + """\
signals: {hard: {keywords: [linearizability, "formal verification", deadlock, "race condition", "model checking"]}}
routes: [{name: hard, when: {signal: hard}, model: large}]
default: nano
environments: {prod: {target: agentgateway}}
""",
    "tier": HEAD
    + """\
identity:
  jwt: {issuer: "https://id.example", audiences: [llm], jwksUri: "https://id.example/jwks", claims: {tier: tier}}
signals: {paid: {claims: {tier: [pro, enterprise]}}}
routes: [{name: paid, when: {signal: paid}, model: large}]
default: nano
environments: {prod: {target: agentgateway}}
""",
    "cache": HEAD
    + """\
identity:
  jwt: {issuer: "https://id.example", audiences: [llm], jwksUri: "https://id.example/jwks", claims: {team: team}}
signals: {short: {context: {max: 4000}}}
routes: [{name: short, when: {signal: short}, model: nano, cache: {scope: team, ttl: 1h}}]
default: nano
environments: {prod: {target: agentgateway}}
""",
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for every endpoint that wants one."""
    return with_keys(tmp_path_factory.mktemp("credentials"))


def bodies_of(text: str) -> list[Body]:
    """The objects of a policy."""
    return [item.body for item in rendering.objects(linked(text), TARGET)]


def of(bodies: list[Body], kind: str) -> list[Body]:
    """The objects of a kind."""
    return [body for body in bodies if body["kind"] == kind]


def asking(bodies: list[Body]) -> Body:
    """What the policy before routing says."""
    (traffic,) = [
        body["spec"]["traffic"]
        for body in of(bodies, "AgentgatewayPolicy")
        if "extProc" in body["spec"].get("traffic", {})
    ]
    return dict(traffic)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_published_scenario_is_a_short_policy_with_one_router(name: str) -> None:
    """Its example has three deployments of a router and a page of settings each."""
    assert SCENARIOS[name].count("\n") <= 30
    bodies = bodies_of(SCENARIOS[name])
    assert [body["metadata"]["name"] for body in of(bodies, "Deployment")] == ["semantic-router"]
    assert [body["metadata"]["name"] for body in of(bodies, "HTTPRoute")] == ["large", "nano"]
    assert asking(bodies)["phase"] == "PreRouting"
    (backend,) = [body for body in of(bodies, "AgentgatewayBackend") if "auth" in body["spec"].get("policies", {})]
    assert backend["spec"]["policies"]["auth"]["secretRef"] == {"name": "openai", "key": "apiKey"}


def test_the_tier_is_an_attribute_and_the_cache_reads_responses() -> None:
    """The gateway removes the token, so the claim travels as an attribute."""
    assert asking(bodies_of(SCENARIOS["tier"]))["extProc"]["requestAttributes"]["x-vsr-claim-tier"] == 'jwt["tier"]'
    modes = {name: asking(bodies_of(SCENARIOS[name]))["extProc"]["processingOptions"] for name in SCENARIOS}
    assert (modes["cost"]["responseBodyMode"], modes["cost"]["responseHeaderMode"]) == ("None", "Skip")
    assert (modes["cache"]["responseBodyMode"], modes["cache"]["responseHeaderMode"]) == ("FullDuplexStreamed", "Send")


class Down:
    """A router that does not answer."""

    def on_headers(self, request: Request) -> Reply | None:
        """Fail."""
        del request
        raise ConnectionError

    def on_body(self, request: Request) -> Reply | Routed:
        """Fail."""
        del request
        raise ConnectionError


CREDENTIALS = {"authorization": envoy.JWT}


@pytest.mark.parametrize(("case", "profile"), EVERYWHERE)
def test_without_a_router_every_request_is_refused_with_500(case: str, profile: str) -> None:
    """Also those that forge what routes match."""
    bodies = objects(case, TARGET, profile)
    for proxy in probes.proxies(bodies).values():
        for model in data_of(case)["models"]:
            outcome = envoy.sent(proxy, probes.chat(model, CREDENTIALS), Down())
            assert (outcome.status, outcome.reached) == (facts.AGENTGATEWAY_DOWN_STATUS, False)


@pytest.mark.parametrize(("case", "profile"), EVERYWHERE)
def test_a_header_that_chooses_is_refused_before_the_router(case: str, profile: str, keys: Path) -> None:
    """Each of them; nothing of the request reaches router or model."""
    bodies = objects(case, TARGET, profile)
    model = next(iter(data_of(case)["models"]))
    for proxy in probes.proxies(bodies).values():
        for name in (SELECTED_MODEL, DECIDED, "x-gateway-destination-endpoint", "x-authz-user-id"):
            outcome = envoy.sent(proxy, probes.chat(model, {**CREDENTIALS, name: FORGED}), router_of(case, keys))
            assert (outcome.status, outcome.router_ran, outcome.reached) == (403, False, False), name


def without_policy(bodies: list[Body]) -> list[Body]:
    """Somebody has deleted the policy that asks the router."""
    return [body for body in bodies if "extProc" not in body.get("spec", {}).get("traffic", {})]


def without_rules(bodies: list[Body]) -> list[Body]:
    """Nothing refuses headers of clients: as with values that are not UTF-8, which rules do not see."""
    changed = copy.deepcopy(bodies)
    for body in changed:
        traffic = body.get("spec", {}).get("traffic", {})
        if "extProc" in traffic:
            del traffic["authorization"]
    return changed


def with_another_processor(bodies: list[Body]) -> list[Body]:
    """Another processor has taken the place of the router; it lets every request pass."""
    changed = without_rules(bodies)
    for body in changed:
        if "extProc" in body.get("spec", {}).get("traffic", {}):
            body["spec"]["traffic"]["extProc"]["backendRef"]["name"] = "of-others"
        if body["kind"] == "Deployment":
            body["spec"]["template"]["spec"]["containers"][0]["args"] = []
    return changed


class Lenient:
    """A processor of others, which changes nothing."""

    def on_headers(self, request: Request) -> Reply | None:
        """Wait for the body."""

    def on_body(self, request: Request) -> Reply | Routed:
        """Let it pass."""
        del request
        return Routed({})


@pytest.mark.parametrize("edit", [without_policy, with_another_processor])
@pytest.mark.parametrize(("case", "profile"), EVERYWHERE)
def test_a_model_is_closed_without_the_routers_word(case: str, profile: str, edit: Any) -> None:
    """Whatever a client forges: routes demand the mark and their policies the metadata."""
    bodies = edit(objects(case, TARGET, profile))
    for proxy in probes.proxies(bodies).values():
        for model in data_of(case)["models"]:
            forged = {**CREDENTIALS, SELECTED_MODEL: model, DECIDED: DECIDED_VALUE}
            outcome = envoy.sent(proxy, probes.chat(model, forged), Lenient())
            assert not outcome.reached
            assert outcome.status in {403, 404}


@pytest.mark.parametrize(("case", "profile"), EVERYWHERE)
def test_a_forged_header_that_the_rules_miss_chooses_nothing(case: str, profile: str, keys: Path) -> None:
    """The router overwrites it, so the request goes where the name in the body says."""
    bodies = without_rules(objects(case, TARGET, profile))
    names = list(data_of(case)["models"])
    for proxy in probes.proxies(bodies).values():
        for model in names:
            forged = {**CREDENTIALS, SELECTED_MODEL: names[0], DECIDED: DECIDED_VALUE}
            outcome = envoy.sent(proxy, probes.chat(model, forged), router_of(case, keys))
            assert outcome.model in {model, ""}
            assert outcome.model == model or outcome.status in {400, 401, 404}


def test_rules_cover_what_routes_match_and_what_says_who_asks() -> None:
    """And claims of the policy's own."""
    names = forbidden(linked(SCENARIOS["tier"]))
    assert {SELECTED_MODEL, DECIDED, "x-gateway-destination-endpoint", "x-authz-team-id", "x-vsr-claim-tier"} <= {
        *names
    }
    assert "x-forwarded-path" not in names
    assert len(names) == len(set(names)) <= 256


CLOUDS = (
    HEAD.replace(
        "models:",
        """\
models:""",
    )
    .replace(
        'endpoints: {openai: {external: {url: "https://api.openai.com/v1", apiKey: {secret: openai, key: apiKey}}}}',
        """\
endpoints:
  openai: {external: {url: "https://api.openai.com/v1", apiKey: {secret: openai, key: apiKey}}}
  aws:
    external:
      url: "https://bedrock-runtime.eu-west-1.amazonaws.com"
      schema: aws-bedrock
      auth: {aws: {region: eu-west-1}}
  gcp:
    external:
      url: "https://europe-west4-aiplatform.googleapis.com"
      schema: gcp-vertex-ai
      auth: {gcp: {project: acme-llm, region: europe-west4, secret: account}}""",
    )
    .replace("models: {", "models: {nova: {endpoints: aws}, gemini: {endpoints: gcp}, ")
)


def test_clouds_are_providers_of_the_gateways_own() -> None:
    """It translates, signs, and sets host and path; so the route does not."""
    bodies = bodies_of(CLOUDS + "default: nano\n")
    specs = {body["metadata"]["name"]: body["spec"] for body in of(bodies, "AgentgatewayBackend")}
    assert specs["aws"]["ai"] == {"provider": {"bedrock": {"region": "eu-west-1"}}}
    assert specs["aws"]["policies"]["auth"] == {"aws": {}}
    assert specs["gcp"]["ai"] == {"provider": {"vertexai": {"projectId": "acme-llm", "region": "europe-west4"}}}
    assert specs["gcp"]["policies"]["auth"]["gcp"]["secretRef"]["name"] == "account"
    assert specs["gcp"]["policies"]["ai"]["routes"]["/v1/messages"] == "Messages"
    routes = {body["metadata"]["name"]: body["spec"]["rules"][0] for body in of(bodies, "HTTPRoute")}
    assert [item["type"] for item in routes["nova"]["filters"]] == ["RequestHeaderModifier"]
    assert [item["type"] for item in routes["nano"]["filters"]] == ["RequestHeaderModifier", "URLRewrite"]


REFUSED = [
    ('router: {image: "vsr-runtime:0.1.0", onFailure: default-model}', "VSR355"),
    ("router: {engine: semantic-router}", "VSR355"),
]


@pytest.mark.parametrize(("router", "code"), REFUSED)
def test_a_way_past_the_router_is_refused(router: str, code: str) -> None:
    """By name, with what to use instead."""
    text = SCENARIOS["cost"].replace('router: {image: "vsr-runtime:0.1.0"}', router)
    text = text.replace("signals:", "#").replace("routes:", "#")
    notices = [item for item in rendering.notices(linked(text), TARGET) if item.code == code]
    assert notices
    assert all("another target" in item.hint for item in notices)


def test_a_host_that_the_gateway_would_not_call_is_refused() -> None:
    """It builds the host of a cloud from the region."""
    text = CLOUDS.replace("bedrock-runtime.eu-west-1", "bedrock-runtime.us-east-1") + "default: nano\n"
    (notice,) = [item for item in rendering.notices(linked(text), TARGET) if item.code == "VSR321"]
    assert "bedrock-runtime.eu-west-1.amazonaws.com" in notice.message


def test_what_is_weaker_is_said() -> None:
    """Once for every policy, and once more if responses are read."""
    for name, number in (("cost", 1), ("cache", 2)):
        policy: ir.Policy = linked(SCENARIOS[name])
        assert [item.code for item in rendering.notices(policy, TARGET)].count("VSR354") == number


def test_bodies_are_limited_by_the_router_and_not_by_the_gateway() -> None:
    """What the gateway buffers for backends that translate is more than the router lets pass."""
    (policy,) = [body for body in of(bodies_of(SCENARIOS["cost"]), "AgentgatewayPolicy") if "frontend" in body["spec"]]
    assert int(policy["spec"]["frontend"]["http"]["maxBufferSize"]) > linked(SCENARIOS["cost"]).router.max_body
    assert json.dumps(policy["spec"]["targetRefs"]).count("sectionName") == 0
