from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import random
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import ROOT, linked
from support.properties import JSON, examples
from vsr_compiler.pipeline import compile_policy
from vsr_compiler.review.local_router import open_router
from vsr_compiler.value import measure, table
from vsr_compiler.value.choices import chosen, columns
from vsr_compiler.value.compare import Candidate, compared
from vsr_compiler.value.drawing import drawn
from vsr_compiler.value.records import TableError, records
from vsr_compiler.value.report import data, markdown, svg
from vsr_compiler.value.table import Row, Table
from vsr_compiler.value.wordings import WORDINGS, reworded

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: by-words}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {a: {service: "a:8000"}, b: {service: "b:8000"}}
models: {weak: {endpoints: a}, strong: {endpoints: b}}
signals: {hard: {keywords: [prove]}}
guards: {secrets: {patterns: builtin, action: block}}
routes: [{name: hard, when: {signal: hard}, model: strong}]
default: weak
"""
WIDE = [
    {"sample_id": "1", "prompt": "prove it", "eval_name": "m", "weak": 0, "strong": 1, "weak|total_cost": 1},
    {"sample_id": "2", "prompt": "say hello", "eval_name": "f", "weak": 1, "strong": 1, "weak|total_cost": 1},
    {"sample_id": "3", "prompt": "prove this", "eval_name": "m", "weak": 0, "strong": 1, "weak|total_cost": 1},
    {"sample_id": "4", "prompt": "why is that?", "eval_name": "f", "weak": 0, "strong": 1, "weak|total_cost": 1},
]
for one in WIDE:
    one["strong|total_cost"] = 10
NAMES = {"weak": "weak", "strong": "strong"}


def candidate(against: Table, **names: str) -> Candidate:
    """The policy, opened."""
    policy = compile_policy(linked(POLICY), lambda _: None).policy
    return Candidate("by-words", open_router(policy), columns(["weak", "strong"], against, names))


def wide() -> Table:
    """The table of the first form."""
    return table.table((("here", dict(one)) for one in WIDE), "here")


def written(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    """Write records in the form of a file's name."""
    path = folder / name
    if ".csv" in name:
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        text = stream.getvalue()
    else:
        text = json.dumps(rows) if name.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.json", "t.csv.gz", "t.jsonl.gz", "t.parquet"])
