"""What is known of one stream's request beside the machine's state, and how its decision is logged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from vsr_runtime.decision.request.events import GuardMatch, ImmediateResponse, RequestHeaders, SendToModel
from vsr_runtime.log import log_buffered
from vsr_runtime.server.generation import Generation
from vsr_runtime.server.wire import BodyMode

_ID_LENGTH = 128


@dataclass(slots=True)
class Exchange:
    """What one stream knows of its request besides the machine's state.

    ``generation`` is the one that served when the stream began: a request is decided by one policy, not by two.
    ``model`` is where it was sent, empty until then.
    """

    generation: Generation
    request_id: str = ""
    mode: BodyMode = BodyMode.UNSAID
    model: str = ""
    carrier: Mapping[str, str] = field(default_factory=dict)


class HeldBytes:
    """Bytes of one stream's body that count as in work until they are let go of, at the latest when the stream ends.

    Args:
        count: adds to the bytes of all streams.
    """

    __slots__ = ("_count", "size")

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count
        self.size = 0

    def add(self, size: int) -> None:
        """Count more."""
        self.size += size
        self._count(size)

    def release(self, *_: object) -> None:
        """Count them out, once their answer has been handed over."""
        if self.size:
            self._count(-self.size)
            self.size = 0


def id_of(event: RequestHeaders) -> str:
    """The gateway's id for the request, cut to a bounded length since a client may have chosen it."""
    for key, value in event.headers:
        if key == "x-request-id":
            return value[:_ID_LENGTH]
    return ""


def format_guards(matches: Iterable[GuardMatch]) -> str:
    """Guards and what each did, as logs have them."""
    return ", ".join(f"{match.guard}:{'failed' if match.failed else match.action}" for match in matches)


def log_action(request_id: str, action: SendToModel | ImmediateResponse) -> None:
    """One line a decision: names and numbers, never text of the request."""
    told = {"guards": format_guards(action.guards)} if action.guards else {}
    if isinstance(action, ImmediateResponse) and action.route is None:
        log_buffered("answer", request=request_id, status=action.status, code=action.code, **told)
        return
    if action.cause is not None:
        told["undecided"] = action.cause.value
    signals = action.signals
    log_buffered(
        "decision",
        request=request_id,
        model=action.model if isinstance(action, SendToModel) else None,
        route=action.route,
        named=signals is None and action.cause is None,
        category=signals.category if signals else None,
        probability=round(signals.probability, 4) if signals and signals.probability is not None else None,
        **told,
    )
