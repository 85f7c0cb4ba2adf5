from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from support import limit_policies
from support.common import SMALL, call
from vsr_schemas.reports_route import ConversationRoutes, RouteReport

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
    reasons = ["conversation", "category", "score", "category:law", "tried", "route", "otherwise"]
    assert names == ["ask", "(messages[0]", *reasons, "model", "header", "body"]
    assert re.search(rf"^ask +{re.escape(ASK)}$", result.stdout, re.MULTILINE)
    assert re.search(r"^tried +math: yes  \(category:math yes\)$", result.stdout, re.MULTILINE)


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
    first = "limit        ours: 9,000,000 requests per team in 1m"
    assert shown == {"interns": [first], "research": ["limit        model-requests-1d: 9 requests per model in 1d"]}
    assert "model-requests-1d: 9 requests per model in 1d" in output["interns"]


@pytest.mark.usefixtures("encoder")
def test_an_answer_of_the_router_is_shown_with_its_status(policy: Path, tmp_path: Path) -> None:
    """A request that lacks its messages."""
    file = tmp_path / "body.json"
    file.write_text('{"model": "auto"}', encoding="utf-8")
    result = call("route", str(policy), "--request", str(file))
    assert "answer       400 missing_messages" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Give either a prompt or --request or --conversation."),
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


REASONS = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: reasons}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  small: {vllm: {}}
  large: {pool: {}, vllm: {}}
  outside: {external: {url: "https://api.example.com/v1", apiKey: {secret: keys, key: outside}}}
models:
  small: {checkpoint: example/small, endpoints: small, price: {prompt: 1, completion: 10}}
  large: {checkpoint: example/large, endpoints: large}
  outside: {endpoints: outside}
signals:
  urgent: {keywords: [urgent]}
  code: {keywords: [python, rust]}
guards:
  mail: {types: [EMAIL_ADDRESS], action: mask}
routes:
  - {name: urgent, when: {signal: urgent}, model: large}
  - {name: code, when: {any: [{signal: code}, {signal: urgent}]}, model: outside}
default: small
environments: {dev: {target: gie}}
"""


def routed(tmp_path: Path, *words: str, policy: str = REASONS) -> RouteReport:
    """The report of a request."""
    path = tmp_path / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    result = call("route", str(path), *words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return RouteReport.model_validate_json(result.stdout)


def test_the_route_that_would_be_next_is_named(tmp_path: Path) -> None:
    """Of two routes that match, and of one; rules behind the match were not tried."""
    both = routed(tmp_path, "This is urgent.")
    assert [(rule.route, rule.holds) for rule in both.rules] == [("urgent", True)]
    assert (both.route, both.runner_up, both.model) == ("urgent", "code", "large")
    one = routed(tmp_path, "Some rust.")
    assert [(rule.route, rule.holds) for rule in one.rules] == [("urgent", False), ("code", True)]
    assert {term.name: term.holds for term in one.rules[1].terms} == {"keyword:code": True, "keyword:urgent": False}
    assert one.runner_up == "default"
    assert routed(tmp_path, "Hello").runner_up is None


def test_findings_of_guards_have_their_place_in_the_body(tmp_path: Path) -> None:
    """So that a reader sees which words they were; the masked body is a change."""
    body = {"model": "auto", "messages": [{"role": "user", "content": "Write to ada@example.org, urgent."}]}
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    found = routed(tmp_path, "--request", str(file))
    (match,) = found.matches
    assert (match.guard, match.action, match.type, match.text) == ("mail", "mask", "EMAIL_ADDRESS", "ada@example.org")
    assert json.dumps(body)[match.start : match.end] == "ada@example.org"
    assert found.effects is not None
    assert found.effects.body == ["model: auto → large", "messages: … → …"]


def test_keys_of_providers_are_not_shown(tmp_path: Path) -> None:
    """Not even the placeholder that stands for one here."""
    found = routed(tmp_path, "Some rust.")
    assert found.effects is not None
    assert found.effects.set["authorization"] == "(key)"


def test_the_objects_that_carry_a_request_are_listed(tmp_path: Path) -> None:
    """From the listener to the pods, those that we do not write among them."""
    found = routed(tmp_path, "This is urgent.", "--target", "gie")
    assert [one.kind for one in found.carriers] == ["Gateway", "HTTPRoute", "InferencePool", "Service"]
    assert "listener http: HTTP 80" in found.carriers[0].words
    path = tmp_path / "policy.yaml"
    wrong = call("route", str(path), "x", "--target", "istio")
    assert (wrong.exit_code, "It has: gie." in wrong.stderr) == (2, True)


def test_what_a_request_may_cost_is_estimated(tmp_path: Path) -> None:
    """The prompt, and the longest answer that it allows."""
    body = {"model": "auto", "max_tokens": 1000, "messages": [{"role": "user", "content": "a" * 4000}]}
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    found = routed(tmp_path, "--request", str(file)).estimate
    assert found is not None
    assert 1000 < found.prompt_tokens < 1050
    assert (found.prompt, found.answer_at_most) == (found.prompt_tokens / 1e6, 0.01)
    assert routed(tmp_path, "This is urgent.").estimate is None  # the model has no price


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
def test_each_turn_of_a_conversation_is_routed(tmp_path: Path, path: str) -> None:
    """A follow-up is seen as one, and stays."""
    turns = [
        {"role": "user", "content": "Please debug this python script."},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "continue"},
    ]
    file, policy = tmp_path / "talk.json", tmp_path / "policy.yaml"
    file.write_text(json.dumps(turns), encoding="utf-8")
    policy.write_text(REASONS, encoding="utf-8")
    result = call("route", str(policy), "--conversation", str(file), "--path", path, "--format", "json")
    assert result.exit_code == 0, result.stderr
    found = ConversationRoutes.model_validate_json(result.stdout).turns
    assert [(one.route, one.conversation and one.conversation.turn) for one in found] == [
        ("code", "new"),
        ("code", "follow-up"),
    ]
    file.write_text('{"messages": 3}', encoding="utf-8")
    assert "must be a list of messages" in call("route", str(policy), "--conversation", str(file)).stderr


def test_the_decision_is_drawn(tmp_path: Path) -> None:
    """As a flowchart in which no text is markup."""
    path = tmp_path / "policy.yaml"
    path.write_text(REASONS, encoding="utf-8")
    drawn = call("route", str(path), 'urgent "] --> x', "--target", "gie", "--format", "mermaid").stdout
    assert drawn.startswith("flowchart TD\n")
    assert 'r0{"urgent<br/>keyword:urgent: yes"}' in drawn
    assert '"] -->' not in drawn.replace('"]\n', "")
    assert "InferencePool" in drawn
