"""The text of a message without its blocks, as one string whose positions lead back to the message."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_runtime.decision.ask.blocks import Block
from vsr_runtime.decision.fast_dataclass import fast_dataclass

BREAK = "\x02"
"""Stands, as a paragraph of its own, where a block was removed or a part of the message ends. It is no blank."""
_GAP = f"\n\n{BREAK}\n\n"

Found = tuple[int, Block]
"""A block and the number of its text."""


@fast_dataclass(frozen=True, slots=True)
class AskSpan:
    """Where a piece of an ask stands: the number of the text in its message, and code points in that text."""

    part: int
    start: int
    end: int


@fast_dataclass(frozen=True, slots=True)
class Region:
    """A stretch of one text of a message."""

    part: int
    start: int
    end: int


@fast_dataclass(frozen=True, slots=True)
class FreeText:
    """The regions of a message outside of its blocks.

    Attributes:
        text: a line break, then the regions with a `BREAK` between them.
        places: position of each region in ``text``.
        regions: where each region stands in the message.
        gaps: the block that was removed behind each region; None at the end of a part.
    """

    text: str
    places: tuple[int, ...]
    regions: tuple[Region, ...]
    gaps: tuple[Found | None, ...]

    def spans(self, start: int, end: int) -> tuple[AskSpan, ...]:
        """Return where a stretch of ``text`` stands in the message."""
        spans = []
        for place, region in zip(self.places, self.regions, strict=True):
            low, high = max(start, place), min(end, place + region.end - region.start)
            if low < high:
                spans.append(AskSpan(region.part, region.start + low - place, region.start + high - place))
        return tuple(spans)

    def block_behind(self, position: int) -> Found | None:
        """Return the block that was removed directly behind a position, if only blanks stand between."""
        place = self.text.find(BREAK, position)
        if place < 0 or self.text[position:place].strip():
            return None
        number = self.text.count(BREAK, 0, place)
        return self.gaps[number] if number < len(self.gaps) else None


def free_text(texts: Sequence[str], within: Sequence[Region], blocks: Sequence[Sequence[Block]]) -> FreeText:
    """Return what stands in some regions outside of their blocks.

    Args:
        texts: the texts of the message.
        within: the regions to read.
        blocks: the blocks of each region.
    """
    pieces: list[str] = ["\n"]
    places: list[int] = []
    regions: list[Region] = []
    gaps: list[Found | None] = []
    size = 1
    for region, own in zip(within, blocks, strict=True):
        text, begin = texts[region.part], region.start
        for block in (*own, None):
            end = region.end if block is None else block.start
            if places:
                pieces.append(_GAP)
                size += len(_GAP)
            places.append(size)
            regions.append(Region(region.part, begin, end))
            gaps.append(None if block is None else (region.part, block))
            pieces.append(text[begin:end])
            size += end - begin
            begin = end if block is None else block.end
    return FreeText("".join(pieces), tuple(places), tuple(regions), tuple(gaps))
