"""The parts of the page that the policy alone decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.link.tests import DEFAULT_ROUTE
from vsr_compiler.review.page.head_table import head_tables
from vsr_compiler.review.page.model import Cell, Mark, Section, Table
from vsr_compiler.review.page.topology import topology
from vsr_compiler.review.policy_tests import Outcome

MARKS: dict[Severity, Mark] = {Severity.ERROR: "bad", Severity.WARNING: "warn"}


def topology_section(policy: ir.Policy) -> Section:
    """Return the drawing."""
    words = "Dashed lines are models that are asked if the first one fails. The tables below say the same in words."
    return Section("topology", "The way of a request", (words,), topology(policy))


def routes_section(policy: ir.Policy, outcomes: Sequence[Outcome]) -> Section:
    """Return the routes in their order, with the tests that reach them and the prices of their models."""
    reached = Counter(outcome.route for outcome in outcomes if outcome.route is not None)
    rows = []
    for number, route in enumerate(policy.routes, 1):
        models = ", ".join(_share(model, share) for model, share in route.models) or "a fixed answer"
        rows.append(
            (
                Cell(route.name),
                Cell(str(number), number=True),
                Cell(ir.words(route.when), code=True),
                Cell(models),
                Cell(_fallback(route)),
                Cell(_prices([model for model, _ in route.models])),
                _tests(reached[route.name], bool(policy.tests)),
            )
        )
    last = policy.default_route
    rows.append(
        (
            Cell(DEFAULT_ROUTE),
            Cell(str(len(policy.routes) + 1), number=True),
            Cell("no other route matches"),
            Cell(policy.default.name),
            Cell(_fallback(last) if last is not None else ""),
            Cell(_prices([policy.default])),
            _tests(reached[DEFAULT_ROUTE], bool(policy.tests)),
        )
    )
    head = ("route", "order", "condition", "models", "fallback", "price of a million tokens", "tests")
    words = "The first route whose condition holds decides. A price is of prompts and completions."
    return Section("routes", "Routes", (words,), tables=(Table("Routes in order of evaluation", head, tuple(rows)),))


def models_section(policy: ir.Policy) -> Section:
    """Return the models and their endpoints."""
    rows = [
        (
            Cell(model.name),
            Cell("outside" if model.external else "in the cluster", "warn" if model.external else ""),
            Cell(", ".join(f"{endpoint.name} ({weight})" for endpoint, weight in model.endpoints)),
            Cell(f"{model.context:,}" if model.context else "", number=True),
            Cell(_prices([model])),
            Cell(" or ".join(test.words for test in model.allow) or "everybody"),
        )
        for model in policy.models
    ]
    head = ("model", "where", "endpoints (weight)", "context", "price of a million tokens", "who may name it")
    return Section("models", "Models", tables=(Table("Models and their endpoints", head, tuple(rows)),))


def guards_section(policy: ir.Policy) -> Section:
    """Return the guards, what they look for, and the models that they do not cover."""
    if not policy.guards:
        words = "The policy has no guards: requests and responses are not read for harm."
        return Section("guards", "Guards", (words,), tables=head_tables(policy))
    rows = [
        (
            Cell(guard.name),
            Cell(_action(guard)),
            Cell(guard.on),
            Cell(_finds(guard), code=True),
            Cell(", ".join(model.name for model in guard.exempt) or "none", "warn" if guard.exempt else ""),
            Cell(guard.on_error, "" if guard.on_error == "block" else "warn"),
        )
        for guard in policy.guards
    ]
    head = ("guard", "action", "reads", "looks for", "models it does not cover", "if it fails")
    return Section("guards", "Guards", tables=(Table("Guards", head, tuple(rows)), *head_tables(policy)))


def clients_section(policy: ir.Policy) -> Section:
    """Return how clients are known, and what they may use."""
    identity = policy.identity
    if identity is None:
        first = "This policy does not authenticate clients; see the gateway."
    else:
        source = {ir.Jwt: "tokens of an issuer", ir.ApiKeys: "keys", ir.GatewayHeader: "headers of a front end"}
        first = f"Clients are known by {source[type(identity.source)]}: {', '.join(identity.attributes)}."
    rows = [(Cell(limit.name), Cell(limit.words), Cell(_over(limit))) for limit in policy.limits]
    tables = (Table("Limits", ("limit", "what it allows", "above it"), tuple(rows)),) if rows else ()
    paragraphs = (first,) if rows else (first, "The policy has no limits.")
    return Section("clients", "Clients and limits", paragraphs, tables=tables)


def tests_section(outcomes: Sequence[Outcome], findings: Sequence[Diagnostic]) -> Section:
    """Return the results of the policy's tests, and what they do not reach."""
    if not outcomes:
        return Section("tests", "Tests", ("The policy has no tests.",))
    failed = sum(bool(outcome.misses) for outcome in outcomes)
    undecided = sum(not outcome.decided for outcome in outcomes)
    words = f"{len(outcomes) - failed - undecided} of {len(outcomes)} requests of tests go where they should."
    rows = [
        (
            Cell(f"line {outcome.request.span.line}"),
            _result(outcome),
            Cell(outcome.route or ""),
            Cell(outcome.model or outcome.answer or ""),
            Cell("; ".join(outcome.misses)),
        )
        for outcome in outcomes
    ]
    head = ("request", "result", "route", "model or answer", "what differs")
    tables = [Table("Requests of tests", head, tuple(rows))]
    if findings:
        tables.append(_findings("What tests do not reach", findings))
    return Section("tests", "Tests and coverage", (words,), tables=tuple(tables))


def findings_section(findings: Sequence[Diagnostic]) -> Section:
    """Return what the compiler reports."""
    if not findings:
        return Section("findings", "Findings", ("The compiler has nothing to report.",))
    return Section("findings", "Findings", tables=(_findings("Findings of the compiler", findings),))


def _findings(caption: str, findings: Sequence[Diagnostic]) -> Table:
    rows = [
        (
            Cell(finding.code, code=True),
            Cell(finding.level.word, MARKS.get(finding.level, "")),
            Cell(f"{finding.span.file}:{finding.span.line}", code=True),
            Cell(finding.message),
            Cell(finding.hint or ""),
        )
        for finding in findings
    ]
    return Table(caption, ("code", "level", "place", "message", "what to do"), tuple(rows))


def _result(outcome: Outcome) -> Cell:
    if not outcome.decided:
        return Cell("not decided", "warn")
    return Cell("failed", "bad") if outcome.misses else Cell("passed", "good")


def _tests(count: int, has_tests: bool) -> Cell:  # noqa: FBT001 - of the policy
    return Cell(str(count), "" if count or not has_tests else "warn", number=True)


def _share(model: ir.Model, share: int) -> str:
    return model.name if share == WHOLE else f"{model.name} {share} %"


WHOLE = 100


def _fallback(route: ir.Route) -> str:
    return ", ".join(model.name for model in route.retry.models) if route.retry is not None else ""


def _prices(models: Sequence[ir.Model]) -> str:
    return ", ".join(dict.fromkeys(f"{m.price[0]:g} / {m.price[1]:g}" for m in models if m.price is not None))


def _action(guard: ir.Guard) -> str:
    return f"route to {guard.action.model.name}" if isinstance(guard.action, ir.RouteTo) else guard.action.name


def _finds(guard: ir.Guard) -> str:
    detector = [f"detector {guard.detector.name}"] if guard.detector is not None else []
    return ", ".join([*detector, *guard.types, *guard.builtin, *guard.patterns])


def _over(limit: ir.Limit) -> str:
    return "429" if limit.over is None else f"to {limit.over.name}"
