"""Providers and servers with keys behind the real Envoy: each gets its own key, header, query, and nothing else."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import Running
from vsr_runtime.sandbox import backend as stand_ins
from vsr_schemas.headers import CREDENTIALS

pytestmark = [pytest.mark.envoy, pytest.mark.subprocess]

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: providers}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gitops: {repo: "https://git.example.org/team/routing.git"}
endpoints:
  azure:
    external:
      url: "https://acme.openai.azure.com/openai/deployments/gpt4?api-version=2024-10-21"
      schema: azure-openai
      apiKey: {secret: azure, key: token}
  claude: {external: {url: "https://api.anthropic.com/v1", schema: anthropic, apiKey: {secret: anthropic, key: token}}}
  google:
    external:
      url: "https://generativelanguage.example.com/v1beta/openai"
      apiKey: {secret: google, key: token, header: x-goog-api-key}
  asks:
    external:
      url: "https://asks.example.com/v1?tier=1"
      schema: openai
      apis: [chat]
      apiKey: {secret: asks, key: token, query: key}
  own: {service: {name: vllm, namespace: models, port: 8000, apiKey: {secret: own, key: token}}}
  free: {service: {name: free, namespace: models, port: 8000}}
models:
  gpt: {endpoints: azure}
  claude: {endpoints: claude, providerModel: claude-sonnet-4-5}
  gemini: {endpoints: google}
  asks: {endpoints: asks}
  own: {endpoints: own}
  free: {endpoints: free}
signals: {urgent: {keywords: [urgent]}, chained: {keywords: [chained]}}
routes:
  - name: chained
    when: {signal: chained}
    model: gpt
    fallback: [gemini, asks, own]
    retry: {attempts: 4, on: [5xx]}
  - {name: urgent, when: {signal: urgent}, model: claude}
default: own
"""
HEADERS = {*CREDENTIALS, "x-goog-api-key", "anthropic-version"}
SENT: list[tuple[str, dict[str, str]]] = []
"""The path, and the headers of interest, of every request that a stand-in got."""
FAILING: set[str] = set()
"""The stand-ins that answer 503."""


class Gateway(Running):
    """Sends requests with credentials of a client."""

    def keys(self) -> dict[str, str]:
        """Return the generated keys by endpoint."""
        return {name.partition("/")[0]: key for name, key in self.sandbox._keys.items()}

    def ask(
        self, model: str, path: str = "/v1/chat/completions", text: str = "urgent: hello", **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        """Return the status, and what the stand-in got: its path, and the headers of interest."""
        SENT.clear()
        body = {"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": text}]}
        own = {name: f"client-{name}" for name in sorted(HEADERS - {"anthropic-version"})}
        sent = {"content-type": "application/json"} | own | {key.replace("_", "-"): v for key, v in headers.items()}
        with closing(http.client.HTTPConnection(self.sandbox.url.removeprefix("http://"), timeout=20)) as connection:
            connection.request("POST", path, json.dumps(body), sent)
            status = connection.getresponse().status
        return (status, *(SENT[-1] if SENT else ("", {})))


class Recording(stand_ins.Backend):
    """A stand-in that records what it gets."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        handler: type[BaseHTTPRequestHandler] = self._server.RequestHandlerClass  # type: ignore[assignment]

        class Recorder(handler):  # type: ignore[valid-type,misc]
            def _serve(self) -> None:
                found = {name: value for name in HEADERS if (value := self.headers.get(name)) is not None}
                SENT.append((self.path, found))
                if self.backend.cluster in FAILING:
                    self.rfile.read(int(self.headers.get("content-length") or 0))
                    self.send_error(503)
                    return
                super()._serve()

        self._server.RequestHandlerClass = Recorder


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The sandbox of the policy."""
    folder = tmp_path_factory.mktemp("providers")
    with compiled_sandbox(folder, POLICY, Gateway, backend=Recording) as running:  # type: ignore[arg-type]
        yield running  # type: ignore[misc]


def test_azure_gets_its_key_its_deployment_and_its_version(gateway: Gateway) -> None:
    """A query of the client's is replaced."""
    path = "/openai/deployments/gpt4/chat/completions?api-version=2024-10-21"
    key = {"api-key": gateway.keys()["azure"]}
    assert gateway.ask("gpt") == (200, path, key)
    assert gateway.ask("gpt", "/v1/chat/completions?api-version=1&debug=true") == (200, path, key)


def test_anthropic_gets_its_key_and_a_version_unless_the_client_has_one(gateway: Gateway) -> None:
    """Its API rejects requests without a version."""
    key = {"x-api-key": gateway.keys()["claude"]}
    assert gateway.ask("claude", "/v1/messages") == (200, "/v1/messages", key | {"anthropic-version": "2023-06-01"})
    later = gateway.ask("claude", "/v1/messages", anthropic_version="2026-01-01")
    assert later == (200, "/v1/messages", key | {"anthropic-version": "2026-01-01"})


def test_a_key_travels_in_any_header(gateway: Gateway) -> None:
    """Also one by which no client authenticates."""
    path = "/v1beta/openai/chat/completions"
    assert gateway.ask("gemini") == (200, path, {"x-goog-api-key": gateway.keys()["google"]})


def test_a_key_travels_in_the_query_behind_the_url_s_own(gateway: Gateway) -> None:
    """And in no header."""
    assert gateway.ask("asks") == (200, f"/v1/chat/completions?tier=1&key={gateway.keys()['asks']}", {})


def test_a_server_in_the_cluster_gets_its_key_instead_of_the_client_s(gateway: Gateway) -> None:
    """A client's key for the gateway is nobody else's."""
    assert gateway.ask("own") == (200, "/v1/chat/completions", {"authorization": f"Bearer {gateway.keys()['own']}"})


def test_an_api_that_a_provider_does_not_have_never_reaches_it(gateway: Gateway) -> None:
    """Routed by content or by name: the router answers, and names what the model has."""
    for model, path in (("auto", "/v1/chat/completions"), ("claude", "/v1/chat/completions"), ("asks", "/v1/messages")):
        assert gateway.ask(model, path) == (404, "", {})
    assert gateway.ask("auto", "/v1/messages")[0] == 200


def test_no_key_is_logged(gateway: Gateway) -> None:
    """Not even one in a query."""
    gateway.ask("asks")
    gateway.ask("gpt")
    logged = "\n".join(gateway.lines)
    assert [name for name, key in gateway.keys().items() if key in logged] == []


def test_no_attempt_carries_the_key_of_another(gateway: Gateway) -> None:
    """Four providers, one after the other: each gets its own key, in its own place."""
    keys = gateway.keys()
    FAILING.update({"backend/azure", "backend/google", "backend/asks"})
    try:
        status, _, _ = gateway.ask("auto", text="chained: hello")
    finally:
        FAILING.clear()
    assert status == 200
    assert [
        ("/openai/deployments/gpt4/chat/completions?api-version=2024-10-21", {"api-key": keys["azure"]}),
        ("/v1beta/openai/chat/completions", {"x-goog-api-key": keys["google"]}),
        (f"/v1/chat/completions?tier=1&key={keys['asks']}", {}),
        ("/v1/chat/completions", {"authorization": f"Bearer {keys['own']}"}),
    ] == SENT
