"""What a route can ask about besides its category."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Span
from vsr_compiler.ir.symbols import Classifier


@dataclass(frozen=True, slots=True)
class Keywords:
    """Some words occur. ``match`` is any, all or none; literal words unless ``regex``."""

    words: tuple[str, ...]
    match: str
    regex: bool
    case_sensitive: bool


@dataclass(frozen=True, slots=True)
class Similar:
    """Cosine similarity to these sentences, the maximum or the mean, reaches the threshold."""

    sentences: tuple[str, ...]
    threshold: float
    aggregate: str


@dataclass(frozen=True, slots=True)
class Context:
    """The request's length in tokens lies in this range, both ends included; None is open."""

    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Language:
    """The text is in one of these languages (ISO 639-1)."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Complexity:
    """The request is of this level of difficulty."""

    hard: tuple[str, ...]
    easy: tuple[str, ...]
    level: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Structure:
    """A pattern, or some keywords, occur this often."""

    pattern: str | None
    keywords: tuple[str, ...]
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """The conversation has this many parts of a kind."""

    of: str
    role: str | None
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Role:
    """One of these users or groups asks."""

    users: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pii:
    """Personal data of these types is in the request."""

    types: tuple[str, ...]
    detector: Classifier | None
    threshold: float


@dataclass(frozen=True, slots=True)
class Jailbreak:
    """The detector takes the request for an attack."""

    detector: Classifier
    threshold: float


Body = Keywords | Similar | Context | Language | Complexity | Structure | Conversation | Role | Pii | Jailbreak


@dataclass(frozen=True, slots=True)
class Signal:
    """A named signal."""

    name: str
    body: Body
    span: Span
