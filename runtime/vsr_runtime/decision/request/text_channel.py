"""One text of a streamed response: what guards have read of it may go, what may still become a finding is held.

A detector reads a stream in parts: what has come since it read last, to the end of a sentence, with some of what came
before. So every part is judged before it goes, and what lies across the edge of two parts lies whole in the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.guards.detection import Detection, Span
from vsr_runtime.decision.guards.finders import look_through, merge
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.json_texts import normalise_unescaped
from vsr_runtime.decision.guards.masking import PlaceholderMap
from vsr_runtime.decision.guards.normalise import NormalisedText, normalise
from vsr_runtime.decision.request.detectors import DetectorCoroutine, DetectorError
from vsr_runtime.decision.request.events import Cause
from vsr_runtime.decision.request.response_document import new_unmasker

MIN_HELD = 256
"""Characters that stay until more has come: nothing shorter is cut in two."""
MAX_WORD = 4096
"""Characters without a blank that stay together beyond that: a token, a key, a link."""
MAX_KEY_BLOCK = 16_384
"""Characters that stay from the head of a key in PEM on, until its foot has come."""
PATTERN_STEP = 64
"""Characters that must have come before guards look again."""
PATTERN_CONTEXT = 256
"""Characters before, which a pattern may look back at."""
DETECTOR_STEP = 200
"""Characters that must have come before detectors look again, at the end of the last sentence among them."""
MAX_UNREAD = 1000
"""Characters without the end of a sentence after which they look all the same."""
DETECTOR_CONTEXT = 512
"""Characters before, which detectors read once more."""
_SENTENCE_END = re.compile(r"[.!?\u2026][\"')\]\u201d]*\s|[\u3002\uff01\uff1f\n]")
_KEY_BEGIN, _KEY_END = "-----BEGIN ", re.compile("-----END [^-\n]{0,64}-----")
_BLANK = re.compile(r"\s")


class BlockedError(Exception):
    """A `block` guard found something."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard.name)
        self.guard = guard


