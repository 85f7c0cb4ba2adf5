from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import limit_policies
from support.common import SMALL, call
from vsr_schemas.reports_route import RouteReport

REMINDER = "<system-reminder>Read the contract of the tenant first.</system-reminder>"
ASK = "Solve x + 1 = 2."


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy with the categories math and law."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.mark.usefixtures("encoder")
def test_a_prompt_is_routed_and_the_reasons_are_shown(policy: Path) -> None:
    """Text for people."""
    result = call("route", str(policy), ASK)
    assert result.exit_code == 0, result.stderr
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == ["ask", "(messages[0]", "category", "route", "model"]
    assert f"ask      {ASK}\n" in result.stdout


@pytest.mark.usefixtures("encoder")
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_the_ask_of_a_request_is_shown_without_what_surrounds_it(policy: Path, tmp_path: Path, path: str) -> None:
    """Also that of an earlier turn, which a follow-up continues."""
    kind = "input_text" if path == "/v1/responses" else "text"
    parts = [{"type": kind, "text": REMINDER}, {"type": kind, "text": ASK}]
    turns = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": "x = 1"},
        {"role": "user", "content": "continue"},
    ]
    body = {"model": "auto", "max_tokens": 9, ("input" if path == "/v1/responses" else "messages"): turns}
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    result = call("route", str(policy), "--request", str(file), "--path", path, "--format", "json")
    assert result.exit_code == 0, result.stderr
    report = RouteReport.model_validate_json(result.stdout)
    assert report.ask is not None
    assert report.ask.text == ASK
    assert (report.route, report.model) == (
        RouteReport.model_validate_json(call("route", str(policy), ASK, "--format", "json").stdout).route,
        report.model,
    )


@pytest.mark.usefixtures("encoder")
def test_limits_that_would_count_the_request_are_shown(tmp_path: Path) -> None:
    """Of the client's team, and those of any; the gateway's, too."""
    ours, every = "name: ours, per: team, for: {team: interns}, requests: 9000000", "per: model, requests: 9"
    limits = (f"{ours}, window: 1m", f"{every}, window: 1d")
    path = tmp_path / "policy.yaml"
    path.write_text(limit_policies.policy(*limits) + "environments: {dev: {target: ai-gateway}}\n", encoding="utf-8")
    output = {team: call("route", str(path), "Hello", "--team", team).stdout for team in ("interns", "research")}
    shown = {team: [line for line in text.splitlines() if "limit" in line] for team, text in output.items()}
    other = "limit    model-requests-1d: 9 requests per model in 1d"
    assert shown == {"interns": ["limit    ours: 9,000,000 requests per team in 1m", other], "research": [other]}


@pytest.mark.usefixtures("encoder")
def test_an_answer_of_the_router_is_shown_with_its_status(policy: Path, tmp_path: Path) -> None:
    """A request that lacks its messages."""
    file = tmp_path / "body.json"
    file.write_text('{"model": "auto"}', encoding="utf-8")
    result = call("route", str(policy), "--request", str(file))
    assert "answer   400 missing_messages" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Give either a prompt or --request."),
        (["x", "--header", "abc"], "has no name and value"),
        (["--request", "list.json"], "The request must be a JSON object."),
        (["--request", "text.json"], "The request is not JSON"),
        (["--request", "deep.json"], "The request is not JSON"),
    ],
)
@pytest.mark.usefixtures("encoder")
def test_wrong_arguments_are_explained(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    """In a sentence."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("list", "[1]"), ("text", "{"), ("deep", "[" * 100_000)):
        Path(f"{name}.json").write_text(text, encoding="utf-8")
    result = call("route", str(policy), *arguments)
    assert result.exit_code != 0
    assert words in result.stderr


def test_a_policy_with_errors_is_reported(tmp_path: Path) -> None:
    """With the code of the error."""
    result = call("route", str(tmp_path / "none.yaml"), "x")
    assert (result.exit_code, "VSR001" in result.stderr) == (1, True)
