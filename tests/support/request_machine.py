"""A small program, and events fed to a fresh request state machine."""

from __future__ import annotations

from dataclasses import replace

from vsr_runtime.decision.program.conditions import CategoryCondition
from vsr_runtime.decision.program.effects import ModelTarget
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.request.events import RequestHeaders
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig

LLAMA, PHI = ModelTarget("llama3-8b", "llama3-8b"), ModelTarget("phi4-mini", "phi4-mini")


MATH = PolicyRoute("math", CategoryCondition(frozenset({"math"}), "math"), ((PHI, 100),))


PROGRAM = Program({"llama3-8b": LLAMA, "phi4-mini": PHI}, ("auto", "MoM"), (MATH,), "llama3-8b")


RULES = MachineConfig(PROGRAM, 1000)


def headers(method="POST", path="/v1/chat/completions", *, end=False, **more) -> RequestHeaders:
    """The headers of a chat request; a keyword adds, replaces or (None) removes one."""
    given = {"content-type": "application/json"} | {key.replace("_", "-"): value for key, value in more.items()}
    lines = ((":method", method), (":path", path), *((k, v) for k, v in given.items() if v is not None))
    return RequestHeaders(lines, end)


def rules(*routes: PolicyRoute, **more) -> MachineConfig:
    """Rules with these routes."""
    return MachineConfig(replace(PROGRAM, routes=routes, **more), 1000)


def drive(*steps, rules=RULES):
    """Feed events to a fresh machine and return the last state and action."""
    state, action = AwaitsHeaders(), None
    for event in steps:
        state, action = advance(rules, state, event)
    return state, action
