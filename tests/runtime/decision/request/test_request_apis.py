"""Every API of a model server: requests that name their model reach it, in JSON or as a form."""

from __future__ import annotations

import json

import pytest

from support.request_machine import PROGRAM, headers, rules
from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.guards.finders import patterns
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import Continue, ImmediateResponse, RequestBody, SendToModel
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_schemas.apis import API_GROUPS, API_NAMES, API_PATHS

JSON_APIS = sorted(path for path, each in ENDPOINTS.items() if not each.form and not each.stored)
BOUNDARY = "----x7"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def form(*parts: tuple[str, str], file: str = "file") -> bytes:
    """A form with these fields, and a file."""
    fields = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in parts]
    if file:
        head = f'Content-Disposition: form-data; name="{file}"; filename="a.wav"\r\nContent-Type: audio/wav'
        fields.append(f"{head}\r\n\r\nRIFF\0\r\n--")
    return "".join(f"--{BOUNDARY}\r\n{field}\r\n" for field in fields).encode() + f"--{BOUNDARY}--\r\n".encode()


def send(path: str, body: object, config: MachineConfig | None = None) -> SendToModel | ImmediateResponse:
    """The action on a request: a form if the body is bytes, otherwise JSON."""
    config = config or rules()
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = FORM if isinstance(body, bytes) else "application/json"
    state, action = advance(config, AwaitsHeaders(), headers("POST", path, content_type=kind))
    if isinstance(action, Continue):
        state, action = advance(config, state, RequestBody(data))
    assert isinstance(action, SendToModel | ImmediateResponse)
    return action


def blocking(action: str = "block", **more: object) -> MachineConfig:
    """The program with a guard on the word ``secret``."""
    guard = Guard("words", action, (patterns(["secret"]),), **more)
    return MachineConfig(rules(guards=(guard,)).program, 1000)


def test_the_tables_of_apis_agree() -> None:
    """Each path has an endpoint, and a name by which a policy opens it."""
    assert set(ENDPOINTS) == set(API_PATHS) == {path for paths in API_GROUPS.values() for path in paths}
    assert set(API_GROUPS) == set(API_NAMES)


@pytest.mark.parametrize("path", JSON_APIS)
def test_a_request_that_names_its_model_reaches_it(path: str) -> None:
    """The body is unchanged, whatever else it holds."""
    field = ENDPOINTS[path].fields[0]
    content = [{"role": "user", "content": "hi"}] if field == "messages" else "hi"
    action = send(path, {"model": "phi4-mini", field: content, "documents": ["a"], "text_2": "b"})
    assert (action.model, action.body) == ("phi4-mini", None)


@pytest.mark.parametrize("path", JSON_APIS)
def test_a_request_without_model_or_content_is_refused_by_name(path: str) -> None:
    """The message says what is missing."""
    missing = send(path, {"model": "phi4-mini"})
    assert (missing.status, missing.code) == (400, f"missing_{ENDPOINTS[path].fields[0]}")
    assert send(path, {"input": "x"}).code == "missing_model"


@pytest.mark.parametrize("path", [path for path in JSON_APIS if ENDPOINTS[path].view_of is None])
def test_results_that_differ_by_model_are_not_routed_by_content(path: str) -> None:
    """An auto name would mix vectors, scores and tokens of different models."""
    action = send(path, {"model": "auto", ENDPOINTS[path].fields[0]: "x"})
    assert (action.status, action.code) == (400, "model_required")
    assert path in json.loads(action.body)["error"]["message"]


def test_tokens_are_counted_by_the_model_that_would_get_the_messages() -> None:
    """Claude Code asks before it sends; errors have Anthropic's form."""
    body = {"messages": [{"role": "user", "content": "hi"}]}
    path = "/v1/messages/count_tokens?beta=true"
    assert send(path, {"model": "phi4-mini"} | body).model == "phi4-mini"
    assert send(path, {"model": "auto"} | body).model == "llama3-8b"
    error = json.loads(send(path, {"model": "gone"} | body).body)
    assert (error["type"], error["error"]["type"]) == ("error", "not_found_error")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"model": "gone", "messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/messages", {"messages": []}),
        ("/v1/messages", {"model": "auto", "messages": "hi"}),
        ("/v1/messages", []),
        ("/v1/messages/count_tokens", {"model": "phi4-mini"}),
        ("/v1/messages/unknown", {}),
    ],
)
def test_errors_have_the_form_of_the_api(path: str, body: object) -> None:
    """A client of Anthropic's API cannot read OpenAI's errors."""
    document = json.loads(send(path, body).body)
    assert document["type"] == "error"
    assert document["error"].keys() == {"type", "message", "code"}
    assert "error" not in document["error"]


