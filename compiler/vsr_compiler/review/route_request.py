"""Routes one request through a compiled policy, and reports the decision."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vsr_compiler import ir
from vsr_compiler.link.limits import DEFAULT
from vsr_compiler.review.local_router import LocalRouter, Undecidable
from vsr_runtime.decision.identity.client import Client, ClientTest
from vsr_runtime.decision.program.fallback import SEPARATOR
from vsr_runtime.decision.request.events import ImmediateResponse, SendToModel
from vsr_schemas.headers import ASK, CHAIN
from vsr_schemas.reports_route import AskReport, RouteReport

_PIECE = re.compile(r"(\w+)\[(\d+)\](?:\.content\[(\d+)\])? (\d+)-(\d+)")
_WIDTH = 9
"""Columns of the names in the text form."""
_SHOWN = 300
"""Code points of an ask that the text form shows."""


def route_request(
    router: LocalRouter,
    path: str,
    headers: Sequence[tuple[str, str]],
    body: Mapping[str, Any],
    client: Client | None = None,
    policy: ir.Policy | None = None,
) -> RouteReport | Undecidable:
    """Return what a router, opened with ``debug``, does with a request, and the limits that would count it.

    Nothing is sent anywhere.
    """
    data = json.dumps(body, ensure_ascii=False).encode(errors="surrogatepass")
    action = router.decide(path, headers, data, "route", client)
    if isinstance(action, Undecidable):
        return action
    signals = action.signals
    matched = signals.matched if signals else {}
    return RouteReport(
        ask=_ask(action, body),
        category=signals.category if signals else None,
        probability=signals.probability if signals else None,
        signals={f"{kind}:{name}": holds for (kind, name), holds in sorted(matched.items())},
        guards=sorted({match.guard for match in action.guards}),
        route=action.route,
        model=None if isinstance(action, ImmediateResponse) else action.model,
        fallback=[] if isinstance(action, ImmediateResponse) else _fallback(action),
        limits=[] if policy is None or isinstance(action, ImmediateResponse) else _limits(policy, action, body, client),
        status=action.status if isinstance(action, ImmediateResponse) else None,
        code=action.code if isinstance(action, ImmediateResponse) else None,
    )


def text(report: RouteReport) -> str:
    """Return a report for a terminal, a line for each fact."""
    lines = []
    if report.ask is not None:
        words = " ".join(report.ask.text.split())
        lines.append(("ask", words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"))
        lines.append(("", f"({report.ask.place})"))
    if report.category is not None or report.probability is not None:
        lines.append(("category", f"{report.category or 'none'} ({report.probability or 0:.2f})"))
    lines += [("signal", f"{name}: {'yes' if holds else 'no'}") for name, holds in report.signals.items()]
    lines += [("guard", name) for name in report.guards]
    lines.append(("route", report.route or "none"))
    if report.model is not None:
        lines.append(("model", report.model))
        lines += [("fallback", ", ".join(report.fallback))] if report.fallback else []
        lines += [("limit", text) for text in report.limits]
    else:
        lines.append(("answer", f"{report.status} {report.code}"))
    return "\n".join(f"{name:{_WIDTH}}{value}" for name, value in lines)


def _limits(policy: ir.Policy, action: SendToModel, body: Mapping[str, Any], client: Client | None) -> list[str]:
    """Return the limits that count a request, each with its name and in words."""
    named = action.route is None and body.get("model") not in policy.router.auto_models
    route = None if named else action.route or DEFAULT
    names = {action.model, *_fallback(action)}
    models = [model for model in policy.models if model.name in names]
    return [
        f"{limit.name}: {limit.words}"
        for limit in policy.limits
        if any(limit.counts(model, route) for model in models) and all(_holds(test, client) for test in limit.clients)
    ]


def _holds(test: ir.ClientTest, client: Client | None) -> bool:
    return client is not None and ClientTest(test.attribute, frozenset(test.values)).holds(client)


def _fallback(action: SendToModel) -> list[str]:
    """Return the models after the first one of several attempts."""
    return dict(action.set_headers).get(CHAIN, "").split(SEPARATOR)[1:]


def _ask(action: SendToModel | ImmediateResponse, body: Mapping[str, Any]) -> AskReport | None:
    """Return the ask that the debug header points at."""
    if isinstance(action, ImmediateResponse):
        headers = action.headers
    else:
        headers = (action.response.debug_headers if action.response else None) or ()
    place = dict(headers).get(ASK)
    if place is None:
        return None
    pieces = [_piece(body, *found.groups()) for found in _PIECE.finditer(place)]
    return AskReport(text="\n".join(pieces), place=place)


def _piece(body: Mapping[str, Any], field: str, message: str, part: str | None, start: str, end: str) -> str:
    value = body.get(field)
    if isinstance(value, list):
        value = value[int(message)]
    for key in ("content", "output", "text"):
        value = value.get(key, value) if isinstance(value, dict) else value
        if isinstance(value, list):
            value = value[int(part or 0)]
    return value[int(start) : int(end)] if isinstance(value, str) else ""
