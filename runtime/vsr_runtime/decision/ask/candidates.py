"""The candidates for the ask in the free text of a message, each with a score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from vsr_runtime.decision.ask.blocks import Block
from vsr_runtime.decision.ask.dialogue import Turn, turns_of
from vsr_runtime.decision.ask.fields import asking_fields
from vsr_runtime.decision.ask.free_text import FreeText
from vsr_runtime.decision.ask.marks import LABEL_LEVEL, Mark
from vsr_runtime.decision.ask.message import BREAK
from vsr_runtime.decision.ask.paragraphs import MAIL_FIELDS, Paragraph, paragraphs_of
from vsr_runtime.decision.ask.sentences import is_directive, is_question, is_task
from vsr_runtime.decision.fast_dataclass import fast_dataclass

BESIDE_DIALOGUE, DIALOGUE, LABEL, HEADING, WEAK_LABEL, WEAK_HEADING, COMPLETED = 95, 90, 85, 85, 65, 60, 75
LOWER_CASE = 10
"""Deduction for a label in lower case, which may be a key of pasted settings."""
CERTAIN = 80
"""Score that no prose reaches."""
LAST, FIRST, MIDDLE = 55, 50, 35
QUESTION, TASK, DIRECTIVE, ASIDE = 12, 5, -20, -15
_LONGEST_NAME = 30
_MOST_MARKS = 200
"""Marks behind a heading that are tried as its end."""
_NO_WORDS = frozenset("#-=_*~·([>|" + BREAK)
_LONGEST_LEAD, _SHORT_LEAD = 120, 40
_TELLING, _TELLING_OF_LONG = 30, 12
"""Characters of a question that tells what it is about by itself, and of one in a long text."""
LONG_RUN = 400
"""Characters of prose beyond which a question before or behind the rest of it is the ask."""


_RULE = re.compile(r"\n[ \t]*[-=_*~]{3,}[ \t]*(?:\n|$)")


@fast_dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of the free text that may be the ask."""

    score: int
    start: int
    end: int
    form: str
    text: str | None = None
    """The text where it is not that of the stretch, such as a string of JSON."""
    block: Block | None = None
    """The block that holds the ask, if it is a block behind a label."""
    introduces: bool = False
    """Whether the words only introduce something else."""


def candidates_of(free: FreeText, marks: Sequence[Mark]) -> tuple[list[Candidate], list[Turn]]:
    """Return the candidates in the order of the text, and the turns of a conversation in it."""
    text = free.text
    turns = turns_of(text, marks, free.signs)
    found: list[Candidate] = []
    begin = 1
    if turns:
        found += _dialogue(marks, turns)
        begin = turns[-1].end
    found += _labelled(free, marks, turns)
    found += [] if found else _completed(text, marks)
    for field in asking_fields(text, turns):
        score = BESIDE_DIALOGUE if turns else LABEL if field.certain else WEAK_LABEL
        found.append(Candidate(score, field.start, field.end, "label", field.text))
    if any(candidate.score >= CERTAIN for candidate in found):
        return found, turns
    if not found and not turns and len(text) > 4 * LONG_RUN + 1:
        last = _last_question(text, marks, free.signs)
        if last is not None:
            return [last], turns
    found += _prose(text, 1, turns[0].mark, marks) if turns else []
    found += _prose(text, begin, len(text), marks)
    return found, turns


def _dialogue(marks: Sequence[Mark], turns: Sequence[Turn]) -> list[Candidate]:
    """Return the person's last turn. A conversation that is called history comes after any other ask."""
    last = next((turn for turn in reversed(turns) if turn.person and turn.text.strip()), None)
    if last is None:
        return []
    history = any(mark.meaning == "history" and mark.start < turns[0].start for mark in marks)
    later = any(mark.meaning == "ask" and mark.start >= last.end for mark in marks)
    return [Candidate(45 if history or later else DIALOGUE, last.start, last.end, "transcript", last.text)]


