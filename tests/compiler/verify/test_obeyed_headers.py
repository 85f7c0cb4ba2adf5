"""Headers by which clients would tell components behind the gateway what to do."""

from __future__ import annotations

import pytest

import support.verify_support as m
from vsr_compiler.diagnostics import Severity


def findings(text: str) -> list[tuple[Severity, str]]:
    """Severity and message of the findings about clients' headers."""
    return [(item.level, item.message) for item in m.found(text) if item.code == "VSR410"]


def without(*names: str) -> str:
    """A gateway with a router and a pool, whose removal of clients' headers lacks some."""
    text = m.joined(*m.POOLED)
    for name in names:
        assert f", {{remove: {name}}}" in text
        text = text.replace(f", {{remove: {name}}}", "")
    return text


def test_a_gateway_that_leaves_the_model_rewrite_to_a_picker_is_an_error() -> None:
    """A client replaces the model behind the router's back."""
    ((level, message),) = findings(without("x-llm-d-model-name-rewrite"))
    assert level is Severity.ERROR
    assert "`x-llm-d-model-name-rewrite`" in message
    assert "a client replaces the model that the router selected" in message


def test_a_gateway_that_leaves_priority_to_clients_is_a_warning() -> None:
    """Nobody gets another model, but the front of the queue."""
    ((level, message),) = findings(without("x-gateway-inference-objective", "x-llm-d-inference-objective"))
    assert level is Severity.WARNING
    assert "`x-gateway-inference-objective`, `x-llm-d-inference-objective`" in message


def test_a_release_that_does_not_read_a_header_needs_no_removal() -> None:
    """llm-d 0.8 has no header of its own for the model."""
    assert findings(without("x-llm-d-model-name-rewrite").replace("v0.10.0", "v0.8.0")) == []


def test_removal_by_prefix_counts_in_every_form() -> None:
    """Envoy matches names, and so does Envoy Gateway."""
    missing = without("x-llm-d-model-name-rewrite", "x-llm-d-inference-objective")
    assert len(findings(missing)) == 2
    matcher = "{remove: x-vsr-guards}, {remove_on_match: {key_matcher: {prefix: x-llm-d-}}}"
    assert findings(missing.replace("{remove: x-vsr-guards}", matcher, 1)) == []


def test_a_gateway_without_a_router_is_not_asked_for_anything() -> None:
    """A picker alone may well take the client's wish."""
    text = m.joined(m.GATEWAY, m.POOL_ROUTE.replace("x-selected-model", "x-team"), m.POOL, m.EPP_SERVICE, m.EPP)
    assert findings(text) == []


@pytest.mark.parametrize(("removed", "late"), [("x-selected-model", False), ("x-vsr-looper-model", True)])
def test_a_route_may_hide_from_its_backend_what_the_gateway_removes_from_clients(removed: str, *, late: bool) -> None:
    """Only removal of what a client's request still has comes too late."""
    hide = f"filters: [{{type: RequestHeaderModifier, requestHeaderModifier: {{remove: [{removed}]}}}}]\n    timeouts"
    text = m.joined(*m.ISTIO).replace("timeouts", hide)
    assert [level for level, _ in findings(text)] == ([Severity.WARNING] if late else [])
