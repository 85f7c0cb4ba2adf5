"""Adds to a program how the person's ask is extracted."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.ask.extract import AskRules
from vsr_runtime.decision.program.program import Program
from vsr_schemas.runtime import AskSettings


def with_ask(program: Program, settings: AskSettings | None) -> Program:
    """Return the program with the rules of the settings. Without settings, signals read the whole last user turn."""
    return program if settings is None else replace(program, ask_rules=AskRules())
