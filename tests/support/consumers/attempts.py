"""How often a proxy sends a request, and to which models: retries of Envoy's routes, and priorities of AI Gateway's.

`vsr.attempts` is executed as the objects have it: the cluster leads to a socket, the listener there asks the router,
its routes lead to a model, and a filter tells the first listener how that failed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from support.consumers import envoy_gateway, facts
from support.consumers.envoy import Outcome, Proxy, Request, Router, sent, through
from support.consumers.gateway_api import Objects, targets

Body = dict[str, Any]
MAX_RETRIES, COUNT = "x-envoy-max-retries", "x-envoy-attempt-count"
FAILURES: Mapping[str, tuple[str, int]] = {
    "connect": ("UF", 503),
    "reset": ("UC", 503),
    "429": ("-", 429),
    "500": ("-", 500),
    "529": ("-", 529),
    "400": ("-", 400),
    "picker": ("-", 503),
    "answers": ("-", 200),
}
"""Envoy's response flags and the status, by what a model does. `stall` has none: no response begins."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that leaves the proxy: the model in its body, its host, path prefix and key."""

    model: str
    authorization: str | None = None
    host: str | None = None
    headers: Mapping[str, str] | None = None


def attempts(
    bodies: Iterable[Body], proxy: Proxy, request: Request, router: Router, does: Mapping[str, str]
) -> list[Sent]:
    """Return what leaves the proxy for a request. ``does`` says what a model does, by its name in the body."""
    first = sent(proxy, request, router)
    if not first.reached or first.route is None:
        return []
    policy = first.route["route"].get("retry_policy") or _policy(Objects(list(bodies)), first.by)
    retries = _retries(first, policy)
    if first.by in proxy.clusters:
        return list(_to_itself(proxy, request, router, first, retries, does))
    chain = _priorities(Objects(list(bodies)), first.by)
    if chain:
        return list(_by_priority(first, chain, policy, retries, does))
    return list(_repeated(first, policy, does))


def _to_itself(
    proxy: Proxy, request: Request, router: Router, first: Outcome, retries: int, does: Mapping[str, str]
) -> Iterator[Sent]:
    """Yield what leaves by the listener on a socket, until an attempt does not fail in a way that is retried."""
    place = proxy.clusters[first.by]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
    listener = proxy.sockets[place["pipe"]["path"]]
    policy = (first.route or {})["route"]["retry_policy"]
    for number in range(1, retries + 2):
        headers = {name: value for name, value in first.headers.items() if name not in facts.INTERNAL}
        again = replace(request, headers={**headers, COUNT: str(number)}, body=first.body)
        outcome = through(proxy, listener, listener["filter_chains"][0], again, router)
        if not outcome.reached:
            return
        own = (outcome.route or {})["route"].get("retry_policy")
        yield from _repeated(outcome, own, does)
        failure = does.get(_sent(outcome).model, "answers")
        if not _retried(policy, failure, ended=own is not None and _retried(own, failure)):
            return


def _retries(outcome: Outcome, policy: Body | None) -> int:
    """Return how often Envoy repeats a request at most; the header takes precedence (facts.ENVOY_MAX_RETRIES)."""
    return int(outcome.headers.get(MAX_RETRIES, policy.get("num_retries", 0) if policy else 0))


def _repeated(outcome: Outcome, policy: Body | None, does: Mapping[str, str]) -> Iterator[Sent]:
    """Yield one request to a model as often as its route repeats it."""
    one = _sent(outcome)
    yield one
    if policy is not None and _retried(policy, does.get(one.model, "answers")):
        yield from [one] * _retries(outcome, policy)


def _sent(outcome: Outcome) -> Sent:
    host = ((outcome.route or {}).get("route") or {}).get("host_rewrite_literal")
    return Sent(json.loads(outcome.body)["model"], outcome.headers.get("authorization"), host, outcome.headers)


def _retried(policy: Body, failure: str, *, ended: bool = False) -> bool:
    """Whether a route's policy sends a request again after a failure.

    ``ended``: the model's own route would have repeated the request, and says by a flag that it may not.
    """
    conditions = policy["retry_on"].split(",")
    if failure == "stall":
        return "per_try_timeout" in policy and "reset" in conditions
    flags, status = FAILURES[failure]
    shown = [flag for flag in (flags, "URX" if ended else "-") if flag != "-"]
    outcome = f"{','.join(shown) or '-'} {status}"
    if any(re.fullmatch(item["string_match"]["safe_regex"]["regex"], outcome) for item in _matchers(policy)):
        return True
    if failure == "connect" and "connect-failure" in conditions:
        return True
    if failure == "reset" and "reset" in conditions and "retriable-headers" not in conditions:
        return True
    return (
        flags == "-" and "retriable-status-codes" in conditions and status in policy.get("retriable_status_codes", [])
    )


def _matchers(policy: Body) -> list[Body]:
    return policy.get("retriable_headers", []) if "retriable-headers" in policy["retry_on"] else []


def _policy(objects: Objects, cluster: str) -> Body | None:
    """Return the retries of a BackendTrafficPolicy of a route, as Envoy's (`buildRetryPolicy`)."""
    _, namespace, name, *_ = (*cluster.split("/"), "", "", "")
    for policy in objects.of("BackendTrafficPolicy", namespace):
        retry = policy["spec"].get("retry")
        if retry and any(ref["kind"] == "HTTPRoute" and ref["name"] == name for ref in targets(policy)):
            timeout = retry.get("perRetry", {}).get("timeout")
            return {
                "num_retries": retry["numRetries"],
                "retry_on": ",".join(retry["retryOn"]["triggers"]),
                "retriable_status_codes": retry["retryOn"].get("httpStatusCodes", []),
            } | ({"per_try_timeout": timeout} if timeout else {})
    return None


def _priorities(objects: Objects, cluster: str) -> list[tuple[Body, str]]:
    """Return the backends of an AIGatewayRoute's rule in the order of their priorities, with the route's namespace."""
    for route in envoy_gateway.generated(objects):
        namespace, name = route["metadata"].get("namespace", ""), route["metadata"]["name"]
        own = objects.get("AIGatewayRoute", namespace, name)
        if own is not None and cluster.startswith(f"httproute/{namespace}/{name}/rule/"):
            rules = own["spec"]["rules"]
            index = int(cluster.rsplit("/", 1)[1])
            refs = rules[index]["backendRefs"] if index < len(rules) else []
            return [(ref, namespace) for ref in sorted(refs, key=lambda ref: ref.get("priority", 0))]
    return []


def _by_priority(
    first: Outcome, chain: list[tuple[Body, str]], policy: Body | None, retries: int, does: Mapping[str, str]
) -> Iterator[Sent]:
    """Yield the attempts of previous_priorities with one attempt each: in their order, then from the beginning."""
    for number in range(retries + 1):
        ref, _ = chain[number % len(chain)]
        model = ref.get("modelNameOverride", json.loads(first.body)["model"])
        yield Sent(model, None, ref["name"], first.headers)
        if policy is None or not _retried(policy, does.get(model, "answers")):
            return
