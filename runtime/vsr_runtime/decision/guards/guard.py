"""Guards, and the cache of texts in which they found nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from secrets import token_bytes
from typing import Literal
from urllib.parse import quote

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.normalise import NormalisedText

MAX_TEXTS = 16_384
"""Texts after which the older half is dropped; about 3 MiB in all."""
_DIGEST_SIZE = 16
Finder = Callable[[NormalisedText, Expired], list[TextSpan]]
GuardAction = Literal["block", "mask", "route", "flag"]
ACTION_ORDER: tuple[GuardAction, ...] = ("block", "route", "mask", "flag")
"""Order in which guards act. A blocked request is neither routed nor masked; a masked one keeps its model."""


class CleanTextCache:
    """Remembers texts without findings, since conversations and tool definitions are repeated in every turn.

    Stores keyed hashes instead of texts. Only for finders that are deterministic. Threads may share it: if one drops an
    entry while another adds one, a text is scanned once more.
    """

    __slots__ = ("_key", "_old", "_young")

    def __init__(self) -> None:
        self._key = token_bytes(_DIGEST_SIZE)
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def __len__(self) -> int:
        """Return the number of remembered texts."""
        return len(self._young) + len(self._old)

    def find(self, text: str, scan: Callable[[], list[TextSpan]]) -> list[TextSpan]:
        """Return the findings in a text: none if the text is remembered, otherwise those of ``scan``."""
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_SIZE, key=self._key).digest()
        if digest in self._young:
            return []
        findings = [] if digest in self._old else scan()
        if not findings:
            if len(self._young) >= MAX_TEXTS:
                self._old, self._young = self._young, set()
            self._young.add(digest)
        return findings


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard.

    Attributes:
        name: its name in the policy.
        action: what to do about findings.
        finders: functions that search a normalised text.
        detector: name of the model that reads the text.
        threshold: minimum score of the detector's findings; findings of patterns always count.
        types: the types of the detector's findings that count; None for all.
        target: the model to which ``route`` sends a request.
        on_request: whether it reads requests.
        on_response: whether it reads responses.
        max_tokens: the longest text that it reads, estimated at four bytes per token.
        passes_errors: whether text passes that could not be read.
        passes_unreadable: whether content other than text passes.
        unmask: whether masked values are restored in responses.
        exempt: models that this guard does not apply to.
        clean_texts: texts in which its finders found nothing.
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
        """Return whether it applies to requests for a model; None means a response without a model."""
        return model not in self.exempt

    @property
    def label(self) -> str:
        """The name, encoded for a header."""
        return quote(self.name, safe=" !#$&'()*+/:;<=>?@[]^`{|}")


def in_order(guards: Sequence[Guard]) -> tuple[Guard, ...]:
    """Return the guards in the order in which they act: by action, then by name."""
    return tuple(sorted(guards, key=lambda guard: (ACTION_ORDER.index(guard.action), guard.name)))
