"""The text of a message without its blocks, as one string whose positions lead back to the message."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_runtime.decision.ask.blocks import Block
from vsr_runtime.decision.ask.message import BREAK, AskSpan, Message
from vsr_runtime.decision.ask.signs import signs_of
from vsr_runtime.decision.fast_dataclass import fast_dataclass

_GAP = f"\n\n{BREAK}\n\n"


@fast_dataclass(frozen=True, slots=True)
class FreeText:
    """What a message contains outside of its blocks.

    Attributes:
        text: a line break, then the stretches with a `BREAK` between them.
        stretches: for each stretch its position in ``text``, its position in the message, and its length.
        blocks: the blocks that were removed.
        signs: the signs at the beginnings of lines.
    """

    text: str
    stretches: tuple[tuple[int, int, int], ...]
    blocks: tuple[Block, ...]
    signs: frozenset[str]

    def spans(self, message: Message, start: int, end: int) -> tuple[AskSpan, ...]:
        """Return where a stretch of ``text`` is in the message."""
        spans: list[AskSpan] = []
        for place, begin, size in self.stretches:
            low, high = max(start, place), min(end, place + size)
            if low < high:
                spans += message.spans(begin + low - place, begin + high - place)
        return tuple(spans)

    def block_behind(self, position: int) -> Block | None:
        """Return the block that was removed directly behind a position, if only blanks are between."""
        for (place, _, size), block in zip(self.stretches, self.blocks, strict=False):
            end = place + size
            if end >= position:
                return block if not self.text[position:end].strip() else None
        return None


def free_text(text: str, start: int, end: int, blocks: Sequence[Block], signs: frozenset[str]) -> FreeText:
    """Return the text between two positions, which has these signs, without the blocks there."""
    if not blocks and (not start or text[start - 1] == "\n"):
        return FreeText("\n" + text[start:end], ((1, start, end - start),), (), signs)
    pieces: list[str] = ["\n"]
    stretches: list[tuple[int, int, int]] = []
    size, begin = 1, start
    for block in blocks:
        pieces += (text[begin : block.start], _GAP)
        stretches.append((size, begin, block.start - begin))
        size += block.start - begin + len(_GAP)
        begin = block.end
    pieces.append(text[begin:end])
    stretches.append((size, begin, end - begin))
    whole = "".join(pieces)
    return FreeText(whole, tuple(stretches), tuple(blocks), signs_of(whole, 0, len(whole)))
