"""Requests of known and unknown clients through the state machine."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.request_machine import PROGRAM, drive, headers, rules
from vsr_runtime.decision.identity.client import Client, ClientTest
from vsr_runtime.decision.identity.rules import IdentityRules, digest_of
from vsr_runtime.decision.program.conditions import SignalCondition
from vsr_runtime.decision.program.effects import CachePolicy, CorsPolicy, Effects
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.program.stickiness import RouteStickiness, Stickiness
from vsr_runtime.decision.request.events import ImmediateResponse, RequestBody, SendToModel
from vsr_runtime.decision.signals.client import ClientSignal
from vsr_schemas.headers import CREDENTIALS
from vsr_schemas.identity import HEADERS

RED = (ClientTest("team", frozenset({"red"})),)
SIGNAL = ("authz", "red")
LLAMA, PHI = PROGRAM.models["llama3-8b"], PROGRAM.models["phi4-mini"]
ROUTE = PolicyRoute("red", SignalCondition(SIGNAL), ((PHI, 100),))
IDENTITY = IdentityRules(dict(HEADERS), allow={"phi4-mini": RED})
BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hello"}]}).encode()


def named(model: str) -> bytes:
    """A body that names a model."""
    return BODY.replace(b"auto", model.encode())


def machine(route: PolicyRoute = ROUTE, **more):
    """Rules with clients of teams."""
    more = {"identity": IDENTITY, "signals": {SIGNAL: ClientSignal(RED)}, **more}
    return rules(route, **more)


def ask(body: bytes = BODY, *, config=None, **client: str | None):
    """The action for a request of a client."""
    sent = {HEADERS[name].replace("-", "_"): value for name, value in client.items()}
    return drive(headers(**sent), RequestBody(body), rules=config or machine())[1]


def unknown(path: str = "/v1/chat/completions", method: str = "POST", **more) -> ImmediateResponse:
    """The response to a request of nobody known."""
    _, action = drive(headers(method, path, end=method == "GET", **more), rules=machine())
    assert isinstance(action, ImmediateResponse)
    return action


def test_team_decides_the_route() -> None:
    """Two teams, two models."""
    assert ask(user="ada", team="red").model == "phi4-mini"
    assert ask(user="bob", team="blue").model == "llama3-8b"


def test_nobody_known_gets_no_answer_of_the_router() -> None:
    """No list of models, no 404, no method, no verdict: 401 before the body is read."""
    for path, method in (
        ("/v1/models", "GET"),
        ("/v1/models/auto", "GET"),
        ("/v1/nowhere", "POST"),
        ("/v1/chat/completions", "PUT"),
    ):
        response = unknown(path, method)
        assert (response.status, response.code) == (401, "identity_required")
    assert unknown().status == 401


def test_refusal_has_the_form_of_the_api() -> None:
    """Anthropic's programs read another form than OpenAI's."""
    assert json.loads(unknown().body)["error"]["code"] == "identity_required"
    anthropic = json.loads(unknown("/v1/messages").body)
    assert (anthropic["type"], anthropic["error"]["type"]) == ("error", "authentication_error")


def test_client_may_not_name_a_model_of_others() -> None:
    """Nor can a route lead it there."""
    refused = ask(named("phi4-mini"), user="bob", team="blue")
    assert (refused.status, refused.code) == (403, "model_not_allowed")
    assert ask(named("phi4-mini"), user="ada", team="red").model == "phi4-mini"
    always = machine(replace(ROUTE, condition=PROGRAM.routes[0].condition), signals={})
    open_to_all = replace(always, program=replace(always.program, fallback="math", routes=(), default="phi4-mini"))
    assert ask(config=open_to_all, user="bob").code == "model_not_allowed"


def test_list_of_models_has_those_that_the_client_may_use() -> None:
    """And one model by name, too."""
    for team, names in (("red", ["auto", "MoM", "llama3-8b", "phi4-mini"]), ("blue", ["auto", "MoM", "llama3-8b"])):
        more = {HEADERS["user"].replace("-", "_"): "x", HEADERS["team"].replace("-", "_"): team}
        _, listed = drive(headers("GET", "/v1/models", end=True, **more), rules=machine())
        assert [item["id"] for item in json.loads(listed.body)["data"]] == names
        _, one = drive(headers("GET", "/v1/models/phi4-mini", end=True, **more), rules=machine())
        assert one.status == (200 if team == "red" else 404)


def test_stored_responses_of_a_model_are_for_its_clients() -> None:
    """The query names the model."""
    more = {HEADERS["user"].replace("-", "_"): "bob"}
    event = headers("GET", "/v1/responses/resp_1?model=phi4-mini", end=True, content_type=None, **more)
    assert drive(event, rules=machine())[1].code == "model_not_allowed"


def test_no_model_gets_a_credential_and_keys_become_headers() -> None:
    """Of whichever API the key is."""
    keys = IdentityRules(keys={digest_of("key-of-ada-0123456789"): Client({"user": "ada", "team": "red"})})
    event = headers(x_api_key="key-of-ada-0123456789", cookie="a=b")
    _, action = drive(event, RequestBody(BODY), rules=machine(identity=keys))
    assert isinstance(action, SendToModel)
    assert set(CREDENTIALS) <= set(action.remove_headers)
    assert (HEADERS["user"], "ada") in action.set_headers
    assert (HEADERS["team"], "red") in action.set_headers


def test_headers_of_a_front_end_and_of_claims_end_at_the_router() -> None:
    """No model learns them; those of the four attributes stay for limits."""
    own = IdentityRules({**HEADERS, "plan": "x-vsr-claim-plan"})
    action = ask(config=machine(identity=own), user="ada")
    assert "x-vsr-claim-plan" in action.remove_headers
    assert HEADERS["user"] not in action.remove_headers


def test_preflight_needs_no_identity() -> None:
    """Browsers send no credentials with it."""
    cors = CorsPolicy(frozenset({"https://a.example"}), ("*",), (), credentials=False, max_age=60)
    event = headers("OPTIONS", end=True, origin="https://a.example", access_control_request_method="POST")
    _, action = drive(event, rules=machine(cors=cors))
    assert action.status == 204


@pytest.mark.parametrize("scope", ["user", "team", "tenant"])
def test_cached_response_is_shared_within_its_scope_only(scope: str) -> None:
    """Whatever credential a client sends, and whoever else has the same one."""
    route = replace(ROUTE, effects=Effects(cache=CachePolicy(60, scope=scope)))
    config = machine(route, caches_responses=True, identity=IdentityRules(dict(HEADERS)))

    def key(**client: str):
        return ask(config=config, **{"user": "ada", "team": "red", "tenant": "acme", **client}).cache_key

    assert key() == key()
    assert (key(user="bob") == key()) is (scope != "user")
    assert key(tenant="initech") != key()
    if scope == "tenant":
        return
    both = ClientSignal((ClientTest("team", frozenset({"red", "blue"})),))
    other = replace(config, program=replace(config.program, signals={SIGNAL: both}))
    assert (ask(config=other, user="ada", team="blue", tenant="acme").cache_key == key()) is (scope == "user")


def test_client_without_the_attribute_of_the_scope_shares_nothing() -> None:
    """Its responses are not stored."""
    route = replace(ROUTE, effects=Effects(cache=CachePolicy(60, scope="tenant")))
    config = machine(route, caches_responses=True, identity=IdentityRules(dict(HEADERS)))
    assert ask(config=config, user="ada", team="red").cache_key is None


def test_split_by_team_sends_a_team_to_one_model() -> None:
    """Whatever its members ask, and in whichever conversation."""
    route = replace(ROUTE, condition=SignalCondition(SIGNAL), targets=((LLAMA, 50), (PHI, 50)))
    everyone = {SIGNAL: ClientSignal((ClientTest("user", frozenset({"ada"})),))}
    stickiness = Stickiness(RouteStickiness("none"), key="team")
    config = machine(route, signals=everyone, stickiness=stickiness, identity=IdentityRules(dict(HEADERS)))
    models = set()
    for team in "abcdefgh":
        asked = [BODY.replace(b"hello", text) for text in (b"a", b"b", b"c")]
        chosen = {ask(body, config=config, user="ada", team=team).model for body in asked}
        assert len(chosen) == 1
        models |= chosen
    assert models == {"llama3-8b", "phi4-mini"}
