"""The context of a model is a hard bound: a longer request never reaches it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import linked, reference
from support.compiled_program import code, decide, machine
from vsr_compiler.analysis import analyse
from vsr_runtime.decision.program.context_length import text_tokens, token_demand

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: ctx}
router: {image: "vsr-runtime:0.1.0", overflow: OVERFLOW}
endpoints: {s: {service: "s.models:8000"}, m: {service: "m.models:8000"}, l: {service: "l.models:8000"}}
models:
  small: {endpoints: s, context: 1024}
  medium: {endpoints: m, context: 8192}
  large: {endpoints: l, context: 65536}
signals: {code: {keywords: [code]}, any: {keywords: [word]}}
routes:
  - {name: code, when: {signal: code}, model: small}
  - {name: words, when: {signal: any}, split: {small: 50, medium: 50}}
default: large
"""
ROUTED, REJECTED = POLICY.replace("OVERFLOW", "route"), POLICY.replace("OVERFLOW", "reject")


def chat(words: int, model: str = "auto", **more: object) -> dict[str, object]:
    """A chat of some words, of five bytes each."""
    return {"model": model, "messages": [{"role": "user", "content": "code " + "word " * words}], **more}


@pytest.mark.parametrize(
    ("words", "model"), [(10, "small"), (300, "small"), (1000, "medium"), (4000, "medium"), (20_000, "large")]
)
def test_a_longer_request_goes_to_the_next_candidate_that_can_hold_it(words: int, model: str) -> None:
    """The next route that matches, a fitting model of a split, and then the default."""
    assert decide(machine(ROUTED), chat(words)).model == model


def test_a_request_that_nothing_can_hold_is_rejected_by_code() -> None:
    """With the code that clients know, in the form of their API."""
    config = machine(ROUTED)
    assert code(decide(config, chat(60_000))) == (400, "context_length_exceeded")
    answer = decide(config, chat(60_000, max_tokens=10), "/v1/messages")
    assert b'"type": "error"' in answer.body


def test_overflow_reject_keeps_the_route_and_refuses() -> None:
    """Then a long request never changes its model."""
    config = machine(REJECTED)
    assert decide(config, chat(10)).model == "small"
    assert code(decide(config, chat(1000))) == (400, "context_length_exceeded")


def test_a_named_model_is_never_replaced() -> None:
    """The client gets the error that the server would give."""
    config = machine(ROUTED)
    assert decide(config, chat(10, "small")).model == "small"
    assert code(decide(config, chat(1000, "small"))) == (400, "context_length_exceeded")


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_tokens_that_are_asked_for_count(field: str) -> None:
    """A server refuses a prompt and a completion that do not fit together."""
    config = machine(ROUTED)
    assert decide(config, chat(10, **{field: 500})).model == "small"
    assert decide(config, chat(10, **{field: 4000})).model == "medium"
    assert code(decide(config, chat(10, **{field: 10**9}))) == (400, "context_length_exceeded")


def test_tools_and_media_count_and_the_bytes_of_media_do_not() -> None:
    """A picture is some two thousand tokens, whatever its size."""
    config = machine(ROUTED)
    tools = [{"type": "function", "function": {"name": "f", "description": "text " * 1000}}]
    assert decide(config, chat(10, tools=tools)).model == "medium"
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    parts = {"model": "auto", "messages": [{"role": "user", "content": ["code word", image]}]}
    assert decide(config, parts).model == "medium"


def test_tokens_are_counted_whatever_their_number() -> None:
    """A client asks because it does not know; the answer comes from where the messages would go."""
    assert decide(machine(ROUTED), chat(60_000), "/v1/messages/count_tokens").model == "large"


def test_the_request_that_was_refused_by_its_server_is_rejected() -> None:
    """40,000 and 120,000 tokens reached a model of 1,024; now a warning says that the route is never taken."""
    text = (reference() / "data/cases/bugs/20-context-does-nothing/policy.yaml").read_text(encoding="utf-8")
    config = machine(text)
    for words in (40_000, 120_000):
        assert code(decide(config, chat(words))) == (400, "context_length_exceeded")
    assert "VSR263" in {item.code for item in analyse(linked(text), {"istio"})}
    assert decide(machine(text.replace("default: small", "default: large")), chat(40_000)).model == "large"


def test_an_assertion_counts_the_requests_that_a_route_passes_on() -> None:
    """`always: to` does not hold of a route whose long requests go on to the default."""
    asserted = ROUTED + "assertions: [{always: {signal: code, to: [small, medium]}}]\n"
    assert "VSR240" in {item.code for item in analyse(linked(asserted), {"istio"})}
    assert "VSR240" not in {
        item.code for item in analyse(linked(asserted.replace("overflow: route", "overflow: reject")), {"istio"})
    }


@given(st.text(max_size=300))
def test_the_estimate_is_between_a_third_and_all_of_the_bytes(text: str) -> None:
    """It never exceeds what every tokenizer that knows bytes could need."""
    size = len(text.encode("utf-8", "replace"))
    assert size / 3 <= text_tokens(text) <= size


def test_short_requests_and_policies_without_contexts_cost_nothing() -> None:
    """Only a body that might be too long is walked."""
    assert token_demand("{}", {"messages": ["x" * 99]}, None).total == 0
    assert token_demand("{}", {"messages": ["x" * 99]}, 1000).prompt == 0
