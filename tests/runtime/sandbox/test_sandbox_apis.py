"""Every API through the real Envoy: requests reach the model that they name, and errors have the API's form."""

from __future__ import annotations

import json

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running
from vsr_runtime.sandbox.backend import Backend

pytestmark = REAL_ENVOY

PAGE = "https://chat.example.org"
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: apis}
router: {image: "vsr-runtime:0.1.0"}
gitops: {repo: "https://git.example.org/x/y.git"}
gateway: {cors: {allowOrigins: ["https://chat.example.org"], allowHeaders: [authorization, content-type]}}
endpoints: {small: {service: "small.models:8000"}, far: {external: {url: "https://api.example.com/openai/v1"}}}
models: {small-model: {endpoints: small}, gpt: {endpoints: far, providerModel: gpt-9}}
signals: {law: {keywords: [contract]}}
routes: [{name: law, when: {signal: law}, model: gpt}]
default: small-model
"""
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%s\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
    b"RIFF\x00\r\n--b--\r\n"
)


@pytest.fixture(scope="module")
def stand(tmp_path_factory):
    """A sandbox with a model in the cluster and one of a provider."""
    with compiled_sandbox(tmp_path_factory.mktemp("apis"), POLICY, backend=Backend) as running:
        yield running


def post(stand: Running, path: str, **body: object):
    """The backend and the status of a request, and its document."""
    status, headers, data = stand.send(json.dumps(body), path=path)
    return headers.get("x-backend"), status, json.loads(data)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": ["hi"]}]}),
        ("/v1/completions", {"prompt": "hi"}),
        ("/v1/responses", {"input": "hi"}),
        ("/v1/responses", {"prompt": {"id": "pmpt_1"}}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}),
        ("/v1/messages/count_tokens?beta=true", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/embeddings", {"input": ["a", "b"]}),
        ("/v1/rerank", {"query": "q", "documents": ["a"]}),
        ("/v2/rerank", {"query": "q", "documents": ["a"]}),
        ("/rerank", {"query": "q", "documents": ["a"]}),
        ("/v1/score", {"text_1": "q", "text_2": ["a"]}),
        ("/score", {"text_1": "q", "text_2": "a"}),
        ("/classify", {"input": "a"}),
        ("/pooling", {"input": "a"}),
        ("/tokenize", {"prompt": "a b"}),
        ("/detokenize", {"tokens": [1]}),
    ],
)
def test_a_model_in_the_cluster_serves_the_apis_of_vllm(stand: Running, path: str, body: dict[str, object]) -> None:
    """Before, most of these paths were 404 at the router, and the newer ones at the stand-in."""
    backend, status, document = post(stand, path, model="small-model", **body)
    assert (backend, status, document["model"]) == ("backend/small", 200, "small-model")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/moderations", {"input": "a"}),
        ("/v1/images/generations", {"prompt": "a cat"}),
        ("/v1/responses/input_tokens", {"input": "hi"}),
    ],
)
def test_a_provider_gets_its_own_name_and_path(stand: Running, path: str, body: dict[str, object]) -> None:
    """The name is written into the body, and the path of its API before the rest of the path."""
    backend, status, document = post(stand, path, model="gpt", **body)
    assert (backend, status, document["model"]) == ("backend/far", 200, "gpt-9")


def test_a_provider_has_no_paths_beside_its_api(stand: Running) -> None:
    """Nothing would match `/tokenize` below `/openai/v1`, so the router says so."""
    _, status, document = post(stand, "/tokenize", model="gpt", prompt="a")
    assert (status, document["error"]["code"]) == (404, "unsupported_path")


def test_speech_is_audio_and_transcriptions_are_forms(stand: Running) -> None:
    """Bytes pass unchanged in both directions; the name of the model at its provider is written into the form."""
    status, headers, data = stand.send(json.dumps({"model": "gpt", "input": "hi"}), path="/v1/audio/speech")
    assert (status, headers["content-type"], data[:4]) == (200, "audio/wav", b"RIFF")
    kind = "multipart/form-data; boundary=b"
    for name, served in ((b"small-model", "small-model"), (b"gpt", "gpt-9")):
        status, _, data = stand.send(FORM % name, path="/v1/audio/transcriptions", content_type=kind)
        assert (status, json.loads(data)["model"]) == (200, served)


def test_a_stored_response_is_found_by_the_name_of_its_model(stand: Running) -> None:
    """The gateway sends no body for these requests, so the decision is in the answer to the headers."""
    for method, path in (("GET", "/v1/responses/resp_1"), ("DELETE", "/v1/responses/resp_1")):
        status, headers, _ = stand.send(None, method, f"{path}?model=gpt", content_type=None)
        assert (status, headers["x-backend"]) == (200, "backend/far")
        assert stand.code(None, method, path, content_type=None) == (400, "model_required")
    status, headers, _ = stand.send(None, "GET", "/v1/responses/resp_1?model=small-model", content_type=None)
    assert (status, headers["x-backend"]) == (200, "backend/small")


def test_an_auto_name_is_counted_by_the_model_that_would_get_the_messages(stand: Running) -> None:
    """By default, or by the route that the messages would take."""
    for content, backend in (("hi", "backend/small"), ("a contract", "backend/far")):
        messages = [{"role": "user", "content": content}]
        found = post(stand, "/v1/messages/count_tokens", model="auto", messages=messages)
        assert found[:2] == (backend, 200)
        assert found[2]["input_tokens"] == 1


def test_models_are_listed_and_looked_up(stand: Running) -> None:
    """With GET and HEAD."""
    assert json.loads(stand.send(None, "GET", "/v1/models/small-model")[2])["id"] == "small-model"
    assert stand.send(None, "HEAD", "/v1/models")[0::2] == (200, b"")
    assert stand.code(None, "GET", "/v1/models/none") == (404, "model_not_found")


def test_streams_have_the_form_of_their_api(stand: Running) -> None:
    """The stand-ins stream as model servers do."""
    for path, mark in (("/v1/messages", b"event: message_stop"), ("/v1/responses", b"event: response.completed")):
        body = {"model": "small-model", "stream": True, "messages": [{"role": "user", "content": "x"}], "input": "x"}
        status, headers, data = stand.send(json.dumps(body), path=path)
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        assert mark in data
        assert b'"small-model"' in data


def test_errors_have_the_form_of_the_api_that_was_called(stand: Running) -> None:
    """Anthropic's for messages, OpenAI's for everything else; unknown paths say what is served."""
    _, status, document = post(stand, "/v1/messages", model="gone", messages=[])
    assert (status, document["type"]) == (400, "error") or (status, document["type"]) == (404, "error")
    _, status, document = post(stand, "/v1/rerank", model="gone", query="x")
    assert (status, document["error"]["type"]) == (404, "invalid_request_error")
    _, status, document = post(stand, "/v1/unknown", model="small-model")
    assert status == 404
    assert "/v1/rerank" in document["error"]["message"]


def test_a_preflight_is_answered_from_the_policy(stand: Running) -> None:
    """And every response to the page has the header without which the browser hides it."""
    asked = {"origin": PAGE, "access_control_request_method": "POST"}
    status, headers, data = stand.send(None, "OPTIONS", **asked)
    assert (status, data) == (204, b"")
    assert headers["access-control-allow-origin"] == PAGE
    assert headers["access-control-allow-headers"] == "authorization, content-type"
    assert stand.code(None, "OPTIONS", **asked | {"origin": "https://evil.example"}) == (403, "origin_not_allowed")
    chat = json.dumps({"model": "small-model", "messages": [{"role": "user", "content": "hi"}]})
    for path in ("/v1/chat/completions", "/v1/unknown"):
        assert stand.send(chat, path=path, origin=PAGE)[1]["access-control-allow-origin"] == PAGE
        assert "access-control-allow-origin" not in stand.send(chat, path=path, origin="https://evil.example")[1]
