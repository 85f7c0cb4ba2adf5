from __future__ import annotations

import http.client
import json

import pytest

from vsr_runtime.sandbox.backend import Backend, Provider


@pytest.fixture
def backend():
    """A stand-in for a server with two names."""
    started = Backend("phi", ["phi4-mini", "lora"])
    yield started
    started.stop()
    assert not started.alive


def post(backend, document, path="/v1/chat/completions", *, chunked=False, headers=None):
    """Send a document; the response and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", backend.port, timeout=10)
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    try:
        connection.request("POST", path, iter([data[:5], data[5:]]) if chunked else data, headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("model", ["phi4-mini", "lora"])
def test_answers_with_the_model_that_it_serves(backend, model, chunked):
    """A completion names the model and the cluster, however the body was sent."""
    response, data = post(backend, {"model": model}, chunked=chunked)
    document = json.loads(data)
    assert (response.status, document["model"], document["object"]) == (200, model, "chat.completion")
    assert document["choices"][0]["message"]["role"] == "assistant"
    assert response.headers["x-backend"] == "phi"


def test_older_api_answers_with_text(backend):
    """The completions API has its own shape."""
    _, data = post(backend, {"model": "lora"}, "/v1/completions?x=1")
    document = json.loads(data)
    assert document["object"] == "text_completion"
    assert "lora" in document["choices"][0]["text"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_streams_server_sent_events(backend, path):
    """With stream: true the answer comes in events that end in [DONE]."""
    response, data = post(backend, {"model": "phi4-mini", "stream": True}, path)
    assert response.headers["content-type"] == "text/event-stream"
    *events, last, rest = data.decode().split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    assert {json.loads(event.removeprefix("data: "))["model"] for event in events} == {"phi4-mini"}


@pytest.mark.parametrize(
    ("document", "path", "status", "code"),
    [
        ({"model": "llama3-8b"}, "/v1/chat/completions", 404, "model_not_found"),
        ({"model": "auto"}, "/v1/chat/completions", 404, "model_not_found"),
        ({}, "/v1/chat/completions", 404, "model_not_found"),
        ({"model": "phi4-mini"}, "/v1/other", 404, "not_found"),
        (b"nonsense", "/v1/chat/completions", 400, "not_found"),
    ],
)
def test_refuses_what_it_does_not_serve(backend, document, path, status, code):
    """A model of another backend is not found here, so that a wrong route shows."""
    response, data = post(backend, document, path)
    assert (response.status, json.loads(data)["error"]["code"]) == (status, code)
    assert response.headers["x-backend"] == "phi"


@pytest.mark.parametrize(
    ("wanted", "headers", "status"),
    [
        ("Bearer ours", {"Authorization": "Bearer ours"}, 200),
        ("Bearer ours", {"Authorization": "Bearer mine"}, 401),
        ("Bearer ours", {}, 401),
        ("Bearer ours", {"Authorization": "Bearer ours", "Cookie": "session=1"}, 401),
        (None, {}, 200),
        (None, {"Authorization": "Bearer mine"}, 401),
        (None, {"X-Api-Key": "mine"}, 401),
    ],
)
def test_a_provider_asks_for_its_key_and_for_no_other(wanted, headers, status):
    """What a client says of itself shows where it must not be seen."""
    provider = Backend("far", ["gpt"], Provider("/openai/v1", wanted))
    try:
        response, _ = post(provider, {"model": "gpt"}, "/openai/v1/chat/completions", headers=headers)
        assert response.status == status
        assert post(provider, {"model": "gpt"}, headers=headers)[0].status == 404
    finally:
        provider.stop()
    assert "ours" not in repr(provider.provider)
