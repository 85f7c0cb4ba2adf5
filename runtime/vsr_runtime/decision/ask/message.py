"""The texts of a message as one text, whose positions lead back to them."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_runtime.decision.fast_dataclass import fast_dataclass

BREAK = "\x02"
"""Is, as a paragraph of its own, where a part ends or a block was removed. It is no blank."""
_JOINT = f"\n\n{BREAK}\n\n"
EDGE = 128_000
"""Characters at either end of a long message that are examined."""


@fast_dataclass(frozen=True, slots=True)
class AskSpan:
    """Where a piece of an ask is: the number of the text in its message, and code points in that text."""

    part: int
    start: int
    end: int


@fast_dataclass(frozen=True, slots=True)
class Message:
    """A message as one text.

    Attributes:
        text: a line break, then the texts with a `BREAK` between them.
        places: for each stretch of ``text`` its position, its number, its position there, and its length.
    """

    text: str
    places: tuple[tuple[int, int, int, int], ...]

    def spans(self, start: int, end: int) -> list[AskSpan]:
        """Return where a stretch of ``text`` is in the message."""
        spans = []
        for place, part, begin, size in self.places:
            low, high = max(start, place), min(end, place + size)
            if low < high:
                spans.append(AskSpan(part, begin + low - place, begin + high - place))
        return spans


def message_of(texts: Sequence[str], parts: Sequence[int]) -> Message:
    """Return some texts of a message as one text; of a long message its ends."""
    if len(parts) == 1 and len(texts[parts[0]]) <= 2 * EDGE:
        text = texts[parts[0]]
        return Message("\n" + text, ((1, parts[0], 0, len(text)),))
    size = sum(len(texts[part]) for part in parts)
    skipped = range(EDGE, size - EDGE) if size > 2 * EDGE else range(0)
    pieces: list[str] = ["\n"]
    places: list[tuple[int, int, int, int]] = []
    place, passed = 1, 0
    for part in parts:
        text = texts[part]
        for low, high in _kept(len(text), skipped.start - passed, skipped.stop - passed):
            if places:
                pieces.append(_JOINT)
                place += len(_JOINT)
            places.append((place, part, low, high - low))
            pieces.append(text[low:high])
            place += high - low
        passed += len(text)
    return Message("".join(pieces), tuple(places))


def _kept(size: int, low: int, high: int) -> list[tuple[int, int]]:
    """Return the ranges of a text that are outside of a range that is skipped."""
    low, high = min(max(low, 0), size), min(max(high, 0), size)
    if low >= high:
        return [(0, size)]
    return [bounds for bounds in ((0, low), (high, size)) if bounds[0] < bounds[1]]
