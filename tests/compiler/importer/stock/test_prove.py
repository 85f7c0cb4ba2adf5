"""`vsr-compile import --prove`: equal, different with a request, or not decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.common import call
from support.imports import HEAD
from vsr_compiler.cli import proof as proofs
from vsr_compiler.equivalence.diagram import Diagrams

SIGNALS = """\
  signals:
    keywords:
      - {name: urgent, operator: OR, keywords: [urgent, asap]}
      - {name: calm, operator: NOR, keywords: [angry], case_sensitive: true}
      - {name: ticket, operator: OR, keywords: ["T-[0-9]{4}"], method: regex}
    context: [{name: long, min_tokens: 2K}]
    language: [{name: de, description: German}]
    structure:
      - name: lists
        feature: {type: count, source: {type: keyword_set, keywords: [first, then]}}
        predicate: {gt: 2}
    role_bindings: [{name: operators, role: operator, subjects: [{kind: Group, name: ops}, {kind: User, name: ann}]}]
"""
DECISIONS = """\
  decisions:
    - name: urgent
      priority: 50
      rules:
        operator: AND
        conditions: [{type: keyword, name: urgent}, {operator: NOT, conditions: [{type: context, name: long}]}]
      modelRefs: [{model: large, use_reasoning: true, reasoning_effort: low}]
      plugins: [{type: system_prompt, configuration: {system_prompt: Be quick., mode: insert}}]
    - name: lists
      priority: 40
      rules: {operator: OR, conditions: [{type: structure, name: lists}, {type: keyword, name: ticket}]}
      modelRefs: [{model: large, use_reasoning: true}]
    - name: people
      priority: 30
      rules:
        operator: AND
        conditions: [{type: authz, name: operator}, {type: keyword, name: calm}, {type: language, name: de}]
      modelRefs: [{model: large, use_reasoning: true, reasoning_effort: high}]
"""
CONFIG = HEAD + SIGNALS + DECISIONS
GUARDED = (
    HEAD
    + """\
  signals:
    keywords: [{name: urgent, operator: OR, keywords: [urgent]}]
    jailbreak: [{name: attack, method: classifier, threshold: 0.8}]
    preferences: [{name: casual, description: small talk}]
    domains: [{name: math, description: numbers}]
  decisions:
    - name: block
      priority: 10
      rules: {operator: OR, conditions: [{type: jailbreak, name: attack}]}
      modelRefs: []
      plugins: [{type: fast_response, configuration: {message: no}}]
    - name: urgent
      priority: 90
      rules: {type: keyword, name: urgent}
      modelRefs: [{model: large, use_reasoning: true}]
    - name: chat
      priority: 5
      rules: {operator: OR, conditions: [{type: preference, name: casual}, {type: domain, name: math}]}
      modelRefs: [{model: small}, {model: large}]
"""
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a configuration."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG, encoding="utf-8")


def proof(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and proof of a call."""
    result = call("import", *arguments, "--report", "json")
    return result.exit_code, json.loads(result.stdout).get("proof", {})


def test_an_import_decides_as_its_source_does() -> None:
    """Without categories and models nothing is declared."""
    code, found = proof("config.yaml", "--prove")
    assert (code, found) == (0, {"verdict": "equal", "differences": [], "names": [], "declared": []})


def test_the_proof_is_shown_as_text() -> None:
    """On standard error, behind the report."""
    result = call("import", "config.yaml", "--prove")
    assert result.exit_code == 0
    assert "Proof: equal." in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("keywords: [urgent, asap]", "keywords: [urgent]", "asap"),
        ("keywords: [angry]", "keywords: [upset]", None),
        ("{min: 2000}", "{min: 2001}", None),
        ("effort: low", "effort: medium", None),
        ("Be quick.", "Be brief.", None),
        ("{not: {signal: long}}", "{signal: long}", None),
        ("priority: 50", "priority: 35", None),
        ("default: small", "default: large", None),
        ("users: [ann]", "users: [bob]", None),
    ],
)
def test_a_changed_policy_is_found_with_a_request(old: str, new: str, text: str | None) -> None:
    """Each change makes some request go another way."""
    assert call("import", "config.yaml").exit_code == 0
    policy = Path("policy.yaml").read_text(encoding="utf-8")
    assert old in policy
    Path("policy.yaml").write_text(policy.replace(old, new), encoding="utf-8")
    code, found = proof("config.yaml", "--against", "policy.yaml")
    assert (code, found["verdict"]) == (1, "different")
    assert all(item["source"] != item["policy"] for item in found["differences"])
    if text is not None:
        assert any(text in item.get("text", "").lower() for item in found["differences"])


def test_other_names_and_another_form_of_a_policy_are_no_difference() -> None:
    """The policy may be edited, as long as it decides alike."""
    assert call("import", "config.yaml").exit_code == 0
    policy = Path("policy.yaml").read_text(encoding="utf-8")
    policy = policy.replace("signal: urgent", "signal: hurry").replace("\n  urgent: {", "\n  hurry: {")
    policy = policy.replace("[urgent, asap]", "[asap, urgent]").replace("priority: 50", "priority: 500")
    Path("policy.yaml").write_text(policy, encoding="utf-8")
    assert proof("config.yaml", "--against", "policy.yaml")[0] == 0


