"""What the program sees of a request, whichever API it came by."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from vsr_runtime.decision.fast_dataclass import fast_dataclass

BYTES_PER_TOKEN = 4
"""The stock router's estimate: a token is four bytes of UTF-8, the last one perhaps fewer."""


class InvalidRequestError(ValueError):
    """The request is not in the form that the API documents. ``param`` names the field."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


@fast_dataclass(frozen=True, slots=True)
class RequestView:
    """A request as signals see it.

    Attributes:
        turn: the text of the last user turn, its parts joined by newlines; empty where there is none.
        size: bytes in UTF-8 of the text of all messages, instructions among them; tools are not counted.
        roles: the role of each message, in their order.
        tools: tool definitions.
        tool_calls: calls of tools that the assistant made.
        images: image parts.
        history: the texts of all messages, instructions among them.
        memo: what a kind of signal has found out and all signals of the kind share.
    """

    turn: str
    size: int = 0
    roles: tuple[str, ...] = ()
    tools: int = 0
    tool_calls: int = 0
    images: int = 0
    history: tuple[str, ...] = ()
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def tokens(self) -> int:
        """The estimate of the request's length in tokens."""
        return -(-self.size // BYTES_PER_TOKEN)
