from __future__ import annotations

import pytest

from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.signals.base import Bounds, bounds_of
from vsr_runtime.decision.signals.conversation import build_conversation
from vsr_runtime.decision.signals.heuristic import build_context, build_keyword, parse_token_count
from vsr_runtime.decision.signals.structure import build_structure
from vsr_runtime.decision.view import RequestView
from vsr_schemas.routerconfig import v0_4_0 as contract


def keyword(operator: str, *words: str, **more: object):
    """A keyword signal."""
    return build_keyword(contract.KeywordRule(name="k", operator=operator, keywords=list(words), **more))


@pytest.mark.parametrize(
    ("operator", "text", "expected"),
    [
        ("OR", "a", True),
        ("OR", "c", False),
        ("AND", "b a", True),
        ("AND", "a", False),
        ("NOR", "c", True),
        ("NOR", "b", False),
    ],
)
@pytest.mark.parametrize("method", [None, "regex"])
def test_keyword_operators(operator, text, expected, method):
    """Any, all or none of the words, literal or as patterns."""
    assert keyword(operator, "a", "b", method=method).holds(RequestView(text), never) is expected


def test_keywords_look_at_the_last_turn():
    """Other messages do not count."""
    assert not keyword("OR", "a").holds(RequestView("b", size=100, roles=("system", "user")), never)


@pytest.mark.parametrize(("operator", "holds"), [("OR", True), ("AND", False), ("NOR", False)])
def test_every_text_has_the_empty_keyword(operator, holds):
    """Stock configs choose a decision for all requests with it."""
    assert keyword(operator, "", "a").holds(RequestView("b"), never) is holds
    assert keyword("AND", "").holds(RequestView(""), never)


@pytest.mark.parametrize(
    ("words", "more"), [((), {}), (("",), {"fuzzy_match": True}), ((" ",), {}), (("(",), {"method": "regex"})]
)
def test_invalid_keywords_are_rejected(words, more):
    """No words, empty words, and broken patterns are errors."""
    with pytest.raises(ValueError, match=r"."):
        keyword("OR", *words, **more)


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("8192", 8192), ("8K", 8000), ("1.5k", 1500), ("2.5M", 2_500_000)]
)
def test_tokens_are_written_with_units(text, number):
    """K is a thousand and M a million, as in the stock router."""
    assert parse_token_count(text) == number


@pytest.mark.parametrize("text", ["", "K", "-1", "1e3", "8 K", "8KB", "1.", "٣"])
def test_invalid_token_count_is_rejected(text):
    """Other spellings are errors."""
    with pytest.raises(ValueError, match="is not a token count"):
        parse_token_count(text)


@pytest.mark.parametrize(
    ("low", "high", "size", "expected"),
    [
        ("2", None, 4, False),
        ("2", None, 5, True),
        (None, "2", 8, True),
        (None, "2", 9, False),
        ("1", "1", 1, True),
        ("0", "0", 0, True),
        ("1K", "2K", 4000, True),
        ("1K", "2K", 3996, False),
    ],
)
def test_context_is_a_range_of_tokens(low, high, size, expected):
    """Tokens are a quarter of the bytes, rounded up; both ends are included."""
    signal = build_context(contract.ContextRule(name="c", min_tokens=low, max_tokens=high))
    assert signal.holds(RequestView("", size), never) is expected


@pytest.mark.parametrize(("low", "high"), [(None, None), ("2", "1"), ("x", None)])
def test_context_without_bounds_is_rejected(low, high):
    """No bound, an empty range and nonsense are errors."""
    with pytest.raises(ValueError, match=r"."):
        build_context(contract.ContextRule(name="c", min_tokens=low, max_tokens=high))


def structure(source: dict[str, object], **predicate: float):
    """A structure signal."""
    feature = {"type": "count", "source": source}
    return build_structure(contract.StructureRule(name="s", feature=feature, predicate=predicate))


