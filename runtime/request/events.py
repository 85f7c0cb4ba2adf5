"""What can happen to a request, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from runtime.program.rules import SignalKind, Signals

SELECTED_MODEL = "x-selected-model"
"""The header that the gateway's routes match. Only the runtime's own value ever decides."""


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """The request line and the headers, pseudo-headers among them, names in lower case as HTTP/2 has them."""

    headers: tuple[tuple[str, str], ...]
    end_of_stream: bool


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The whole body."""

    body: bytes


@dataclass(frozen=True, slots=True)
class SignalsReady:
    """What was asked for by `NeedSignals` is known."""

    signals: Signals


class Cause(Enum):
    """Why signals could not be had. The value is the code that a client reads."""

    TIMEOUT = "classifier_timeout"
    OVERLOADED = "classifier_overloaded"
    BROKEN = "classifier_failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """What was asked for by `NeedSignals` will not come."""

    cause: Cause


Event = RequestHeaders | RequestBody | SignalsReady | Failure


@dataclass(frozen=True, slots=True)
class Continue:
    """Let the headers pass and wait for the body. A client's own routing header is removed here already."""

    remove: tuple[str, ...] = (SELECTED_MODEL,)


@dataclass(frozen=True, slots=True)
class NeedSignals:
    """Find these signals out about this text, then come back."""

    text: str
    kinds: frozenset[SignalKind]


@dataclass(frozen=True, slots=True)
class Route:
    """Send the request to a model.

    Attributes:
        model: the configured model that serves.
        body: the body to send instead of the client's, or None to leave that as it is.
        set_headers: headers to overwrite, whatever the client sent.
        route: the decision that chose the model; None for the default and for a model that the client named.
        signals: what was known when it was chosen; None where the client named the model.
    """

    model: str
    body: bytes | None
    set_headers: tuple[tuple[str, str], ...]
    route: str | None = None
    signals: Signals | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the client at once; the request goes nowhere."""

    status: int
    body: bytes
    code: str
    headers: tuple[tuple[str, str], ...] = field(default=(("content-type", "application/json"),))


Action = Continue | NeedSignals | Route | Answer
