from __future__ import annotations

import re

import pytest

from vsr_runtime.decision.program.conditions import AllConditions, CategoryCondition, SignalCondition, SignalValues
from vsr_runtime.decision.program.effects import ModelTarget
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.request import events
from vsr_runtime.decision.request.events import Cause, ImmediateResponse
from vsr_runtime.decision.request.immediate_responses import error_response, undecided_response
from vsr_runtime.server.metrics import Metrics

SMALL = ModelTarget("small", "small")
MATH = PolicyRoute("math", CategoryCondition(frozenset({"math", "statistics"}), "numbers"), ((SMALL, 100),))
URGENT = PolicyRoute("urgent", SignalCondition(("keyword", "urgent")), ((SMALL, 100),))
PROGRAM = Program(
    {"small": SMALL}, ("auto",), (URGENT, MATH, PolicyRoute("all", AllConditions(()), ((SMALL, 100),))), "small"
)


@pytest.fixture(autouse=True)
def _own_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts that belong to the process are those of other tests."""
    for name in ("evaluations", "unknown_labels", "store_failures"):
        monkeypatch.setattr(f"vsr_runtime.server.metrics.{name}", dict)


def values(metrics: Metrics) -> dict[str, float]:
    """Each sample by its name with labels."""
    found = {}
    for line in metrics.text().decode().splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def counted(*actions: events.SendToModel | ImmediateResponse) -> dict[str, float]:
    """What is counted of these decisions, without what is 0."""
    metrics = Metrics(PROGRAM)
    for action in actions:
        metrics.decided(action, 0.003)
    return {name: value for name, value in values(metrics).items() if value and "seconds" not in name}


def routed(route: str | None, signals: SignalValues | None) -> events.SendToModel:
    """A decision for the one model."""
    return events.SendToModel("small", None, (), (), route, signals)


def test_decision_counts_model_route_and_signals():
    """Signals that were looked at and did not hold are not counted, a domain is by any of its labels."""
    signals = SignalValues("statistics", 0.9, True, {("keyword", "urgent"): False, ("context", "long"): True})  # noqa: FBT003 - as stored
    assert counted(routed("math", signals), routed(None, None)) == {
        'llm_model_requests_total{model="small"}': 2,
        'llm_decision_match_total{decision_name="math"}': 1,
        'llm_signal_match_total{signal_name="long",signal_type="context"}': 1,
        'llm_signal_match_total{signal_name="numbers",signal_type="domain"}': 1,
    }


@pytest.mark.parametrize(
    ("cause", "shed"), [(Cause.TIMEOUT, 0), (Cause.BROKEN, 0), (Cause.OVERLOADED, 1), (Cause.FULL, 1)]
)
def test_every_unclassified_request_is_counted(cause, shed):
    """By its reason, and once more where it was too much work."""
    found = counted(undecided_response(cause))
    assert found.pop(f'vsr_unclassified_requests_total{{reason="{cause.value}"}}') == 1
    assert found.pop("vsr_shed_requests_total", 0) == shed
    assert found == {f'llm_request_errors_total{{model="unknown",reason="{cause.value}"}}': 1}


def test_errors_are_counted_by_the_model_that_they_were_for():
    """Where a request was refused on its way to a model, or its response was, the series says which."""
    metrics = Metrics(PROGRAM)
    metrics.decided(ImmediateResponse(403, b"", "guard:x", model="small"), 0.003)
    metrics.blocked(ImmediateResponse(403, b"", "guard:x"), "small")
    metrics.failed("aborted")
    found = {name: value for name, value in values(metrics).items() if name.startswith("llm_request_errors_total")}
    assert found == {
        'llm_request_errors_total{model="small",reason="guard:x"}': 2,
        'llm_request_errors_total{model="unknown",reason="aborted"}': 1,
    }


def test_answers_that_are_no_errors_are_none():
    """A list of models is no error, and a fixed answer is its decision's match."""
    fixed = ImmediateResponse(
        200, b"", "fast_response", route="urgent", signals=SignalValues(matched={("keyword", "urgent"): True})
    )
    assert counted(ImmediateResponse(200, b"", "models"), fixed) == {
        'llm_decision_match_total{decision_name="urgent"}': 1,
        'llm_signal_match_total{signal_name="urgent",signal_type="keyword"}': 1,
    }


def test_clients_make_no_series():
    """What a client wrote is in no label."""
    metrics = Metrics(PROGRAM)
    before = len(values(metrics))
    for i in range(50):
        metrics.decided(error_response(404, "model_not_found", f"The model 'm{i}' does not exist."), None)
    assert len(values(metrics)) == before + 1


def test_configured_names_are_there_from_the_start():
    """A dashboard sees zeros instead of nothing."""
    found = values(Metrics(PROGRAM))
    assert {name for name in found if re.match("llm_(model_requests|decision)", name)} == {
        'llm_model_requests_total{model="small"}',
        'llm_decision_match_total{decision_name="math"}',
        'llm_decision_match_total{decision_name="urgent"}',
        'llm_decision_match_total{decision_name="all"}',
    }
    assert set(found.values()) == {0}


def test_latency_is_observed_where_a_body_was_read():
    """Answers that need no body say nothing about how long deciding takes."""
    metrics = Metrics(PROGRAM)
    metrics.decided(routed(None, None), 0.003)
    metrics.decided(error_response(404, "not_found", "x"), None)
    metrics.holds(17)
    found = values(metrics)
    assert found["llm_model_routing_latency_seconds_count"] == 1
    assert found['llm_model_routing_latency_seconds_bucket{le="0.002"}'] == 0
    assert found['llm_model_routing_latency_seconds_bucket{le="0.005"}'] == 1
    assert found["vsr_request_bytes_in_work"] == 17
