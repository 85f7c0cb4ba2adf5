"""The request of one stream besides the state machine's state, and the log line of its decision."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.request.events import GuardMatch, ImmediateResponse, RequestHeaders, SendToModel
from vsr_runtime.log import Field
from vsr_runtime.server.agentgateway import Vouched
from vsr_runtime.server.drawn import Drawn
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.limits import Charge
from vsr_runtime.server.model_observer import Watch
from vsr_runtime.server.telemetry.response_span import ResponseSpan
from vsr_runtime.server.wire import BodyMode
from vsr_schemas.identity import TEAM, TENANT, USER

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

_ID = re.compile(r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9]{1,12}(?:[._:-][A-Za-z0-9]{1,12}){0,7}")
"""Ids that are logged as they are: short words and numbers, such as a UUID. No key, address or number of a person."""
_DIGEST_LENGTH = 16
_LONGEST = 256
"""Characters of a client's attribute in a record."""


@dataclass(slots=True)
class Exchange:
    """The request of one stream, besides the state machine's state.

    Attributes:
        generation: the generation that served when the stream began, so that one policy decides the whole request.
        request_id: the gateway's id.
        mode: how the gateway sends the body.
        model: the model that it was sent to; empty until then.
        carrier: the headers that name its trace.
        path: its path, for its trace.
        client: the client that it is for; None until the first message.
        charge: what it counts as for limits; None if it does not count.
        watch: what is observed of its model; None if no decision reads that.
        begun: when the stream began, if models are observed.
        arrived: when the body was complete; 0 until then.
        reply_in_parts: whether the client gets of a response only what is sent back.
        vouched: what agentgateway vouches for, and what the client claimed; None behind Envoy.
        who: the authenticated client; None if there is none.
        shadowed: the headers for a candidate that decides the request, too; None if none does.
        drawn: the candidate that may decide the request instead; None if none does.
        decided: the span of the decision; None if it is not sampled.
        response: the span of the response; None if there is none.
    """

    generation: Generation
    request_id: str = ""
    mode: BodyMode = BodyMode.UNSAID
    model: str = ""
    carrier: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    client: bytes | None = None
    charge: Charge | None = None
    watch: Watch | None = None
    begun: float = 0.0
    arrived: float = 0.0
    reply_in_parts: bool = False
    vouched: Vouched | None = None
    who: Client | None = None
    shadowed: RequestHeaders | None = None
    drawn: Drawn | None = None
    decided: SpanContext | None = None
    response: ResponseSpan | None = None


class HeldBytes:
    """Bytes of one stream's body that count as in work until they are released, at the latest when the stream ends.

    Args:
        count: adds to the bytes of all streams.
    """

    __slots__ = ("_count", "size")

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count
        self.size = 0

    def add(self, size: int) -> None:
        """Count more bytes."""
        self.size += size
        self._count(size)

    def release(self, *_: object) -> None:
        """Subtract them, once the answer has been handed over."""
        if self.size:
            self._count(-self.size)
            self.size = 0


def id_of(event: RequestHeaders) -> str:
    """The request's id as logs and traces have it; empty if there is none."""
    for key, value in event.headers:
        if key == "x-request-id":
            return logged_id(value)
    return ""


def logged_id(value: str) -> str:
    """Return an id as it is logged. A client may have chosen it, so an id that may hold text is logged as a digest."""
    if not value or _ID.fullmatch(value):
        return value
    return f"sha256:{sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()[:_DIGEST_LENGTH]}"


def format_guards(matches: Iterable[GuardMatch]) -> str:
    """Guards and their actions, as logs have them."""
    return ", ".join(f"{match.guard}:{'failed' if match.failed else match.action}" for match in matches)


def describe(request_id: str, action: SendToModel | ImmediateResponse) -> tuple[str, dict[str, Field]]:
    """Return the event and the fields of a decision, as the log and the audit log have them."""
    if isinstance(action, SendToModel) and action.attempt:
        return "attempt", {
            "request": request_id,
            "model": action.model,
            "route": action.route,
            "attempt": action.attempt,
        }
    details: dict[str, Field] = {"guards": format_guards(action.guards)} if action.guards else {}
    if isinstance(action, ImmediateResponse) and action.route is None:
        return "answer", {"request": request_id, "status": action.status, "code": action.code, **details}
    if action.cause is not None:
        details["undecided"] = action.cause.value
    signals = action.signals
    return "decision", {
        "request": request_id,
        "model": action.model if isinstance(action, SendToModel) else None,
        "route": action.route,
        "named": signals is None and action.cause is None,
        "category": signals.category if signals else None,
        "probability": round(signals.probability, 4) if signals and signals.probability is not None else None,
        **details,
    }


def who(client: Client | None) -> dict[str, str]:
    """Return who a client is, for the audit log: never for the log."""
    if client is None:
        return {}
    names = (name for name in (USER, TEAM, TENANT) if name in client.attributes)
    known = {name: _short(client.attributes[name]) for name in names}
    return known | ({"credential": client.credential} if client.credential else {})


def _short(value: str) -> str:
    """Return a value, or its digest if it is too long for a record."""
    if len(value) <= _LONGEST:
        return value
    return f"sha256:{sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"