class TextChannel:
    """One text that comes in pieces.

    Args:
        guards: what reads it.
        book: of what is masked in the response.
        restore: what stands for what: placeholders of the request, and values as they must stand in this text.

    Attributes:
        matched: the names of the guards that found something.
        failed: those whose detector did not look, and that let that pass.
    """

    def __init__(self, guards: Sequence[Guard], book: PlaceholderMap, restore: Mapping[str, str]) -> None:
        self._guards = guards
        self._book = book
        self._restore = restore
        self._unmasker = new_unmasker(restore)
        self._detectors = sorted({guard.detector for guard in guards if guard.detector})
        self._patterns = any(guard.finders for guard in guards)
        self._before = ""
        self._held = ""
        self._looked = 0
        self._judged = 0
        self._seen: list[Span] = []
        self.matched: set[str] = set()
        self.failed: dict[str, Cause] = {}

    @property
    def holds(self) -> bool:
        """Whether something is held that has not gone."""
        return bool(self._held) or self._unmasker.holds

    def feed(self, piece: str, expired: Expired) -> DetectorCoroutine[str]:
        """What may go after this piece.

        Raises:
            BlockedError: nothing more may.
            LookError: a detector did not look.
            OutOfTimeError: the guards did not look in time.
        """
        self._held += piece
        if not self._guards:
            return self._unmasker.feed(self._gone((), len(self._held)))
        yield from self._judge(self._due())
        cut = self._cut()
        if not cut or (self._patterns and len(self._held) - self._looked < PATTERN_STEP):
            return ""
        spans = self._spans(expired)
        for span in reversed(spans):
            if span.start < cut < span.end:
                cut = span.start
        gone = self._gone(spans, cut)
        self._looked = len(self._held)
        return self._unmasker.feed(gone)

    def end(self, expired: Expired) -> DetectorCoroutine[str]:
        """All that is left.

        Raises:
            BlockedError: it may not go.
            LookError: a detector did not look.
            OutOfTimeError: the guards did not look in time.
        """
        yield from self._judge(len(self._held))
        spans = self._spans(expired) if self._guards and self._held else []
        rest = self._unmasker.feed(self._gone(spans, len(self._held))) + self._unmasker.end()
        self._unmasker, self._looked = new_unmasker(self._restore), 0
        return rest

    def _due(self) -> int:
        """How far detectors should have read by now."""
        new = len(self._held) - self._judged
        if not self._detectors or new < DETECTOR_STEP:
            return self._judged
        ends = [match.end() for match in _SENTENCE_END.finditer(self._held, self._judged)]
        if ends and ends[-1] - self._judged >= DETECTOR_STEP // 2:
            return ends[-1]
        if new < MAX_UNREAD:
            return self._judged
        blank = max((match.end() for match in _BLANK.finditer(self._held, self._judged)), default=0)
        return blank if blank - self._judged >= DETECTOR_STEP else len(self._held)

    def _judge(self, end: int) -> DetectorCoroutine[None]:
        """Let detectors read the held text up to there."""
        if not self._detectors or end <= self._judged:
            return
        base = len(self._before)
        normalised = normalise(self._before + self._held[:end])
        looks = yield dict.fromkeys(self._detectors, (normalised.text,))
        for guard in self._guards:
            look = looks.get(guard.detector, Cause.BROKEN) if guard.detector else ()
            if isinstance(look, Cause):
                if not guard.passes_errors:
                    raise DetectorError(guard, look)
                self.failed[guard.name] = look
                continue
            self._found(guard, [span for seen in look for span in _original(seen, guard, normalised)], base)
        self._judged = end

    def _found(self, guard: Guard, spans: Iterable[Span], base: int) -> None:
        """Take in what a detector found, in the offsets of what came before and what is held."""
        new = [span for span in spans if span.end > base]
        if new:
            self.matched.add(guard.name)
            if guard.action == "block":
                raise BlockedError(guard)
            if guard.action == "mask":
                self._seen = merge([*self._seen, *_shifted(new, base)])

    def _cut(self) -> int:
        """How much could go: what detectors have read, less what may go on, and no more than patterns let go."""
        cut = self._whole() if self._patterns else len(self._held)
        if self._detectors:
            cut = min(cut, self._judged)
            last = self._seen[-1] if self._seen else None
            if last and len(self._held) - last.start < MAX_WORD and not self._held[last.end : self._judged].strip():
                cut = min(cut, last.start)
        return cut

    def _whole(self) -> int:
        """How much could go, as far as the length tells: whole words, and no half of a key."""
        limit = len(self._held) - MIN_HELD
        if limit <= 0:
            return 0
        blanks = [match.start() for match in _BLANK.finditer(self._held, max(0, limit - MAX_WORD), limit)]
        cut = blanks[-1] + 1 if blanks else limit if limit >= MAX_WORD else 0
        head = self._held.rfind(_KEY_BEGIN)
        if 0 <= head < cut and not _KEY_END.search(self._held, head) and len(self._held) - head < MAX_KEY_BLOCK:
            cut = head
        return cut

    def _spans(self, expired: Expired) -> list[Span]:
        """What is masked in the held text, in its offsets, without overlap."""
        found: list[Span] = []
        if not self._patterns:
            return self._seen
        text = self._before + self._held
        views = [view for view in (normalise(text), normalise_unescaped(text)) if view is not None]
        for guard in self._guards:
            spans = [span for view in views for span in look_through(guard.finders, view, expired)]
            new = [span for span in spans if span.end > len(self._before)]
            if new:
                self.matched.add(guard.name)
                if guard.action == "block":
                    raise BlockedError(guard)
                found += new if guard.action == "mask" else ()
        return merge([*_shifted(merge(found), len(self._before)), *self._seen])

    def _gone(self, spans: Iterable[Span], cut: int) -> str:
        """The held text up to a cut, masked. What goes is remembered as far as patterns look back."""
        text = self._held
        parts: list[str] = []
        last = 0
        for span in spans:
            if span.end <= cut:
                parts += [text[last : span.start], self._book.assign(span.type, text[span.start : span.end])]
                last = span.end
        parts.append(text[last:cut])
        self._before = (self._before + text[:cut])[-(DETECTOR_CONTEXT if self._detectors else PATTERN_CONTEXT) :]
        self._held = text[cut:]
        self._judged = max(0, self._judged - cut)
        self._seen = list(_shifted((span for span in self._seen if span.end > cut), cut))
        return "".join(parts)


def _original(seen: Detection, guard: Guard, normalised: NormalisedText) -> Iterator[Span]:
    """What counts for a guard, in the offsets of the text as it came."""
    for span in seen.spans(guard.types, guard.threshold):
        if span.end > span.start:
            yield Span(*normalised.original(span.start, span.end), span.type, span.score, span.rule)


def _shifted(spans: Iterable[Span], by: int) -> Iterator[Span]:
    for span in spans:
        yield Span(max(0, span.start - by), span.end - by, span.type, span.score, span.rule)