def test_a_form_reaches_the_model_that_its_field_names() -> None:
    """Audio is sent as a form; a file is neither read nor changed."""
    body = form(("model", "phi4-mini"), ("language", "de"))
    action = send("/v1/audio/transcriptions", body)
    assert (action.model, action.body) == ("phi4-mini", None)
    assert send("/v1/audio/transcriptions", form(("model", "auto"))).code == "model_required"
    assert send("/v1/audio/transcriptions", form(("model", "gone"))).code == "model_not_found"
    assert send("/v1/audio/transcriptions", form()).code == "missing_model"
    assert send("/v1/audio/transcriptions", form(("model", "phi4-mini"), file="")).code == "missing_file"


def test_the_name_of_the_model_at_its_server_is_written_into_the_form() -> None:
    """Nothing else of the form changes, and its length is announced."""
    target = PROGRAM.models["phi4-mini"].__class__("phi4-mini", "org/Phi-4")
    config = rules(models={**PROGRAM.models, "phi4-mini": target})
    body = form(("language", "de"), ("model", "phi4-mini"), ("timestamp_granularities[]", "word"))
    action = send("/v1/audio/translations", body, config)
    assert action.body == body.replace(b"\r\n\r\nphi4-mini\r\n", b"\r\n\r\norg/Phi-4\r\n")
    assert dict(action.set_headers)["content-length"] == str(len(action.body))


def test_a_guard_refuses_files_as_it_refuses_images() -> None:
    """Only a policy that lets unreadable content pass opens these APIs."""
    action = send("/v1/audio/transcriptions", form(("model", "phi4-mini")), blocking())
    assert (action.status, action.code) == (415, "unreadable:words")


def test_a_guard_that_lets_files_pass_reads_the_fields_of_a_form() -> None:
    """The prompt of a transcription is text, and so is the name of its file."""
    lenient = blocking(passes_unreadable=True)
    path = "/v1/audio/transcriptions"
    assert send(path, form(("model", "phi4-mini"), ("prompt", "a secret")), lenient).code == "guard:words"
    assert send(path, form(("model", "phi4-mini"), ("prompt", "nothing")), lenient).model == "phi4-mini"
    named = form(("model", "phi4-mini")).replace(b"a.wav", b"secret.wav")
    assert send(path, named, lenient).code == "guard:words"


def test_masks_change_the_fields_of_a_form_and_never_its_files() -> None:
    """A finding in the name of a file cannot be masked, so the request is refused."""
    masking = blocking("mask", passes_unreadable=True)
    body = form(("model", "phi4-mini"), ("prompt", "a secret word"), ("prompts[]", "x"), ("prompts[]", "secret"))
    action = send("/v1/audio/transcriptions", body, masking)
    assert b"secret" not in action.body
    assert b"\r\n\r\nx\r\n" in action.body
    assert action.body.endswith(body[-60:])
    named = form(("model", "phi4-mini")).replace(b"a.wav", b"secret.wav")
    assert send("/v1/audio/transcriptions", named, masking).status == 415


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/detokenize", {"tokens": [1, 2]}),
        ("/v1/score", {"text_1": [[1, 2]], "text_2": "x"}),
        ("/v1/rerank", {"query": "x", "documents": [[1]]}),
    ],
)
def test_what_a_guard_cannot_read_is_refused_in_every_api(path: str, body: dict[str, object]) -> None:
    """Token ids have a text that the guard does not see."""
    assert send(path, {"model": "phi4-mini"} | body, blocking()).code == "unreadable:words"
    assert send(path, {"model": "phi4-mini"} | body).model == "phi4-mini"


def test_guards_read_the_texts_of_every_api() -> None:
    """The walk over a document knows no API."""
    for path, body in (
        ("/v1/rerank", {"query": "x", "documents": ["a", "the secret"]}),
        ("/v1/score", {"text_1": "x", "text_2": ["secret"]}),
        ("/tokenize", {"prompt": "secret"}),
        ("/v1/audio/speech", {"input": "secret"}),
        ("/v1/images/generations", {"prompt": "secret"}),
        ("/v1/messages/count_tokens", {"messages": [{"role": "user", "content": "secret"}]}),
        ("/v1/responses", {"prompt": {"id": "p", "variables": {"x": "secret"}}}),
    ):
        action = send(path, {"model": "phi4-mini"} | body, blocking(passes_unreadable=True))
        assert action.code == "guard:words", path


def test_a_responses_request_may_have_a_stored_prompt_instead_of_input() -> None:
    """With a name it goes to that model; without one its variables are what is routed."""
    body = {"prompt": {"id": "pmpt_1", "variables": {"city": "Rome"}}}
    assert send("/v1/responses", {"model": "phi4-mini"} | body).model == "phi4-mini"
    assert send("/v1/responses", {"model": "auto"} | body).model == "llama3-8b"
    assert Api.RESPONSES.generates
