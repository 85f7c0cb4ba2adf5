"""Says where an ask is in the body of its request."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_runtime.decision.ask.extract import Ask
from vsr_runtime.decision.ask.message import AskSpan
from vsr_runtime.decision.ask.transcript import Entry
from vsr_runtime.decision.fast_dataclass import fast_dataclass

_MOST = 4
"""Pieces that a description names."""


@fast_dataclass(frozen=True, slots=True)
class AskPlace:
    """A piece of an ask: the message or item, its part (None if the content is one text), and code points."""

    message: int
    part: int | None
    start: int
    end: int


def places_of(ask: Ask, transcript: Sequence[Entry]) -> list[AskPlace]:
    """Return where the pieces of an ask are in the request's list of messages or items."""
    if not 0 <= ask.entry < len(transcript):
        return []
    entry = transcript[ask.entry]
    return [AskPlace(entry.index, _part(entry, span), span.start, span.end) for span in ask.spans]


def _part(entry: Entry, span: AskSpan) -> int | None:
    return None if len(entry.kinds) <= 1 and len(entry.texts) <= 1 else entry.part(span.part)


def describe(ask: Ask, transcript: Sequence[Entry], field: str) -> str:
    """Return the places and the form of an ask, such as ``messages[3].content[1] 120-188; tag``.

    Args:
        ask: the ask.
        transcript: the transcript that it was found in.
        field: the field of the body that holds the messages, such as ``messages``.
    """
    pieces = [
        f"{field}[{place.message}]"
        + ("" if place.part is None else f".content[{place.part}]")
        + f" {place.start}-{place.end}"
        for place in places_of(ask, transcript)[:_MOST]
    ]
    return "; ".join([", ".join(pieces), ask.form] if pieces else [ask.form])
