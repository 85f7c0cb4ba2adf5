"""Density, sequences, presence and size of the last user turn, and the shape of a conversation."""

from __future__ import annotations

from math import exp

import pytest

from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.signals.conversation import build_conversation
from vsr_runtime.decision.signals.structure import build_structure, units_of
from vsr_runtime.decision.view import RequestView
from vsr_schemas.routerconfig import v0_4_0 as contract


def structure(feature: str, source: dict[str, object], **predicate: float):
    """A structure signal."""
    return build_structure(
        contract.StructureRule(
            name="s",
            feature={"type": feature, "source": source},
            predicate=contract.Predicate(**predicate) if predicate else None,
        )
    )


def conversation(feature: str, of: str, role: str | None = None, **predicate: float):
    """A conversation signal."""
    return build_conversation(
        contract.ConversationRule(
            name="c",
            feature={"type": feature, "source": {"type": of, "role": role}},
            predicate=contract.Predicate(**predicate) if predicate else None,
        )
    )


MUST = {"type": "keyword_set", "keywords": ["must", "必须"]}
STEPS = {"type": "sequence", "sequences": [["first", "then"], ["首先", "然后", "最后"]]}


def number(signal, text: str) -> float:
    """What the signal measures in a text."""
    return signal.score(RequestView(text), never).value


@pytest.mark.parametrize(
    ("text", "units"),
    [("you must do it", 4), ("必须做 it", 4), ("", 0), ("...", 0), ("a1b2 c-d", 3), ("日本go語", 4), ("snake_case", 2)],
)
def test_units_are_words_and_characters_of_scripts_without_spaces(text, units):
    """Runs of letters and digits count once, Han and Kana by the character."""
    assert units_of(text, never) == units


def test_units_of_long_texts_are_counted_across_pieces():
    """A word at the border of two pieces is one word."""
    assert units_of("x" * 200_000, never) == 1
    assert units_of("ab " * 60_000, never) == 60_000
    assert units_of("日" * 70_000, never) == 70_000


def test_density_is_occurrences_per_unit():
    """Two of eight words."""
    signal = structure("density", MUST, gt=0.2)
    assert number(signal, "you must go and he must stay here") == 0.25
    assert signal.holds(RequestView("you must go and he must stay here"), never)
    assert not signal.holds(RequestView("you must go where nobody has gone before"), never)
    assert number(signal, "必须做") == pytest.approx(1 / 3)
    assert number(signal, "") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("First this, then that", True),
        ("then this, first that", False),
        ("首先做,然后看,最后说", True),
        ("首先做,最后说", False),
        ("first", False),
    ],
)
@pytest.mark.parametrize("feature", ["sequence", "exists", "count"])
def test_markers_occur_in_order(feature, text, expected):
    """Each marker is searched for behind the one before it, whatever their case."""
    assert structure(feature, STEPS).holds(RequestView(text), never) is expected


def test_case_sensitive_sequences():
    """The text is compared as it is."""
    assert not structure("sequence", {**STEPS, "case_sensitive": True}).holds(RequestView("First, then"), never)


def test_presence_needs_no_bounds():
    """One occurrence is enough."""
    signal = structure("exists", {"type": "regex", "pattern": r"```\w*"})
    assert signal.holds(RequestView("see ```py\n```"), never)
    assert (number(signal, "see ```py\n```"), number(signal, "see")) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("predicate", "size", "expected"),
    [({"gt": 3}, 4, True), ({"gt": 3}, 3, False), ({"lt": 3}, 2, True), ({"lt": 3}, 3, False), ({}, 1, True)],
)
def test_bytes_are_counted_by_utf8(predicate, size, expected):
    """Bounds may be open; without any, everything above 0 holds."""
    assert structure("count", {"type": "text_bytes"}, **predicate).holds(RequestView("x" * size), never) is expected
    assert number(structure("count", {"type": "text_bytes"}), "é日") == 5
    assert number(structure("count", {"type": "text_bytes"}), "x" * 300_000) == 300_000


@pytest.mark.parametrize(
    ("feature", "source", "predicate", "reason"),
    [
        ("sequence", MUST, {}, "source of type sequence"),
        ("exists", MUST, {"gt": 1}, "no predicate"),
        ("density", {"type": "text_bytes"}, {}, "only be counted"),
        ("count", {"type": "sequence", "sequences": [["a"]]}, {}, "two markers"),
        ("count", {"type": "sequence"}, {}, "sequences and nothing else"),
        ("count", {"type": "text_bytes", "keywords": ["a"]}, {}, "nothing else"),
        ("count", {**MUST, "pattern": "a"}, {}, "keywords and nothing else"),
        ("count", MUST, {"gt": 1, "gte": 1}, "two bounds"),
        ("count", MUST, {"gt": 1, "lt": 1}, "nothing satisfies"),
        ("count", MUST, {"gt": 200_000}, "counts further"),
    ],
)
def test_rules_that_make_no_sense_are_refused(feature, source, predicate, reason):
    """They would hold always or never, and that is a mistake."""
    with pytest.raises(ValueError, match=reason):
        structure(feature, source, **predicate)


@pytest.mark.parametrize(
    ("predicate", "confidence"),
    [
        ({}, 1.0),
        ({"gt": 1}, 1 / (1 + exp(-8))),
        ({"gte": 3}, 0.5),
        ({"lte": 3.5}, 1 / (1 + exp(-2))),
        ({"gte": 2, "lt": 9}, 1 / (1 + exp(-4))),
        ({"gt": 3}, 0.0),
    ],
)
def test_confidence_grows_with_the_distance_from_the_bound(predicate, confidence):
    """A logistic function of slope 4, measured from the first of gt, gte, lt and lte; three occurrences."""
    found = structure("count", MUST, **predicate).score(RequestView("must must must"), never)
    assert (found.value, found.confidence) == (3.0, pytest.approx(confidence))


AGENT = RequestView("go on", roles=("system", "developer", "developer", "user", "assistant", "tool"), tool_calls=1)


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (conversation("count", "message", "non_user"), 4),
        (conversation("count", "message"), 6),
        (conversation("exists", "message", "developer"), 1),
        (conversation("count", "assistant_tool_cycle"), 1),
        (conversation("exists", "image_content"), 0),
        (conversation("exists", "active_tool_loop"), 1),
    ],
)
def test_parts_of_a_conversation_are_counted(signal, expected):
    """Developers' messages count once among those that are not the user's, and presence is 1 or 0."""
    assert signal.score(AGENT, never).value == expected


@pytest.mark.parametrize(
    ("roles", "calls", "expected"),
    [
        (("user",), 0, False),
        (("user", "assistant", "tool"), 1, True),
        (("user", "assistant", "tool", "user"), 1, True),
        (("user", "assistant", "tool", "assistant", "user"), 1, False),
        (("user", "assistant", "user"), 1, True),
        ((), 0, False),
    ],
)
def test_tool_loops_are_active_until_a_person_answers_an_answer(roles, calls, expected):
    """A result is the last message or the one before the user's, or a call has no result."""
    signal = conversation("exists", "active_tool_loop")
    assert signal.holds(RequestView("", roles=roles, tool_calls=calls), never) is expected


def test_conversation_bounds():
    """Without bounds any number is enough; presence has none."""
    assert conversation("count", "tool_definition").holds(RequestView(""), never)
    assert not conversation("count", "tool_definition", gt=0).holds(RequestView(""), never)
    with pytest.raises(ValueError, match="no predicate"):
        conversation("exists", "tool_definition", gt=0)
