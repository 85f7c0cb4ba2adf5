"""From a policy, a load and measurements to replicas and resources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.review.sizing.table import Cost, cost, largest
from vsr_compiler.review.sizing.works import Need, needs, unmeasured
from vsr_compiler.targets.common import router_models
from vsr_schemas.measurements import Measurements, Work
from vsr_schemas.quantities import amount
from vsr_schemas.reports_size import SizeReport, WorkReport

BUSY = 0.7
"""Share of its CPU that a replica may use at the peak; the autoscaler's target, too."""
TOKEN_BYTES = 4.5
"""Bytes of a token of English text in JSON. Other languages and code have fewer characters per token."""
FRAME = 400
"""Bytes of a request besides its text."""
STEP = 64
"""MiB to which memory is rounded up."""
MAX_REPLICAS = 1000
MIN_LIMIT = 1024
GUARDS: frozenset[Work] = frozenset({"pii", "credentials", "injection", "windows"})
"""Work that reads the text as `patterns` does, and then more."""
MODELS: frozenset[Work] = frozenset({"encoder", "windows"})
"""Work outside Python's lock, which more than one core can do."""
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Load:
    """Requests per second at the peak, their mean tokens, and whether the audit log is written."""

    rps: float
    tokens: int
    audit: bool = False

    @property
    def body(self) -> int:
        """The bytes of a request."""
        return round(self.tokens * TOKEN_BYTES) + FRAME


@dataclass(frozen=True, slots=True)
class Planned:
    """The report, and findings with their place in the policy."""

    report: SizeReport
    findings: tuple[Diagnostic, ...]


def plan(policy: ir.Policy, load: Load, table: Measurements, environment: str | None = None) -> Planned:
    """Return how many replicas of the router a load needs.

    Args:
        policy: The policy, resolved for the environment.
        load: The load.
        table: What was measured.
        environment: The name of the environment, for the report.

    Raises:
        CompileError: VSR582 for another router, VSR584 for work or sizes without a measurement.
    """
    _check(policy, load)
    asked = needs(policy, audit=load.audit)
    costs = {need.work: _measured(policy, table, need, load.body) for need in asked}
    if any(work in GUARDS for work in costs):
        costs["patterns"] = _measured(policy, table, Need("patterns", "guards"), load.body)
    extra = {work: _extra(work, costs) for work in costs}
    total = sum(part.cpu for part in extra.values())
    python = sum(part.cpu for work, part in extra.items() if work not in MODELS)
    stated = _cpus(policy)
    # The event loop of a process uses one core; models have further ones.
    rate = BUSY / max(python / 1e6, total / 1e6 / stated)
    replicas = max(2, math.ceil(round(load.rps / rate, 6)))
    if (replicas - 1) * rate / BUSY < load.rps * (1 - 1e-6):
        replicas += 1
    memory = sum(part.memory for part in extra.values()) * 1.25
    request = math.ceil(memory / STEP) * STEP
    if replicas > MAX_REPLICAS:
        message = f"{load.rps:g} requests per second need {replicas} replicas; at most {MAX_REPLICAS} are possible"
        raise CompileError(
            [Diagnostic("VSR584", message, policy.router.span, "Divide the load among several routers.")]
        )
    reasons = {need.work: need.why for need in asked}
    limit = max(MIN_LIMIT, math.ceil(request * 1.5 / STEP) * STEP)
    findings = tuple(_too_small(policy, replicas, request, limit))
    return Planned(
        SizeReport(
            policy=policy.name,
            environment=environment,
            rps=load.rps,
            tokens=load.tokens,
            body=load.body,
            cpu=round(total, 1),
            gateway_cpu=round(costs["route"].envoy, 1),
            replicas=replicas,
            max_replicas=min(MAX_REPLICAS, replicas * 2),
            cpu_request=float(stated),
            memory_request=request,
            memory_limit=limit,
            per_replica=round(rate, 1),
            busy=round(load.rps / (replicas * rate) * BUSY, 3),
            busy_without_one=round(load.rps / ((replicas - 1) * rate) * BUSY, 3),
            works=[
                WorkReport(work=work, why=reasons.get(work, "text that guards read"), cpu=round(part.cpu, 1))
                for work, part in extra.items()
            ],
            assumptions=list(_assumptions(policy, load, table, list(costs))),
            findings=[item.message for item in findings],
            policy_words=_words(replicas, float(stated), request, limit),
            machine=f"{table.machine}, {table.cores} cores",
            measured=f"{table.date}, {table.command}",
        ),
        findings,
    )


def _check(policy: ir.Policy, load: Load) -> None:
    """VSR582 for the stock router, VSR584 for models that nobody measured and for bodies that are refused."""
    router = policy.router
    if isinstance(router.implementation, ir.SemanticRouter):
        message = "`size` knows the cost of `engine: vsr-runtime` only, and the policy has `semantic-router`"
        raise CompileError([Diagnostic("VSR582", message, router.span, "Measure that router under your own load.")])
    problems = [
        Diagnostic(
            "VSR584",
            f"the table has no measurement of {model}",
            span,
            "Measure it with `python benchmarks/inference.py`, and size the rest of the policy without it.",
        )
        for model, span in unmeasured(policy)
    ]
    if load.body > router.max_body:
        message = f"{load.tokens} tokens are about {load.body} bytes, more than `maxBody`, {router.max_body}"
        problems.append(Diagnostic("VSR584", message, router.span, "Raise `router.maxBody`, or lower `--tokens`."))
    if problems:
        raise CompileError(problems)


