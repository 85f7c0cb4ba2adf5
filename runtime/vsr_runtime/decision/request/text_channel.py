"""One text of a streamed response: releases what guards have read, and holds back what may become part of a match.

Lengths count characters as finders read them, in the shortest view of the text: without what shows nothing, and with
escapes undone. So padding a value never makes it longer than what is held back.

Detectors read a stream in parts: the new text up to the end of a sentence, and some text before it. Every part is read
before it is sent, and text across the edge of two parts is read whole with the second one.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from vsr_runtime.decision.deadline import BudgetExceededError, Expired, check_deadline
from vsr_runtime.decision.guards.detection import Detection, TextSpan
from vsr_runtime.decision.guards.finders import look_at, merge, views_of
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.json_texts import unescaped_levels
from vsr_runtime.decision.guards.masking import PlaceholderMap
from vsr_runtime.decision.guards.normalise import NormalisedText, normalise
from vsr_runtime.decision.request.detectors import DetectorCoroutine, DetectorError
from vsr_runtime.decision.request.events import Cause
from vsr_runtime.decision.request.response_document import new_unmasker

MIN_HELD = 256
"""Characters at the end that are held back, so that no shorter match is cut."""
MAX_WORD = 4096
"""Characters without a blank that are held back beyond that: a token, a key, a link."""
MAX_KEY_BLOCK = 16_384
"""Characters that are held back after the header of a PEM key until its footer."""
MAX_RAW = 256 << 10
"""Characters that are held back at most, whatever they show. A text with more that show nothing ends the stream."""
MAX_RAW_CONTEXT = 16_384
"""Characters before the new ones that are kept as context at most."""
PATTERN_STEP = 64
"""New characters after which patterns are matched again; more if much text is held, so that the time stays linear."""
_STEP_SHARE = 8
_STEPS_PER_CHARACTER = 300
"""Steps of the budget for normalising a character."""
PATTERN_CONTEXT = 256
"""Characters before the new ones that patterns can use as context."""
DETECTOR_STEP = 200
"""New characters after which detectors read again, up to the end of the last sentence."""
MAX_UNREAD = 1000
"""New characters without the end of a sentence after which detectors read anyway."""
DETECTOR_CONTEXT = 512
"""Characters before the new ones that detectors read again."""
_SENTENCE_END = re.compile(r"[.!?\u2026][\"')\]\u201d]*\s|[\u3002\uff01\uff1f\n]")
_KEY_BEGIN, _KEY_END = "-----BEGIN ", re.compile("-----END [^-\n]{0,64}-----")
_BLANK = re.compile(r"\s")


class BlockedError(Exception):
    """A `block` guard matched."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard.name)
        self.guard = guard


