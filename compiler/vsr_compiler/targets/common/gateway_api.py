"""What emitters share about the Gateway API: its group, references, durations, and the proxies of a Gateway."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body
from vsr_schemas.headers import DECIDED, DECIDED_VALUE

GATEWAY_API = f"{GATEWAY_GROUP}/v1"
NO_MODEL_STATUS = 404
NO_MODEL_BODY = json.dumps(
    {"error": {"message": "no route to a model", "type": "invalid_request_error", "param": None, "code": "no_route"}},
    separators=(",", ":"),
)
"""The response of the route without conditions, which every request matches on its arrival. Envoy enables filters by
that route, and skips ext_authz without one; the route leads to no model."""


@dataclass(frozen=True, slots=True)
class GatewayPods:
    """The proxies that a control plane runs for a Gateway.

    Attributes:
        namespace: The namespace of the pods.
        labels: The labels that select them.
        metrics: The name of their port for Prometheus.
        path: The path of the metrics there; by default Envoy's.
        down: The status of requests while no router answers.
    """

    namespace: str
    labels: Mapping[str, str]
    metrics: str
    path: str = "/stats/prometheus"
    down: int = 503


PodsOfGateway = Callable[[ir.Policy], GatewayPods]
"""Returns how one control plane runs the Gateway of a policy."""


def parents(policy: ir.Policy) -> list[Body]:
    """Return the references from a route to the Gateway's listeners, except to those that only redirect."""
    return [section_ref(policy.gateway, section) for section in policy.gateway.model_sections]


def section_ref(gateway: ir.Gateway, section: ir.Section) -> Body:
    """Return the reference from a route to one listener."""
    return {
        "group": GATEWAY_GROUP,
        "kind": "Gateway",
        "name": gateway.name,
        "namespace": gateway.namespace,
        "sectionName": section.name,
    }


def decided(headers: Mapping[str, str]) -> list[Body]:
    """Return the header matches of a route to a model: what the router sets, and the mark of the router's filter.

    No client can send the mark, so a listener without the filter has no route to a model.
    """
    required = {**headers, DECIDED: DECIDED_VALUE}
    return [{"type": "Exact", "name": name, "value": value} for name, value in required.items()]


def gateway_duration(milliseconds: int) -> str:
    """Return a duration of the Gateway API (GEP-2257), which takes whole units only.

    >>> gateway_duration(1500)
    '1s500ms'
    """
    seconds, rest = divmod(milliseconds, 1000)
    return "".join(part for part in (f"{seconds}s" if seconds else "", f"{rest}ms" if rest else "") if part)
