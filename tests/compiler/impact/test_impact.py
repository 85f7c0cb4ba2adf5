from __future__ import annotations

import functools
import gzip
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import SMALL, call, linked
from support.properties import JSON, examples
from vsr_compiler.impact import reader, replay
from vsr_compiler.impact.decide import Deciders, Side
from vsr_compiler.impact.fate import Fate
from vsr_compiler.impact.report import report
from vsr_compiler.impact.request import TrafficRequest
from vsr_compiler.impact.state import fingerprint, read_state, write_state
from vsr_compiler.impact.tally import MAX_GROUPS, OTHERS, Tally
from vsr_compiler.pipeline import compile_policy
from vsr_schemas.reports_impact import ImpactReport
from vsr_schemas.reports_route import RouteReport

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: demo}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {small: {service: "small:8000"}, large: {service: "large:8000"}}
models:
  small: {endpoints: small, price: {prompt: 1, completion: 2, cachedPrompt: 0.5}}
  large: {endpoints: large, price: {prompt: 10, completion: 20, cachedPrompt: 1}}
signals:
  urgent: {keywords: [urgent, refund]}
  code: {keywords: [python, rust, sql]}
guards:
  secrets: {patterns: builtin, action: block}
routes:
  - {name: urgent, when: {signal: urgent}, model: large}
  - {name: code, when: {signal: code}, model: large}
default: small
"""
CHANGED = POLICY.replace("[python, rust, sql]", "[python]").replace(
    "  secrets: {patterns: builtin, action: block}\n",
    "  secrets: {patterns: builtin, action: block}\n  mail: {types: [EMAIL_ADDRESS], action: block}\n",
)
WORDS = ["urgent", "refund", "python", "rust", "sql", "please", "thanks", "ada@example.org", "poem", "weather"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with both policies."""
    (tmp_path / "old.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(CHANGED, encoding="utf-8")
    return tmp_path


def traffic(folder: Path, count: int, seed: int = 1) -> Path:
    """A file with some requests."""
    draw = random.Random(seed)  # noqa: S311 - the same traffic in every run
    path = folder / "traffic.jsonl"
    lines = []
    for number in range(count):
        text = " ".join(draw.choices(WORDS, k=4))
        body = {"model": draw.choice(["auto", "auto", "small"]), "messages": [{"role": "user", "content": text}]}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "cached_tokens": 50}
        client = {"team": draw.choice("ab")}
        lines.append(json.dumps({"id": f"r{number}", "body": body, "usage": usage, "client": client}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def impact(folder: Path, *words: str | Path, old: str = "old.yaml", new: str = "new.yaml") -> ImpactReport:
    """Run the command, and read its report."""
    result = call("impact", str(folder / old), str(folder / new), "--format", "json", *map(str, words))
    assert result.exit_code == 0, result.stderr
    return ImpactReport.model_validate_json(result.stdout)


def lines(folder: Path, *records: object) -> Path:
    """A file with these records."""
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def test_each_request_is_counted_by_where_it_ends(folder: Path) -> None:
    """By models, routes, guards, refusals, and money."""
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 100_000}
    file = lines(
        folder,
        {"body": {"messages": [{"role": "user", "content": "some rust"}]}, "usage": usage},
        {"body": {"messages": [{"role": "user", "content": "some python"}]}, "usage": usage},
        {"body": {"messages": [{"role": "user", "content": "mail ada@example.org"}]}, "usage": usage},
        {"body": {"model": "small", "messages": [{"role": "user", "content": "named"}]}, "usage": usage},
        {"body": {"model": "nobody", "messages": [{"role": "user", "content": "unknown"}]}, "usage": usage},
    )
    found = impact(folder, "--traffic", file, "--jobs", "1")
    assert (found.requests, found.changed.count, found.newly_blocked.count, found.unblocked.count) == (5, 2, 1, 0)
    moved = {(flow.old, flow.new): flow.count for flow in found.flows}
    assert moved["large", "small"] == moved["large", "large"] == moved["small", "small"] == 1
    assert sum(count for (old, _), count in moved.items() if old == "(model_not_found)") == 1
    assert [(one.name, one.newly, one.gone) for one in found.guards] == [("mail", 1, 0)]
    assert found.cost is not None
    assert (found.cost.old, found.cost.new) == (26.4, 14.4)
    back = impact(folder, "--traffic", file, "--jobs", "1", old="new.yaml", new="old.yaml")
    assert (back.newly_blocked.count, back.unblocked.count) == (0, 1)


def test_cached_tokens_cost_less_only_where_they_are_cached(folder: Path) -> None:
    """A request that goes to another model may find nothing there: both ends are told."""
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "cached_tokens": 1_000_000}
    found = impact(
        folder,
        "--traffic",
        lines(folder, {"body": {"messages": [{"role": "user", "content": "rust"}]}, "usage": usage}),
    )
    assert found.cost is not None
    assert (found.cost.old, found.cost.new, found.cost.new_uncached) == (1.0, 0.5, 1.0)


