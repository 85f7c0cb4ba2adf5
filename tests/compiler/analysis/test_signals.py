from __future__ import annotations

import pytest

from support.common import SMALL, linked
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import Severity


def found(signal: str, engine: str = "") -> list[tuple[str, int, str]]:
    """Errors of a policy with one signal that a route asks for: code, line, message."""
    text = SMALL.replace(
        "routes:\n", f"signals:\n  it: {signal}\nroutes:\n  - {{name: it, when: {{signal: it}}, model: big}}\n"
    )
    if engine:
        text = text.replace('router: {image: "registry.example/vsr-runtime:0.1.0"}', f"router: {{engine: {engine}}}")
    items = [item for item in analyse(linked(text), {"istio"}) if item.level is Severity.ERROR]
    return [(item.code, item.span.line, item.message) for item in items]


@pytest.mark.parametrize(
    "signal",
    [
        "{embedding: {to: [Pay this.], aggregate: mean}}",
        "{language: [de, nb, zh]}",
        "{complexity: {hard: [Prove it.], easy: [Say hello.], level: medium}}",
    ],
)
def test_supported_signal_has_no_errors(signal: str) -> None:
    """No word against signals that are executed."""
    assert found(signal) == []


def test_role_signal_is_an_error_with_its_reason() -> None:
    """VSR283: nothing that the gateway has checked reaches the router, and what a client says is no identity."""
    ((code, line, message),) = found("{role: {groups: [staff]}}")
    assert (code, line) == ("VSR283", 15)
    assert "the gateway removes identity headers of clients" in message
    assert [code for code, _, _ in found("{role: {groups: [staff]}}", "semantic-router")] == ["VSR330"]


def test_undetectable_language_is_an_error() -> None:
    """VSR284, by its code; the stock router knows it."""
    ((code, _, message),) = found("{language: [de, mi, ts]}")
    assert (code, message) == ("VSR284", "the runtime cannot detect `mi`, `ts`, used by signal `it`")
    assert found("{language: [de, mi]}", "semantic-router") == []


def test_ambiguous_complexity_levels_are_an_error() -> None:
    """VSR285 where a sentence is hard and easy, VSR286 where no margin is that large."""
    ((code, _, message),) = found("{complexity: {hard: [Do it., Prove it.], easy: [Do it.]}}")
    assert (code, message) == ("VSR285", "signal `it` lists 'Do it.' under both `hard` and `easy`")
    ((code, _, _),) = found("{complexity: {hard: [Prove it.], easy: [Say hello.], threshold: 2}}")
    assert code == "VSR286"
    assert found("{complexity: {hard: [Prove it.], easy: [Say hello.], threshold: 2, level: medium}}") == []


def test_keyword_in_the_text_of_agents_is_a_warning() -> None:
    """VSR287 where a signal reads the whole request; the ask has no such text."""

    def warnings(signal: str, router: str = "") -> list[tuple[str, str]]:
        text = SMALL.replace(
            "routes:\n", f"signals:\n  it: {signal}\nroutes:\n  - {{name: it, when: {{signal: it}}, model: big}}\n"
        )
        text = text.replace('router: {image: "registry.example/vsr-runtime:0.1.0"}', router) if router else text
        return [(one.code, one.message) for one in analyse(linked(text), {"istio"}) if one.code in {"VSR287", "VSR330"}]

    ((code, message),) = warnings("{keywords: [refund, context], of: request}")
    assert code == "VSR287"
    assert "'context'" in message
    assert warnings("{keywords: [refund, context]}") == []
    assert warnings("{keywords: [refund], of: request}") == []
    assert warnings("{keywords: ['<[a-z]+_details>'], regex: true, of: request}")[0][0] == "VSR287"
    stock = "router: {engine: semantic-router}"
    assert [code for code, _ in warnings("{keywords: [context]}", stock)] == ["VSR287"]
    assert {code for code, _ in warnings("{keywords: [refund], of: request}", stock)} == {"VSR330"}
    assert ("VSR330", "semantic-router reads the whole last user turn, so `ask` has no effect") in warnings(
        "{keywords: [refund]}", f"ask: {{profiles: none}}\n{stock}"
    )
