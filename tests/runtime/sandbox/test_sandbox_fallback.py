"""End to end: what clients get when a model fails, and what each model receives, through the real Envoy."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.compiled_sandbox import compiled_sandbox
from support.gateway_client import REAL_ENVOY, Running, heard
from support.unreliable import Unreliable
from vsr_compiler.targets.common.extproc import header_mark

pytestmark = REAL_ENVOY
FIRST, SECOND, THIRD = "backend/first", "backend/second", "backend/third"
POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: failover}
router: {image: "registry.example/vsr-runtime:0.1.0", deadline: 10s}
endpoints:
  first: {external: {url: "https://a.example.com/v1", apiKey: {secret: a, key: token}}}
  second: {external: {url: "https://b.example.com/api/v1", apiKey: {secret: b, key: token}}}
  third: {service: {name: c}}
  dead: {service: {name: d}}
models:
  main: {endpoints: first, providerModel: vendor-a/main-1, reasoningFamily: qwen3}
  spare: {endpoints: second, providerModel: vendor-b-spare, reasoningFamily: gpt-oss}
  local: {endpoints: third, context: 2000}
  gone: {endpoints: dead}
signals:
  urgent: {keywords: [urgent]}
  lost: {keywords: [lost]}
  careful: {keywords: [careful]}
  slow: {keywords: [slow]}
  again: {keywords: [again]}
  tight: {keywords: [tight]}
  answer: {keywords: [answer]}
guards:
  addresses: {types: [EMAIL_ADDRESS], action: mask, except: {models: [main]}}
  secret: {patterns: [classified], except: {models: [main, spare]}}
routes:
  - {name: urgent, when: {signal: urgent}, model: main, fallback: [spare, local]}
  - {name: careful, when: {signal: careful}, model: main, fallback: [spare], reasoning: true, systemPrompt: Be brief.}
  - {name: slow, when: {signal: slow}, model: main, fallback: [spare], retry: {on: [timeout], firstByte: 400ms}}
  - {name: again, when: {signal: again}, model: main, retry: {attempts: 3, on: [reset, 5xx]}}
  - name: tight
    when: {signal: tight}
    model: main
    fallback: [spare]
    retry: {budget: 0, on: [timeout], firstByte: 2s}
  - {name: lost, when: {signal: lost}, model: gone, fallback: [local], retry: {on: [connect]}}
  - {name: answer, when: {signal: answer}, model: local}
default: {model: spare, fallback: [local]}
"""