def test_parts_resumed_and_in_several_processes_give_the_same_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the chunks are, wherever it ends, and whoever works."""
    file = traffic(folder, 300)
    whole = impact(folder, "--traffic", file, "--jobs", "1")
    assert whole.changed.count
    assert whole.teams
    monkeypatch.setattr(reader, "CHUNK_LINES", 7)
    assert impact(folder, "--traffic", file, "--jobs", "1") == whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsr_compiler.cli.impact.SAVE_EVERY", 0.0)
        merges = 0

        def merge(self: Tally, later: Tally, merge: object = Tally.merge) -> None:
            nonlocal merges
            merges += 1
            if merges == 20:
                raise KeyboardInterrupt
            merge(self, later)  # type: ignore[operator]

        patch.setattr(Tally, "merge", merge)
        state = folder / "state.json"
        words = ["impact", str(folder / "old.yaml"), str(folder / "new.yaml"), "--traffic", str(file)]
        words += ["--jobs", "1", "--state", str(state), "--format", "json"]
        result = call(*words)
        assert result.exit_code == 130
        assert ImpactReport.model_validate_json(result.stdout).requests == 19 * 7
    assert impact(folder, "--traffic", file, "--jobs", "1", "--state", state) == whole
    assert (
        impact(folder, "--traffic", file, "--jobs", "1", "--state", state) == whole
    )  # finished: nothing is read again


@pytest.mark.subprocess
def test_several_processes_give_the_report_of_one(folder: Path) -> None:
    """Chunks are merged in the order of the traffic."""
    file = traffic(folder, 600)
    assert impact(folder, "--traffic", file, "--jobs", "2") == impact(folder, "--traffic", file, "--jobs", "1")


def test_a_state_of_another_replay_is_refused(folder: Path) -> None:
    """Rather than adding up two things."""
    file, state = traffic(folder, 5), folder / "state.json"
    impact(folder, "--traffic", file, "--jobs", "1", "--state", state)
    words = ["impact", str(folder / "old.yaml"), str(folder / "new.yaml"), "--traffic", str(file), "--jobs", "1"]
    result = call(*words, "--state", str(state), "--no-text")
    assert result.exit_code == 1
    assert "is of other policies, traffic or flags" in result.stderr
    state.write_text('{"fingerprint": 1', encoding="utf-8")
    assert "is not a state file" in call(*words, "--state", str(state)).stderr


def test_texts_stay_out(folder: Path) -> None:
    """Of the report and of the state."""
    file, state = traffic(folder, 100), folder / "state.json"
    found = impact(folder, "--traffic", file, "--jobs", "1", "--state", state, "--no-text")
    assert found.samples
    for word in ("weather", "poem"):
        assert word not in found.model_dump_json() + state.read_text(encoding="utf-8")


@pytest.mark.usefixtures("encoder")
def test_requests_near_another_category_are_named(tmp_path: Path) -> None:
    """With the probabilities between which they are; decisions are those of `route`."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    prompts = ["Solve x + 1 = 2.", "May the landlord keep the deposit?", "Bake a cake.", "Is a proof a contract?"]
    file = lines(tmp_path, *({"prompt": prompt} for prompt in prompts))
    found = impact(tmp_path, "--traffic", file, "--jobs", "1", old="small.yaml", new="small.yaml")
    assert (found.requests, found.changed.count, len(found.nearest)) == (4, 0, 4)
    assert [near.distance for near in found.nearest] == sorted(near.distance for near in found.nearest)
    for near in found.nearest:
        routed = RouteReport.model_validate_json(call("route", str(path), near.text, "--format", "json").stdout)
        assert near.new == f"{routed.model} by {routed.route or 'default'}"


def test_conditions_fail_a_pipeline(folder: Path) -> None:
    """By number, share and cost; a wrong one is a usage error that lists what there is."""
    file = traffic(folder, 100)
    words = ["impact", str(folder / "old.yaml"), str(folder / "new.yaml"), "--traffic", str(file), "--jobs", "1"]
    assert call(*words, "--fail-on", "unblocked>0,cost>5%").exit_code == 0
    held = call(*words, "--fail-on", "newly-blocked>0,model>90%")
    assert (held.exit_code, held.stderr.splitlines()[-1]) == (1, "error: newly-blocked>0")
    wrong = call(*words, "--fail-on", "happiness<3")
    assert (wrong.exit_code, "changed, model, route" in wrong.stderr) == (2, True)


