"""Limits that Envoy Gateway counts in Redis: rules of a global rate limit, in the BackendTrafficPolicy of the Gateway.

There is one policy for the buffer and the rules, since of two policies for a Gateway one applies. Envoy's filter runs
behind the router's, so rules select requests by the model that the router has chosen and the headers of the client that
the router vouches for. Requests without a decision count for nothing. AI Gateway writes what a response costs into its
metadata; see ``ai_gateway.costs``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.gateways import ENVOY_GATEWAY
from vsr_compiler.targets.common.attempts import chains
from vsr_schemas.headers import SELECTED_MODEL
from vsr_schemas.identity import HEADERS, TEAM, USER

COSTS = "io.envoy.ai_gateway"
"""The namespace of AI Gateway's metadata."""
TOKENS, DOLLARS = "vsr_tokens", "vsr_dollars"
"""The keys of the costs in it."""
UNITS = {"1m": "Minute", "1h": "Hour", "1d": "Day", "30d": "Month"}
"""A month of the rate limit service is 30 days (envoyproxy/ratelimit, `UnitToDivider`), counted from 1970."""
MOST = 2**32 - 1
"""The highest limit of the rate limit service."""
_MICRO = 6
_LONGEST = 1024
"""Characters of a value in a selector, in the CRD."""


def counted(policy: ir.Policy) -> list[ir.Limit]:
    """Return the limits that the gateway counts."""
    return [limit for limit in policy.limits if limit.by_gateway]


def rate_limit(policy: ir.Policy) -> Body:
    """Return the field `rateLimit` of the BackendTrafficPolicy; empty without such limits."""
    rules = [rule for limit in counted(policy) for rule in _rules(policy, limit)]
    return {"rateLimit": {"type": "Global", "global": {"rules": rules}}} if rules else {}


def digits(policy: ir.Policy) -> int:
    """Return how many decimal digits of a dollar count: as many as the highest limit has place for, at most six."""
    most = max((limit.amount for limit in counted(policy) if limit.unit == "dollars"), default=1)
    return next((places for places in range(_MICRO, 0, -1) if most * 10**places <= MOST), 0)


def _rules(policy: ir.Policy, limit: ir.Limit) -> Iterator[Body]:
    """Yield the rules of a limit: one for each form in which a request can have what the limit counts by."""
    amount = int(limit.amount * 10 ** digits(policy)) if limit.unit == "dollars" else int(limit.amount)
    cost: Body = {}
    if limit.unit != "requests":
        key = TOKENS if limit.unit == "tokens" else DOLLARS
        cost = {
            "cost": {
                "request": {"from": "Number", "number": 0},
                "response": {"from": "Metadata", "metadata": {"namespace": COSTS, "key": key}},
            }
        }
    for selector in _selectors(policy, limit):
        yield {
            "clientSelectors": [selector],
            "limit": {"requests": max(1, amount), "unit": UNITS[limit.window]},
            # Without it each route would have a count of its own.
            "shared": True,
        } | cost


def _selectors(policy: ir.Policy, limit: ir.Limit) -> Iterator[Body]:
    """Yield the selectors whose requests a limit counts. No request has two of them."""
    values = [_models(limit), *(_attribute(policy, limit, name) for name in HEADERS)]
    for headers in itertools.product(*values):
        body: Body = {"headers": [header for header in headers if header]}
        if "client" in limit.per and policy.identity is None:
            # An address has the length of one of the two.
            inverts = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].inverts_addresses
            address: Body = {"type": "Distinct"} | ({"invert": False} if inverts else {})
            yield from (body | {"sourceCIDR": address | {"value": every}} for every in ("0.0.0.0/0", "::/0"))
        else:
            yield body


def _models(limit: ir.Limit) -> list[Body]:
    """Return the forms of the router's header. A request without it has no decision."""
    if limit.models is None:
        return [_distinct(SELECTED_MODEL) if "model" in limit.per else _one_of(SELECTED_MODEL, ())]
    names = list(dict.fromkeys(model.name for model in limit.models))
    if "model" in limit.per:
        return [_exact(SELECTED_MODEL, name) for name in names]
    return [_one_of(SELECTED_MODEL, names)]


def _attribute(policy: ir.Policy, limit: ir.Limit, name: str) -> list[Body]:
    """Return the forms of a header about the client. Clients without it share one count."""
    header = HEADERS[name]
    known = policy.identity is not None and name in policy.identity.attributes
    own = known and ((name == TEAM and "team" in limit.per) or (name == USER and "client" in limit.per))
    tests = [test.values for test in limit.clients if test.attribute == name]
    if tests:
        values = [value for value in tests[0] if all(value in others for others in tests)]
        return [_exact(header, value) for value in values] if own else [_one_of(header, values)]
    return [_distinct(header), _one_of(header, ()) | {"invert": True}] if own else [{}]


def _exact(name: str, value: str) -> Body:
    return {"name": name, "type": "Exact", "value": value, "invert": False}


def _distinct(name: str) -> Body:
    return {"name": name, "type": "Distinct", "invert": False}


def _one_of(name: str, values: Sequence[str]) -> Body:
    """Return the selector of a header with one of these values; without values, with any."""
    if len(values) == 1:
        return _exact(name, values[0])
    pattern = "|".join(_escaped(value) for value in values) or ".*"
    return {"name": name, "type": "RegularExpression", "value": pattern, "invert": False}


def _escaped(text: str) -> str:
    """Return the RE2 pattern of a text."""
    return re.sub(r"[^A-Za-z0-9_ /:@-]", r"\\\g<0>", text)


def checker(units: Sequence[str]) -> Callable[[ir.Policy], Iterator[Diagnostic]]:
    """Return the check of limits that the gateway counts, for a target that counts these units."""

    def check(policy: ir.Policy) -> Iterator[Diagnostic]:
        """VSR337 for a limit that the gateway cannot count, VSR338 for what counting needs of the cluster."""
        limits = counted(policy)
        for limit in limits:
            for reason, hint in _reasons(policy, limit, units):
                yield Diagnostic(
                    "VSR337", f"Envoy Gateway cannot count the limit `{limit.name}`: {reason}", limit.span, hint
                )
        most = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].max_rate_rules
        number = sum(len(list(_selectors(policy, limit))) for limit in limits)
        if number > most:
            message = f"Envoy Gateway cannot count {number} rules of limits: its API allows {most}"
            yield Diagnostic("VSR337", message, limits[0].span, "Name fewer models, teams or users in `for`.")
        if limits:
            message = f"limits are counted in Redis at {policy.gateway.redis}: while it cannot be had, nobody is served"
            hint = "Let the pods in envoy-gateway-system reach it. Whoever can write to it can change the counts."
            yield Diagnostic("VSR338", message, limits[0].span, hint)

    return check


def _reasons(policy: ir.Policy, limit: ir.Limit, units: Sequence[str]) -> Iterator[tuple[str, str]]:
    router = "Use `countedBy: router`"
    if limit.unit not in units:
        yield f"it knows no {limit.unit}", f"{router}, or the target ai-gateway."
    if (limit.unit != "dollars" and limit.amount > MOST) or (limit.unit == "dollars" and limit.amount > MOST):
        yield f"{limit.amount:,.0f} is more than {MOST:,}", f"{router}, or a lower limit with a shorter `window`."
    if chains(policy):
        yield "a request with `fallback` or `retry` has several models", f"{router}."
    for selector in _selectors(policy, limit):
        if any(len(header.get("value", "")) > _LONGEST for header in selector["headers"]):
            yield f"the values of its `for` are longer than {_LONGEST:,} characters", f"{router}, or several limits."
            return
