"""Texts that are known to hold nothing: conversations and definitions of tools come again with every turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from secrets import token_bytes
from typing import Literal
from urllib.parse import quote

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.guards.detection import Span
from vsr_runtime.decision.guards.normalise import NormalisedText

MAX_TEXTS = 16_384
"""Texts after which the older half is forgotten: together some 3 MiB."""
_DIGEST_SIZE = 16


class CleanTextCache:
    """Remembers in which texts nothing was found: by a hash under a key of its own, so that it holds no text.

    It is for those that find the same in the same text every time. Threads may share it; what one forgets while another
    learns is looked at once more.
    """

    __slots__ = ("_key", "_old", "_young")

    def __init__(self) -> None:
        self._key = token_bytes(_DIGEST_SIZE)
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def __len__(self) -> int:
        """How many texts it remembers, at the most."""
        return len(self._young) + len(self._old)

    def looked(self, text: str, look: Callable[[], list[Span]]) -> list[Span]:
        """What is found in a text: nothing where that is known, else what a look finds."""
        mark = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_SIZE, key=self._key).digest()
        if mark in self._young:
            return []
        found = [] if mark in self._old else look()
        if not found:
            if len(self._young) >= MAX_TEXTS:
                self._old, self._young = self._young, set()
            self._young.add(mark)
        return found


Finder = Callable[[NormalisedText, Expired], list[Span]]
GuardAction = Literal["block", "mask", "route", "flag"]
ACTION_ORDER: tuple[GuardAction, ...] = ("block", "route", "mask", "flag")
"""What comes first. What is blocked is neither routed nor masked; what is masked goes to the model that was chosen."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard.

    Attributes:
        name: the policy's name for it.
        action: what follows from a finding.
        finders: what look at a normalised text.
        detector: the model that looks at it, by its name in the settings.
        threshold: the least score of what the detector finds; what patterns find counts.
        types: what of the detector's findings counts; None for all of them.
        target: where ``route`` sends a request.
        on_request: whether it reads requests.
        on_response: whether it reads responses.
        max_tokens: the longest text that it reads, by the estimate of four bytes a token.
        passes_errors: whether text passes that could not be looked at.
        passes_unreadable: whether what is no text passes.
        unmask: whether responses get back what was masked.
        exempt: the models at which it does not hold.
        harmless: texts in which its finders found nothing.
    """

    name: str
    action: GuardAction
    finders: tuple[Finder, ...] = ()
    detector: str | None = None
    threshold: float = 0.7
    types: frozenset[str] | None = None
    target: str | None = None
    on_request: bool = True
    on_response: bool = False
    max_tokens: int = 8192
    passes_errors: bool = False
    passes_unreadable: bool = False
    unmask: bool = False
    exempt: frozenset[str] = frozenset()
    clean_texts: CleanTextCache = field(default_factory=CleanTextCache, compare=False, repr=False)

    def covers(self, model: str | None) -> bool:
        """Whether it holds for what ends at a model; None is an answer that no model gives."""
        return model not in self.exempt

    @property
    def label(self) -> str:
        """The name as a header can carry it."""
        return quote(self.name, safe=" !#$&'()*+/:;<=>?@[]^`{|}")


def in_order(guards: Sequence[Guard]) -> tuple[Guard, ...]:
    """The guards as they act: by action, then by name."""
    return tuple(sorted(guards, key=lambda guard: (ACTION_ORDER.index(guard.action), guard.name)))
