"""The events of a request, the actions on it, and the plan for its response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.guards.detection import Detection
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.limits.rules import Claim
from vsr_runtime.decision.program.conditions import OF_REQUEST, SignalKind, SignalValues
from vsr_runtime.decision.program.effects import CachePolicy
from vsr_schemas.headers import SELECTED_MODEL


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Where a response is cached.

    Attributes:
        api: the API of the request.
        key: digest of this request.
        policy: whether only this request is a hit, and the lifetime of an entry.
        group: digest of requests that differ in the words of their last turn; None if only this request is a hit.
        text: the last turn. Never logged.
    """

    api: Api
    key: bytes
    policy: CachePolicy
    group: bytes | None = None
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What to do with the response of one request.

    Attributes:
        api: the API of the request.
        guards: the guards that read the response, in order.
        restore: values by placeholder of the request. Never logged.
        debug_headers: debug headers of the response; None if the client gets none, so that the model's own headers
            stay.
        record: the server's token for caching the response; None if it is not cached.
        cors: headers that let a page read the response.
        model: the model whose response may be cached, if others may answer as well; None if only one may answer.
    """

    api: Api
    guards: tuple[Guard, ...] = ()
    restore: Mapping[str, str] = field(default_factory=dict, repr=False)
    debug_headers: tuple[tuple[str, str], ...] | None = None
    record: object = None
    cors: tuple[tuple[str, str], ...] = ()
    model: str | None = None

    @property
    def reads(self) -> bool:
        """Whether the body must be read."""
        return bool(self.guards or self.restore)


@fast_dataclass(frozen=True, slots=True)
class RequestHeaders:
    """The request line and the headers, including pseudo-headers. Names are in lower case as in HTTP/2.

    ``address`` is that of the sender, if the policy trusts some addresses. ``client`` is who sends it if that is known
    without the headers, as in tests of a policy.
    """

    headers: tuple[tuple[str, str], ...]
    end_of_stream: bool
    address: str = ""
    client: Client | None = field(default=None, repr=False)


@fast_dataclass(frozen=True, slots=True)
class RequestBody:
    """The whole body.

    Attributes:
        body: the bytes.
        expired: the deadline of the decision.
        read: a `ReadBody`, if it was read before, for the draw of a candidate; else None.
    """

    body: bytes
    expired: Expired = field(default=never, compare=False)
    read: Any = field(default=None, compare=False, repr=False)


class Cause(Enum):
    """Why model results are unavailable. The value is the error code for the client."""

    TIMEOUT = "classifier_timeout"
    OVERLOADED = "classifier_overloaded"
    BROKEN = "classifier_failed"
    FULL = "overloaded"
    TOO_COMPLEX = "too_complex"
    AUDIT = "audit_failed"


DetectorResult = Sequence[Detection] | Cause
"""The detections of a detector, one per text in order; or the cause of its failure."""


@fast_dataclass(frozen=True, slots=True)
class TextSignals:
    """What models say of one text.

    Attributes:
        category: the category; None if no label reached its threshold.
        probability: probability of the category; None if no classifier ran.
        probabilities: probability of each category.
        similarities: cosine of the text and each sentence.
        read: whether the text was read; False if a result is missing.
    """

    category: str | None = None
    probability: float | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    similarities: Mapping[str, float] = field(default_factory=dict)
    read: bool = True


NOT_READ = TextSignals(read=False)
"""The result for a text that no model has read."""


@fast_dataclass(frozen=True, slots=True)
class SignalsReady:
    """The results that `NeedSignals` requested.

    Attributes:
        category: the category; None if no label reached its threshold.
        probability: probability of the category.
        detections: the results of each requested detector.
        similarities: cosine of the text and each sentence.
        missing: why category and similarities are unavailable.
        probabilities: probability of each category.
        earlier: the results for the earlier texts, in their order.
        request_similarities: cosine of all texts of the request and each sentence.
    """

    category: str | None = None
    probability: float | None = None
    detections: Mapping[str, DetectorResult] = field(default_factory=dict)
    similarities: Mapping[str, float] = field(default_factory=dict)
    missing: Cause | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    earlier: Sequence[TextSignals] = ()
    request_similarities: Mapping[str, float] = field(default_factory=dict)

    def also(self, answer: SignalsReady | TextSignals, kinds: frozenset[SignalKind], *, whole: bool) -> SignalsReady:
        """Return these results with those for a further text: the whole request, or the ask."""
        known = self
        if "category" in kinds:
            known = replace(
                known,
                category=answer.category,
                probability=answer.probability,
                probabilities=answer.probabilities,
            )
        if "similarity" in kinds and whole:
            known = replace(known, request_similarities=answer.similarities)
        elif "similarity" in kinds:
            known = replace(known, similarities=answer.similarities)
        return known


@fast_dataclass(frozen=True, slots=True)
class Failure:
    """Reading the body, or the results that `NeedSignals` requested, failed."""

    cause: Cause


Event = RequestHeaders | RequestBody | SignalsReady | Failure


@fast_dataclass(frozen=True, slots=True)
class Continue:
    """Accept the headers and wait for the body. Removes the client's own routing header.

    The gateway strips other reserved headers, and lets its filter remove only this one. ``needs_response_headers``
    requests the response headers where the gateway does not send them by default.
    """

    remove: tuple[str, ...] = (SELECTED_MODEL,)
    needs_response_headers: bool = False


@fast_dataclass(frozen=True, slots=True)
class LetPass:
    """Let a request without a body pass undecided, for a filter or route that is not the router's: a CORS preflight.

    No route to a model matches it. Removes the client's own routing header.
    """

    remove: tuple[str, ...] = (SELECTED_MODEL,)


@fast_dataclass(frozen=True, slots=True)
class NeedSignals:
    """Compute these signals for this text and let each detector read its texts, then continue with `SignalsReady`.

    ``earlier`` are other asks of the conversation, for which the same signals are needed.
    """

    text: str
    kinds: frozenset[SignalKind]
    detector_texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    request_text: str = ""
    """All texts of the request, for the kinds that begin with ``request-``."""
    earlier: tuple[str, ...] = ()

    @property
    def of_ask(self) -> frozenset[SignalKind]:
        """The kinds to compute for each ask."""
        return self.kinds - OF_REQUEST.keys()

    def texts(self) -> list[tuple[str, frozenset[SignalKind], bool]]:
        """Return each text with the kinds to compute for it, and whether it is that of the whole request."""
        of_request = frozenset(OF_REQUEST[kind] for kind in self.kinds & OF_REQUEST.keys())
        pairs = (self.text, self.of_ask, False), (self.request_text, of_request, True)
        return [pair for pair in pairs if pair[1]]


@dataclass(frozen=True, slots=True)
class GuardMatch:
    """A guard that matched. ``failed`` is the cause if it could not read the text."""

    guard: str
    action: str
    failed: Cause | None = None


@fast_dataclass(frozen=True, slots=True)
class SendToModel:
    """Send the request to a model.

    Attributes:
        model: the configured model, by the name that routes match.
        body: the body to send; None to leave the client's unchanged.
        set_headers: headers to overwrite. Never logged, because they may contain a provider's key.
        remove_headers: headers to remove.
        route: the decision that chose the model; None for the default and for a model that the client named.
        signals: the known signals; None if the client named the model.
        cause: why the request goes to the default model without a decision.
        guards: guards that matched and let the request pass.
        response: what to do with the response; None if it may pass unread.
        cache_key: where the response is cached; None if it is not.
        attempt: the number of an attempt, from 1; 0 for the decision on a request.
        claim: what the request counts as; None if the policy limits nothing.
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
    attempt: int = 0
    claim: Claim | None = field(default=None, repr=False)


@fast_dataclass(frozen=True, slots=True)
class ImmediateResponse:
    """Answer the client without sending the request to a model.

    Attributes:
        status: the HTTP status.
        body: the body.
        code: name of the response for logs and metrics.
        headers: its headers.
        route: the decision that answers; None without a decision.
        signals: the known signals.
        cause: why there was no decision.
        guards: the guards that rejected the request.
        model: the configured model that the request was for; None if that was not known yet.
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


Action = Continue | LetPass | NeedSignals | SendToModel | ImmediateResponse
