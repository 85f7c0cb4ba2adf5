"""Routes one request through a compiled policy, and reports the decision with its reasons."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsr_compiler import ir
from vsr_compiler.link.limits import DEFAULT
from vsr_compiler.link.tests import DEFAULT_ROUTE
from vsr_compiler.manifests.objects import Object
from vsr_compiler.review.decision.carriers import carriers
from vsr_compiler.review.decision.guard_matches import guard_matches
from vsr_compiler.review.decision.reasons import conversation, name_of, rules, scores, without_route
from vsr_compiler.review.local_router import LocalRouter, Pending, Undecidable
from vsr_runtime.decision.identity.client import Client, ClientTest
from vsr_runtime.decision.program.fallback import SEPARATOR
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import ImmediateResponse, NeedSignals, SendToModel, SignalsReady
from vsr_schemas.headers import ASK, CHAIN
from vsr_schemas.reports_route import AskReport, EffectsReport, EstimateReport, RouteReport

_PIECE = re.compile(r"(\w+)\[(\d+)\](?:\.content\[(\d+)\])? (\d+)-(\d+)")
_HIDDEN = "(key)"
"""What stands for a provider's key."""
_TECHNICAL = frozenset({":path", "content-length"})
"""Headers that follow from others' changes."""
CHARACTERS_PER_TOKEN = 4
MILLION = 1_000_000
_SHORT = 40
"""Characters of a value that a report shows."""
_MOST_TOKENS = ("max_completion_tokens", "max_output_tokens", "max_tokens")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: the path of its API, further headers, its body, and who sends it."""

    path: str
    headers: Sequence[tuple[str, str]]
    body: Mapping[str, Any]
    client: Client | None = None

    @property
    def data(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body, ensure_ascii=False).encode(errors="surrogatepass")


def route_request(
    router: LocalRouter, policy: ir.Policy, sent: Sent, objects: Iterable[Object] = ()
) -> RouteReport | Undecidable:
    """Return what a router does with a request, and why. Nothing is sent anywhere.

    Args:
        router: The router, opened with ``debug``.
        policy: Its policy.
        sent: The request.
        objects: The objects of a target, to find those that carry the request.
    """
    question: NeedSignals | None = None
    answer: SignalsReady | None = None
    action: SendToModel | ImmediateResponse | Undecidable | Pending
    action = router.begin(sent.path, sent.headers, sent.data, "route", sent.client)
    if isinstance(action, Pending):
        question, answer = action.question, router.classifiers.answer(action.question)
        action = router.finish(action, answer)
    if isinstance(action, Undecidable):
        return action
    program, signals = router.machine.program, action.signals
    model = None if isinstance(action, ImmediateResponse) else action.model
    return RouteReport(
        ask=_ask(action, sent.body),
        category=signals.category if signals else None,
        probability=signals.probability if signals else None,
        signals={name_of(name): holds for name, holds in sorted(signals.matched.items())} if signals else {},
        scores=scores(router, answer),
        conversation=conversation(program, sent.path, sent.body, action.route) if signals else None,
        rules=rules(program, signals, action.route),
        runner_up=_runner_up(router, sent, action),
        guards=sorted({match.guard for match in action.guards}),
        matches=guard_matches(program, sent.data, action.guards, question, answer),
        route=action.route,
        model=model,
        fallback=_fallback(action) if isinstance(action, SendToModel) else [],
        limits=_limits(policy, action, sent) if isinstance(action, SendToModel) else [],
        effects=_effects(program, action, sent.body) if isinstance(action, SendToModel) else None,
        estimate=_estimate(policy, model, sent),
        carriers=[] if model is None else carriers(objects, model),
        status=action.status if isinstance(action, ImmediateResponse) else None,
        code=action.code if isinstance(action, ImmediateResponse) else None,
    )


def _runner_up(router: LocalRouter, sent: Sent, action: SendToModel | ImmediateResponse) -> str | None:
    """Return the route that would have the request without the one that matched."""
    if action.route is None or action.signals is None:
        return None
    other = without_route(router, action.route).decide(sent.path, sent.headers, sent.data, "route", sent.client)
    return None if isinstance(other, Undecidable) else other.route or DEFAULT_ROUTE


def _effects(program: Program, action: SendToModel, body: Mapping[str, Any]) -> EffectsReport:
    target = program.models.get(action.model)
    secret = target.credentials.header if target is not None and target.credentials is not None else None
    changed = [] if action.body is None else _changes(body, json.loads(action.body))
    shown = {name: _HIDDEN if name == secret else value for name, value in action.set_headers if name not in _TECHNICAL}
    return EffectsReport(set=shown, remove=sorted(action.remove_headers), body=changed)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the fields of a body that differ, each with its values if they are short."""
    names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    return [
        f"{name}: {_short(before[name])} → {_short(after[name])}"
        if name in before and name in after
        else f"{name}: {'added' if name in after else 'removed'}"
        for name in names
    ]


def _short(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) and len(str(value)) <= _SHORT else "…"


def _estimate(policy: ir.Policy, model: str | None, sent: Sent) -> EstimateReport | None:
    price = next((one.price for one in policy.models if one.name == model), None)
    if price is None:
        return None
    tokens = -(-len(json.dumps(sent.body, ensure_ascii=False)) // CHARACTERS_PER_TOKEN)
    most = next((sent.body[name] for name in _MOST_TOKENS if type(sent.body.get(name)) is int), None)
    return EstimateReport(
        prompt_tokens=tokens,
        prompt=round(tokens * price[0] / MILLION, 9),
        answer_at_most=None if most is None else round(most * price[1] / MILLION, 9),
    )


def _limits(policy: ir.Policy, action: SendToModel, sent: Sent) -> list[str]:
    """Return the limits that count a request, each with its name and in words."""
    named = action.route is None and sent.body.get("model") not in policy.router.auto_models
    route = None if named else action.route or DEFAULT
    names = {action.model, *_fallback(action)}
    models = [model for model in policy.models if model.name in names]
    return [
        f"{limit.name}: {limit.words}"
        for limit in policy.limits
        if any(limit.counts(model, route) for model in models)
        and all(_holds(test, sent.client) for test in limit.clients)
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