def with_retries(bootstrap: dict[str, Any]) -> None:
    """Give every model's route the retries that Istio gives it, and the first listener the filter that it has there."""
    retries = {"num_retries": 2, "retry_on": "connect-failure,refused-stream,reset,5xx"}
    for listener in bootstrap["static_resources"]["listeners"]:
        manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
        for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
            route["route"].setdefault("retry_policy", retries)
        if listener["name"] == "http":
            manager["http_filters"].insert(0, header_mark((), retries=True))


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Running]:
    """One sandbox for all tests; each says how its backends behave."""
    Unreliable.behaviours["backend/dead"] = "refused"
    with compiled_sandbox(
        tmp_path_factory.mktemp("fallback"), POLICY, backend=Unreliable, edit=with_retries
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean() -> None:
    Unreliable.behaviours.clear()
    Unreliable.requests.clear()


def ask(running: Running, text: str, /, model: str = "auto", headers=(), **more):
    """Ask: status, headers, body."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **more})
    return running.send(body, authorization="Bearer client", **dict(headers))


def test_a_request_whose_model_answers_is_sent_once_with_its_key_host_and_name(running):
    """No other model hears of it, and nothing of the mechanism leaves the proxy."""
    status, headers, body = ask(running, "urgent")
    (cluster, path, sent, data), *others = Unreliable.requests
    assert status == 200
    assert json.loads(body)["backend"] == cluster == FIRST
    assert not others
    assert headers["x-vsr-answered-by"] == "main"
    assert "x-vsr-outcome" not in headers
    assert path == "/v1/chat/completions"
    assert sent["host"] == "a.example.com"
    assert sent["authorization"].startswith("Bearer stand-in-")
    assert json.loads(data)["model"] == "vendor-a/main-1"
    assert not {"x-vsr-chain", "x-envoy-max-retries", "x-envoy-retry-on", "x-selected-model"} & sent.keys()


@pytest.mark.parametrize("failure", [429, 500, 503, 529])
def test_the_next_model_answers_with_its_own_key_host_path_and_name(running, failure):
    """Each provider gets its own key and never the client's or the other's."""
    Unreliable.behaviours[FIRST] = failure
    status, headers, _ = ask(running, "urgent")
    assert (status, headers["x-vsr-answered-by"]) == (200, "spare")
    assert Unreliable.reached() == [FIRST, SECOND]
    _, path, sent, data = Unreliable.requests[-1]
    assert (path, sent["host"], json.loads(data)["model"]) == (
        "/api/v1/chat/completions",
        "b.example.com",
        "vendor-b-spare",
    )
    keys = {sent["authorization"] for _, _, sent, _ in Unreliable.requests}
    assert len(keys) == len(Unreliable.requests)
    assert "Bearer client" not in keys


def test_a_model_in_the_cluster_gets_no_providers_key(running):
    """The client's own header goes nowhere, since one of the models is a provider."""
    Unreliable.behaviours |= {FIRST: 500, SECOND: 429}
    status, headers, body = ask(running, "urgent")
    assert (status, headers["x-vsr-answered-by"], json.loads(body)["model"]) == (200, "local", "local")
    assert Unreliable.reached() == [FIRST, SECOND, THIRD]
    assert "authorization" not in Unreliable.requests[-1][2]
    assert "x-vsr-chain" not in Unreliable.requests[-1][2]


def test_the_last_error_is_the_clients_when_all_models_fail(running):
    """Status, headers and body are those of the last model."""
    Unreliable.behaviours |= {FIRST: 500, SECOND: 503, THIRD: 429}
    status, headers, body = ask(running, "urgent")
    assert (status, headers["retry-after"], json.loads(body)["backend"]) == (429, "7", THIRD)
    assert headers["x-vsr-answered-by"] == "local"
    assert Unreliable.reached() == [FIRST, SECOND, THIRD]


def test_a_model_without_a_server_is_replaced_at_once(running):
    """Nothing has read the request."""
    status, headers, _ = ask(running, "lost")
    assert (status, headers["x-vsr-answered-by"]) == (200, "local")
    assert Unreliable.reached() == [THIRD]


@pytest.mark.parametrize("behaviour", [500, "reset"])
def test_a_gateways_own_retries_repeat_no_request(running, behaviour):
    """Every route has Istio's, and the filter before the router's switches them off."""
    Unreliable.behaviours[THIRD] = behaviour
    assert ask(running, "hello", "local")[0] in {500, 503}
    assert Unreliable.reached() == [THIRD]


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_by_a_model_is_final(running, status):
    """Another model would refuse it, too, or hide what is wrong."""
    Unreliable.behaviours[FIRST] = status
    assert ask(running, "urgent")[0] == status
    assert Unreliable.reached() == [FIRST]


def test_a_broken_connection_is_final_unless_the_policy_names_it(running):
    """The model may have worked on the request."""
    Unreliable.behaviours[FIRST] = "reset"
    assert ask(running, "urgent")[0] == 503
    assert Unreliable.reached() == [FIRST]
    Unreliable.requests.clear()
    assert ask(running, "again")[0] == 503
    assert Unreliable.reached() == [FIRST, FIRST, FIRST]


def test_a_model_that_does_not_begin_is_given_up_in_time(running):
    """The time is that of each attempt."""
    Unreliable.behaviours[FIRST] = "stall"
    status, headers, _ = ask(running, "slow")
    assert (status, headers["x-vsr-answered-by"]) == (200, "spare")
    assert Unreliable.reached() == [FIRST, SECOND]


def test_a_status_that_the_policy_does_not_name_is_final(running):
    """`on` replaces the default."""
    Unreliable.behaviours[FIRST] = 503
    assert ask(running, "slow")[0] == 503
    assert Unreliable.reached() == [FIRST]


def test_no_model_is_asked_after_the_first_byte_of_a_response(running):
    """A stream that stalls is the client's to give up."""
    Unreliable.behaviours[FIRST] = "stall-late"
    host = running.sandbox.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "slow"}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    response = connection.getresponse()
    connection.sock.settimeout(2)
    assert b"one" in response.readline()
    assert response.readline().strip() == b""
    with pytest.raises(TimeoutError):
        response.readline()
    connection.close()
    assert Unreliable.reached() == [FIRST]


