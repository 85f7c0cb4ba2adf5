"""The events of a response, and the actions on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import quote

from vsr_runtime.decision.deadline import Expired, never
from vsr_runtime.decision.request.cache_recording import CachedResponse
from vsr_runtime.decision.request.detectors import DetectorResults, DetectorTexts
from vsr_runtime.decision.request.events import GuardMatch, ImmediateResponse
from vsr_schemas.headers import GUARDS


class BodyMode(Enum):
    """How the rest of a response is received: not at all, whole, or in chunks."""

    NONE = 0
    STREAMED = 1
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """The status line and the headers. Names are in lower case."""

    headers: tuple[tuple[str, str], ...]
    end_of_stream: bool


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """The whole body, or a chunk. ``expired`` is the deadline for it."""

    body: bytes
    end_of_stream: bool
    expired: Expired = field(default=never, compare=False)


@dataclass(frozen=True, slots=True)
class ResponseTrailers:
    """The response ended with trailers."""


@dataclass(frozen=True, slots=True)
class DetectionsReady:
    """The results that `NeedDetections` requested: detections by detector, or causes of failure."""

    detections: DetectorResults


@dataclass(frozen=True, slots=True)
class NeedDetections:
    """Let each detector read its texts, then continue with `DetectionsReady`. Nothing is sent before."""

    detector_texts: DetectorTexts


@dataclass(frozen=True, slots=True)
class ForwardHeaders:
    """Forward the headers, and receive the body in this mode. ``guards`` are those that matched in the headers."""

    mode: BodyMode
    remove: tuple[str, ...] = ()
    set_headers: tuple[tuple[str, str], ...] = ()
    guards: tuple[GuardMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class BodyOutput:
    """Replacement of the body or chunk.

    Attributes:
        body: the bytes; None to leave it unchanged.
        set_headers: headers to overwrite, if they were not sent yet.
        guards: guards that matched since the last output.
        rejection: why the rest must not be sent; None if it may.
        cacheable: the complete response, after its last byte, if it is worth caching.
    """

    body: bytes | None
    set_headers: tuple[tuple[str, str], ...] = ()
    guards: tuple[GuardMatch, ...] = ()
    rejection: ImmediateResponse | None = None
    cacheable: CachedResponse | None = None


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """Final: nothing more must be read."""


ResponseEvent = ResponseHeaders | ResponseBody | ResponseTrailers | DetectionsReady
ResponseAction = ForwardHeaders | BodyOutput | ImmediateResponse


class ResponseError(Exception):
    """The state does not accept this event, or held text can no longer be sent."""


def whole_output(body: bytes | None, matches: tuple[GuardMatch, ...]) -> BodyOutput:
    """Return the output for a whole body: flags are headers, and a changed body has its exact length."""
    flags = tuple(quote(match.guard, safe=" ") for match in matches if match.action == "flag" and not match.failed)
    headers = ((GUARDS, ", ".join(flags)),) if flags else ()
    length = () if body is None else (("content-length", str(len(body))),)
    return BodyOutput(body, (*headers, *length), matches)
