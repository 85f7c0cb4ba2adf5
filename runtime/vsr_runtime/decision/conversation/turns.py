"""Reads the turns of a conversation from a request's transcript."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsr_runtime.decision.ask.extract import Ask, AskRules, ask_of
from vsr_runtime.decision.ask.transcript import Entry
from vsr_runtime.decision.conversation.follow_up import MAX_CONTEXT, TurnKind, kind_of_turn
from vsr_runtime.decision.fast_dataclass import fast_dataclass

MAX_MESSAGES = 64
"""Messages by a person that are read."""
_EARLY = MAX_MESSAGES - 2
"""Messages, and turns, from the beginning that are read of a conversation that remembers; the last two follow."""
_SUMMARY = "summary"
"""The form of an ask that was found in notes on an earlier part of the conversation."""
_MAX_ANSWERS = 8
"""Messages before a turn in which the assistant's answer is searched for."""


@fast_dataclass(frozen=True, slots=True)
class Turn:
    """The words of a person.

    Attributes:
        ask: the words.
        kind: whether they continue the turn before.
        entry: position of the message in the transcript.
        late: whether it is beyond the messages that every longer conversation has too, as far as they are read.
    """

    ask: Ask
    kind: TurnKind
    entry: int
    late: bool = False


def last_turns(transcript: Sequence[Entry], rules: AskRules | None) -> list[Turn]:
    """Return the turns from the last ask that is certainly one of its own, oldest first; empty without any."""
    turns: list[Turn] = []
    asks = _asks(transcript, rules, range(len(transcript) - 1, -1, -1))
    entry, ask = next(asks, (0, None))
    while ask is not None:
        earlier_entry, earlier = next(asks, (0, None))
        kind = TurnKind.NEW if earlier is None else _kind(transcript, entry, ask, earlier_entry, earlier)
        turns.append(Turn(ask, kind, entry))
        if kind is TurnKind.NEW:
            break
        entry, ask = earlier_entry, earlier
    return turns[::-1]


def all_turns(transcript: Sequence[Entry], rules: AskRules | None) -> list[Turn]:
    """Return the turns from the beginning, as many as are read, and the last ones; oldest first."""
    people = [number for number, entry in enumerate(transcript) if entry.role == "person" and entry.texts]
    early = people[:_EARLY]
    # Each message gives its turns from the last to the first.
    asks = [
        pair
        for number in (*early, *people[len(early) :][-2:])
        for pair in list(_asks(transcript, rules, (number,)))[::-1]
    ]
    asks = [*asks[:_EARLY], *asks[_EARLY:][-2:]]
    turns: list[Turn] = []
    for number, (entry, ask) in enumerate(asks):
        kind = TurnKind.NEW if number == 0 else _kind(transcript, entry, ask, *asks[number - 1])
        turns.append(Turn(ask, kind, entry, number >= _EARLY or entry > early[-1]))
    return turns


def first_words(transcript: Sequence[Entry], rules: AskRules | None) -> str:
    """Return the first words of a person; empty if there are none."""
    for entry in transcript:
        if entry.role == "person" and entry.texts:
            asks = list(_asks((entry,), rules, (0,)))
            if asks:
                return asks[-1][1].text
    return ""


def _asks(
    transcript: Sequence[Entry], rules: AskRules | None, order: Sequence[int] | range
) -> Iterator[tuple[int, Ask]]:
    """Yield the asks of some messages; of a message that contains a conversation, the last first."""
    seen = 0
    for number in order:
        entry = transcript[number]
        if entry.role != "person" or not entry.texts:
            continue
        ask = _asked(entry.texts, number) if rules is None else ask_of(entry.texts, rules, number)
        if ask is not None:
            yield number, ask
            for text in reversed(ask.earlier):
                yield number, Ask(text, (), ask.form, entry=number)
        seen += 1
        if seen == MAX_MESSAGES:
            return


def _asked(texts: Sequence[str], entry: int) -> Ask:
    return Ask("\n".join(texts), (), "whole", entry=entry)


def _kind(transcript: Sequence[Entry], entry: int, ask: Ask, earlier_entry: int, earlier: Ask) -> TurnKind:
    if ask.weak:
        return TurnKind.FOLLOW_UP
    kind = kind_of_turn(ask.text, lambda: _answer(transcript, earlier_entry, entry), earlier.text)
    return TurnKind.NEW if kind is TurnKind.UNSURE and ask.form == _SUMMARY else kind


def _answer(transcript: Sequence[Entry], start: int, end: int) -> str:
    """Return the end of the assistant's words between two messages."""
    texts: list[str] = []
    size = 0
    for number in range(end - 1, max(start, end - 1 - _MAX_ANSWERS), -1):
        if transcript[number].role == "assistant":
            for text in reversed(transcript[number].texts):
                texts.append(text[-MAX_CONTEXT:])
                size += len(texts[-1])
        if size >= MAX_CONTEXT:
            break
    return "\n".join(reversed(texts))
