"""Tests of a policy that are more than a prompt: messages, whole requests, and conversations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.common import call

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: words}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gitops: {repo: "https://git.example.com/team/routing.git"}
endpoints:
  one: {service: "one:8000"}
  two: {service: "two:8000"}
models: {big: {endpoints: one}, little: {endpoints: two}}
signals:
  tides: {keywords: [tides]}
  torts: {keywords: [tort]}
guards:
  keys: {patterns: ["sk-[0-9]{8}"]}
routes:
  - {name: tides, when: {signal: tides}, model: little}
  - {name: torts, when: {signal: torts}, model: big}
default: big
tests:
"""
LOOP = """
          - role: assistant
            content: null
            tool_calls: [{id: c1, type: function, function: {name: look_up, arguments: "{}"}}]
          - {role: tool, tool_call_id: c1, content: "a tort is a civil wrong"}
"""


def run(tmp_path: Path, tests: str) -> tuple[list[tuple[str, int, str]], str]:
    """Return code, line and message of each finding, and what is printed besides."""
    path = tmp_path / "words.yaml"
    path.write_text(POLICY + tests, encoding="utf-8")
    result = call("test", path, "--format", "json")
    found: list[Any] = json.loads(result.stdout)["findings"]
    return [(item["code"], item["place"]["line"], item["message"]) for item in found], result.stderr


def test_a_conversation_has_an_expectation_for_each_turn(tmp_path: Path) -> None:
    """Tool loops and follow-ups stay, a new ask moves; the third turn fails at its own line."""
    found, printed = run(
        tmp_path,
        f"""\
  - conversation:
      - {{prompt: How do tides arise?, reply: By the moon., expect: {{route: tides}}}}
      - {{prompt: continue, expect: {{route: tides}}}}
      - messages: {LOOP}
        expect: {{route: torts}}
      - {{prompt: What is a tort in private law?, expect: {{route: torts, model: big}}}}
      - {{prompt: shorter please}}
      - {{prompt: "write to sk-12345678", expect: {{guards: [keys]}}}}
""".replace("{prompt: How do tides arise?,", '{prompt: "How do tides arise?",').replace(
            "{prompt: What is a tort in private law?,", '{prompt: "What is a tort in private law?",'
        ),
    )
    assert found == [("VSR250", 23, "test failed: route `tides` instead of `torts`")]
    assert "0 passed, 1 failed" in printed


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_messages_are_sent_to_any_api_that_has_some(tmp_path: Path, path: str) -> None:
    """The body has the form of the API."""
    tests = f"""\
  - path: {path}
    messages: [{{role: user, content: "How do tides arise?"}}]
    expect: {{route: tides}}
  - {{path: {path}, prompt: tort, expect: {{route: torts}}}}
  - {{path: /v1/completions, prompt: tort, expect: {{route: torts}}}}
"""
    found, printed = run(tmp_path, tests)
    assert [code for code, _, _ in found] == ["VSR260"]
    assert "3 passed" in printed


def test_a_request_is_sent_as_it_is(tmp_path: Path) -> None:
    """Values that are not quoted are numbers and booleans, as in JSON; the refusal is expected by its code."""
    tests = """\
  - path: /v1/responses
    request: {model: auto, stream: true, temperature: 0.5, max_output_tokens: 10, input: "How do tides arise?"}
    expect: {route: tides}
  - path: /v1/responses
    request: {input: "and then?", previous_response_id: resp_1}
    expect: {error: state_not_located}
  - path: /v1/responses
    request: {model: little, input: "and then?", previous_response_id: resp_1}
    expect: {model: little}
  - path: /v1/responses
    request: {input: "and then?", previous_response_id: resp_1}
    expect: {route: default}
"""
    found, printed = run(tmp_path, tests)
    failed = [(line, message) for code, line, message in found if code == "VSR250"]
    reason = "test failed: route none instead of `default`, the router answered `state_not_located`"
    assert failed == [(29, reason)]
    assert "3 passed, 1 failed" in printed


def test_a_header_of_a_test_reaches_the_router(tmp_path: Path) -> None:
    """Here it names the model that keeps the state of the request."""
    tests = """\
  - path: /v1/responses
    headers: {x-held-by: little}
    request: {input: "and then?", conversation: {id: conv_1}}
    expect: {model: little}
stickiness: {stateHeader: x-held-by}
"""
    assert "1 passed" in run(tmp_path, tests)[1]


def test_what_no_test_reaches_is_noted(tmp_path: Path) -> None:
    """Routes, guards and signals."""
    found, _ = run(tmp_path, "  - {prompt: tides, expect: {route: tides}}\n")
    assert [(code, message) for code, _, message in found] == [
        ("VSR252", "no test reaches the signal `torts`"),
        ("VSR260", "no test reaches the guard `keys`"),
        ("VSR251", "no test reaches the route `torts`"),
    ]
