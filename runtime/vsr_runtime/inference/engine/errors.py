"""How the engine says that it will not answer."""

from __future__ import annotations


class OverloadedError(Exception):
    """By the estimate the answer would be too late, or too much waits already."""


class EngineError(Exception):
    """The engine is broken, gone or stuck; a later try may do."""