def test_files_that_cannot_be_used_are_told_by_line(folder: Path) -> None:
    """Bad lines are counted with the place of the first; a bad file is an error."""
    path = folder / "bad.jsonl"
    body = json.dumps({"messages": [{"role": "user", "content": "rust"}]})
    path.write_bytes(b"\n" + body.encode() + b'\n{"a": \n[]\n' + b'"x"\n' + b"\xff\xfe\n")
    found = impact(folder, "--traffic", path, "--jobs", "1")
    assert found.requests == 1
    assert {(one.reason, one.count, one.first) for one in found.skipped} == {
        (replay.NOT_JSON, 2, f"{path}:2"),
        ("has none of the known forms of traffic", 1, f"{path}:4"),
    }
    (folder / "cut.gz").write_bytes(gzip.compress(body.encode() * 999)[:40])
    result = call("impact", str(folder / "old.yaml"), str(folder / "new.yaml"), "--traffic", str(folder / "cut.gz"))
    assert (result.exit_code, "cut.gz cannot be read" in result.stderr) == (1, True)


def test_compressed_files_and_documents_are_read(folder: Path) -> None:
    """As they are exported."""
    body = {"messages": [{"role": "user", "content": "some rust"}]}
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(f"{json.dumps(body)}\n".encode() * 3))
    (folder / "b.json").write_text(json.dumps([body, body], indent=2), encoding="utf-8")
    found = impact(folder, "--traffic", folder / "a.jsonl.gz", "--traffic", folder / "b.json", "--jobs", "1")
    assert (found.requests, found.model.count) == (5, 5)


def test_lines_that_are_too_long_are_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take no memory, and the next line is read."""
    monkeypatch.setattr(reader, "MAX_LINE", 200)
    path = folder / "long.jsonl"
    body = json.dumps({"messages": [{"role": "user", "content": "rust"}]})
    path.write_text(f"{body}\n{'x' * 5000}\n{body}\n", encoding="utf-8")
    found = impact(folder, "--traffic", path, "--jobs", "1")
    assert (found.requests, [one.reason for one in found.skipped]) == (2, [replay.LONG])


def test_an_output_folder_is_the_policy_of_before(folder: Path) -> None:
    """As in a pull request, where only the output of before is at hand."""
    out = folder / "out"
    assert call("compile", str(folder / "old.yaml"), "--out", str(out)).exit_code == 0
    file = traffic(folder, 50)
    by_output = impact(folder, "--traffic", file, "--jobs", "1", "--out", out, old="out/demo")
    by_policy = impact(folder, "--traffic", file, "--jobs", "1")
    assert by_output.model_copy(update={"old": by_policy.old}) == by_policy


def test_the_report_is_readable_and_no_text_is_markup(folder: Path) -> None:
    """In a terminal and in a pull request."""
    text = "rust </details> @everyone | `x` \u202e \x1b[31m"
    file = lines(folder, {"body": {"messages": [{"role": "user", "content": text}]}})
    words = ["impact", str(folder / "old.yaml"), str(folder / "new.yaml"), "--traffic", str(file), "--jobs", "1"]
    shown = call(*words).stdout
    assert "other model    1 (100.00 %, 95 %: 20.65 % to 100.00 %)" in shown
    assert "\x1b" not in shown
    comment = call(*words, "--format", "markdown").stdout
    assert comment.count("</details>") == comment.count("<details>")
    assert "@everyone" not in comment
    assert "\x1b" not in comment


def test_many_teams_take_bounded_memory() -> None:
    """Beyond the first thousand they are counted together."""
    tally = Tally()
    for number in range(MAX_GROUPS + 50):
        tally.add(str(number), TrafficRequest({}, team=f"t{number}"), Fate("a"), Fate("b"), "")
    assert tally.counts["team", OTHERS, "requests"] == 50
    assert len([key for key in tally.counts if key[0] == "team"]) <= 2 * (MAX_GROUPS + 1)
    again = Tally.from_json(json.loads(json.dumps(tally.to_json())))
    assert report(again, "a", "b", complete=True) == report(tally, "a", "b", complete=True)


def test_a_state_is_bound_to_what_it_is_of(tmp_path: Path) -> None:
    """Another file, policy or price has another fingerprint."""
    side, options = Side("p", {"config.yaml": b"1"}, {}), replay.Options()
    known = fingerprint([], side, side, options)
    assert known != fingerprint([], side, Side("p", {"config.yaml": b"2"}, {}), options)
    assert known != fingerprint([], side, Side("p", {"config.yaml": b"1"}, {"m": (1, 2, 1)}), options)
    write_state(tmp_path / "s", known, replay.Step(1, 3, Tally(), 9))
    read = read_state(tmp_path / "s", known)
    assert read is not None
    assert (read.file, read.chunks, read.end) == (1, 3, 9)


@functools.cache
def deciders() -> Deciders:
    """Both policies, opened."""
    sides = (compile_policy(linked(text), lambda _: None).policy.router.files for text in (POLICY, CHANGED))
    old, new = (Side("policy", files, {}) for files in sides)
    return Deciders(old, new)


@given(st.dictionaries(st.sampled_from(["model", "messages", "input", "tools", "stream", "n"]), JSON, max_size=4))
@examples(200)
def test_no_body_breaks_a_replay(body: dict) -> None:
    """Whatever somebody sent: it ends somewhere, under both policies."""
    ((before, after),) = deciders().decide([("r", TrafficRequest(body))])
    assert before.end
    assert after.end
