"""Runs the tests of a policy on the runtime's decision core, in this process and without a server."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.heads.local_classifiers import LocalClassifiers, load_local_classifiers
from vsr_compiler.link.expectations import DEFAULT_ROUTE
from vsr_compiler.review.stock_emulation import emulate
from vsr_compiler.routerconfig import CONFIG
from vsr_runtime.decision.request.events import (
    Action,
    Continue,
    GuardMatch,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
)
from vsr_runtime.decision.request.request_machine import AwaitsHeaders, MachineConfig, advance
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.settings import load

HEADERS = (
    (":method", "POST"),
    (":path", "/v1/chat/completions"),
    (":authority", "gateway"),
    ("content-type", "application/json"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a test's request.

    Attributes:
        test: The test.
        category: The category of the request; None if it has none or it was not needed.
        route: The matched route; None if the client named a model.
        model: The selected model; None if the request was answered directly.
        answer: Status and code of a direct answer; None if it goes to a model.
        guards: The guards that matched.
        decided: False if a model is not available here: one of the stock router, or a detector.
        missing: Why a detector is not available.
    """

    test: ir.Test
    category: str | None
    route: str | None
    model: str | None
    answer: str | None
    guards: frozenset[str] = frozenset()
    decided: bool = True
    missing: str = ""

    @property
    def misses(self) -> tuple[str, ...]:
        """The unmet expectations, in words."""
        test = self.test
        if not self.decided:
            return ()
        comparisons = (
            ("category", test.category, self.category),
            ("route", test.route, self.route),
            ("model", test.expected_model.name if test.expected_model else None, self.model),
        )
        missed = [
            f"{what} {_quoted(actual)} instead of {_quoted(expected)}"
            for what, expected, actual in comparisons
            if expected is not None and actual != expected
        ]
        held = None if test.guards is None else {guard.name for guard in test.guards}
        if held is not None and held != self.guards:
            missed.append(f"guards {_listed(self.guards)} instead of {_listed(held)}")
        return tuple(missed)


def run_tests(policy: ir.Policy) -> list[Outcome]:
    """Run every test of a policy with a rendered router folder, in file order.

    Raises:
        CompileError: VSR506 if the classifier cannot be loaded.
    """
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        machine = MachineConfig(emulate(policy), policy.router.max_body)
        return [_one(policy, machine, LocalClassifiers(), test, number) for number, test in enumerate(policy.tests)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, data in policy.router.files.items():
            (folder / file).write_bytes(data)
        settings = load(folder / CONFIG, _keys(policy, folder / "credentials"))
        try:
            classifiers = load_local_classifiers(settings, folder)
        except ModelError as error:
            raise CompileError([Diagnostic("VSR506", str(error), policy.router.span)]) from None
    machine = MachineConfig(settings.program, settings.limits.maxBody)
    return [_one(policy, machine, classifiers, test, number) for number, test in enumerate(policy.tests)]


def _keys(policy: ir.Policy, folder: Path) -> Path:
    """Write a placeholder for each provider key, which the runtime requires although it calls no provider."""
    for endpoint in policy.endpoints:
        if endpoint.credential is not None:
            path = folder / endpoint.credential
            path.parent.mkdir(parents=True)
            path.write_text("none", encoding="utf-8")
    return folder


def findings(policy: ir.Policy, outcomes: Sequence[Outcome]) -> Iterator[Diagnostic]:
    """Yield VSR250 for each failed test, VSR251 and VSR260 for each route and guard that no test reaches."""
    for outcome in outcomes:
        if outcome.misses:
            message = f"test failed: {', '.join(outcome.misses)}"
            hint = "Correct the policy (similar examples help the classifier), or the expectation."
            yield Diagnostic("VSR250", message, outcome.test.span, hint)
        if not outcome.decided:
            yield _undecided(policy, outcome)
    if isinstance(policy.router.implementation, ir.SemanticRouter) and policy.guards:
        message = "tests run without guards on semantic-router"
        yield Diagnostic("VSR333", message, policy.guards[0].span, "Test the guards on a running router.")
    if not all(outcome.decided for outcome in outcomes):
        return
    reached = {outcome.route for outcome in outcomes}
    for route in policy.routes:
        if outcomes and route.name not in reached:
            hint = "Add a test with a prompt that matches it."
            yield Diagnostic("VSR251", f"no test reaches the route `{route.name}`", route.span, hint)
    held = frozenset[str]().union(*(outcome.guards for outcome in outcomes))
    for guard in policy.guards:
        if outcomes and guard.on_requests and guard.name not in held:
            hint = "Add a test with a prompt that it matches, and list it under `expect.guards`."
            yield Diagnostic("VSR260", f"no test reaches the guard `{guard.name}`", guard.span, hint)


def _undecided(policy: ir.Policy, outcome: Outcome) -> Diagnostic:
    hint = "Test it on a running router with `POST /api/v1/eval` on port 8080."
    message = "the test needs a model of semantic-router, which is not available here"
    if isinstance(policy.router.implementation, ir.VsrRuntime):
        hint = "Fetch the checkpoint (`vsr-runtime fetch`) into a folder that VSR_MODELS names."
        message = (
            f"the test needs a detector that is not available here ({outcome.missing or 'none that labels texts'})"
        )
    return Diagnostic("VSR333", message, outcome.test.span, hint)


def _one(
    policy: ir.Policy, machine: MachineConfig, classifiers: LocalClassifiers, test: ir.Test, number: int
) -> Outcome:
    """Run one request through the state machine."""
    body = json.dumps({"model": test.model, "messages": [{"role": "user", "content": test.prompt}]}).encode()
    headers = RequestHeaders((*HEADERS, ("x-request-id", f"test-{number}")), end_of_stream=False)
    state, action = advance(machine, AwaitsHeaders(), headers)
    if isinstance(action, Continue):
        state, action = advance(machine, state, RequestBody(body))
    if isinstance(action, NeedSignals):
        answer = classifiers.answer(action)
        if answer is None:
            gone = [classifiers.missing[name] for name in action.detector_texts if name in classifiers.missing]
            return Outcome(test, None, None, None, None, decided=False, missing="; ".join(gone))
        _, action = advance(machine, state, answer)
    return _outcome(policy, test, action)


def _outcome(policy: ir.Policy, test: ir.Test, action: Action) -> Outcome:
    if isinstance(action, SendToModel):
        category = action.signals.category if action.signals else None
        chosen = test.model in policy.router.auto_models
        moved = any(match.action == "route" for match in action.guards)
        route = action.route or (DEFAULT_ROUTE if chosen and not moved else None)
        return Outcome(test, category, route, action.model, None, _names(action.guards))
    if isinstance(action, ImmediateResponse):
        category = action.signals.category if action.signals else None
        return Outcome(test, category, action.route, None, f"{action.status} {action.code}", _names(action.guards))
    raise RuntimeError(f"the request of the test in line {test.span.line} was not decided")


def _names(matches: Iterable[GuardMatch]) -> frozenset[str]:
    return frozenset(match.guard for match in matches)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


def _quoted(name: str | None) -> str:
    return "none" if name is None else f"`{name}`"