def _measured(policy: ir.Policy, table: Measurements, need: Need, body: int) -> Cost:
    """Return the cost of a kind of work.

    Work of models is not extrapolated: a size is missing from the table if its time limit ended the requests.
    """
    found = cost(table, need.work, body)
    most = largest(table, need.work)
    if found is None:
        message = f"the table has no measurement of `{need.work}`, which {need.why} asks for"
        hint = f"Measure it with `python benchmarks/size.py --only route,{need.work} --into FILE`."
        raise CompileError([Diagnostic("VSR584", message, policy.router.span, hint)])
    if need.work in MODELS and body > 2 * most:
        message = (
            f"requests of {body} bytes are more than `{need.work}` ({need.why}) could read within its time limit on "
            f"{table.machine}: the largest measured size is {most}"
        )
        hint = "Use a GPU or a server for this classifier, raise `router.deadline`, or lower `maxTokens` of the guard."
        raise CompileError([Diagnostic("VSR584", message, policy.router.span, hint)])
    return found


def _extra(work: Work, costs: dict[Work, Cost]) -> Cost:
    """Return what a kind of work costs in addition to what it includes."""
    if work == "route":
        return costs[work]
    base = costs["patterns" if work in GUARDS else "route"]
    own = costs[work]
    return Cost(max(0.0, own.cpu - base.cpu), 0.0, max(0.0, own.memory - base.memory))


def _cpus(policy: ir.Policy) -> float:
    """Return the CPUs that a replica requests."""
    own = policy.router.resources
    default = router_models.needs(policy)[0]["cpu"]
    text = (own.requests.get("cpu") if own is not None else None) or default
    return max(0.01, float(amount(text) or 1))


def _memory(policy: ir.Policy, kind: str) -> float:
    """Return the MiB that a replica requests or may use at most, as it is emitted."""
    own = policy.router.resources
    stated = None if own is None else (own.requests if kind == "requests" else own.limits).get("memory")
    default = router_models.needs(policy)[kind == "limits"]["memory"]
    return float(amount(stated or default) or 0) / _MIB


def _too_small(policy: ir.Policy, replicas: int, request: int, limit: int) -> list[Diagnostic]:
    """VSR585 where the policy states less than the load needs."""
    router, bounds = policy.router, policy.router.autoscaling
    found = []
    most = router.replicas if bounds is None else bounds.max
    if most < replicas:
        word = "replicas" if bounds is None else "autoscaling.max"
        message = f"`{word}` is {most}, and the load needs {replicas} replicas"
        span = router.span if bounds is None else bounds.span
        found.append(Diagnostic("VSR585", message, span, f"Set `{word}` to at least {replicas}."))
    for kind, needed in (("requests", request), ("limits", limit)):
        has = _memory(policy, kind)
        if has < needed:
            message = f"each replica {kind} {has:g} MiB of memory, and needs {needed} MiB"
            if kind == "limits":
                message = f"each replica is limited to {has:g} MiB of memory, and needs up to {needed} MiB"
            hint = f"Set `resources.{kind}.memory` to `{needed}Mi`."
            found.append(Diagnostic("VSR585", message, router.span, hint))
    return found


def _assumptions(policy: ir.Policy, load: Load, table: Measurements, works: Sequence[Work]) -> list[str]:
    most = largest(table, "route")
    found = [
        f"measured on {table.machine} with {table.cores} cores on {table.date}; your nodes may be faster or slower",
        f"a token is {TOKEN_BYTES:g} bytes, so a request has about {load.body} bytes",
        f"at the peak a replica uses {BUSY:.0%} of its CPU, and the others carry the load if one is missing",
        "every text is new; conversations that are sent again cost less, since texts and answers are remembered",
    ]
    if load.body > most:
        found.append(f"sizes above {most} bytes were not measured; their cost is extrapolated")
    if "responses" in works:
        found.append("responses are streams of 300 events that a guard reads; longer ones cost more in proportion")
    if policy.remote_classifiers:
        names = ", ".join(f"`{used.name}`" for used in policy.remote_classifiers)
        found.append(f"the servers of {names} need sizes of their own")
    if policy.router.cache is not None:
        found.append("the store of cached responses is a server of its own; the cost is that of a cache in memory")
    found.append("Envoy runs elsewhere and needs its own CPU")
    return found


def _words(replicas: int, cpu: float, request: int, limit: int) -> str:
    return (
        "router:\n"
        f"  replicas: {replicas}\n"
        f'  resources: {{requests: {{cpu: "{cpu:g}", memory: {request}Mi}}, limits: {{memory: {limit}Mi}}}}\n'
        f"  autoscaling: {{min: {replicas}, max: {min(MAX_REPLICAS, replicas * 2)}}}\n"
    )
