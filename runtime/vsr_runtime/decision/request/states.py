"""The states of one request, and what applies to all requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from vsr_runtime.decision.apis.endpoints import ApiEndpoint
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.attempts import Attempt
from vsr_runtime.decision.request.cache_key import Caller
from vsr_runtime.decision.request.outcomes import Outcomes
from vsr_runtime.decision.request.parsed_request import ParsedRequest
from vsr_runtime.decision.selection.observations import Observations


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """What applies to all requests.

    Attributes:
        program: the decision program.
        max_body: maximum bytes of a body.
        default_on_failure: whether requests go to the default model if their category is unavailable. Guards still
            apply.
        debug_headers: which clients get debug headers; None for none.
    """

    program: Program
    max_body: int
    default_on_failure: bool = False
    debug_headers: Literal["on-request", "always"] | None = None


@fast_dataclass(frozen=True, slots=True)
class AwaitsHeaders:
    """The initial state; waits for the headers. ``attempt``: of one attempt, which the proxy sends to itself."""

    attempt: bool = False


@fast_dataclass(frozen=True, slots=True)
class AwaitsBody:
    """The headers were accepted; waits for the body."""

    endpoint: ApiEndpoint
    request_id: str | None = None
    debug: bool = False
    caller: Caller | None = None
    query: bool = False
    boundary: bytes | None = None
    cors: tuple[tuple[str, str], ...] = ()
    key: str | None = None
    state_holder: str | None = None
    client: Client | None = None
    attempt: Attempt | None = None
    sent: frozenset[str] = frozenset()
    moved: str | None = None
    """The model to which a limit moves the request, which is decided again."""
    observed: Observations | None = None
    """What the server has observed of models, if some decision selects one by it."""


@fast_dataclass(frozen=True, slots=True)
class AwaitsSignals:
    """The decision, or a guard, depends on model results; waits for them."""

    parsed: ParsedRequest
    known: Outcomes | None
    detector_texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    program: Program | None = None
    """The recipe's; None for that of the config."""


@fast_dataclass(frozen=True, slots=True)
class Decided:
    """Final: the request was routed or answered."""


State = AwaitsHeaders | AwaitsBody | AwaitsSignals | Decided


class OutOfOrderError(Exception):
    """The state does not accept this event. The caller must end the request with an error."""
