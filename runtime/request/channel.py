"""One text of a streamed response: what guards have read of it may go, what may still become a finding is held."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runtime.guards.finders import merge
from runtime.guards.guard import Guard
from runtime.guards.mask import Book
from runtime.guards.normalise import normalise
from runtime.guards.text import Span
from runtime.program.view import Expired
from runtime.request.document import unmasker

HOLD = 256
"""Characters that stay until more has come: nothing shorter is cut in two."""
RUN = 4096
"""Characters without a blank that stay together beyond that: a token, a key, a link."""
BLOCK = 16_384
"""Characters that stay from the head of a key in PEM on, until its foot has come."""
STEP = 64
"""Characters that must have come before guards look again."""
CONTEXT = 256
"""Characters before, which a pattern may look back at."""
_HEAD, _FOOT = "-----BEGIN ", re.compile("-----END [^-\n]{0,64}-----")
_BLANK = re.compile(r"\s")


class BlockedError(Exception):
    """A `block` guard found something."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard.name)
        self.guard = guard


class Channel:
    """One text that comes in pieces.

    Args:
        guards: what reads it.
        book: of what is masked in the response.
        restore: what stands for what: placeholders of the request, and values as they must stand in this text.

    Attributes:
        matched: the names of the guards that found something.
    """

    def __init__(self, guards: Sequence[Guard], book: Book, restore: Mapping[str, str]) -> None:
        self._guards = guards
        self._book = book
        self._restore = restore
        self._unmasker = unmasker(restore)
        self._before = ""
        self._held = ""
        self._looked = 0
        self.matched: set[str] = set()

    @property
    def holds(self) -> bool:
        """Whether something is held that has not gone."""
        return bool(self._held) or bool(self._restore)

    def feed(self, piece: str, expired: Expired) -> str:
        """What may go after this piece.

        Raises:
            BlockedError: nothing more may.
            OutOfTimeError: the guards did not look in time.
        """
        self._held += piece
        if not self._guards:
            return self._unmasker.feed(self._gone((), len(self._held)))
        cut = self._cut()
        if not cut or len(self._held) - self._looked < STEP:
            return ""
        spans = self._spans(expired)
        for span in reversed(spans):
            if span.start < cut < span.end:
                cut = span.start
        gone = self._gone(spans, cut)
        self._looked = len(self._held)
        return self._unmasker.feed(gone)

    def end(self, expired: Expired) -> str:
        """All that is left.

        Raises:
            BlockedError: it may not go.
            OutOfTimeError: the guards did not look in time.
        """
        spans = self._spans(expired) if self._guards and self._held else []
        rest = self._unmasker.feed(self._gone(spans, len(self._held))) + self._unmasker.end()
        self._unmasker, self._looked = unmasker(self._restore), 0
        return rest

    def _cut(self) -> int:
        """How much could go, as far as the length tells: whole words, and no half of a key."""
        limit = len(self._held) - HOLD
        if limit <= 0:
            return 0
        blanks = [match.start() for match in _BLANK.finditer(self._held, max(0, limit - RUN), limit)]
        cut = blanks[-1] + 1 if blanks else limit if limit >= RUN else 0
        head = self._held.rfind(_HEAD)
        if 0 <= head < cut and not _FOOT.search(self._held, head) and len(self._held) - head < BLOCK:
            cut = head
        return cut

    def _spans(self, expired: Expired) -> list[Span]:
        """What is masked in the held text, in its offsets, without overlap."""
        text = self._before + self._held
        normalised = normalise(text)
        found: list[Span] = []
        for guard in self._guards:
            spans = [span for finder in guard.finders for span in finder(normalised, expired)]
            new = [span for span in spans if span.end > len(self._before)]
            if new:
                self.matched.add(guard.name)
                if guard.action == "block":
                    raise BlockedError(guard)
                found += new if guard.action == "mask" else ()
        return list(_moved(merge(found), len(self._before)))

    def _gone(self, spans: Iterable[Span], cut: int) -> str:
        """The held text up to a cut, masked. What goes is remembered as far as patterns look back."""
        text = self._held
        parts: list[str] = []
        last = 0
        for span in spans:
            if span.end <= cut:
                parts += [text[last : span.start], self._book.give(span.type, text[span.start : span.end])]
                last = span.end
        parts.append(text[last:cut])
        self._before = (self._before + text[:cut])[-CONTEXT:]
        self._held = text[cut:]
        return "".join(parts)


def _moved(spans: Iterable[Span], by: int) -> Iterator[Span]:
    for span in spans:
        yield Span(max(0, span.start - by), span.end - by, span.type, span.score, span.rule)
