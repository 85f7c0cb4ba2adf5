"""The budget of steps of one request: every walker, decoder and finder takes from it, and ends when it is used up."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from vsr_runtime.decision.apis.endpoints import ENDPOINTS, Api
from vsr_runtime.decision.deadline import Budget, BudgetExceededError, never
from vsr_runtime.decision.guards.finders import credentials, injection, patterns, personal, spans
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.guard_input import GuardInput
from vsr_runtime.decision.guards.json_texts import MAX_TEXTS, json_texts
from vsr_runtime.decision.patterns import EXACT_MATCHES, compile_patterns, matches
from vsr_runtime.decision.request.events import Cause, RequestBody, ResponsePlan
from vsr_runtime.decision.request.json_body import MAX_CONTAINERS, BodyError, read_body
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.response_machine import AwaitsWhole, ResponseBody, advance_response
from vsr_runtime.decision.request.states import AwaitsBody, MachineConfig
from vsr_schemas.pii import PATTERN_TYPES

SECRET = Guard("secrets", "block", (credentials(),), on_response=True)
FINDERS = {
    "personal": personal(PATTERN_TYPES),
    "credentials": credentials(),
    "injection": injection(),
    "patterns": patterns(["project falcon"]),
}


def nested(levels: int, size: int = 0) -> str:
    """A text of which each undoing of escapes leaves one escape."""
    return r"\u005c" + "u005c" * levels + "A" * size


def chat(text: str, **more: object) -> bytes:
    """A chat with one message."""
    return json.dumps({"model": "llama3-8b", "messages": [{"role": "user", "content": text}], **more}).encode()


def steps(work: Callable[[Budget], object]) -> int:
    """The steps that work takes."""
    budget = Budget(1 << 60, never)
    work(budget)
    return (1 << 60) - budget.left


@pytest.mark.parametrize("size", [0, 100_000])
@pytest.mark.parametrize("levels", [20, 1000, 5000])
def test_escapes_within_escapes_end_in_an_answer(program, levels, size):
    """Nothing fails and nothing is copied for each level: beyond some levels the request is rejected."""
    guarded = MachineConfig(program.__class__(**_with_guards(program, SECRET)), 1 << 24)
    _, action = advance(guarded, AwaitsBody(ENDPOINTS[Api.CHAT.value], "one"), RequestBody(chat(nested(levels, size))))
    assert (action.status, action.code, action.cause) == (413, "too_complex:secrets", Cause.TOO_COMPLEX)
    plan = ResponsePlan(Api.CHAT, (SECRET,))
    body = json.dumps({"choices": [{"message": {"content": nested(levels, size)}}]}).encode()
    _, answer = advance_response(AwaitsWhole(plan), ResponseBody(body, end_of_stream=True))
    assert (answer.status, answer.code) == (502, "too_complex:secrets")


def _with_guards(program, *guards):
    fields = ("models", "auto_names", "routes", "default", "fallback", "signals", "model_signals", "caches_responses")
    return {name: getattr(program, name) for name in fields} | {"guards": guards}


def test_usual_depths_of_json_within_json_are_read():
    """A call within a call within a call, and what twelve programs quoted, each what the one before had written."""
    text = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    for _ in range(6):
        text = json.dumps({"arguments": text, "é": 1})
    assert GuardInput(chat(text).decode(), {}).matches(SECRET, never)
    quoted = 'a "ghp_16C7e42F292c6912E7710c838347Ae178B4a"'
    for _ in range(12):
        quoted = json.dumps(quoted)
    assert len(list(json_texts(chat(quoted).decode()))) > 12
    assert GuardInput(chat(quoted).decode(), {}).matches(SECRET, never)


def test_texts_within_texts_count_as_text_beyond_the_first_level():
    """The arguments of a call count once; a client cannot make a detector read more than a guard's limit."""
    once = json.dumps({"q": "\n" * 1000})
    assert _tokens(once) - _tokens("x" * len(once)) == 0
    assert _tokens(json.dumps({"a": once})) > _tokens("x" * len(json.dumps({"a": once}))) + 200


def _tokens(text: str) -> int:
    return GuardInput(chat(text).decode(), {}).tokens


