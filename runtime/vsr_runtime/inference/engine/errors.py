"""Errors of the engine."""

from __future__ import annotations


class OverloadedError(Exception):
    """By the estimate the answer would be too late, or too much is queued."""


class EngineError(Exception):
    """The engine is broken, gone or stuck; a retry may succeed."""
