"""The API-independent view of a request that signals read."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from vsr_runtime.decision.ask.extract import Ask, AskRules
from vsr_runtime.decision.ask.governing import governing_ask
from vsr_runtime.decision.ask.transcript import Entry
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.modalities import MODALITIES

_ASK, _ALL, _MODALITIES, READ = "ask", "all", "modalities", "read"
"""Keys in a view's memo; ``READ`` is that of normalised texts, by the text."""
BYTES_PER_TOKEN = 4
"""The stock router's estimate: four bytes of UTF-8 per token, rounded up."""


class InvalidRequestError(ValueError):
    """The request does not have the form that its API documents. ``param`` names the field at fault."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


@fast_dataclass(frozen=True, slots=True)
class RequestView:
    """A request as signals see it.

    Attributes:
        turn: text of the last user turn, its parts joined by newlines; empty if there is none.
        size: UTF-8 bytes of the text of all messages, including instructions and excluding tools.
        roles: role of each message, in order.
        tools: number of tool definitions.
        tool_calls: number of tool calls by the assistant.
        images: number of image parts.
        history: texts of all messages, including instructions.
        transcript: who contributed which texts, in order.
        ask_rules: how the person's ask is extracted; None if signals read the whole last user turn.
        client: who sends it; None if nobody is authenticated.
        memo: cache that signals of one kind share for this request.
    """

    turn: str
    size: int = 0
    roles: tuple[str, ...] = ()
    tools: int = 0
    tool_calls: int = 0
    images: int = 0
    history: tuple[str, ...] = ()
    transcript: tuple[Entry, ...] = ()
    ask_rules: AskRules | None = None
    client: Client | None = None
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def tokens(self) -> int:
        """Estimated length of the request in tokens."""
        return -(-self.size // BYTES_PER_TOKEN)

    @property
    def modalities(self) -> frozenset[str]:
        """The kinds of content besides text in any message or tool result."""
        if _MODALITIES not in self.memo:
            kinds = {kind for entry in self.transcript for kind in entry.kinds}
            self.memo[_MODALITIES] = frozenset(MODALITIES[kind] for kind in kinds & MODALITIES.keys())
        modalities: frozenset[str] = self.memo[_MODALITIES]
        return modalities

    @property
    def ask(self) -> Ask | None:
        """The ask that governs the request, extracted once; None if there is none or no rules are set."""
        if _ASK not in self.memo:
            self.memo[_ASK] = None if self.ask_rules is None else governing_ask(self.transcript, self.ask_rules)
        ask: Ask | None = self.memo[_ASK]
        return ask

    def about(self, ask: Ask) -> RequestView:
        """Return the view for another ask of the conversation. What was read of all messages is shared."""
        self.memo.setdefault(READ, {})
        shared = {key: self.memo[key] for key in (READ, _MODALITIES) if key in self.memo}
        # `replace` takes four times as long, and most requests need this.
        return RequestView(
            self.turn,
            self.size,
            self.roles,
            self.tools,
            self.tool_calls,
            self.images,
            self.history,
            self.transcript,
            self.ask_rules,
            self.client,
            {**shared, _ASK: ask},
        )

    @property
    def subject(self) -> str:
        """The text by which the request is classified: the ask, or the last user turn if there is no ask."""
        ask = self.ask
        return self.turn if ask is None else ask.text

    def text(self, *, everywhere: bool) -> str:
        """Return the text by which the request is classified, or all texts of the request (``everywhere``)."""
        if not everywhere:
            return self.subject
        if _ALL not in self.memo:
            self.memo[_ALL] = "\n\n".join(self.history)
        text: str = self.memo[_ALL]
        return text
