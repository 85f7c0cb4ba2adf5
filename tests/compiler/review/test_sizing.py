"""How many replicas of the router a load needs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import capacity_page
from support.common import linked
from support.properties import examples
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.review.sizing.plan import BUSY, Load, plan
from vsr_compiler.review.sizing.report_text import markdown, text
from vsr_compiler.review.sizing.table import cost, read_table, rows_of, shipped
from vsr_compiler.review.sizing.works import needs, unmeasured
from vsr_schemas.measurements import Measurements, Row, Work
from vsr_schemas.reports_size import SizeReport

PLAIN = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: plain}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {one: {service: "one:8000"}}
models: {big: {endpoints: one}}
default: big
"""
HEAD = """\
classifiers:
  a: {task: jailbreak, head: compiled, examples: {attack: ["builtin:injection@1"], other: [a, b]}}
"""
PII = "guards: {g: {types: [EMAIL_ADDRESS], action: block}}\n"


def table(*rows: tuple[str, int, float, float]) -> Measurements:
    """Return a table of work, size, microseconds and MiB."""
    return Measurements(
        apiVersion="vsr.dev/v1alpha1",
        kind="RuntimeMeasurements",
        machine="a machine",
        cores=4,
        date="2026-12-02",
        command="by hand",
        versions={},
        rows=[
            Row(work=work, body=body, cpu=cpu, envoy=100.0, rate=1.0, memory=memory, connections=1)
            for work, body, cpu, memory in rows
        ],
    )


FLAT = (("route", 100, 1000.0, 100.0), ("route", 100_000, 1000.0, 100.0))


def size(load: Load, more: str = "", measured: Measurements | None = None) -> SizeReport:
    """Return the report about the small policy."""
    return plan(linked(PLAIN + more), load, measured or table(*FLAT)).report


def refusals(load: Load, more: str, measured: Measurements | None = None) -> list[str]:
    """Return the codes of what cannot be sized."""
    with pytest.raises(CompileError) as caught:
        size(load, more, measured)
    return [item.code for item in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("rps", "replicas"), [(1, 2), (1000, 2), (1001, 3), (2000, 3), (2001, 4), (7000, 10), (7001, 11)]
)
def test_a_load_is_divided_by_what_one_core_decides(rps: float, replicas: int) -> None:
    """A millisecond for each request and 70 % of a core: 700 requests per second, and one replica may be missing."""
    report = size(Load(rps, 100))
    assert (report.replicas, report.per_replica) == (replicas, 700)
    assert report.busy <= BUSY + 0.001


@given(rps=st.floats(0.01, 500_000), tokens=st.integers(1, 500_000), cpu=st.floats(10, 1e5))
@examples(60)
def test_the_others_carry_the_load_if_one_replica_is_missing(rps: float, tokens: int, cpu: float) -> None:
    """For any load that can be sized, in the report's own numbers."""
    rows = (("route", 100, cpu, 100.0), ("route", 100_000, cpu * 3, 200.0))
    try:
        report = size(Load(rps, tokens), measured=table(*rows))
    except CompileError as error:
        codes = [item.code for item in error.diagnostics]
    else:
        codes = ["VSR584"]
        assert report.busy_without_one <= 1.001
        assert report.busy <= BUSY + 0.001
        assert report.memory_request >= 100
        assert report.memory_limit > report.memory_request
    assert codes == ["VSR584"]


def test_more_requests_or_tokens_never_need_less() -> None:
    """By the table that ships, for a policy with guards."""
    measured = shipped()
    by_rate = [size(Load(rps, 1000), PII, measured) for rps in (1, 10, 100, 1000, 3000)]
    by_size = [size(Load(500, tokens), PII, measured) for tokens in (1, 100, 1000, 10_000, 100_000)]
    for reports in (by_rate, by_size):
        assert all(first.replicas <= second.replicas for first, second in pairwise(reports))
    assert by_size[0].replicas < by_size[-1].replicas


def test_guards_that_read_the_same_text_share_its_reading() -> None:
    """Two guards cost what reading costs, once, and what each adds to it."""
    costs = (("patterns", 1500.0), ("pii", 1800.0))
    rows = [(name, size, cpu, 100.0) for name, cpu in costs for size in (100, 100_000)]
    report = size(Load(10, 100), PII + "", table(*FLAT, *rows))
    assert {row.work: row.cpu for row in report.works} == {"route": 1000, "patterns": 500, "pii": 300}
    assert report.cpu == 1800


def test_what_the_policy_does_decides_what_is_counted() -> None:
    """Each kind of work is asked for by the section that makes the router do it."""
    for more, audit, works in (
        ("", False, {"route"}),
        ("", True, {"route", "audit"}),
        (PII, False, {"route", "patterns", "pii"}),
        ("guards: {g: {patterns: builtin, action: block, on: response}}\n", False, {"route", "responses"}),
        ("guards: {g: {patterns: injection, action: flag}}\n", False, {"route", "patterns", "injection"}),
        (HEAD + "guards: {g: {detector: a, action: flag}}\n", False, {"route", "patterns", "windows"}),
        (HEAD, False, {"route"}),
    ):
        assert {need.work for need in needs(linked(PLAIN + more), audit=audit)} == works, more


