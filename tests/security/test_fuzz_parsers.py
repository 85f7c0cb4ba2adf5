"""Parsers of what clients and models send, with any bytes: an answer, never another error, and the same however cut."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_runtime.decision.deadline import Budget, BudgetExceededError, never
from vsr_runtime.decision.guards.guard_input import GuardInput
from vsr_runtime.decision.request.json_body import BodyError, read_body
from vsr_runtime.decision.request.sse import SseSplitter, StreamError

PIECES = st.sampled_from(
    [
        *(
            "{",
            "}",
            "[",
            "]",
            '"',
            ":",
            ",",
            "\\",
            "\\u",
            "005c",
            "u005c",
            "d83d",
            "\\ude00",
            "null",
            "1e9",
            "12345678",
        ),
        *("é", "😀", "\ud800", "\ufeff", " ", "\n", '"text"', '"content"', '{"type":"text","text":"', "[" * 200, "NaN"),
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)
BODIES = st.one_of(
    st.binary(max_size=300),
    TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
    TEXTS.map(lambda text: json.dumps({"messages": [{"role": "user", "content": text}]}).encode()),
)


@given(BODIES)
@examples(300)
def test_any_body_is_read_or_rejected(data):
    """The walker reads what the parser accepts, within the budget, and marks no place outside the body."""
    try:
        body = read_body(data, Budget(1 << 40, never))
    except BodyError:
        return
    assert body.values == json.loads(data)
    with suppress(BudgetExceededError):
        read = GuardInput(body.text, body.values, Budget(1 << 40, never))
        assert all(0 <= leaf.start <= len(body.text) for leaf in read.leaves if leaf.within is None)


EVENTS = st.lists(
    st.sampled_from(
        [
            b"data: ",
            b"data:{}",
            b"event: x",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b": c",
            b"\xff",
            b"\xef\xbb\xbf",
            b"id:1",
            b"x",
        ]
    ),
    max_size=40,
).map(b"".join)


@given(EVENTS, st.lists(st.integers(0, 200), max_size=6))
@examples(300)
def test_events_are_the_same_however_their_bytes_are_cut(data, cuts):
    """Events, or an error, whatever chunks they come in."""
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    assert _events([data[start:end] for start, end in zip([0, *ends], ends, strict=False)]) == _events([data])


def _events(chunks):
    splitter, found = SseSplitter(), []
    try:
        for chunk in chunks:
            found += [(event.others, event.data) for event in splitter.feed(chunk)]
        rest = splitter.end()
    except StreamError as error:
        return str(error)
    return [*found, (rest.others, rest.data)] if rest else found
