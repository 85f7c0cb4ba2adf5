"""Requests without a body: models, stored responses, and preflights of browsers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.request_machine import LLAMA, PROGRAM, headers
from vsr_runtime.decision.guards.finders import patterns
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.program.effects import CorsPolicy, ModelTarget, ProviderCredentials, RequestLimits
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import (
    Action,
    ImmediateResponse,
    LetPass,
    RequestBody,
    SendToModel,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_schemas.apis import TEXT_APIS

PAGE = "https://chat.example.org"
CORS = CorsPolicy(frozenset({PAGE}), ("authorization", "content-type"), ("x-request-id",))


def ask(method: str, path: str, program: Program = PROGRAM, **more: str) -> Action:
    """The action on a request without a body."""
    return advance(MachineConfig(program, 1000), AwaitsHeaders(), headers(method, path, end=True, **more))[1]


def only(*targets: ModelTarget, **more: object) -> Program:
    """The program with these models."""
    return replace(PROGRAM, models={target.name: target for target in targets}, routes=(), **more)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_models_can_be_listed_and_looked_up(method: str) -> None:
    """HEAD as well: the gateway leaves out the body. A name may have slashes, as they are or encoded."""
    assert ask(method, "/v1/models").status == 200
    program = only(ModelTarget("org/Big:8b", "x"))
    for path in ("/v1/models/org/Big:8b", "/v1/models/org%2FBig%3A8b", "/v1/models/auto?x=1"):
        answer = ask(method, path, program)
        assert answer.status == 200
        assert json.loads(answer.body)["object"] == "model"
    assert ask(method, "/v1/models/big", program).code == "model_not_found"


def test_models_have_the_form_of_the_api_that_the_client_speaks() -> None:
    """Anthropic's clients say so with a header."""
    listed = json.loads(ask("GET", "/v1/models", anthropic_version="2023-06-01").body)
    assert listed["data"][0] == {
        "type": "model",
        "id": "auto",
        "display_name": "auto",
        "created_at": "1970-01-01T00:00:00Z",
    }
    assert (listed["first_id"], listed["has_more"]) == ("auto", False)
    assert json.loads(ask("GET", "/v1/models/x", anthropic_version="2023-06-01").body)["type"] == "error"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/responses/resp_1"),
        ("DELETE", "/v1/responses/resp_1"),
        ("POST", "/v1/responses/resp_1/cancel"),
        ("GET", "/v1/responses/resp_1/input_items?limit=2"),
    ],
)
def test_a_stored_response_is_asked_for_where_it_was_made(method: str, path: str) -> None:
    """The client names the model, or it is the only one that stores responses."""
    mark = "&" if "?" in path else "?"
    assert ask(method, f"{path}{mark}model=phi4-mini").model == "phi4-mini"
    without = ModelTarget("phi4-mini", "phi4-mini", limits=RequestLimits(apis=frozenset(TEXT_APIS)))
    assert ask(method, path, only(LLAMA, without)).model == "llama3-8b"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, "model_required")),
        ("?model=auto", (404, "model_not_found")),
        ("?model=gone", (404, "model_not_found")),
        ("?model=phi4-mini&model=llama3-8b", (400, "invalid_request")),
        ("?" + "&".join(f"a{i}=1" for i in range(20)), (400, "invalid_request")),
        ("?x=" + "y" * 3000, (400, "invalid_request")),
    ],
)
def test_a_stored_response_that_cannot_be_located_is_refused_by_code(query: str, expected: tuple[int, str]) -> None:
    """The router keeps no state, so it cannot know which model made a response."""
    answer = ask("GET", f"/v1/responses/resp_1{query}")
    assert isinstance(answer, ImmediateResponse)
    assert (answer.status, answer.code) == expected


