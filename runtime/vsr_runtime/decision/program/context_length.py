"""How many tokens of a model's context a request needs: a conservative estimate, since no tokenizer is asked.

Three bytes of ASCII text count as a token, each digit as one, and two bytes of other characters as one. Tokenizers need
fewer: English prose has four bytes per token or more, code some three, and Chinese two to three.
"""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.modalities import MODALITIES
from vsr_runtime.decision.program.effects import ModelTarget

MEDIA_TOKENS = {"image": 2048, "audio": 4096, "video": 16_384, "file": 16_384}
"""Tokens of one part of each kind. Its bytes are not counted, as they say little about it."""
NODE_TOKENS = 4
"""Tokens of a message, part or other object besides its texts."""
OUTPUT_FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_DIGITS = b"0123456789"
_ASCII = bytes(range(128))
_BYTES_FIELDS = frozenset(
    {"audio_url", "data", "file_data", "file_id", "image_embeds", "image_url", "input_audio", "url", "video_url"}
)
"""Fields of media parts that hold bytes or an address."""
_MEDIA_WORDS = ("image", "audio", "video", "file", "document")
_UNCOUNTED = frozenset({"metadata", "model", "stream_options", "user"})
"""Top-level fields that no model reads."""


@fast_dataclass(frozen=True, slots=True)
class TokenDemand:
    """The tokens that a request needs: of its prompt, and those of the response that it asks for (at least one)."""

    prompt: int = 0
    output: int = 1

    @property
    def total(self) -> int:
        """All of them."""
        return self.prompt + self.output

    def fits(self, target: ModelTarget) -> bool:
        """Return whether a model can hold the request."""
        return target.context is None or self.total <= target.context


NO_DEMAND = TokenDemand(0, 0)


def token_demand(text: str, values: Mapping[str, object], smallest: int | None) -> TokenDemand:
    """Return what a request needs.

    Args:
        text: its body.
        values: the parsed body.
        smallest: the smallest context of any model; None if no model has a limit. A body that fits even if each byte
            is a token is not estimated.
    """
    if smallest is None:
        return NO_DEMAND
    asked = [value for name in OUTPUT_FIELDS if type(value := values.get(name)) is int and value > 0]
    output = max(asked, default=1)
    size = len(text) if text.isascii() else 4 * len(text)
    if size + NODE_TOKENS * text.count("{") + output <= smallest and not any(word in text for word in _MEDIA_WORDS):
        return TokenDemand(0, output)
    return TokenDemand(_prompt_tokens(values), output)


def text_tokens(text: str) -> int:
    """Return the estimated number of tokens of a text."""
    data = text.encode("utf-8", "replace")
    digits = len(data) - len(data.translate(None, _DIGITS))
    other = len(data.translate(None, _ASCII))
    return -(-(len(data) - digits - other) // 3) + digits + -(-other // 2)


def _prompt_tokens(values: Mapping[str, object]) -> int:
    """Return the tokens of every text that a model may read, and of media."""
    pending: list[object] = [value for name, value in values.items() if name not in _UNCOUNTED]
    tokens = 0
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            tokens += text_tokens(node)
        elif isinstance(node, Mapping):
            tokens += NODE_TOKENS
            kind = node.get("type")
            modality = MODALITIES.get(kind) if isinstance(kind, str) else None
            if modality is not None:
                tokens += MEDIA_TOKENS[modality]
                pending += [value for name, value in node.items() if name not in _BYTES_FIELDS and name != "source"]
                continue
            for name, value in node.items():
                tokens += text_tokens(name)
                pending.append(value)
        elif isinstance(node, list):
            # Token ids are tokens.
            tokens += sum(type(item) is int for item in node)
            pending += node
    return tokens
