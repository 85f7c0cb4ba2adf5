"""Limits of use through the real Envoy: refused with 429, or sent to the cheaper model."""

from __future__ import annotations

import json

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running
from support.scripted import Scripted
from vsr_schemas.sandbox import ClientSettings

pytestmark = REAL_ENVOY

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: limited}
router: {image: "vsr-runtime:0.1.0"}
identity:
  apiKeys:
    - {secret: keys, key: ada, user: ada, team: research}
    - {secret: keys, key: bot, user: bot, team: interns}
    - {secret: keys, key: eve, user: eve, team: guests}
endpoints: {small: {service: "small:8000"}, big: {service: "big:8000"}}
models: {small: {endpoints: small}, big: {endpoints: big, price: {prompt: 1000, completion: 1000}}}
default: big
limits:
  - {name: interns, per: client, for: {team: interns}, requests: 2, window: 30d}
  - {name: tokens, per: team, for: {team: guests}, tokens: 100, window: 30d}
  - {name: budget, per: team, for: {team: research, model: big}, dollars: 1, window: 30d, over: {route: small}}
"""


@pytest.fixture(scope="module")
def stand(tmp_path_factory):
    """A gateway with a limit for each of three teams."""
    with compiled_sandbox(tmp_path_factory.mktemp("limited"), POLICY) as running:
        yield running


def ask(stand: Running, user: str, team: str, path: str = "/v1/chat/completions", **more: object):
    """One request of a client: the model that got it or None, status, headers and body."""
    headers = stand.sandbox.clients.headers(ClientSettings(attributes={"user": user, "team": team}, roles=[]))
    before = len(Scripted.requests)
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5} | more
    named = {name.replace("-", "_"): value for name, value in headers.items()}
    status, received, data = stand.send(json.dumps(body), path=path, x_authz_team_id="forged", **named)
    got = Scripted.requests[before:]
    return (json.loads(got[-1][1])["model"] if got else None), status, received, data


def used(prompt: int, completion: int) -> None:
    """The next answers say that they used so much."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "done"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    Scripted.document({"id": "x", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage})


def test_request_above_the_limit_gets_429_in_the_form_of_its_api(stand: Running) -> None:
    """With the time after which it may come again, and others go on."""
    used(1, 1)
    assert [ask(stand, "bot", "interns")[1] for _ in range(2)] == [200, 200]
    model, status, headers, data = ask(stand, "bot", "interns")
    assert (model, status) == (None, 429)
    assert 0 < int(headers["retry-after"]) <= 30 * 86_400
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("2", "0")
    assert json.loads(data)["error"]["code"] == "rate_limit_exceeded"
    _, status, _, data = ask(stand, "bot", "interns", "/v1/messages")
    assert status == 429
    assert json.loads(data) | {"error": json.loads(data)["error"]["type"]} == {
        "type": "error",
        "error": "rate_limit_error",
    }
    assert ask(stand, "ada", "research")[1] == 200


def test_tokens_of_documents_and_streams_count(stand: Running) -> None:
    """A stream that says nothing counts by its events."""
    used(20, 40)
    assert ask(stand, "eve", "guests")[1] == 200
    Scripted.streams(*["word "] * 60)
    _, status, _, data = ask(stand, "eve", "guests", stream=True)
    assert status == 200
    assert data.count(b"data: ") == 63
    assert ask(stand, "eve", "guests")[1] == 429


def test_request_above_a_budget_gets_the_cheaper_model(stand: Running) -> None:
    """And the router never refuses it."""
    used(600, 600)
    assert ask(stand, "ada", "research")[0] == "big"
    assert [ask(stand, "ada", "research")[:2] for _ in range(3)] == [("small", 200)] * 3
    assert ask(stand, "ada", "research", model="big")[0] == "small"