@pytest.mark.parametrize(
    ("predicate", "text", "expected"),
    [
        ({"gte": 2.0}, "? ?", True),
        ({"gte": 2.0}, "?", False),
        ({"lte": 1.0}, "??", False),
        ({"lte": 1.0}, "", True),
        ({"gte": 1.0, "lte": 2.0}, "??", True),
        ({"gte": 1.0, "lte": 2.0}, "???", False),
        ({"gte": 1.5}, "?", False),
        ({"gte": 0.0}, "", True),
        ({"lte": 0.0}, "?", False),
    ],
)
def test_structure_counts_a_pattern(predicate, text, expected):
    """How often a pattern occurs lies within bounds, both included."""
    assert structure({"type": "regex", "pattern": r"\?"}, **predicate).holds(RequestView(text), never) is expected


def test_structure_counts_keywords():
    """Keywords count all together, as whole words."""
    signal = structure({"type": "keyword_set", "keywords": ["first", "then"]}, gte=3.0)
    assert signal.holds(RequestView("First this, then that, then more"), never)
    assert not signal.holds(RequestView("first thens then"), never)


@pytest.mark.parametrize(
    ("source", "predicate"),
    [
        ({"type": "regex"}, {"gte": 1.0}),
        ({"type": "regex", "pattern": "a", "keywords": ["b"]}, {"gte": 1.0}),
        ({"type": "keyword_set"}, {"gte": 1.0}),
        ({"type": "keyword_set", "keywords": []}, {"gte": 1.0}),
        ({"type": "keyword_set", "keywords": ["a"], "pattern": "a"}, {"gte": 1.0}),
        ({"type": "regex", "pattern": "a"}, {"gte": 1e9}),
    ],
)
def test_invalid_structure_is_rejected(source, predicate):
    """A source without keywords or pattern, or with both, and unbounded counting are errors."""
    with pytest.raises(ValueError, match=r"."):
        structure(source, **predicate)


@pytest.mark.parametrize(
    "predicate", [{}, {"gte": 2.0, "lte": 1.0}, {"gte": -1.0}, {"lte": float("inf")}, {"gte": float("nan")}]
)
def test_predicate_that_nothing_or_everything_satisfies_is_rejected(predicate):
    """Bounds must be there, finite, and leave something between them."""
    with pytest.raises(ValueError, match="predicate"):
        bounds_of(contract.Predicate(**predicate))


@pytest.mark.parametrize(("bounds", "enough"), [(Bounds(3), 3), (Bounds(2.5), 3), (Bounds(0, 4), 5), (Bounds(0), 0)])
def test_counting_ends_where_it_makes_no_difference(bounds, enough):
    """Beyond that count, one more changes nothing."""
    assert bounds.enough == enough
    assert ((enough in bounds) is (enough + 1 in bounds)) is True


VIEW = RequestView("x", 1, ("system", "user", "assistant", "user"), tools=2, tool_calls=1, images=3)


@pytest.mark.parametrize(
    ("of", "role", "number"),
    [
        ("message", None, 4),
        ("message", "user", 2),
        ("message", "tool", 0),
        ("tool_definition", None, 2),
        ("assistant_tool_call", None, 1),
        ("image_content", None, 3),
    ],
)
def test_conversation_counts_its_parts(of, role, number):
    """Messages by role, tools, calls and images."""
    for bound in (number, number + 1):
        rule = {"name": "c", "feature": {"type": "count", "source": {"type": of, "role": role}}}
        signal = build_conversation(
            contract.ConversationRule.model_validate(rule | {"predicate": {"gte": float(bound)}})
        )
        assert signal.holds(VIEW, never) is (bound == number)


def test_role_for_parts_without_role_is_rejected():
    """A role narrows messages only."""
    rule = {
        "name": "c",
        "feature": {"type": "count", "source": {"type": "image_content", "role": "user"}},
        "predicate": {"gte": 1.0},
    }
    with pytest.raises(ValueError, match="a role narrows messages"):
        build_conversation(contract.ConversationRule.model_validate(rule))