def test_what_nobody_measured_is_refused_and_not_guessed() -> None:
    """A checkpoint, work that the table lacks, a body that the router rejects, and long texts of a model."""
    model = f"{{repo: a/b, revision: {'0' * 40}}}"
    checkpoint = f"classifiers: {{d: {{task: jailbreak, checkpoint: {model}}}}}\nguards: {{g: {{detector: d}}}}\n"
    assert refusals(Load(1, 1), checkpoint) == ["VSR584"]
    precise = HEAD.replace("head: compiled", "head: compiled, precision: fp32") + "guards: {g: {detector: a}}\n"
    assert refusals(Load(1, 1), precise, shipped()) == ["VSR584"]
    assert refusals(Load(1, 1), PII) == ["VSR584"]
    assert refusals(Load(1, 5_000_000), "") == ["VSR584"]
    assert refusals(Load(1_000_000, 1), "") == ["VSR584"]
    measured = shipped()
    guard = HEAD + "guards: {g: {detector: a, action: flag}}\n"
    assert size(Load(1, 100), guard, measured).replicas == 2
    assert refusals(Load(1, 20_000), guard, measured) == ["VSR584"]


def test_another_encoder_is_refused_by_name() -> None:
    """The table is about the default one; without work for an encoder, it does not matter."""
    for more, refused in ((HEAD + "guards: {g: {detector: a}}\n", True), ("", False)):
        policy = linked(PLAIN + more)
        other = replace(policy.router.encoder, repo="example/other")
        names = [model for model, _ in unmeasured(replace(policy, router=replace(policy.router, encoder=other)))]
        assert names == ["the encoder `example/other`"] * refused


def test_the_stock_router_is_refused_by_name() -> None:
    """Nobody measured it."""
    policy = linked(PLAIN.replace("router: {", "router: {engine: semantic-router, "))
    with pytest.raises(CompileError) as caught:
        plan(policy, Load(1, 1), shipped())
    assert [item.code for item in caught.value.diagnostics] == ["VSR582"]


def test_a_policy_with_less_than_the_load_needs_gets_a_note() -> None:
    """About replicas or the bounds of autoscaling, and about memory; none if it has enough."""
    rows = tuple((work, body, cpu, 900.0) for work, body, cpu, _ in FLAT)
    policy = linked(PLAIN)
    found = plan(policy, Load(2000, 100), table(*rows)).findings
    assert [(item.code, item.level.word) for item in found] == [("VSR585", "note")] * 3
    assert [item.message.split("`")[1] for item in found[:1]] == ["replicas"]
    assert plan(policy, Load(700, 100), table(*FLAT)).findings == ()
    enough = replace(policy, router=replace(policy.router, replicas=3))
    assert plan(enough, Load(2000, 100), table(*FLAT)).findings == ()


def test_costs_are_linear_between_sizes_and_never_fall() -> None:
    """And beyond the largest; a longer request that was measured cheaper by chance costs as much."""
    measured = table(("route", 100, 10.0, 1.0), ("route", 200, 20.0, 1.0), ("route", 300, 15.0, 1.0))
    found = [cost(measured, "route", body) for body in (1, 100, 150, 200, 250, 400)]
    assert [each.cpu for each in found if each] == [10, 10, 15, 20, 20, 20]
    rising = table(("route", 100, 10.0, 1.0), ("route", 200, 20.0, 1.0))
    beyond = cost(rising, "route", 400)
    assert beyond is not None
    assert beyond.cpu == 40


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "null", '{"rows": []}', "\xff", shipped().model_dump_json().replace('"cpu":', '"cpus":', 1)]
    + [shipped().model_dump_json().replace('"cpu":3', f'"cpu":{number}3', 1) for number in ("-", "1e99", '"')],
)
def test_a_table_that_is_none_is_refused_with_its_place(content: str, tmp_path) -> None:
    """Nothing of it is used."""
    path = tmp_path / "mine.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(CompileError) as caught:
        read_table(path)
    assert [item.code for item in caught.value.diagnostics] == ["VSR583"]


def test_a_table_of_ones_own_machine_replaces_the_shipped_one(tmp_path) -> None:
    """What the benchmark wrote is read as it is."""
    path = tmp_path / "mine.json"
    path.write_text(shipped().model_dump_json(), encoding="utf-8")
    assert read_table(path) == shipped()
    with pytest.raises(CompileError, match="cannot be read"):
        read_table(tmp_path / "missing.json")


def test_the_report_says_what_it_assumes_and_what_to_write() -> None:
    """As text and as Markdown."""
    report = size(Load(100, 1000), PII, shipped())
    for rendered in (text(report), markdown(report)):
        assert report.policy_words.splitlines()[1].strip() in rendered
        assert "one missing" in rendered
        assert all(item.split("`")[0][:20] in rendered for item in report.assumptions[1:])


def test_the_page_about_capacity_has_the_measured_numbers() -> None:
    """Written by `PYTHONPATH=tests python tests/support/capacity_page.py`."""
    written = capacity_page.PAGE.read_text(encoding="utf-8")
    assert written == capacity_page.page(written)


def test_everything_that_a_policy_can_ask_for_was_measured() -> None:
    """Each kind of work at two sizes at least."""
    measured = shipped()
    assert all(len(rows_of(measured, work)) > 1 for work in get_args(Work))
