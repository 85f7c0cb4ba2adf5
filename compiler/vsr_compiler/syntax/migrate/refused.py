"""What a conversion raises where it would have to guess."""

from __future__ import annotations


class RefusedError(Exception):
    """A place that cannot be converted: its offset in the text, the reason and the remedy."""

    def __init__(self, offset: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint
