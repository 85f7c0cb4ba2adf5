"""Decisions of the stock router as routes, guards and the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.imports import HEAD, imported, places, policy_of, routes

SIGNALS = """\
  signals:
    keywords:
      - {name: urgent, operator: OR, keywords: [urgent]}
      - {name: calm, operator: NOR, keywords: [urgent, asap], case_sensitive: true}
    domains: [{name: math, description: numbers}, {name: law, description: courts}]
    jailbreak: [{name: attack, method: classifier, threshold: 0.8}]
    pii: [{name: personal, threshold: 0.6, pii_types_allowed: [PERSON]}]
    safety: [{name: unsafe}]
    preferences: [{name: casual, description: small talk}]
"""


def decision(name: str, rules: str, more: str = "modelRefs: [{model: large}]", priority: int = 10) -> str:
    """A decision of the configuration."""
    return f"    - {{name: {name}, priority: {priority}, rules: {rules}, {more}}}\n"


def test_operators_become_conditions(tmp_path: Path) -> None:
    """AND, OR and NOT in one tree; an empty AND is always."""
    rules = (
        "{operator: AND, conditions: [{type: domain, name: math}, {operator: NOT, conditions: [{operator: OR, "
        "conditions: [{type: keyword, name: urgent}, {type: keyword, name: calm}]}]}]}"
    )
    text = HEAD + SIGNALS + "  decisions:\n" + decision("a", rules) + decision("b", "{operator: AND, conditions: []}")
    result = imported(tmp_path, text)
    inner = {"any": [{"signal": "urgent"}, {"signal": "calm"}]}
    assert routes(result) == [
        ("a", {"all": [{"category": "math"}, {"not": inner}]}, "large"),
        ("b", "always", "large"),
    ]
    assert policy_of(result)["signals"]["calm"] == {
        "keywords": ["urgent", "asap"],
        "match": "none",
        "caseSensitive": True,
    }
    assert not result.failed


def test_a_fixed_answer_behind_detections_becomes_guards(tmp_path: Path) -> None:
    """The report says that 200 becomes 403, and that requests with a model no longer bypass them."""
    rules = "{operator: OR, conditions: [{type: jailbreak, name: attack}, {type: pii, name: personal}]}"
    answer = "modelRefs: [], plugins: [{type: fast_response, configuration: {message: no}}]"
    result = imported(tmp_path, HEAD + SIGNALS + "  decisions:\n" + decision("block", rules, answer))
    guards = policy_of(result)["guards"]
    assert guards["attack"] == {"detector": "jailbreak-detector", "threshold": 0.8, "unreadable": "pass"}
    assert "PERSON" not in guards["personal"]["types"]
    assert "EMAIL_ADDRESS" in guards["personal"]["types"]
    assert guards["personal"]["detector"] == "pii-detector"
    assert "signals" not in policy_of(result)
    assert routes(result) == []
    [(_, message)] = places(result, "VSR523")
    assert "answers with 200 gets 403" in message
    assert len(places(result, "VSR533")) == 1
    assert [(item.decision, item.outcome, item.names, item.differs) for item in result.correspondences] == [
        ("block", "guard", ("attack", "personal"), "VSR523")
    ]


def test_other_conditions_of_such_a_decision_stay_a_route(tmp_path: Path) -> None:
    """A keyword is no detection: its answer stays as it is."""
    rules = "{operator: OR, conditions: [{type: jailbreak, name: attack}, {type: keyword, name: urgent}]}"
    answer = "plugins: [{type: fast_response, configuration: {message: no}}]"
    result = imported(tmp_path, HEAD + SIGNALS + "  decisions:\n" + decision("block", rules, answer))
    assert list(policy_of(result)["guards"]) == ["attack"]
    assert routes(result) == [("block", {"signal": "urgent"}, "no")]


def test_a_detection_that_only_routes_stays_a_signal(tmp_path: Path) -> None:
    """Nothing is blocked there, so nothing is here."""
    rules = "{operator: OR, conditions: [{type: pii, name: personal}]}"
    result = imported(tmp_path, HEAD + SIGNALS + "  decisions:\n" + decision("inside", rules))
    assert "guards" not in policy_of(result)
    assert routes(result) == [("inside", {"signal": "personal"}, "large")]
    assert policy_of(result)["signals"]["personal"]["pii"]["threshold"] == 0.6


@pytest.mark.parametrize(
    ("rules", "answer", "why"),
    [
        ("{operator: NOT, conditions: [{type: preference, name: casual}]}", "modelRefs: [{model: large}]", "NOT"),
        (
            "{operator: OR, conditions: [{type: preference, name: casual}]}",
            "plugins: [{type: fast_response, configuration: {message: no}}]",
            "a decision that blocks",
        ),
        ("{operator: OR, conditions: [{type: safety, name: unsafe}]}", "modelRefs: [{model: large}]", "a protection"),
        ("{operator: OR, conditions: [{type: jailbreak, name: gone}]}", "modelRefs: [{model: large}]", "a protection"),
    ],
)
def test_a_condition_that_must_not_get_lost_is_an_error(tmp_path: Path, rules: str, answer: str, why: str) -> None:
    """Under NOT, in a decision that blocks, and of a detector."""
    result = imported(tmp_path, HEAD + SIGNALS + "  decisions:\n" + decision("a", rules, answer))
    assert result.failed
    assert [line for line, _ in places(result, "VSR522")] == [19]
    [hint] = [item.hint for item in result.findings if item.code == "VSR522"]
    assert why in hint


def test_any_other_lost_condition_makes_the_route_hold_less_often(tmp_path: Path) -> None:
    """In OR the rest stays; in AND nothing is left; each is reported, and the route has a comment."""
    lost = "{type: preference, name: casual}"
    text = HEAD + SIGNALS + "  decisions:\n"
    text += decision("a", f"{{operator: OR, conditions: [{lost}, {{type: keyword, name: urgent}}]}}")
    text += decision("b", f"{{operator: AND, conditions: [{lost}, {{type: keyword, name: urgent}}]}}")
    result = imported(tmp_path, text)
    assert routes(result) == [("a", {"signal": "urgent"}, "large")]
    assert not result.failed
    assert [line for line, _ in places(result, "VSR524")] == [19, 20]
    assert ("b", "lost") in [(item.decision, item.outcome) for item in result.correspondences]
    assert "# Decision `a` loses the condition `preference: casual`" in result.policy


def test_the_order_is_priority_then_certainty_then_name(tmp_path: Path) -> None:
    """As the stock router: a keyword is certain, a category is not."""
    law = "{operator: OR, conditions: [{type: domain, name: law}]}"
    urgent = "{operator: OR, conditions: [{type: keyword, name: urgent}]}"
    text = HEAD + SIGNALS + "  decisions:\n" + decision("a-law", law, priority=100)
    text += decision("b-urgent", urgent, priority=100) + decision("first", urgent, priority=200)
    assert [name for name, _, _ in routes(imported(tmp_path, text))] == ["first", "b-urgent", "a-law"]


def test_a_tie_that_confidence_decides_is_reported(tmp_path: Path) -> None:
    """Two different categories exclude each other; a category and a similarity do not."""
    text = HEAD + SIGNALS.replace(
        "    domains:", "    embeddings: [{name: near, threshold: 0.7, candidates: [hi]}]\n    domains:"
    )
    law, math, near = (
        f"{{operator: OR, conditions: [{{type: {kind}, name: {name}}}]}}"
        for kind, name in (("domain", "law"), ("domain", "math"), ("embedding", "near"))
    )
    exclusive = text + "  decisions:\n" + decision("a", law) + decision("b", math)
    assert places(imported(tmp_path, exclusive), "VSR532") == []
    [(_, message)] = places(imported(tmp_path, exclusive + decision("c", near)), "VSR532")
    assert "`a`, `b`, `c` have one priority" in message


def test_tiers_come_before_priorities(tmp_path: Path) -> None:
    """The lowest tier is the first, and the priorities in the policy say so."""
    urgent = "{operator: OR, conditions: [{type: keyword, name: urgent}]}"
    text = HEAD + SIGNALS + "  decisions:\n"
    text += decision("late", urgent, "tier: 2, modelRefs: [{model: large}]", 900)
    text += decision("early", urgent, "tier: 1, modelRefs: [{model: small}]", 1)
    found = policy_of(imported(tmp_path, text))["routes"]
    assert [(route["name"], route["priority"]) for route in found] == [("early", 20), ("late", 10)]


def test_the_first_of_several_models_answers_unless_a_selector_chooses(tmp_path: Path) -> None:
    """The stock router's default ignores weights; a selection becomes equal shares."""
    urgent = "{operator: OR, conditions: [{type: keyword, name: urgent}]}"
    refs = "modelRefs: [{model: small, weight: 10}, {model: large, weight: 90}]"
    text = HEAD + SIGNALS + "  decisions:\n" + decision("a", urgent, refs)
    text += decision("b", urgent, refs + ", algorithm: {type: latency_aware}", 9)
    result = imported(tmp_path, text)
    assert [answer for _, _, answer in routes(result)] == ["small", {"small": 50, "large": 50}]
    assert len(places(result, "VSR538")) == 2


