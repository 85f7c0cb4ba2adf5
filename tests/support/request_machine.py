"""A small program, and events fed to a fresh request state machine."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.program.effects import Target
from vsr_runtime.decision.program.program import Program, Route
from vsr_runtime.decision.program.rules import Category
from vsr_runtime.decision.request.events import (
    RequestHeaders,
)
from vsr_runtime.decision.request.machine import Fresh, Rules, advance

LLAMA, PHI = Target("llama3-8b", "llama3-8b"), Target("phi4-mini", "phi4-mini")


MATH = Route("math", Category(frozenset({"math"}), "math"), ((PHI, 100),))


PROGRAM = Program({"llama3-8b": LLAMA, "phi4-mini": PHI}, ("auto", "MoM"), (MATH,), "llama3-8b")


RULES = Rules(PROGRAM, 1000)


def headers(method="POST", path="/v1/chat/completions", *, end=False, **more) -> RequestHeaders:
    """The headers of a chat request; a keyword adds, replaces or (None) removes one."""
    given = {"content-type": "application/json"} | {key.replace("_", "-"): value for key, value in more.items()}
    lines = ((":method", method), (":path", path), *((k, v) for k, v in given.items() if v is not None))
    return RequestHeaders(lines, end)


def rules(*routes: Route, **more) -> Rules:
    """Rules with these routes."""
    return Rules(replace(PROGRAM, routes=routes, **more), 1000)


def drive(*steps, rules=RULES):
    """Feed events to a fresh machine and return the last state and action."""
    state, action = Fresh(), None
    for event in steps:
        state, action = advance(rules, state, event)
    return state, action