def test_a_stored_response_gets_the_guards_and_the_key_of_its_model() -> None:
    """As the response to the request that made it. A body is refused, since nothing would read it."""
    far = ModelTarget("far", "far", credentials=ProviderCredentials(value="Bearer key"))
    guard = Guard("words", "block", (patterns(["secret"]),), on_request=False, on_response=True)
    action = ask("GET", "/v1/responses/resp_1", only(far, guards=(guard,)), authorization="mine")
    assert isinstance(action, SendToModel)
    assert dict(action.set_headers) == {"x-selected-model": "far", "authorization": "Bearer key"}
    assert "accept-encoding" in action.remove_headers
    assert action.response is not None
    assert action.response.guards == (guard,)
    _, answer = advance(MachineConfig(only(far), 1000), AwaitsHeaders(), headers("POST", "/v1/responses/resp_1/cancel"))
    assert (answer.status, answer.code) == (400, "invalid_request")


def preflight(program: Program = PROGRAM, origin: str = PAGE, **more: str) -> Action:
    """A browser's question."""
    more = {"access_control_request_method": "POST"} | more
    return ask("OPTIONS", "/v1/chat/completions", program, content_type=None, origin=origin, **more)  # type: ignore[arg-type] - None removes


def test_a_preflight_passes_undecided_without_cors_in_the_policy() -> None:
    """The gateway's own CORS filter answers it. Nothing else passes, and no preflight with a body."""
    assert isinstance(preflight(), LetPass)
    assert ask("OPTIONS", "/v1/chat/completions").code == "method_not_allowed"
    asked = headers("OPTIONS", "/v1/chat/completions", origin=PAGE, access_control_request_method="POST")
    assert advance(MachineConfig(PROGRAM, 1000), AwaitsHeaders(), asked)[1].code == "method_not_allowed"


def test_a_preflight_is_answered_if_the_policy_has_cors() -> None:
    """204 with what the page may send, or 403 for another page."""
    answer = preflight(replace(PROGRAM, cors=CORS), access_control_request_headers="authorization")
    assert answer.status == 204
    assert dict(answer.headers) == {
        "access-control-allow-origin": PAGE,
        "vary": "origin",
        "access-control-expose-headers": "x-request-id",
        "access-control-allow-methods": "GET, HEAD, POST, DELETE, OPTIONS",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "600",
    }
    other = preflight(replace(PROGRAM, cors=CORS), origin="https://evil.example")
    assert (other.status, other.code) == (403, "origin_not_allowed")
    assert not [name for name, _ in other.headers if name.startswith("access-control")]


def test_any_origin_and_any_header_can_be_allowed() -> None:
    """With credentials the origin is repeated, because browsers accept no star then."""
    anybody = CorsPolicy(frozenset({"*"}))
    found = dict(preflight(replace(PROGRAM, cors=anybody), access_control_request_headers="x-a, x-b").headers)
    assert (found["access-control-allow-origin"], found["access-control-allow-headers"]) == ("*", "x-a, x-b")
    cookies = replace(anybody, credentials=True)
    found = dict(preflight(replace(PROGRAM, cors=cookies)).headers)
    assert (found["access-control-allow-origin"], found["access-control-allow-credentials"]) == (PAGE, "true")


@pytest.mark.parametrize("origin", [PAGE, "https://evil.example"])
def test_responses_and_errors_say_which_page_may_read_them(origin: str, chat) -> None:
    """An error without the header would be a network error for the page."""
    config = MachineConfig(replace(PROGRAM, cors=CORS), 1000)
    state, _ = advance(config, AwaitsHeaders(), headers(origin=origin))
    _, sent = advance(config, state, RequestBody(chat("phi4-mini")))
    _, refused = advance(config, state, RequestBody(chat("gone")))
    _, unknown = advance(config, AwaitsHeaders(), headers("POST", "/x", origin=origin))
    expected = [("access-control-allow-origin", PAGE)] if origin == PAGE else []
    assert [item for item in (sent.response.cors if sent.response else ()) if item[0].endswith("origin")] == expected
    for answer in (refused, unknown):
        assert [item for item in answer.headers if item[0] == "access-control-allow-origin"] == expected