def test_plugins_become_fields_of_the_route(tmp_path: Path) -> None:
    """What has no field is reported by name; what is not enabled does nothing."""
    urgent = "{operator: OR, conditions: [{type: keyword, name: urgent}]}"
    plugins = (
        "modelRefs: [{model: large, use_reasoning: true, reasoning_effort: low}], plugins: ["
        "{type: system_prompt, configuration: {system_prompt: Be brief., mode: insert}}, "
        "{type: header_mutation, configuration: {add: [{name: X-Team, value: a}], delete: [x-old]}}, "
        "{type: request_params, configuration: {max_tokens_limit: 100, blocked_params: [logit_bias]}}, "
        "{type: tools, configuration: {mode: filtered, allow_tools: [search]}}, "
        "{type: semantic-cache, configuration: {enabled: true, similarity_threshold: 0.95, ttl_seconds: 60}}, "
        "{type: rag, configuration: {enabled: true}}, {type: memory, configuration: {enabled: false}}]"
    )
    result = imported(tmp_path, HEAD + SIGNALS + "  decisions:\n" + decision("a", urgent, plugins))
    [route] = policy_of(result)["routes"]
    assert route["effort"] == "low"
    assert route["systemPrompt"] == {"text": "Be brief.", "mode": "insert"}
    assert route["headers"] == {"set": {"x-team": "a"}, "remove": ["x-old"]}
    assert route["params"] == {"maxTokens": 100, "block": ["logit_bias"]}
    assert route["tools"] == {"allow": ["search"]}
    assert route["cache"] == {"similarity": 0.95, "ttl": "60s"}
    assert [message for _, message in places(result, "VSR526")] == ["decision `a` loses retrieval of documents (`rag`)"]


