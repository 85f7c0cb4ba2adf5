"""Takes an answer down as its client gets it, so that it can be kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from vsr_runtime.decision.request.apis import Api
from vsr_runtime.decision.request.complete import complete

MAX_ANSWER = 256 << 10
"""Bytes of an answer; a longer one is not kept."""
_KINDS = re.compile(r"(application/json|text/event-stream)\s*(?:;.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer: its content type and its body."""

    kind: str
    body: bytes = field(repr=False)


class Recorder:
    """Takes down one answer.

    Args:
        api: the API that it is of.
        kind: its content type.
    """

    def __init__(self, api: Api, kind: str) -> None:
        self._api, self._kind = api, kind
        self._pieces: list[bytes] | None = []
        self._size = 0

    def add(self, data: bytes) -> None:
        """What goes to the client next."""
        self._size += len(data)
        if self._size > MAX_ANSWER:
            self.spoil()
        if self._pieces is not None:
            self._pieces.append(data)

    def spoil(self) -> None:
        """This one is not to be kept."""
        self._pieces = None

    def done(self) -> Kept | None:
        """The answer, now that all of it has gone; None where it is not worth keeping."""
        if self._pieces is None:
            return None
        data = b"".join(self._pieces)
        streamed = self._kind.lower().startswith("text/event-stream")
        return Kept(self._kind, data) if complete(self._api, data, streamed=streamed) else None


def recorder(api: Api, headers: Mapping[str, str]) -> Recorder | None:
    """What takes an answer with these headers down; None where it is none that could be kept."""
    plain = headers.get("content-encoding", "").strip().lower() in {"", "identity"}
    kind = headers.get("content-type", "").strip()
    wanted = "no-store" not in headers.get("cache-control", "").lower()
    if headers.get(":status") != "200" or not plain or not wanted or not _KINDS.fullmatch(kind):
        return None
    return Recorder(api, kind)
