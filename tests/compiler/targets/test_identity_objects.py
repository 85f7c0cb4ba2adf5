"""What gateways make of the objects for `identity`, by the rules of `support.consumers`, on every target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support import rendering, verify_support
from support.common import linked
from support.consumers import checks, edits, probes
from support.consumers.envoy import INTERN, JWT, KEY, Request, sent
from support.consumers.machine import MachineRouter
from support.control_cases import policy_text
from support.identity_policies import SOURCES, policy
from vsr_compiler import targets
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.targets import profiles, render
from vsr_runtime.settings import Settings, load
from vsr_schemas.identity import HEADERS

Body = dict[str, Any]
CORS = 'gateway: {cors: {allowOrigins: ["https://a.example"]}}\n'
MODELS = ("small", "large", "gpt")
FORGED = {**dict.fromkeys(HEADERS.values(), "research"), "x-vsr-claim-plan": "gold"}
TARGETS = sorted(targets.TARGETS.keys() - {"attach"})
"""`attach` leads to no providers, which these policies have; see `test_attach.py`."""
REFUSES_FORGED = frozenset({"agentgateway"})
"""Gateways that refuse a request with a header of ours. Others remove the header."""
PROFILES = sorted(profiles())


def nothing(gateway: Body) -> list[Body]:
    """The policy has its own authentication."""
    del gateway
    return []


TOKENS = checks.Scheme(nothing, {"authorization": JWT}, "jwt_authn")
KEYS = checks.Scheme(nothing, {"authorization": f"Bearer {KEY}"}, "api_key_auth")


@cache
def objects(source: str, target: str, profile: str) -> list[Body]:
    """The objects of a policy on a target."""
    given = replace(linked(policy(source, more=CORS)), versions=profiles()[profile])
    return [item.body for item in rendering.objects(given, target)]


@pytest.fixture(scope="module")
def routers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MachineRouter]:
    """The router of each policy, with the keys of its clients and of the provider."""
    return {source: MachineRouter(_settings(source, tmp_path_factory.mktemp(source))) for source in SOURCES}


def _settings(source: str, folder: Path) -> Settings:
    for place, key in _client_keys(source):
        path = folder / "clients" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key, encoding="utf-8")
    return _load(policy(source, more=CORS), folder, {"openai": "our-key"})


def _load(text: str, folder: Path, keys: dict[str, str]) -> Settings:
    """What the router of a policy reads, with keys of providers by the name of the endpoint."""
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    compiled = compile_policy(read_policy(folder / "policy.yaml"), lambda _: None).policy
    for name, data in compiled.router.files.items():
        (folder / name).write_bytes(data)
    for endpoint, key in keys.items():
        path = folder / "credentials" / endpoint / "api-key"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key, encoding="utf-8")
    return load(folder / "config.yaml")


def _client_keys(source: str) -> Iterator[tuple[str, str]]:
    if source == "apiKeys":
        yield "client-keys/ada", KEY
        yield "client-keys/bot", "key-of-the-bot-0123456789"


def matrix() -> Iterator[Any]:
    """Every target at every profile."""
    for target in TARGETS:
        for profile in PROFILES:
            yield pytest.param(target, profile, id=f"{target}-{profile}")


@pytest.mark.parametrize(("target", "profile"), list(matrix()))
def test_tokens_are_checked_before_the_router_and_the_router_decides_before_routes(
    target: str, profile: str, routers: dict[str, MachineRouter]
) -> None:
    """Strangers get no answer of a model or of the router; a client of the team reaches all of its models."""
    assert list(checks.authentication(objects("jwt", target, profile), TOKENS, routers["jwt"], MODELS)) == []


@pytest.mark.parametrize("target", ["ai-gateway", "envoy-gateway", "production-stack"])
@pytest.mark.parametrize("profile", PROFILES)
def test_keys_are_checked_before_the_router_on_envoy_gateway(
    target: str, profile: str, routers: dict[str, MachineRouter]
) -> None:
    """By its own filter, which every request meets by the route that it matches on its arrival."""
    assert list(checks.authentication(objects("apiKeys", target, profile), KEYS, routers["apiKeys"], MODELS)) == []


@pytest.mark.parametrize("source", ["apiKeys", "gatewayHeader"])
@pytest.mark.parametrize(("target", "profile"), list(matrix()))
def test_strangers_reach_no_model_if_the_router_authenticates(
    source: str, target: str, profile: str, routers: dict[str, MachineRouter]
) -> None:
    """The router refuses them before it reads a body, whatever they forge."""
    for proxy in probes.proxies(objects(source, target, profile)).values():
        for headers in ({}, FORGED, {**FORGED, "x-front-user": "ada", "x-front-team": "research"}):
            for request in probes.requests(MODELS, headers):
                outcome = sent(proxy, request, routers[source])
                assert (outcome.reached, outcome.status in {401, 403}) == (False, True), (request.path, outcome.by)


@pytest.mark.parametrize(("target", "profile"), list(matrix()))
def test_two_teams_reach_different_models_whatever_they_forge(
    target: str, profile: str, routers: dict[str, MachineRouter]
) -> None:
    """The token decides, and no model of others is reached by its name."""
    forged = {} if target in REFUSES_FORGED else FORGED
    for proxy in probes.proxies(objects("jwt", target, profile)).values():
        for token, model in ((JWT, "gpt"), (INTERN, "small")):
            outcome = sent(proxy, probes.chat("auto", {**forged, "authorization": token}), routers["jwt"])
            assert outcome.model == model, outcome
            if target in REFUSES_FORGED:
                outcome = sent(proxy, probes.chat("auto", {**FORGED, "authorization": token}), routers["jwt"])
                assert (outcome.reached, outcome.status) == (False, 403)
        for model in ("gpt", "large"):
            outcome = sent(proxy, probes.chat(model, {**forged, "authorization": INTERN}), routers["jwt"])
            assert (outcome.reached, outcome.status) == (False, 403)


@pytest.mark.parametrize("source", ["jwt", "apiKeys"])
@pytest.mark.parametrize(("target", "profile"), list(matrix()))
def test_preflights_are_answered_without_credentials(
    source: str, target: str, profile: str, routers: dict[str, MachineRouter]
) -> None:
    """By the router or by the gateway, and nothing else comes through with that method."""
    headers = {"origin": "https://a.example", "access-control-request-method": "POST"}
    for proxy in probes.proxies(objects(source, target, profile)).values():
        outcome = sent(proxy, Request(headers=headers, method="OPTIONS"), routers[source])
        assert outcome.status in {200, 204}
        assert not outcome.reached
        assert sent(proxy, Request("/v1/models", {}, "OPTIONS"), routers[source]).status in {401, 403}


@pytest.mark.parametrize(("target", "profile"), list(matrix()))
def test_without_the_objects_of_identity_the_router_refuses_everybody(
    target: str, profile: str, routers: dict[str, MachineRouter]
) -> None:
    """A gateway that authenticates nobody removes what clients say, so no user is known."""
    kinds = {"RequestAuthentication", "AuthorizationPolicy", "SecurityPolicy"}
    bodies = [_unchecked(body) for body in objects("jwt", target, profile) if body["kind"] not in kinds]
    for proxy in probes.proxies(bodies).values():
        for headers in ({"authorization": JWT}, FORGED):
            for request in probes.requests(MODELS, headers):
                outcome = sent(proxy, request, routers["jwt"])
                refused = 403 if headers is FORGED and target in REFUSES_FORGED else 401
                assert (outcome.reached, outcome.status) == (False, refused), (request.path, outcome.by)


def _unchecked(body: Body) -> Body:
    """The object without the field by which agentgateway checks tokens; there it is no object of its own."""
    if body["kind"] != "AgentgatewayPolicy":
        return body
    traffic = {name: value for name, value in body["spec"].get("traffic", {}).items() if name != "jwtAuthentication"}
    return {**body, "spec": {**body["spec"], **({"traffic": traffic} if traffic else {})}}


@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway", "istio", "gie", "llm-d"])
def test_filter_first_or_no_route_on_arrival_is_seen(target: str, routers: dict[str, MachineRouter]) -> None:
    """The proof above would see a router that is asked before the client is known."""
    found = list(
        checks.authentication(objects("jwt", target, "current"), TOKENS, routers["jwt"], MODELS, edits.filter_first)
    )
    assert any("the router is asked about" in problem for problem in found)


JUDGED = frozenset({"VSR403", "VSR409", "VSR410", "VSR624", "VSR625"})
"""What `verify` says about grants, filters, removed headers, listeners, and policies that do not run."""


def judged(bodies: list[Body]) -> set[str]:
    """Those of these codes that `verify` finds."""
    return {
        item.code for item in verify_support.found("---\n".join(json.dumps(body) + "\n" for body in bodies))
    } & JUDGED


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
def test_verify_finds_nothing_in_the_objects(source: str, target: str) -> None:
    """No filter is misplaced, and every policy runs."""
    assert judged(objects(source, target, "current")) == set()


@pytest.mark.parametrize("source", ["jwt", "apiKeys"])
@pytest.mark.parametrize(
    "edit", [edits.authenticated_on_routes_only, edits.catch_all_with_its_own_policy, edits.no_catch_all]
)
def test_verify_reports_identity_that_is_passed_by(source: str, edit: edits.Edit) -> None:
    """A policy in the place of ours on the route that requests match on their arrival, and its like."""
    assert judged(edit(objects(source, "envoy-gateway", "current"))) == {"VSR625"}


def test_clients_that_envoy_gateway_would_mix_up_are_refused() -> None:
    """It names a client by the key in its Secret; Istio does not."""
    text = policy("apiKeys").replace("{secret: client-keys, key: bot", "{secret: bots, key: ada")
    for target, refused in (("envoy-gateway", True), ("ai-gateway", True), ("istio", False)):
        codes = [item.code for item in render(targets.TARGETS[target], linked(text)).notices]
        assert ("VSR334" in codes) is refused


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("target", TARGETS)
def test_what_identity_needs_of_the_cluster_is_said(source: str, target: str) -> None:
    """Secrets, a URL, or who may send."""
    notices = render(targets.TARGETS[target], linked(policy(source))).notices
    assert [item.code for item in notices if item.code == "VSR335"] == ["VSR335"]


@pytest.mark.parametrize("target", TARGETS)
def test_no_key_is_in_the_output(target: str) -> None:
    """Secrets are referred to, and the router mounts them read-only in its own folder."""
    bodies = objects("apiKeys", target, "current")
    assert [body for body in bodies if body["kind"] == "Secret"] == []
    deployments = {body["metadata"]["name"]: body for body in bodies if body["kind"] == "Deployment"}
    router = deployments["semantic-router"]
    pod = router["spec"]["template"]["spec"]
    (volume,) = (volume for volume in pod["volumes"] if volume["name"] == "clients")
    assert [item["secret"]["name"] for item in volume["projected"]["sources"]] == ["client-keys", "client-keys"]
    (mount,) = (item for item in pod["containers"][0]["volumeMounts"] if item["name"] == "clients")
    assert mount == {"name": "clients", "mountPath": "/etc/vsr/clients", "readOnly": True}


@pytest.mark.parametrize(("more", "listed"), [("", "authorization"), (", allowCredentials: true", "content-type")])
def test_pages_may_send_credentials_whatever_the_policy_lists(more: str, listed: str) -> None:
    """A browser never takes `*` for `authorization`, and with credentials for nothing."""
    cors = CORS.replace('"]}', f'"]{more}}}')
    bodies = [item.body for item in rendering.objects(linked(policy("jwt", more=cors)), "envoy-gateway")]
    (spec,) = (body["spec"] for body in bodies if body["kind"] == "SecurityPolicy")
    assert {"*", "authorization", listed} <= set(spec["cors"]["allowHeaders"])


@pytest.mark.parametrize(
    ("case", "target"),
    [
        ("envoy-gateway-auth-01", "envoy-gateway"),
        ("envoy-gateway-auth-02", "envoy-gateway"),
        ("envoy-gateway-auth-02", "ai-gateway"),
        ("envoy-gateway-auth-04", "envoy-gateway"),
        ("istio-07", "istio"),
        ("istio-07", "llm-d"),
    ],
)
def test_case_in_which_strangers_were_served_is_closed_by_identity(case: str, target: str, tmp_path: Path) -> None:
    """With the policy of the case: 401 or 403 for all without a token; with one, models inside and of providers."""
    text = policy_text(case).replace("key: token", "key: apiKey") + SOURCES["jwt"]
    settings = _load(text, tmp_path, dict.fromkeys(("prov", "outside"), "our-key"))
    bodies = [item.body for item in rendering.objects(linked(text), target)]
    assert list(checks.authentication(bodies, TOKENS, MachineRouter(settings), settings.program.models)) == []


CERTIFIED = policy("gatewayHeader").replace("[10.1.0.0/16]", "clientCertificates")
HTTPS = "{name: https, port: 443, hostnames: [a.example.com], tls: {secret: web}"


@pytest.mark.parametrize(
    ("listeners", "refused"),
    [
        ("", True),
        (f"{HTTPS}}}", True),
        (f"{HTTPS}, clientCertificates: {{secret: web-cacert}}}}", False),
        (f"{HTTPS}, clientCertificates: {{secret: web-cacert}}}}, {{name: http, port: 80, redirect: https}}", False),
        (f"{HTTPS}, clientCertificates: {{secret: web-cacert}}}}, {{name: http, port: 80}}", True),
    ],
)
def test_front_end_with_a_certificate_needs_one_at_every_listener(listeners: str, *, refused: bool) -> None:
    """A redirect leads to no model. Networks need no certificate."""
    text = CERTIFIED + (f"gateway: {{listeners: [{listeners}]}}\n" if listeners else "")
    for target in ("istio", "envoy-gateway"):
        assert ("VSR334" in [item.code for item in rendering.notices(linked(text), target)]) is refused