def test_every_field_that_nothing_reads_is_reported(tmp_path: Path) -> None:
    """Also one that no release has."""
    text = HEAD + SIGNALS + "  decisions:\n"
    text += decision("a", "{}", "modelRefs: [{model: large, tempo: fast}], colour: red")
    messages = {message for _, message in places(imported(tmp_path, text), "VSR526")}
    assert "`decisions[0].colour` is not carried over" in messages
    assert any("tempo" in message for message in messages)


def test_reasoning_that_cannot_be_switched_off_stays_on(tmp_path: Path) -> None:
    """Release 0.4.0 refuses `use_reasoning: false` for such a family; others are off unless asked for."""
    urgent = "{operator: OR, conditions: [{type: keyword, name: urgent}]}"
    refs = "modelRefs: [{model: large, use_reasoning: false}]"
    text = HEAD + SIGNALS + "  decisions:\n" + decision("a", urgent, refs)
    assert policy_of(imported(tmp_path, text))["routes"][0]["reasoning"] is True
    switched = text.replace("family: gpt-oss", "type: reasoning_effort, parameter: reasoning.effort")
    policy = policy_of(imported(tmp_path, switched))
    assert policy["models"]["large"]["reasoningFamily"] == "gpt"
    assert "reasoning" not in policy["routes"][0]


def test_a_key_in_a_header_is_not_copied(tmp_path: Path) -> None:
    """Neither into the policy nor into an excerpt."""
    urgent = "{operator: OR, conditions: [{type: keyword, name: urgent}]}"
    plugin = "{type: header_mutation, configuration: {add: [{name: X-Api-Key, value: hush-hush-1234}]}}"
    text = (
        HEAD + SIGNALS + "  decisions:\n" + decision("a", urgent, f"modelRefs: [{{model: large}}], plugins: [{plugin}]")
    )
    result = imported(tmp_path, text)
    assert len(places(result, "VSR529")) == 1
    assert "hush-hush" not in result.policy
    assert all("hush-hush" not in source for source in result.texts.values())