def _labelled(free: FreeText, marks: Sequence[Mark], turns: Sequence[Turn]) -> list[Candidate]:
    """Return what follows labels and headings that announce an ask."""
    text = free.text
    found: dict[str, tuple[Candidate, bool]] = {}
    dialogue = (turns[0].mark, turns[-1].mark) if turns else (0, 0)
    known = [mark for mark in marks if mark.meaning is not None or mark.level < LABEL_LEVEL or _is_empty(text, mark)]
    for number, mark in enumerate(known):
        asks = mark.meaning in {"ask", "maybe"} or (mark.meaning == "person" and not turns)
        if not asks or dialogue[0] <= mark.start < dialogue[1]:
            continue
        end = _end(text, known, number)
        is_label = mark.level == LABEL_LEVEL
        bounds = _first_paragraphs(text, mark.value, end) if is_label else (mark.value, end)
        strong = mark.meaning != "maybe"
        score = (LABEL if strong else WEAK_LABEL) if is_label else (HEADING if strong else WEAK_HEADING)
        value = text[bounds[0] : bounds[1]].strip()
        if not value.replace(BREAK, ""):
            block = free.block_behind(mark.value)
            if block is not None:
                found[mark.name.lower()] = Candidate(score, mark.value, mark.value, "block", block=block), False
            continue
        before_context = number + 1 < len(known) and known[number + 1].meaning == "context"
        score += QUESTION // 2 if is_question(value) else 0
        score -= LOWER_CASE if is_label and mark.name.islower() and mark.name.isascii() else 0
        name = mark.name.lower()
        if before_context or not found.get(name, (None, False))[1]:  # else the later one is in the context
            form = "label" if is_label else "heading"
            found[name] = Candidate(score, bounds[0], bounds[1], form), before_context
    return [candidate for candidate, _ in found.values()]


def _is_empty(text: str, mark: Mark) -> bool:
    """Return whether nothing follows a label on its line."""
    return mark.value >= len(text) or text[mark.value] == "\n"


def _completed(text: str, marks: Sequence[Mark]) -> list[Candidate]:
    """Return what follows the last label with a value if the text ends with a label to be completed."""
    if not marks or text[marks[-1].value :].strip() or marks[-1].level != LABEL_LEVEL:
        return []
    for number in range(len(marks) - 2, -1, -1):
        mark = marks[number]
        if mark.level == LABEL_LEVEL and not _is_empty(text, mark):
            start, end = _first_paragraphs(text, mark.value, marks[number + 1].start)
            return (
                [Candidate(COMPLETED, start, end, "label")] if mark.meaning is None and end - start < LONG_RUN else []
            )
    return []


def _end(text: str, known: Sequence[Mark], number: int) -> int:
    """Return where the value of a label or heading ends."""
    mark, end = known[number], len(text)
    for other in islice(known, number + 1, number + _MOST_MARKS):
        if mark.level == LABEL_LEVEL or other.level <= mark.level or other.meaning in {"context", "answer", "history"}:
            if other.level == LABEL_LEVEL and mark.level < LABEL_LEVEL and other.meaning in {"maybe", "tool", "person"}:
                continue
            end = other.start
            break
    gap = text.find(BREAK, mark.value, end)
    return end if gap < 0 or not text[mark.value : gap].strip() else gap


