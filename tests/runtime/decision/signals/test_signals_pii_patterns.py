from __future__ import annotations

import pytest

from vsr_runtime.decision.deadline import DeadlineExceededError, never
from vsr_runtime.decision.signals.heuristic import build_pii
from vsr_runtime.decision.view import RequestView
from vsr_schemas.pii import ALL_TYPES
from vsr_schemas.routerconfig import v0_4_0 as contract

MAIL = "write to jane.doe@example.org"


def signal(*types: str, everywhere: bool = False):
    """The signal that looks for these types."""
    allowed = sorted(ALL_TYPES - set(types))
    return build_pii(
        contract.PiiRule(name="pii", threshold=0.99, pii_types_allowed=allowed, include_history=everywhere)
    )


def test_it_holds_where_a_type_is_found_that_is_not_allowed():
    """The contract lists what may be there."""
    assert signal("EMAIL_ADDRESS").holds(RequestView(MAIL), never)
    assert not signal("IBAN_CODE").holds(RequestView(MAIL), never)
    assert not signal("EMAIL_ADDRESS").holds(RequestView("hello"), never)


def test_history_is_read_only_where_the_rule_says_so():
    """Else the last turn decides."""
    view = RequestView("hello", history=(MAIL, "hello"))
    assert not signal("EMAIL_ADDRESS").holds(view, never)
    assert signal("EMAIL_ADDRESS", everywhere=True).holds(view, never)


def test_disguise_does_not_help():
    """It reads what guards read."""
    for between in ("\u200b", " "):
        assert signal("EMAIL_ADDRESS").holds(RequestView(between.join(MAIL)), never)


def test_exceeded_deadline_is_reported():
    """The request is then undecided."""
    with pytest.raises(DeadlineExceededError):
        signal("EMAIL_ADDRESS").holds(RequestView(MAIL), lambda: True)


def test_rule_that_allows_every_type_is_rejected():
    """Types that only a model finds are no work for patterns."""
    with pytest.raises(ValueError, match="every type"):
        signal("PERSON")
