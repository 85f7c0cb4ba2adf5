"""A Grafana dashboard of a policy, and alerts on the metrics of its router.

The router's metrics are described in ``docs/reference/metrics.md``. The stock router has those that begin with ``llm``.
Grafana's sidecar finds the dashboard by its label.
"""

from __future__ import annotations

import hashlib
import json

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.panels import panel, placed
from vsr_compiler.targets.common.server_pods import ServerPods
from vsr_compiler.targets.common.serving_panels import picker_panels, server_panels

LABEL = {"grafana_dashboard": "1"}
"""The label by which the sidecar of Grafana's chart finds dashboards."""
MAX_UID = 40
SCHEMA = 39
"""The version of the dashboard schema; for Grafana 10 and newer."""


def dashboard(policy: ir.Policy, pools: list[ir.Endpoint], servers: list[ServerPods]) -> Object:
    """Return the dashboard of a policy as a ConfigMap in the router's namespace.

    Args:
        policy: The policy.
        pools: The endpoints with endpoint pickers that the compiler writes.
        servers: The pods of model servers.
    """
    router = policy.router
    return make(
        "v1",
        "ConfigMap",
        f"{router.grpc.name}-{policy.name}-dashboard",
        router.span,
        namespace=router.grpc.namespace,
        labels=LABEL,
        data={f"vsr-{policy.name}.json": _text(_model(policy, pools, servers))},
    )


def alerts(policy: ir.Policy) -> list[Body]:
    """Return the alerts on the router's metrics. The stock router has none of these metrics."""
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        return []
    series = series_of(policy)
    return [
        _alert(
            "RouterRefusesRequests",
            f"sum(rate(vsr_unclassified_requests_total{{{series}}}[5m])) > 0",
            "10m",
            "The router has refused requests for ten minutes because it could not decide.",
        ),
        _alert(
            "RouterShedsLoad",
            f"sum(rate(vsr_shed_requests_total{{{series}}}[5m])) > 0",
            "10m",
            "The router has more requests than it can decide in time: add replicas, or a GPU.",
        ),
        _alert(
            "RouterReloadRefused",
            f"min(config_last_reload_success{{{series}}}) == 0",
            "5m",
            "A router was given a configuration that it refuses, and serves the one before; its log says why.",
        ),
        _alert(
            "RoutersDiffer",
            f"count(count by (sha256) (config_generation_info{{{series}}})) > 1",
            "15m",
            "Routers of one policy serve different configurations.",
        ),
        *(
            [
                _alert(
                    "LimitsRefuseRequests",
                    f'sum by (limit) (rate(vsr_limited_requests_total{{{series},outcome="refused"}}[5m])) > 0',
                    "15m",
                    "A limit has refused requests for 15 minutes: raise it, or let it move them to a cheaper model.",
                )
            ]
            if counted_by_router(policy)
            else []
        ),
    ]


def _alert(name: str, expression: str, duration: str, text: str) -> Body:
    return {
        "alert": name,
        "expr": expression,
        "for": duration,
        "labels": {"severity": "warning"},
        "annotations": {"summary": text},
    }


def series_of(policy: ir.Policy) -> str:
    """Return the label matchers of the router's series, as the Prometheus operator labels them."""
    return f'namespace="{policy.router.http.namespace}",service="{policy.router.http.name}"'


def _model(policy: ir.Policy, pools: list[ir.Endpoint], servers: list[ServerPods]) -> Body:
    series = series_of(policy)
    panels = [
        *_common_panels(series),
        *([] if isinstance(policy.router.implementation, ir.SemanticRouter) else _runtime_panels(series)),
        *(_limit_panels(series) if counted_by_router(policy) else []),
        *picker_panels(pools),
        *server_panels(servers),
    ]
    return {
        "editable": False,
        "panels": list(placed(panels)),
        "refresh": "30s",
        "schemaVersion": SCHEMA,
        "tags": ["vsr-compile"],
        "templating": {
            "list": [{"label": "Data source", "name": "source", "query": "prometheus", "type": "datasource"}]
        },
        "time": {"from": "now-3h", "to": "now"},
        "title": f"Semantic router: {policy.name}",
        "uid": _uid(policy.name),
    }


def _text(model: Body) -> str:
    """Return the dashboard as JSON with a line for each panel, so that a difference shows the panels that changed."""
    panels = ",\n".join(json.dumps(item, sort_keys=True) for item in model["panels"])
    rest = json.dumps({key: value for key, value in model.items() if key != "panels"}, sort_keys=True)
    return f'{{"panels": [\n{panels}\n],\n{rest[1:]}\n'


def _uid(name: str) -> str:
    """Return the dashboard's UID. A long name is shortened and gets a hash."""
    uid = f"vsr-{name}"
    if len(uid) <= MAX_UID:
        return uid
    return f"{uid[: MAX_UID - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _common_panels(series: str) -> list[Body]:
    """Return the panels for metrics that both routers have."""
    latency = f"sum by (le) (rate(llm_model_routing_latency_seconds_bucket{{{series}}}[5m]))"
    return [
        panel("Requests by model", "reqps", ("{{model}}", _rate("model", "llm_model_requests_total", series))),
        panel(
            "Requests by decision",
            "reqps",
            ("{{decision_name}}", _rate("decision_name", "llm_decision_match_total", series)),
        ),
        panel(
            "Time to a decision",
            "s",
            *((f"p{share}", f"histogram_quantile(0.{share}, {latency})") for share in (50, 90, 99)),
        ),
        panel("Errors", "reqps", ("{{reason}}", _rate("reason", "llm_request_errors_total", series))),
        panel(
            "Signals that held",
            "reqps",
            (
                "{{signal_type}} {{signal_name}}",
                _rate("signal_type, signal_name", "llm_signal_match_total", series),
            ),
        ),
    ]


def _runtime_panels(series: str) -> list[Body]:
    """Return the panels for metrics that only our runtime has."""
    return [
        panel(
            "Refused without a decision",
            "reqps",
            ("{{reason}}", _rate("reason", "vsr_unclassified_requests_total", series)),
            ("shed", f"sum(rate(vsr_shed_requests_total{{{series}}}[5m]))"),
        ),
        panel("Bodies in work", "bytes", ("{{pod}}", f"vsr_request_bytes_in_work{{{series}}}")),
        panel(
            "Pods by configuration", "none", ("{{sha256}}", f"count by (sha256) (config_generation_info{{{series}}})")
        ),
    ]


def counted_by_router(policy: ir.Policy) -> bool:
    """Return whether the router counts for some limit."""
    return any(not limit.by_gateway for limit in policy.limits)


def _limit_panels(series: str) -> list[Body]:
    """Return the panels for limits that the router counts."""
    return [
        panel(
            "Requests above a limit",
            "reqps",
            ("{{limit}} {{outcome}}", _rate("limit, outcome", "vsr_limited_requests_total", series)),
        ),
        panel(
            "Tokens that limits count",
            "none",
            ("{{model}} {{kind}}", _rate("model, kind", "vsr_used_tokens_total", series)),
        ),
    ]


def _rate(labels: str, metric: str, series: str) -> str:
    return f"sum by ({labels}) (rate({metric}{{{series}}}[5m]))"
