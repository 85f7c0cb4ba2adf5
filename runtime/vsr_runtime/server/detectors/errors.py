"""Errors of servers that classify text. No message contains text of a request."""

from __future__ import annotations


class WrongAnswerError(Exception):
    """The answer is not what the protocol promises: another status or shape, a wrong position or score."""


class RefusedTextError(Exception):
    """The server refuses the text itself, such as one that is too long for it."""
