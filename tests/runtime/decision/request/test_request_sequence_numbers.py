"""Sequence numbers and ids of streamed events, where guards hold text back and add events."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.finders import personal
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import ResponsePlan
from vsr_runtime.decision.request.response_stream import ResponseStream
from vsr_runtime.decision.request.sequence_numbers import SequenceNumbers

MASK = Guard("pii", "mask", (personal(["EMAIL_ADDRESS"]),), on_response=True)
BLOCK = Guard("pii", "block", MASK.finders, on_response=True)


def sent(guard: Guard, *events) -> list[dict]:
    """Return the events that a client of the responses API gets."""
    data = "".join(f"id: {number}\nevent: x\ndata: {json.dumps(event)}\n\n" for number, event in enumerate(events))
    stream = ResponseStream(ResponsePlan(Api.RESPONSES, (guard,)))
    with pytest.raises(StopIteration) as done:
        next(stream.feed(data.encode(), never, end=True))
    return [
        json.loads(data) | {"ids": block.count("id: ")}
        for block in done.value.value.decode().split("\n\n")
        for name, _, data in (block.rpartition("data: "),)
        if name or data
    ]


def delta(number: int, item: int, text: str) -> dict:
    """Return an event with a piece of text."""
    return {
        "type": "response.output_text.delta",
        "sequence_number": number,
        "item_id": str(item),
        "output_index": item,
        "content_index": 0,
        "delta": text,
    }


def ended(number: int, item: int, text: str) -> dict:
    """Return the event that ends a text."""
    return delta(number, item, text) | {"type": "response.output_text.done"}


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["hello ", "Write to ", "jane@example.org "])), max_size=12)
)
@examples(60)
def test_sequence_number_is_never_used_twice(pieces):
    """Added events get numbers of their own, and those of the server's events move up."""
    events = [delta(number, item, text) for number, (item, text) in enumerate(pieces)]
    events += [ended(len(events) + item, item, "") for item in range(4)]
    events += [{"type": "response.completed", "sequence_number": len(events), "response": {}}]
    numbers = [event["sequence_number"] for event in sent(MASK, *events)]
    assert numbers == list(range(len(numbers)))


def test_rejection_has_the_number_after_the_last_event():
    """The error event takes part in the order of events."""
    events = sent(BLOCK, delta(7, 0, "hello "), delta(8, 0, "jane@example.org"), ended(9, 0, ""))
    assert events[-1]["code"] == "guard:pii"
    numbers = [event["sequence_number"] for event in events]
    assert numbers == sorted(set(numbers))


def test_added_event_repeats_no_id():
    """A client that resumes after an id would get the text twice."""
    events = sent(MASK, delta(0, 0, "Write to jane@example.org"), ended(1, 0, ""))
    assert [(event["sequence_number"], event["ids"]) for event in events] == [(0, 1), (1, 0), (2, 1)]


def test_events_without_numbers_get_none():
    """Other APIs do not count their events."""
    numbers = SequenceNumbers()
    event = {"choices": []}
    assert not numbers.assign(event, added=True)
    assert event == {"choices": []}
    assert not numbers.assign("[DONE]", added=True)