def test_a_used_up_budget_gives_the_client_the_failure_and_spares_other_routes(running):
    """Three further attempts are always allowed at a time."""
    Unreliable.behaviours[FIRST] = "stall"
    with ThreadPoolExecutor(8) as pool:
        tight = list(pool.map(lambda _: ask(running, "tight")[0], range(8)))
        assert set(tight) <= {200, 503, 504}  # 503 if the router itself is late on a busy machine
        assert tight.count(504) >= 1
        assert 1 <= tight.count(200) <= 8
    Unreliable.requests.clear()
    Unreliable.behaviours[FIRST] = 503
    assert ask(running, "urgent")[0] == 200


def test_reasoning_and_system_prompt_are_right_for_each_attempt(running):
    """Fields of the first model's family do not reach the second one."""
    Unreliable.behaviours[FIRST] = 500
    assert ask(running, "careful", reasoning_effort="low")[0] == 200
    first, second = (json.loads(data) for *_, data in Unreliable.requests)
    assert first["chat_template_kwargs"] == {"enable_thinking": True}
    assert "enable_thinking" not in second.get("chat_template_kwargs", {})
    assert "reasoning_effort" in json.dumps(second)
    assert [message["role"] for message in second["messages"]] == ["system", "user"]


def test_a_guard_of_the_fallback_masks_every_attempt(running):
    """All attempts have the same body, so the strictest guard decides."""
    Unreliable.behaviours[FIRST] = 500
    assert ask(running, "urgent for ann@example.com")[0] == 200
    assert all(b"ann@example.com" not in data for *_, data in Unreliable.requests)
    assert len(Unreliable.requests) == 2


def test_content_that_a_guard_blocks_does_not_fall_back_there(running):
    """The guard lets the first two models have it, so they are asked."""
    Unreliable.behaviours |= {FIRST: 500, SECOND: 500}
    assert ask(running, "urgent and classified")[0] == 500
    assert Unreliable.reached() == [FIRST, SECOND]


def test_a_request_too_long_for_the_fallback_ends_with_the_error(running):
    """The model could not hold it."""
    Unreliable.behaviours |= {FIRST: 500, SECOND: 500}
    assert ask(running, "urgent " + "word " * 2000)[0] == 500
    assert Unreliable.reached() == [FIRST, SECOND]


def test_the_default_falls_back_as_well_and_a_named_model_never(running):
    """A client that names a model gets that model or its error."""
    Unreliable.behaviours[SECOND] = 503
    assert ask(running, "hello")[1]["x-vsr-answered-by"] == "local"
    Unreliable.requests.clear()
    assert ask(running, "hello", "spare")[0] == 503
    assert Unreliable.reached() == [SECOND]


def test_clients_cannot_choose_attempts_or_models(running):
    """The proxy removes or replaces all of these headers."""
    forged = {"x-vsr-chain": "local", "x-selected-model": "vsr-route/urgent", "x-envoy-attempt-count": "3"}
    forged |= {"x-envoy-max-retries": "9", "x-envoy-retry-on": "5xx"}
    Unreliable.behaviours |= {FIRST: 500, SECOND: 500, THIRD: 500}
    ask(running, "urgent", headers=forged)
    assert Unreliable.reached() == [FIRST, SECOND, THIRD]
    Unreliable.requests.clear()
    ask(running, "answer", headers=forged)
    assert Unreliable.reached() == [THIRD]


def test_logs_and_metrics_tell_every_attempt(running):
    """One decision, and a record for each attempt."""
    Unreliable.behaviours[FIRST] = 500
    ask(running, "urgent", headers={"x-request-id": "count-me"})
    records = [json.loads(line) for line in heard(running.lines, "count-me", count=3)]
    assert [(record["event"], record.get("attempt"), record["model"]) for record in records] == [
        ("decision", None, "main"),
        ("attempt", 1, "main"),
        ("attempt", 2, "spare"),
    ]
