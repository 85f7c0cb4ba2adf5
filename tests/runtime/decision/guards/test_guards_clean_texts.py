"""What was looked through once and held nothing is not looked through again; everything else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.deadline import DeadlineExceededError, never
from vsr_runtime.decision.guards import guard
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.finders import patterns, spans
from vsr_runtime.decision.guards.guard import CleanTextCache, Guard
from vsr_runtime.decision.guards.guard_input import GuardInput
from vsr_runtime.decision.signals.heuristic import PiiSignal
from vsr_runtime.decision.view import RequestView

KEYS = patterns(["sk-[a-z]{4}"])


def counted():
    """Return a finder of keys, and the list of texts that it scans."""
    scanned = []

    def find(normalised, expired):
        scanned.append(normalised.text)
        return KEYS(normalised, expired)

    return find, scanned


def test_clean_texts_of_earlier_requests_are_not_scanned_again():
    """The new turn is; and whatever held something is every time, so that it is masked every time."""
    find, scanned = counted()
    guard = Guard("keys", "mask", (find,))
    first = GuardInput('{"a": "hello", "b": "sk-abcd"}', {})
    second = GuardInput('{"a": "hello", "b": "sk-abcd", "c": "new"}', {})
    hits = [first.matches(guard, never), second.matches(guard, never)]
    assert scanned == ["a", "hello", "b", "sk-abcd", "sk-abcd", "c", "new"]
    assert hits[0] == hits[1] != ()


def test_each_guard_has_its_own_cache():
    """What one looks for another may not."""
    matter = GuardInput('{"a": "sk-abcd"}', {})
    assert matter.matches(Guard("none", "mask", (patterns(["zz"]),)), never) == ()
    assert matter.matches(Guard("keys", "mask", (KEYS,)), never) != ()


def test_signal_has_a_cache():
    """A conversation's older messages come again with every turn."""
    find, scanned = counted()
    signal = PiiSignal(find, everywhere=True)
    assert not signal.holds(RequestView("b", history=("a", "b")), never)
    assert signal.holds(RequestView("sk-abcd", history=("a", "b", "sk-abcd")), never)
    assert scanned == ["a", "b", "sk-abcd"]


def test_scan_that_exceeded_its_deadline_is_not_cached():
    """Not even that nothing was found."""
    known = CleanTextCache()

    def late():
        raise DeadlineExceededError

    with pytest.raises(DeadlineExceededError):
        known.find("text", late)
    assert known.find("text", lambda: [TextSpan(0, 1, "X", 1.0, "r")]) != []


def test_cache_is_bounded_and_holds_no_text(monkeypatch):
    """The texts of the last requests stay, and what is used stays among them."""
    monkeypatch.setattr(guard, "MAX_TEXTS", 10)
    known = CleanTextCache()
    for number in range(100):
        known.find("kept", list)
        known.find(str(number), list)
        assert len(known) <= 20
    assert known.find("kept", pytest.fail) == []
    assert b"kept" not in repr([known._young, known._old]).encode()


TEXTS = st.lists(st.sampled_from(["a", "sk-abcd", "sk-", "abcd", " sk-abcde ", "ö", "\ud800"]), max_size=30)


@given(TEXTS)
def test_cache_changes_no_finding(texts):
    """Whatever came before."""
    known = CleanTextCache()
    for text in texts:
        assert known.find(text, lambda text=text: spans([KEYS], text, never)) == spans([KEYS], text, never)
