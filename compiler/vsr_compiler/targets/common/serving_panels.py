"""Panels of endpoint pickers and of model servers, for those that the component `monitoring` monitors."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common import picker_metrics, server_metrics
from vsr_compiler.targets.common.panels import Query, panel, row
from vsr_compiler.targets.common.pools import picker_service
from vsr_compiler.targets.common.queries import Names, gauge, quantile, rate
from vsr_compiler.targets.common.server_pods import ServerPods

PERCENTILES = (50, 99)
PICKER = "namespace, service"
"""The labels of a picker: a ServiceMonitor adds them."""
SERVERS = "job"
"""The label of an endpoint's servers: the namespace and the name of their PodMonitor."""


def picker_panels(pools: list[ir.Endpoint]) -> list[Body]:
    """Return the panels of the pickers of these pools; none without pools."""
    places = list(_places(pools))
    if not places:
        return []
    legend = "{{namespace}}/{{service}}"

    def gauges(names: Names) -> Iterator[Query]:
        # Every replica of a picker sees the whole pool.
        return ((legend, gauge(names, place, PICKER, "max")) for place in places)

    by_code = f"{PICKER}, error_code"
    return [
        row("Endpoint pickers"),
        panel(
            "Requests by picker",
            "reqps",
            *((legend, rate(picker_metrics.REQUESTS, place, PICKER)) for place in places),
        ),
        panel(
            "Errors by picker",
            "reqps",
            *((f"{legend} {{{{error_code}}}}", rate(picker_metrics.ERRORS, place, by_code)) for place in places),
        ),
        panel(
            "Time to choose a pod",
            "s",
            *(
                (f"p{percent} {legend}", quantile(percent, picker_metrics.SCHEDULING, place, PICKER))
                for place in places
                for percent in PERCENTILES
            ),
        ),
        panel("Waiting requests per pod, average of a pool", "none", *gauges(picker_metrics.QUEUE)),
        panel("KV cache use, average of a pool", "percentunit", *gauges(picker_metrics.KV_CACHE)),
        panel("Ready pods of a pool", "none", *gauges(picker_metrics.READY)),
    ]


def server_panels(servers: list[ServerPods]) -> list[Body]:
    """Return the panels of model servers; none without servers."""
    if not servers:
        return []
    names = server_metrics.VLLM if all(pods.ours for pods in servers) else server_metrics.ANY
    jobs = "|".join(sorted(pods.job for pods in servers))
    where = f'job=~"{jobs}"'
    legend = "{{job}}"
    return [
        row("Model servers"),
        panel("Running requests", "none", (legend, gauge(names.running, where, SERVERS))),
        panel("Waiting requests", "none", (legend, gauge(names.waiting, where, SERVERS))),
        panel("Time to the first token", "s", *_latencies(names.first_token, where)),
        panel("Time per output token", "s", *_latencies(names.token, where)),
        panel("Time of a request", "s", *_latencies(names.request, where)),
        panel("KV cache use, fullest pod", "percentunit", (legend, gauge(names.kv_cache, where, SERVERS, "max"))),
        panel("Prefix cache hits", "percentunit", (legend, _hits(names, where))),
        panel("Preemptions", "reqps", (legend, rate(names.preemptions, where, SERVERS))),
    ]


def _places(pools: list[ir.Endpoint]) -> Iterator[str]:
    """Yield label matchers for the pickers of each namespace."""
    names: dict[str, list[str]] = {}
    for pool in pools:
        service = picker_service(pool)
        names.setdefault(service.namespace, []).append(service.name)
    for namespace, own in sorted(names.items()):
        yield f'namespace="{namespace}",service=~"{"|".join(sorted(own))}"'


def _latencies(names: Names, where: str) -> Iterator[Query]:
    return ((f"p{percent} {{{{job}}}}", quantile(percent, names, where, SERVERS)) for percent in PERCENTILES)


def _hits(names: server_metrics.ServerMetrics, where: str) -> str:
    """Return the query of the share of hits, of servers that count them or measure the share."""
    share = f"{rate(names.hits, where, SERVERS)} / {rate(names.queries, where, SERVERS)}"
    return f"{share} or {gauge(names.hit_rate, where, SERVERS, 'avg')}" if names.hit_rate else share