@pytest.mark.parametrize("text", ['{"z":' + "[" * 100 + "]" * 100 + "}", '{"z":[' + ",".join(["[]"] * 500_001) + "]}"])
def test_wide_bodies_are_rejected_before_they_are_parsed(text):
    """Depth is allowed up to its limit, and the number of objects and lists has its own."""
    if len(text) < 1000:
        assert read_body(text.encode()).values
        return
    with pytest.raises(BodyError, match=f"more than {MAX_CONTAINERS} objects and lists") as caught:
        read_body(text.encode())
    assert caught.value.code == "too_complex"


def test_brackets_in_texts_are_no_lists():
    """Code and LaTeX have many brackets."""
    assert read_body(json.dumps({"m": "[{" * MAX_CONTAINERS}).encode()).values


def test_documents_with_too_many_texts_are_rejected():
    """A text takes more memory than its two quotes."""
    with pytest.raises(BudgetExceededError):
        list(json_texts("[" + '"",' * 10 + '"ab",' * MAX_TEXTS + '"c"]'))


@pytest.mark.parametrize("name", FINDERS)
def test_every_finder_takes_from_the_budget(name):
    """As many steps as there are characters, at least; and it ends when none are left."""
    text = "a word and 123-45-6789 " * 200
    assert steps(lambda budget: spans([FINDERS[name]], text, budget)) >= len(text)
    with pytest.raises(BudgetExceededError):
        spans([FINDERS[name]], text, Budget(len(text) // 2, never))


def test_every_walker_and_decoder_takes_from_the_budget():
    """The parser, the walker over texts, the decoder of texts within texts, the search for media."""
    body = chat(json.dumps({"a": "\u00e9" * 1000}), more=list(range(5000)))
    for work in (
        lambda budget: read_body(body, budget),
        lambda budget: list(json_texts(body.decode(), budget)),
        lambda budget: GuardInput(body.decode(), json.loads(body), budget),
        lambda budget: compile_patterns(["x+y"], case_sensitive=True).count(body.decode(), 5, budget),
    ):
        needed = steps(work)
        assert needed >= 5000
        with pytest.raises(BudgetExceededError):
            work(Budget(needed - 1, never))


def test_budget_that_is_used_up_rejects_whatever_the_policy_says_of_errors(program):
    """A client could choose to use it up, so ``onError: pass`` does not let the text pass unread."""
    lenient = Guard("secrets", "mask", (credentials(),), passes_errors=True, max_tokens=20_000)
    config = MachineConfig(program.__class__(**_with_guards(program, lenient)), 1 << 24)
    body = chat("text " * 10_000)
    needed = steps(lambda budget: GuardInput(body.decode(), json.loads(body), budget))
    budget = Budget(needed + 8 * len(body) + 1000, never)
    _, action = advance(config, AwaitsBody(ENDPOINTS[Api.CHAT.value], "one"), RequestBody(body, budget))
    assert (action.status, action.code) == (413, "too_complex:secrets")
    assert action.guards[0].failed is Cause.TOO_COMPLEX


def test_budget_that_is_used_up_by_the_parser_is_its_own_answer(program):
    """Without guards, too."""
    config = MachineConfig(program, 1 << 24)
    many = b'{"model":"auto","messages":[],"z":[' + b"[]," * (MAX_CONTAINERS + 1) + b"1]}"
    _, action = advance(config, AwaitsBody(ENDPOINTS[Api.CHAT.value], "one"), RequestBody(many))
    assert (action.status, action.code) == (413, "too_complex")


def test_matches_are_the_same_as_those_of_searches_in_all_the_text():
    """Up to the length of a window, whatever their number."""
    (pattern,) = compile_patterns([r"a[bc]{1,300}d?|\bq\b"], case_sensitive=True).patterns
    data = (b"a" + b"bc" * 140 + b"d q ab aq " + b"z" * 5000) * 40 + b"acd q"
    expected, at = [], 0
    while match := pattern.search(data, at):
        expected.append(match.span())
        at = match.end()
    assert len(expected) > EXACT_MATCHES
    assert [match.span() for match in matches(pattern, data)] == expected


def test_later_matches_take_no_search_to_the_end_each():
    """Every search for this one reads to the end of the line, to see whether the match is longer."""
    (pattern,) = compile_patterns(["x(.*y)?"], case_sensitive=True).patterns
    few, many = (
        steps(lambda budget, size=size: list(matches(pattern, b"x" * size, budget))) for size in (20_000, 80_000)
    )
    assert many < 5 * few
