"""What must be done about the response to one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.guards.detection import Detection
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.program.conditions import SignalKind, SignalValues
from vsr_runtime.decision.program.effects import CachePolicy
from vsr_schemas.headers import SELECTED_MODEL


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Where an answer is looked for and kept.

    Attributes:
        api: the API that the client speaks.
        key: stands for this request.
        rule: whether it must be this request, and for how long an answer is kept.
        group: stands for requests that differ in the words of their last turn; None where only this one will do.
        text: these words. Never shown.
    """

    api: Api
    key: bytes
    policy: CachePolicy
    group: bytes | None = None
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What guards read of a response, and what its text gets back.

    Attributes:
        api: the API that the client speaks.
        guards: those that read the response, in their order.
        restore: what stands for what: placeholders of the request and the client's own values. Never shown.
        record: for whom it is taken down, if it is one that may be kept; None where it is not.
        tell: what its headers say of the request's way; None where nothing is told, so that a model's own words stay.
    """

    api: Api
    guards: tuple[Guard, ...] = ()
    restore: Mapping[str, str] = field(default_factory=dict, repr=False)
    debug_headers: tuple[tuple[str, str], ...] | None = None
    record: object = None

    @property
    def reads(self) -> bool:
        """Whether the body must be read."""
        return bool(self.guards or self.restore)


@fast_dataclass(frozen=True, slots=True)
class RequestHeaders:
    """The request line and the headers, pseudo-headers among them, names in lower case as HTTP/2 has them."""

    headers: tuple[tuple[str, str], ...]
    end_of_stream: bool


@fast_dataclass(frozen=True, slots=True)
class RequestBody:
    """The whole body. ``expired`` says when the time for deciding is up."""

    body: bytes
    expired: Expired = field(default=never, compare=False)


class Cause(Enum):
    """Why signals could not be had. The value is the code that a client reads."""

    TIMEOUT = "classifier_timeout"
    OVERLOADED = "classifier_overloaded"
    BROKEN = "classifier_failed"
    FULL = "overloaded"


DetectorResult = Sequence[Detection] | Cause
"""What a detector saw in each of the texts that it was asked to look at, in their order; or why it did not."""


@fast_dataclass(frozen=True, slots=True)
class SignalsReady:
    """What was asked for by `NeedSignals` is known: the category, None where no label reached its threshold.

    ``looks`` are the findings of each detector that was asked, ``likeness`` the cosines of the text and each sentence.
    ``missing`` says why category and likeness could not be had.
    """

    category: str | None = None
    probability: float | None = None
    detections: Mapping[str, DetectorResult] = field(default_factory=dict)
    similarities: Mapping[str, float] = field(default_factory=dict)
    missing: Cause | None = None


@fast_dataclass(frozen=True, slots=True)
class Failure:
    """What was asked for, a look at the body or by `NeedSignals`, will not come."""

    cause: Cause


Event = RequestHeaders | RequestBody | SignalsReady | Failure


@fast_dataclass(frozen=True, slots=True)
class Continue:
    """Let the headers pass and wait for the body. A client's own routing header is removed here already.

    The gateway strips the others that a client must not send, and lets its filter remove no more than this one.
    ``asks`` is whether the response's headers are wanted, too, where the gateway sends none unasked.
    """

    remove: tuple[str, ...] = (SELECTED_MODEL,)
    needs_response_headers: bool = False


@fast_dataclass(frozen=True, slots=True)
class NeedSignals:
    """Find these signals out about this text, let each detector look at its texts, then come back."""

    text: str
    kinds: frozenset[SignalKind]
    detector_texts: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardMatch:
    """A guard that found something. ``failed`` says why it could not look, where it could not."""

    guard: str
    action: str
    failed: Cause | None = None


@fast_dataclass(frozen=True, slots=True)
class SendToModel:
    """Send the request to a model.

    Attributes:
        model: the configured model that serves, by the name that routes match.
        body: the body to send instead of the client's, or None to leave that as it is.
        set_headers: headers to overwrite, whatever the client sent. Never shown: a provider's key may be among them.
        remove_headers: headers to take out.
        route: the decision that chose the model; None for the default and for a model that the client named.
        signals: what was known when it was chosen; None where the client named the model.
        cause: why it goes to the default undecided, where it should have been decided.
        guards: those that found something and let it pass, changed or not.
        response: what must be done about the response; None where it may pass unread.
        lookup: where an answer may have been kept; None where there is none to be looked for.
    """

    model: str
    body: bytes | None
    set_headers: tuple[tuple[str, str], ...] = field(repr=False)
    remove_headers: tuple[str, ...] = ()
    route: str | None = None
    signals: SignalValues | None = None
    cause: Cause | None = None
    guards: tuple[GuardMatch, ...] = ()
    response: ResponsePlan | None = field(default=None, repr=False)
    cache_key: CacheKey | None = None


@fast_dataclass(frozen=True, slots=True)
class ImmediateResponse:
    """Answer the client at once; the request goes nowhere.

    Attributes:
        status: the HTTP status.
        body: the body.
        code: names the answer for logs and metrics.
        headers: its headers.
        route: the decision that answers; None where no decision was reached.
        signals: what was known then.
        cause: why no decision was reached, where the request should have had one.
        guards: those that it was refused for.
        model: the configured model that the request was for; None where that was not known yet.
    """

    status: int
    body: bytes
    code: str
    headers: tuple[tuple[str, str], ...] = field(default=(("content-type", "application/json"),))
    route: str | None = None
    signals: SignalValues | None = None
    cause: Cause | None = None
    guards: tuple[GuardMatch, ...] = ()
    model: str | None = None


Action = Continue | NeedSignals | SendToModel | ImmediateResponse