def test_a_table_is_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    """Wide, as RouterBench has it, in every kind of file."""
    if name.endswith(".parquet"):
        pyarrow = pytest.importorskip("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
        parquet.write_table(pyarrow.Table.from_pylist(WIDE), tmp_path / name)
        path = tmp_path / name
    else:
        path = written(tmp_path, name, WIDE)
    assert table.table(records(path), name) == wide()


def test_a_long_table_is_the_wide_one() -> None:
    """As RouterArena has it: a record for each prompt and model. What lacks a score is left out and counted."""
    rows = [
        {"global index": row["sample_id"], "prompt": row["prompt"], "prediction": model, "domain": row["eval_name"]}
        | {"accuracy": row[model], "cost": row[f"{model}|total_cost"], "generated_result": {"text": "x"}}
        for row in WIDE
        for model in ("weak", "strong")
    ]
    rows.append({"global index": "5", "prompt": "x", "prediction": "weak", "accuracy": 1, "cost": 1})
    rows.append({"global index": "5", "prompt": "x", "prediction": "strong", "accuracy": None, "cost": None})
    made = table.table(((str(n), row) for n, row in enumerate(rows)), "here")
    assert (made.models, made.rows, made.incomplete) == (("weak", "strong"), wide().rows, 1)


def test_a_policy_is_measured_beside_others() -> None:
    """By hand: it takes the strong model for two of four, and misses one."""
    made = wide()
    report = compared(made, [candidate(made)], 1)
    found = {one.name: one for one in report.results}
    policy, oracle = found["by-words"], found["oracle"]
    assert (policy.accuracy, policy.cost, policy.regret, policy.shares) == (0.75, 5.5, 0.25, (0.5, 0.5))
    assert (oracle.accuracy, oracle.cost, oracle.regret) == (1.0, 7.75, 0.0)
    best, cheapest = found["always strong (best)"], found["always weak (cheapest)"]
    assert (best.accuracy, best.cost, cheapest.accuracy, cheapest.cost) == (1.0, 10.0, 0.25, 1.0)
    assert measure.recovered(policy, best, cheapest) == pytest.approx(2 / 3)
    assert measure.mixed_accuracy(report.models, 5.5) == pytest.approx(0.625)
    chance = found["random"]
    assert chance.accuracy_low < 0.625 < chance.accuracy_high
    assert report.groups["by-words"] == {"f": (2, 0.5, 1.0), "m": (2, 1.0, 1.0)}
    assert compared(made, [candidate(made)], 1) == report
    assert "| by-words | 0.750" in markdown(report)
    assert json.loads(json.dumps(data(report)))["results"][0]["regret"] == 0.25


def test_a_refused_prompt_scores_nothing_and_costs_nothing() -> None:
    """A guard that blocks is a choice, too."""
    rows = (*wide().rows, Row("5", "the key is AKIAIOSFODNN7EXAMPLQ", "", (1.0, 1.0), (1.0, 10.0)))
    made = Table(("weak", "strong"), rows)
    one = candidate(made)
    choices = chosen(one.router, [(row.id, row.prompt) for row in rows], one.columns)
    assert choices == [1, 0, 1, 0, measure.NONE]
    found = measure.measured("p", made, choices)
    assert (found.accuracy, found.cost, found.refused) == (0.6, 4.4, 0.2)


def test_other_wordings_show_what_switches() -> None:
    """Of the format by themselves, and paraphrases of a file; with what they cost in accuracy."""
    made = wide()
    found = compared(made, [candidate(made)], 1, {"1": "demonstrate it", "2": "greet me"}).switched["by-words"]
    assert found["given wordings"] == (2, 1, 0.5)
    assert found["capitals"] == (4, 0, 0.75)
    assert set(found) == {*WORDINGS, "given wordings"}
    with pytest.raises(TableError, match="no wording has the id"):
        compared(made, [candidate(made)], 1, {"9": "x"})
    for name in WORDINGS:
        assert reworded("Prove that 2 + 2 is 4.", name, "7") == reworded("Prove that 2 + 2 is 4.", name, "7")


def test_models_are_matched_by_name_or_by_the_user() -> None:
    """What matches nothing is refused, with the names of both sides."""
    made = Table(("x/weak", "x/strong"), wide().rows)
    with pytest.raises(
        TableError, match=r"no model of the policy \(weak, strong\) is in the table \(x/weak, x/strong\)"
    ):
        candidate(made)
    with pytest.raises(TableError, match="strong=y"):
        candidate(made, strong="y")
    assert candidate(made, weak="x/weak", strong="x/strong").columns == {"weak": 0, "strong": 1}
    half = candidate(made, weak="x/weak")
    with pytest.raises(TableError, match="prompt 1 goes to strong, which is not in the table"):
        chosen(half.router, [("1", "prove it")], half.columns)


HEAD = "prompt,weak,weak|total_cost,strong,strong|total_cost\n"
HOSTILE = {
    "empty.csv": ("", "it has no record"),
    "short.csv": (HEAD + "a,1,1,1,1\nb,1,1\n", "short.csv:3: 3 fields instead of 5"),
    "quote.csv": (HEAD + 'a,1,1,1,"1\n', "quote.csv:2: it is not CSV"),
    "twice.csv": ("prompt,a,a\n", "twice.csv:1: two columns have the same name"),
    "text.csv": (HEAD + "a,1,1,1,1\nb,1,much,1,1\n", "text.csv:3: weak|total_cost is not a number"),
    "infinite.csv": (HEAD + "a,1,inf,1,1\n", "infinite.csv:2: weak|total_cost is not a finite number"),
    "negative.csv": (HEAD + "a,1,-1,1,1\n", "negative.csv:2: a cost is negative"),
    "holes.csv": (HEAD + "a,1,,1,1\nb,nan,1,1,1\n", "no prompt has a score and a cost of each model"),
    "one.csv": ("prompt,weak,weak|total_cost\na,1,1\n", "it has 1 model; a choice takes two"),
    "other.csv": ("prompt,b\na,1\n", "other.csv:2: it is neither a wide table"),
    "promptless.csv": ("a,b\n1,2\n", "promptless.csv:2: there is no prompt"),
    "bad.jsonl": ('{"prompt": "a"\n', "bad.jsonl:1: it is not JSON"),
    "list.jsonl": ("[1]\n", "list.jsonl:1: it is not an object"),
    "deep.jsonl": ("[" * 100_000, "deep.jsonl:1: it is not JSON"),
    "object.json": ("{}", "it is not an array of objects"),
    "item.json": ('[{"prompt": "a", "model": "m", "score": 1, "cost": 1}, 1]', "item.json: item 2 is not an object"),
    "typed.jsonl": (
        '{"prompt": ["a", "b"], "model": "m", "score": 1, "cost": 1}\n',
        "typed.jsonl:1: the prompt is not",
    ),
    "named.jsonl": ('{"prompt": "a", "model": 1, "score": 1, "cost": 1}\n', "named.jsonl:1: model is not a name"),
    "again.jsonl": ('{"prompt": "a", "model": "m", "score": 1, "cost": 1}\n' * 2, "again.jsonl:2: a second row of m"),
    "table.pkl": ("x", "the name does not end with"),
    "table": ("x", "the name does not end with"),
    "cut.jsonl.gz": ("\x1f\x8b\x08", "it cannot be read"),
    "fake.parquet": ("PAR1", "fake.parquet"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    """And nothing in it is executed: a pickle is not read."""
    text, message = HOSTILE[name]
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(TableError) as error:
        table.table(records(path), str(path))
    assert message in str(error.value)


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of lines, files, tables and prompts."""
    path = written(tmp_path, "t.jsonl", WIDE)
    for name, limit, message in (("MAX_LINE", 50, ":1: the line has"), ("MAX_BYTES", 200, ": the file has more")):
        with monkeypatch.context() as patch:
            patch.setattr(f"vsr_compiler.value.records.{name}", limit)
            with pytest.raises(TableError, match=message):
                table.table(records(path), "t")
    for name, limit, message in (("MAX_ROWS", 2, ":3: the table has too"), ("MAX_PROMPT", 3, "more than 3 characters")):
        with monkeypatch.context() as patch:
            patch.setattr(f"vsr_compiler.value.table.{name}", limit)
            with pytest.raises(TableError, match=message):
                table.table(records(path), "t")


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["prompt", "model", "score", "cost", "a", "a|cost", "id"]), JSON), max_size=3
    )
)
@examples(200)
def test_no_record_breaks_the_reader(found: list[dict[str, Any]]) -> None:
    """Whatever a file has: a table, or an error with a place."""
    try:
        made = table.table(((f"here:{number}", one) for number, one in enumerate(found)), "here")
    except TableError as error:
        message = str(error)
    else:
        message = "here" if made.rows else ""
    assert "here" in message


rows = st.lists(
    st.tuples(*[st.sampled_from([0.0, 0.5, 1.0])] * 3, *[st.integers(0, 9).map(float)] * 3), min_size=1, max_size=12
)


@given(rows)
@examples(200)
def test_nothing_beats_the_oracle(found: list[tuple[float, ...]]) -> None:
    """It has no regret; its curve ends at its own cost and rises; mixtures are no better than their parts."""
    made = Table(("a", "b", "c"), tuple(Row(str(n), "p", "", one[:3], one[3:]) for n, one in enumerate(found)))
    oracle = measure.measured("oracle", made, measure.oracle(made))
    assert oracle.regret == 0
    curve = measure.oracle_curve(made)
    assert curve[-1] == pytest.approx((oracle.cost, oracle.accuracy))
    assert [score for _, score in curve] == sorted(score for _, score in curve)
    draw = random.Random(len(found))  # noqa: S311 - the same choices in every run
    other = measure.measured("x", made, draw.choices(range(3), k=len(found)))
    assert other.accuracy <= oracle.accuracy
    assert other.regret == pytest.approx(oracle.accuracy - other.accuracy)
    points = [(measure.measured("", made, measure.always(made, n))) for n in range(3)]
    for one in points:
        mixed = measure.mixed_accuracy([(p.cost, p.accuracy) for p in points], one.cost)
        assert mixed is not None
        assert mixed >= one.accuracy - 1e-9


def test_the_drawing_escapes_names_and_shows_all() -> None:
    """Also of a table where everything costs and scores the same."""
    text = drawn([("policy", "<b>&", (0.0, 1.0)), ("model", "m", (0.0, 1.0))], [(0.0, 1.0)], [(0.0, 1.0)], "<i>")
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")][-2:] == ["<b>&", "m"]


def script() -> ModuleType:
    """The benchmark, as a module."""
    spec = importlib.util.spec_from_file_location("benchmark_value", ROOT / "benchmarks" / "value.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_command_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python benchmarks/value.py --page` writes docs/explanation/value.md and its drawing."""
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    value = script()
    report = value.synthetic_report()
    assert value.page(report) == value.PAGE.read_text(encoding="utf-8")
    assert svg(report) == value.DRAWING.read_text(encoding="utf-8")
