"""Runs the tests of a policy on the runtime's decision core, in this process and without a server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.link.tests import DEFAULT_ROUTE
from vsr_compiler.review.coverage import uncovered
from vsr_compiler.review.local_router import ANYBODY, LocalRouter, Undecidable, open_router
from vsr_runtime.decision.identity.client import Client
from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.request.events import GuardMatch, ImmediateResponse, SendToModel


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one request of a test.

    Attributes:
        test: The test.
        request: Its request.
        category: The category of the request; None if it has none or it was not needed.
        route: The matched route; None if the client named a model.
        model: The selected model; None if the request was answered directly.
        answer: The code of a direct answer; None if it goes to a model.
        guards: The guards that matched.
        signals: The signals that hold, of those that were evaluated.
        decided: False if a model is not available here: one of the stock router, or a detector.
        missing: Why a detector is not available.
    """

    test: ir.Test
    request: ir.TestRequest
    category: str | None = None
    route: str | None = None
    model: str | None = None
    answer: str | None = None
    guards: frozenset[str] = frozenset()
    signals: frozenset[SignalName] = frozenset()
    decided: bool = True
    missing: str = ""

    @property
    def misses(self) -> tuple[str, ...]:
        """The unmet expectations, in words."""
        expect = self.request.expect
        if not self.decided or expect is None:
            return ()
        comparisons = (
            ("category", expect.category, self.category),
            ("route", expect.route, self.route),
            ("model", expect.model.name if expect.model else None, self.model),
            ("error", expect.error, self.answer),
        )
        missed = [
            f"{what} {_quoted(actual)} instead of {_quoted(expected)}"
            for what, expected, actual in comparisons
            if expected is not None and actual != expected
        ]
        held = None if expect.guards is None else {guard.name for guard in expect.guards}
        if held is not None and held != self.guards:
            missed.append(f"guards {_listed(self.guards)} instead of {_listed(held)}")
        if missed and self.answer is not None and expect.error is None:
            missed.append(f"the router answered `{self.answer}`")
        return tuple(missed)


def run_tests(policy: ir.Policy) -> list[Outcome]:
    """Run every request of every test of a policy with a rendered router folder, in file order.

    Raises:
        CompileError: VSR506 if the classifier cannot be loaded.
    """
    router = open_router(policy)
    return [
        _one(policy, router, test, request, f"test-{number}-{turn}")
        for number, test in enumerate(policy.tests)
        for turn, request in enumerate(test.requests)
    ]


def findings(policy: ir.Policy, outcomes: Sequence[Outcome]) -> Iterator[Diagnostic]:
    """Yield VSR250 for each failed request, and VSR251, VSR260 and VSR252 for what no test reaches."""
    for outcome in outcomes:
        if outcome.misses:
            message = f"test failed: {', '.join(outcome.misses)}"
            hint = "Correct the policy (similar examples help the classifier), or the expectation."
            yield Diagnostic("VSR250", message, outcome.request.span, hint)
        if not outcome.decided:
            yield _undecided(policy, outcome)
    if isinstance(policy.router.implementation, ir.SemanticRouter) and policy.guards:
        message = "tests run without guards on semantic-router"
        yield Diagnostic("VSR333", message, policy.guards[0].span, "Test the guards on a running router.")
    if outcomes and all(outcome.decided for outcome in outcomes):
        routes = frozenset(outcome.route for outcome in outcomes if outcome.route is not None)
        guards = frozenset[str]().union(*(outcome.guards for outcome in outcomes))
        signals = frozenset[SignalName]().union(*(outcome.signals for outcome in outcomes))
        yield from uncovered(policy, routes, guards, signals)


def _undecided(policy: ir.Policy, outcome: Outcome) -> Diagnostic:
    hint = "Test it on a running router with `POST /api/v1/eval` on port 8080."
    message = "the test needs a model of semantic-router, which is not available here"
    if isinstance(policy.router.implementation, ir.VsrRuntime):
        hint = "Fetch the checkpoint (`vsr-runtime fetch`) into a folder that VSR_MODELS names."
        message = (
            f"the test needs a detector that is not available here ({outcome.missing or 'none that labels texts'})"
        )
    return Diagnostic("VSR333", message, outcome.request.span, hint)


def _one(policy: ir.Policy, router: LocalRouter, test: ir.Test, request: ir.TestRequest, number: str) -> Outcome:
    body = json.dumps(request.body, ensure_ascii=False).encode()
    client = Client({**ANYBODY.attributes, **dict(test.attributes)}, frozenset(test.roles))
    action = router.decide(test.path, test.headers, body, number, client)
    if isinstance(action, Undecidable):
        return Outcome(test, request, decided=False, missing=action.missing)
    return _outcome(policy, test, request, action)


def _outcome(
    policy: ir.Policy, test: ir.Test, request: ir.TestRequest, action: SendToModel | ImmediateResponse
) -> Outcome:
    category, signals = None, frozenset[SignalName]()
    if action.signals is not None:
        category = action.signals.category
        signals = frozenset(name for name, holds in action.signals.matched.items() if holds)
    guards = _names(action.guards)
    if isinstance(action, ImmediateResponse):
        return Outcome(test, request, category, action.route, None, action.code, guards, signals)
    chosen = request.model in policy.router.auto_models
    moved = any(match.action == "route" for match in action.guards)
    route = action.route or (DEFAULT_ROUTE if chosen and not moved else None)
    return Outcome(test, request, category, route, action.model, None, guards, signals)


def _names(matches: Iterable[GuardMatch]) -> frozenset[str]:
    return frozenset(match.guard for match in matches)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


def _quoted(name: str | None) -> str:
    return "none" if name is None else f"`{name}`"