class TextChannel:
    """One text that arrives in pieces.

    Args:
        guards: the guards that read it.
        placeholders: the placeholders of the response.
        restore: values by placeholder of the request, as they must be written in this text.
        prior: the end of the message's text before this one, which it continues.

    Attributes:
        matched: names of the guards that matched.
        failed: causes by guard whose detector failed, and that let errors pass.
        continued: names of the guards that masked the rest of a value which began in the text before.
    """

    def __init__(
        self, guards: Sequence[Guard], placeholders: PlaceholderMap, restore: Mapping[str, str], prior: str = ""
    ) -> None:
        self._guards = guards
        self._placeholders = placeholders
        self._restore = restore
        self._unmasker = new_unmasker(restore)
        self._detectors = sorted({guard.detector for guard in guards if guard.detector})
        self._patterns = any(guard.finders for guard in guards)
        self._prior = prior
        self._before = ""
        self._held = ""
        self._scanned = 0
        self._counted = 0
        self._read = 0
        self._detected: list[TextSpan] = []
        self.matched: set[str] = set()
        self.failed: dict[str, Cause] = {}
        self.continued: set[str] = set()

    @property
    def holds(self) -> bool:
        """Whether text is held back."""
        return bool(self._held) or self._unmasker.holds

    def feed(self, piece: str, expired: Expired) -> DetectorCoroutine[str]:
        """Return the text that can be sent after this piece.

        Raises:
            BlockedError: nothing more may be sent.
            DetectorError: a detector failed.
            DeadlineExceededError: the guards exceeded their deadline.
        """
        self._held += piece
        if not self._guards:
            return self._unmasker.feed(self._take((), len(self._held)))
        if len(self._held) > MAX_RAW:
            raise BudgetExceededError
        yield from self._detect(self._due())
        new = len(self._held) - self._scanned
        if self._patterns and (len(self._held) <= MIN_HELD or new < max(PATTERN_STEP, len(self._held) // _STEP_SHARE)):
            return ""
        views = self._views(self._before + self._held, expired) if self._patterns else ()
        cut = self._cut(views)
        if not cut:
            self._scanned = len(self._held)
            return ""
        spans = self._spans(views, expired)
        for span in reversed(spans):
            if span.start < cut < span.end:
                cut = span.start
        released = self._take(spans, cut)
        self._scanned = len(self._held)
        return self._unmasker.feed(released)

    def end(self, expired: Expired) -> DetectorCoroutine[str]:
        """Return the remaining text.

        Raises:
            BlockedError: it must not be sent.
            DetectorError: a detector failed.
            DeadlineExceededError: the guards exceeded their deadline.
        """
        yield from self._detect(len(self._held))
        spans: list[TextSpan] = []
        if self._guards and self._held:
            views = self._views(self._before + self._held, expired) if self._patterns else ()
            spans = self._spans(views, expired)
        rest = self._unmasker.feed(self._take(spans, len(self._held))) + self._unmasker.end()
        self._unmasker, self._scanned = new_unmasker(self._restore), 0
        return rest

    def _due(self) -> int:
        """Return the position up to which detectors should have read."""
        new = len(self._held) - self._read
        if not self._detectors or new < max(DETECTOR_STEP, self._counted):
            return self._read
        visible = self._visible(len(self._held))
        ends = [match.end() for match in _SENTENCE_END.finditer(self._held, self._read)]
        if visible >= DETECTOR_STEP and ends and self._visible(ends[-1]) >= DETECTOR_STEP // 2:
            return ends[-1]
        if visible < MAX_UNREAD:
            self._counted = new + new // _STEP_SHARE if visible < new // 2 else 0
            return self._read
        blank = max((match.end() for match in _BLANK.finditer(self._held, self._read)), default=0)
        return blank if self._visible(blank) >= DETECTOR_STEP else len(self._held)

    def _visible(self, end: int) -> int:
        """Return the number of characters up to a position that detectors have not read."""
        return len(normalise(self._held[self._read : end]).text)

    def _detect(self, end: int) -> DetectorCoroutine[None]:
        """Let detectors read the held text up to a position."""
        if not self._detectors or end <= self._read:
            return
        base = len(self._before)
        normalised = normalise(self._before + self._held[:end])
        results = yield dict.fromkeys(self._detectors, (normalised.text,))
        for guard in self._guards:
            result = results.get(guard.detector, Cause.BROKEN) if guard.detector else ()
            if isinstance(result, Cause):
                if not guard.passes_errors:
                    raise DetectorError(guard, result)
                self.failed[guard.name] = result
                continue
            self._add_detections(
                guard, [span for detection in result for span in _original(detection, guard, normalised)], base
            )
        self._read, self._counted = end, 0

    def _add_detections(self, guard: Guard, spans: Iterable[TextSpan], base: int) -> None:
        """Add a detector's findings, in offsets of the context and the held text."""
        new = [span for span in spans if span.end > base]
        if new:
            self.matched.add(guard.name)
            if guard.action == "block":
                raise BlockedError(guard)
            if guard.action == "mask":
                self._detected = merge([*self._detected, *_shifted(new, base)])

    def _cut(self, views: Sequence[NormalisedText]) -> int:
        """Return how much text can be released: what detectors have read and patterns allow, without open findings."""
        cut = self._pattern_cut(views) if self._patterns else len(self._held)
        if self._detectors:
            cut = min(cut, self._read)
            last = self._detected[-1] if self._detected else None
            if last and len(self._held) - last.start < MAX_WORD and not self._held[last.end : self._read].strip():
                cut = min(cut, last.start)
        return cut

    def _views(self, text: str, expired: Expired) -> tuple[NormalisedText, ...]:
        """Return the views of a text that patterns read: the text itself first."""
        check_deadline(expired, len(text) * (1 if text.isascii() else _STEPS_PER_CHARACTER))
        levels = (normalise(text), *unescaped_levels(text, expired))
        return tuple(view for level in levels for view in views_of(level))

    def _pattern_cut(self, views: Sequence[NormalisedText]) -> int:
        """Return how much text can be released by length: whole words, and no part of a key."""
        text, base = views[0].text, len(self._before)
        limit = min(view.starts[-MIN_HELD] if len(view.text) > MIN_HELD else 0 for view in views)
        if limit <= base:
            return 0
        end = bisect_left(views[0].starts, limit)
        blanks = [match.start() for match in _BLANK.finditer(text, max(0, end - MAX_WORD), end)]
        first = bisect_left(views[0].starts, base)
        cut = blanks[-1] + 1 if blanks else end if end - first >= MAX_WORD else 0
        head = text.rfind(_KEY_BEGIN)
        if 0 <= head < cut and not _KEY_END.search(text, head) and len(text) - head < MAX_KEY_BLOCK:
            cut = head
        return max(0, min(views[0].starts[cut] if cut < len(text) else limit, limit) - base)

    def _spans(self, views: Sequence[NormalisedText], expired: Expired) -> list[TextSpan]:
        """Return what to mask in the held text, in its offsets, without overlap."""
        masked: list[TextSpan] = []
        if not self._patterns:
            return self._detected
        joined = self._views(self._prior + self._before + self._held, expired) if self._prior else ()
        for guard in self._guards:
            new = [span for span in look_at(guard.finders, views, expired) if span.end > len(self._before)]
            new += self._continued_spans(guard, joined, new, expired)
            if new:
                self.matched.add(guard.name)
                if guard.action == "block":
                    raise BlockedError(guard)
                masked += new if guard.action == "mask" else ()
        return merge([*_shifted(merge(masked), len(self._before)), *self._detected])

    def _continued_spans(
        self, guard: Guard, joined: Sequence[NormalisedText], own: Sequence[TextSpan], expired: Expired
    ) -> list[TextSpan]:
        """Return the findings that begin in the text before. One that only seems to continue it is not extended."""
        base = len(self._prior)
        spans = [
            replace(span, start=0, end=span.end - base)
            for span in (look_at(guard.finders, joined, expired) if joined else ())
            if span.start < base and span.end > base + len(self._before)
        ]
        spans = [span for span in spans if not any(other.start < span.end for other in own)]
        self.continued.update({guard.name} if spans else ())
        return spans

    def _take(self, spans: Iterable[TextSpan], cut: int) -> str:
        """Remove the held text up to a cut and return it masked. Some of it is kept as context."""
        text = self._held
        parts: list[str] = []
        last = 0
        for span in spans:
            if span.end <= cut:
                parts += [text[last : span.start], self._placeholders.assign(span.type, text[span.start : span.end])]
                last = span.end
        parts.append(text[last:cut])
        if cut:
            self._before = self._context(self._before + text[:cut])
        self._held = text[cut:]
        self._read = max(0, self._read - cut)
        self._detected = list(_shifted((span for span in self._detected if span.end > cut), cut))
        return "".join(parts)

    def _context(self, text: str) -> str:
        """Return the end of sent text that is read again. Without its beginning, nothing continues the text before."""
        size = DETECTOR_CONTEXT if self._detectors else PATTERN_CONTEXT
        if text.isascii() and "\\" not in text:
            kept = text[-size:]
        else:
            kept = text[-MAX_RAW_CONTEXT:]
            shown = normalise(kept)
            if "\\" not in kept and len(shown.text) > size:
                kept = kept[shown.starts[-size] :]
        if len(kept) < len(text):
            self._prior = ""
        return kept


def _original(detection: Detection, guard: Guard, normalised: NormalisedText) -> Iterator[TextSpan]:
    """Yield the findings that count for a guard, in offsets of the original text."""
    for span in detection.spans(guard.types, guard.threshold):
        if span.end > span.start:
            yield TextSpan(*normalised.original(span.start, span.end), span.type, span.score, span.rule)


def _shifted(spans: Iterable[TextSpan], by: int) -> Iterator[TextSpan]:
    for span in spans:
        yield TextSpan(max(0, span.start - by), span.end - by, span.type, span.score, span.rule)