def _first_paragraphs(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the first paragraph of a value, and those after it where it only leads to a question."""
    while start < end and text[start].isspace():
        start += 1
    ruled = _RULE.search(text, start, end)
    end = ruled.start() if ruled else end
    stop = text.find("\n\n", start, end)
    while stop >= 0:
        following = text.find("\n\n", stop + 2, end)
        more = text[stop : end if following < 0 else following]
        if (stop - start <= _SHORT_LEAD and text[start:stop].rstrip().endswith(":")) or (
            "?" in more and "?" not in text[start:stop]
        ):
            stop = following
            continue
        return start, stop
    return start, end


def _prose(text: str, start: int, end: int, marks: Sequence[Mark]) -> list[Candidate]:
    """Return runs of prose: the first and the last one are most likely by a person."""
    runs = _runs(text, paragraphs_of(text, start, end), marks, long=end - start > 4 * LONG_RUN)
    found: list[Candidate] = []
    for number, (low, high, after_break, listed) in enumerate(runs):
        score = LAST + (5 if after_break else 0) if number == len(runs) - 1 else FIRST if number == 0 else MIDDLE
        piece = text[low:high]
        if is_question(piece):
            score += QUESTION
        elif is_task(piece):
            score += TASK
        if listed or is_directive(piece):
            score += DIRECTIVE
        if listed and number and found[-1].introduces and not text[found[-1].end : low].strip():
            found.append(Candidate(MIDDLE + TASK + QUESTION // 2, found[-1].start, high, "prose"))
        introduces = _introduces(text, low, high)
        score += ASIDE if introduces else 0
        found.append(Candidate(score, low, high, "prose", introduces=introduces))
    return found


def _last_question(text: str, marks: Sequence[Mark], signs: frozenset[str]) -> Candidate | None:
    """Return the last paragraph of a long text if it is a question that no other prose can outdo.

    That is so unless it may be in a mail or below a heading.
    """
    start = text.rfind("\n\n", len(text) - LONG_RUN)
    words = text[start:].strip() if start >= 0 else ""
    if len(words) < _TELLING_OF_LONG or words[-1] != "?" or "\n" in words or words[0] in _NO_WORDS:
        return None
    if "#" in signs or "##" in signs or BREAK in text or any(mark.level < LABEL_LEVEL for mark in marks):
        return None
    if (
        (":" in text and ":\n" in text)
        or ("-" in text and "-\n" in text)
        or any(mark.name in MAIL_FIELDS for mark in marks)
    ):
        return None
    start = text.index(words, start)
    return Candidate(LAST + QUESTION, start, start + len(words), "prose")


def _runs(
    text: str, paragraphs: Sequence[Paragraph], marks: Sequence[Mark], *, long: bool
) -> list[tuple[int, int, bool, bool]]:
    """Return runs of prose as bounds, whether something else is before them, and whether they are a list."""
    headings = {mark.start + 1 for mark in marks if mark.level < LABEL_LEVEL}
    runs: list[list[Paragraph]] = []
    current: list[Paragraph] = []
    section = False
    after: list[bool] = []
    broken = False
    for paragraph in paragraphs:
        if paragraph.kind == "heading" or paragraph.start in headings:
            section = True
        elif paragraph.kind == "break":
            section = False
        alone = paragraph.kind == "list" or (paragraph.kind == "prose" and _stops(text, paragraph))
        if paragraph.kind not in {"prose", "list"} or section or alone:
            if current:
                runs.append(current)
                current = []
            if alone and not section:
                runs.append([paragraph])
                after.append(broken)
            broken = True
            continue
        if not current:
            after.append(broken)
        current.append(paragraph)
    if current:
        runs.append(current)
    if len(runs) > 1:
        kept = [number for number, run in enumerate(runs) if not _is_signature(text[run[0].start : run[-1].end])]
        runs, after = [runs[number] for number in kept], [after[number] for number in kept]
    return [(*_best(text, run, long=long), flag, run[0].kind == "list") for run, flag in zip(runs, after, strict=True)]


def _stops(text: str, paragraph: Paragraph) -> bool:
    """Return whether a paragraph belongs to no other: instructions, or words that introduce something."""
    piece = text[paragraph.start : paragraph.end]
    several = any(sign in piece for sign in (". ", "! ", "\n", "。"))
    return (several and is_directive(piece)) or _introduces(text, paragraph.start, paragraph.end)


def _introduces(text: str, start: int, end: int) -> bool:
    """Return whether a short paragraph only introduces something, or is a remark in brackets."""
    if end - start > _LONGEST_LEAD:
        return False
    return text[end - 1] in ":：" or (text[start] in "([" and text[end - 1] in ")]")


def _is_signature(text: str) -> bool:
    return len(text) < _LONGEST_NAME and text.replace(" ", "").isalpha() and text.istitle()


def _best(text: str, run: Sequence[Paragraph], *, long: bool) -> tuple[int, int]:
    """Return the bounds of a run, or of its question if the run or the whole text is long."""
    if len(run) > 1 and _is_signature(text[run[-1].start : run[-1].end]):
        run = run[:-1]
    start, end = run[0].start, run[-1].end
    if len(run) == 1 or (end - start <= LONG_RUN and not long):
        return start, end
    for paragraph in (run[-1], run[0]):
        telling = paragraph.end - paragraph.start >= (_TELLING_OF_LONG if long else _TELLING)
        if telling and is_question(text[paragraph.start : paragraph.end]):
            return paragraph.start, paragraph.end
    return start, end
