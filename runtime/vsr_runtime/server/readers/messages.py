"""What a server asks its reader processes, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from vsr_runtime.decision.request.events import ResponsePlan, SignalsReady
from vsr_runtime.decision.request.response_events import DetectionsReady
from vsr_runtime.decision.request.states import AwaitsBody
from vsr_runtime.settings import SettingsSource


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that reader processes execute. ``key`` identifies it within a server."""

    key: int
    source: SettingsSource


@dataclass(frozen=True, slots=True)
class StartReader:
    """Start a reader process for a policy. ``source`` is None if it was sent before."""

    key: int
    source: SettingsSource | None


@dataclass(frozen=True, slots=True)
class ReaderStarted:
    """The reader process runs, and its socket comes with the message; None if it cannot be started."""

    process: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Decide a request, whose body comes with the message.

    Attributes:
        state: the state before the body.
        seconds: time that is left.
    """

    state: AwaitsBody
    seconds: float


@dataclass(frozen=True, slots=True)
class ReadResponse:
    """Let guards read a whole response, whose body comes with the message. ``seconds`` is the time that is left."""

    plan: ResponsePlan
    seconds: float


@dataclass(frozen=True, slots=True)
class Resume:
    """Continue with results that the last action requested."""

    results: SignalsReady | DetectionsReady


@dataclass(frozen=True, slots=True)
class Done:
    """The next action.

    Attributes:
        action: an action of a request or of a response.
        last: whether the process ends now, because it has grown.
    """

    action: Any
    last: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """There is no action. The process ends if its memory was used up."""

    why: Literal["memory", "response", "error"]
    text: str = ""


Order = ReadRequest | ReadResponse | Resume
Answer = Done | Failed