def test_declared_differences_are_listed() -> None:
    """A fixed answer that is refused, lost leaves, categories, several models, requests that name their model."""
    Path("config.yaml").write_text(GUARDED, encoding="utf-8")
    code, found = proof("config.yaml", "--prove")
    assert (code, found["verdict"], found["differences"]) == (0, "equal", [])
    listed = "\n".join(found["declared"])
    for part in (
        "`block` answers with 200 in the source; the policy refuses with 403",
        "guards come before all routes",
        "requests that name a model bypass all decisions in the source; in the policy `attack` read them",
        "`preference:casual` of the source is lost: it never holds",
        "`domain:math` of the source is a condition of the policy's own",
        "`chat` asks the first of its models in the policy",
        "detectors read the whole conversation",
        "guards refuse text that is too long for them (413)",
    ):
        assert part in listed


def test_a_weaker_guard_is_found_although_differences_are_declared() -> None:
    """What is declared does not hide a threshold."""
    Path("config.yaml").write_text(GUARDED, encoding="utf-8")
    assert call("import", "config.yaml").exit_code == 0
    policy = Path("policy.yaml").read_text(encoding="utf-8")
    for threshold in ("0.9", "0.7"):
        Path("policy.yaml").write_text(policy.replace("threshold: 0.8", f"threshold: {threshold}"), encoding="utf-8")
        assert proof("config.yaml", "--against", "policy.yaml")[0] == 1


def test_ties_are_declared() -> None:
    """The stock router takes the more confident one."""
    config = CONFIG.replace("priority: 40", "priority: 50")
    config = config.replace("{type: structure, name: lists}", "{type: embedding, name: pay}")
    rules = ", ".join(f"{{name: {name}, threshold: 0.6, candidates: [{name} this.]}}" for name in ("pay", "buy"))
    more = f"  signals:\n    embeddings: [{rules}]\n"
    config = config.replace("  signals:\n", more).replace(
        "{type: keyword, name: urgent},", "{type: embedding, name: buy},"
    )
    Path("config.yaml").write_text(config, encoding="utf-8")
    code, found = proof("config.yaml", "--prove")
    assert (code, found["verdict"]) == (0, "equal")
    assert any("the source decides by confidence" in sentence for sentence in found["declared"])


def test_what_takes_too_long_is_not_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never equal: another exit code."""
    monkeypatch.setattr(Diagrams.__init__, "__defaults__", (4,))
    assert call("import", "config.yaml").exit_code == 0
    policy = Path("policy.yaml").read_text(encoding="utf-8").replace("priority: 50", "priority: 35")
    Path("policy.yaml").write_text(policy, encoding="utf-8")
    code, found = proof("config.yaml", "--against", "policy.yaml")
    assert (code, found["verdict"]) == (proofs.UNDECIDED, "undecided")
    assert "too many combinations" in found["reason"]


def test_sources_without_decisions_of_the_router_are_not_decided() -> None:
    """There is nothing to compare with."""
    Path("config.yaml").write_text(
        "model_list: [{model_name: a, litellm_params: {model: openai/gpt-4o}}]\n", encoding="utf-8"
    )
    code, found = proof("config.yaml", "--prove")
    assert code in {1, proofs.UNDECIDED}
    assert found["verdict"] == "undecided"


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\n",
        "[" * 5_000,
        "\x00\x01",
        HEAD + "  decisions: 5\n",
        HEAD + "  signals: [1, 2]\n  decisions: [{name: [], rules: {conditions: 3}}, 7, null]\n",
        HEAD + "  decisions:\n    - {name: a, rules: " + "{operator: NOT, conditions: [" * 30 + "]}" * 30 + "}\n",
        HEAD
        + "  decisions: [{name: a, priority: .nan, rules: {type: keyword, name: {}}, modelRefs: [{weight: -1}]}]\n",
    ],
)
def test_hostile_sources_end_in_a_verdict_or_a_report(text: str) -> None:
    """Never in an internal error."""
    Path("config.yaml").write_text(text, encoding="utf-8")
    assert call("import", "config.yaml", "--prove").exit_code in {0, 1, 3}
    Path("policy.yaml").write_text("a: [", encoding="utf-8")
    assert call("import", "config.yaml", "--against", "policy.yaml").exit_code in {1, 3}


def test_a_secret_of_the_source_is_in_no_proof() -> None:
    """Texts of the proof are those of the report."""
    secret = "sk-abcdefghijklmnopqrstuvwx"  # noqa: S105 - made up
    Path("config.yaml").write_text(CONFIG.replace("Be quick.", secret), encoding="utf-8")
    call("import", "config.yaml", "--partial")
    result = call("import", "config.yaml", "--against", "policy.yaml")
    assert secret not in result.stdout + result.stderr
