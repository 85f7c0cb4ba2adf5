"""A client's headers that other components obey, through the real Envoy and the real server to stand-ins of models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running
from support.scripted import Scripted
from vsr_schemas.headers import PRIVATE, SELECTED_MODEL, STRIPPED, STRIPPED_PREFIXES

pytestmark = REAL_ENVOY

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: forged}
router: {image: "r:1"}
endpoints:
  here: {service: here}
  there: {service: there}
  outside: {external: {url: "https://api.example.com/v1"}}
  ours: {external: {url: "https://models.example.org/v1", clientHeaders: keep}}
models:
  cheap: {endpoints: here}
  costly: {endpoints: there}
  gpt: {endpoints: outside}
  own: {endpoints: ours}
signals: {urgent: {keywords: [urgent]}}
routes: [{name: urgent, when: {signal: urgent}, model: costly}]
default: cheap
"""
LLM_D = ("x-llm-d-prefiller-host-port", "x-llm-d-encoder-hosts-ports", "x-llm-d-kv-cache-source-host-port")
"""Names under which llm-d might address pods one day. Only a prefix removes them."""
FORGED = (*STRIPPED, *LLM_D, *(f"{prefix}of-a-later-release" for prefix in STRIPPED_PREFIXES))
MARK = "costly"
"""The value of every forged header: a model's name for those that route."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The sandbox."""
    folder: Path = tmp_path_factory.mktemp("forged")
    with compiled_sandbox(folder, POLICY) as stand:
        Scripted.says("done")
        yield stand


def received(gateway: Running, body: bytes, **headers: str) -> dict[str, str]:
    """The headers that the model's server gets."""
    status, _, data = gateway.send(body, **headers)
    assert status == 200, data
    return {name.lower(): value for name, value in Scripted.requests[-1][0].items()}


def test_no_forged_header_reaches_a_model_and_none_has_an_effect(gateway: Running, chat) -> None:
    """The router chooses, whatever a client says to pickers, sidecars, gateways and servers."""
    # Envoy accepts up to 100 headers.
    for part in (FORGED[:50], FORGED[50:]):
        got = received(gateway, chat("cheap", "hello"), **{name.replace("-", "_"): MARK for name in part})
        assert [name for name in part if got.get(name) == MARK] == []
        assert got[SELECTED_MODEL] == "cheap"
        assert b'"cheap"' in Scripted.requests[-1][1]


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_header_alone_decides_nothing(gateway: Running, chat, name: str) -> None:
    """One by one, with a value that names another model."""
    got = received(gateway, chat("auto", "hello"), **{name.replace("-", "_"): MARK})
    assert got.get(name) != MARK
    assert got[SELECTED_MODEL] == "cheap"


def test_timeouts_and_retries_of_a_client_have_no_effect(gateway: Running, chat) -> None:
    """A timeout of one millisecond would end the request, and a client's count of attempts is not passed on."""
    got = received(gateway, chat("cheap", "hello"), x_envoy_upstream_rq_timeout_ms="1", x_envoy_max_retries="9")
    assert got["x-envoy-expected-rq-timeout-ms"] != "1"


def test_what_clients_may_send_is_passed_on(gateway: Running, chat) -> None:
    """Traces, sessions and headers of the application."""
    sent = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01", "x-session-id": "s", "x-tenant": "t"}
    got = received(gateway, chat("cheap", "hello"), **{name.replace("-", "_"): text for name, text in sent.items()})
    assert {name: got.get(name) for name in sent} == sent


def test_a_provider_gets_no_header_about_the_client_and_the_decision(gateway: Running, chat) -> None:
    """Except for a provider that the policy lets have them."""
    sent = {"x_forwarded_for": "203.0.113.7", "x_vsr_debug": "true", "x_request_id": "one"}
    got = received(gateway, chat("gpt", "hello"), **sent)
    assert got["host"] == "api.example.com"
    assert [name for name in PRIVATE if name in got] == []
    got = received(gateway, chat("own", "hello"), **sent)
    assert got["host"] == "models.example.org"
    assert got["x-forwarded-for"].startswith("203.0.113.7")
    assert got[SELECTED_MODEL] == "own"
