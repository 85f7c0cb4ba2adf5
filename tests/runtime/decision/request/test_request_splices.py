from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.request_bodies import BLANK, VALUES
from vsr_runtime.decision.request.json_body import scan_list
from vsr_runtime.decision.request.json_edits import Splice, apply_splices, insertion_splices, removal_splices


def test_splices_are_done_in_their_order():
    """Each place of the original changes, wherever it is named in the list."""
    assert apply_splices("abcdef", [Splice(4, 6, "X"), Splice(0, 0, "Y"), Splice(1, 2)]) == "YacdX"
    assert apply_splices("abc", []) == "abc"


def test_overlap_is_an_error():
    """Two changes of one place have no order that is right."""
    with pytest.raises(ValueError, match="overlap"):
        apply_splices("abc", [Splice(0, 2), Splice(1, 3)])


@st.composite
def lists(draw):
    """A list as text with blanks, its values, and some of its places."""
    values = draw(st.lists(VALUES, max_size=6))
    texts = [f"{draw(BLANK)}{json.dumps(value)}{draw(BLANK)}" for value in values]
    which = draw(st.sets(st.integers(0, len(values) - 1))) if values else set()
    return f"[{draw(BLANK)}{','.join(texts)}]", values, which


@given(given_list=lists(), first=st.lists(VALUES, max_size=2))
def test_removed_and_inserted_items_leave_the_others_as_they_were(given_list, first):
    """The result is the list of what was put first and what was kept, and each kept item has its own spelling."""
    text, values, which = given_list
    _, spans = scan_list(text, 0)
    fresh = insertion_splices(1, [json.dumps(value) for value in first], alone=len(which) == len(values))
    result = apply_splices(text, [*removal_splices(spans, which), *fresh])
    kept = [value for i, value in enumerate(values) if i not in which]
    assert json.loads(result) == [*first, *kept]
    _, after = scan_list(result, 0)
    spelled = [text[span.start : span.end] for i, span in enumerate(spans) if i not in which]
    assert [result[span.start : span.end] for span in after[len(first) :]] == spelled
