"""Signals: facts about a request, besides its category, that routes can test. One class per kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.ask import Reads
from vsr_compiler.ir.classifiers import Classifier
from vsr_compiler.ir.identity import ClientTest
from vsr_schemas.modalities import Modality


@dataclass(frozen=True, slots=True)
class KeywordSignal:
    """Some keywords occur. ``match`` is ``any``, ``all`` or ``none``; keywords are literal unless ``regex``."""

    words: tuple[str, ...]
    match: str
    regex: bool
    case_sensitive: bool


@dataclass(frozen=True, slots=True)
class EmbeddingSignal:
    """The cosine similarity to these sentences (their maximum or mean) is at least the threshold."""

    sentences: tuple[str, ...]
    threshold: float
    aggregate: str


@dataclass(frozen=True, slots=True)
class ContextSignal:
    """The request's length in tokens is in this range, bounds included; None means unbounded."""

    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class LanguageSignal:
    """The text is in one of these languages (ISO 639-1 codes)."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComplexitySignal:
    """The request has this level of difficulty, by its similarity to hard and to easy sentences."""

    hard: tuple[str, ...]
    easy: tuple[str, ...]
    level: str
    threshold: float


@dataclass(frozen=True, slots=True)
class StructureSignal:
    """A pattern, or some keywords, occur this often, bounds included."""

    pattern: str | None
    keywords: tuple[str, ...]
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class ConversationSignal:
    """The conversation has this many parts of a kind, bounds included."""

    of: str
    role: str | None
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class ModalitySignal:
    """The conversation has content of one of these kinds besides text."""

    kinds: tuple[Modality, ...]


@dataclass(frozen=True, slots=True)
class ClientSignal:
    """One of these tests of the client's attributes is true."""

    tests: tuple[ClientTest, ...]


@dataclass(frozen=True, slots=True)
class PiiSignal:
    """The request contains personal data of these types."""

    types: tuple[str, ...]
    detector: Classifier | None
    threshold: float


@dataclass(frozen=True, slots=True)
class JailbreakSignal:
    """The detector classifies the request as an attack. ``by_head`` is as for guards."""

    detector: Classifier
    threshold: float
    by_head: bool = False


@dataclass(frozen=True, slots=True)
class LabelSignal:
    """The classifier gives the request one of these labels; ``other`` is none."""

    classifier: Classifier
    labels: tuple[str, ...]


SignalKind = (
    KeywordSignal
    | EmbeddingSignal
    | ContextSignal
    | LanguageSignal
    | ComplexitySignal
    | StructureSignal
    | ConversationSignal
    | ModalitySignal
    | ClientSignal
    | PiiSignal
    | JailbreakSignal
    | LabelSignal
)


@dataclass(frozen=True, slots=True)
class Signal:
    """A named signal. ``of`` is what it reads, if its kind reads the ask by default."""

    name: str
    kind: SignalKind
    span: Span
    of: Reads = "ask"


def detector_of(signal: Signal) -> Classifier | None:
    """Return the classifier that a signal uses; None if it uses none."""
    if isinstance(signal.kind, LabelSignal):
        return signal.kind.classifier
    return signal.kind.detector if isinstance(signal.kind, PiiSignal | JailbreakSignal) else None


def needs_model(signal: Signal) -> bool:
    """Return whether a model, an encoder or an identity decides the signal, rather than the text of the request."""
    match signal.kind:
        case KeywordSignal() | ContextSignal() | StructureSignal() | ConversationSignal() | ModalitySignal():
            return False
        case (
            EmbeddingSignal()
            | LanguageSignal()
            | ComplexitySignal()
            | ClientSignal()
            | PiiSignal()
            | JailbreakSignal()
            | LabelSignal()
        ):
            return True
    assert_never(signal.kind)
