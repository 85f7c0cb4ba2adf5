"""How a gateway avoids a router that is dead or hangs, if there are several: retries, ejection and health checks.

Measured with Envoy 1.38.3 and two routers at 50 requests per second; requests that failed after the first second:

- One killed while its endpoint is still listed: 74 of 150 without, 0 of 450 with retries and ejection.
- One stopped (it accepts connections and never answers): 119 of 450 with retries and ejection, since a timeout of
  ext_proc counts neither as an error of the host nor as a reason to retry; 0 of 450 with health checks as well.
"""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body

RETRIES = {
    "x-envoy-retry-on": "connect-failure,refused-stream,reset-before-request",
    "x-envoy-max-retries": "3",
}
"""Metadata of the ext_proc stream, from which Envoy takes its retries. Envoy 1.38.3 was seen to ignore
`grpc_service.retry_policy` there. Only streams of which no router has read anything are retried, so no decision is
made twice."""
FAILURES = 3
"""Consecutive failures after which a router is ejected."""
EJECTION_INTERVAL, EJECTION_TIME = "1s", "10s"
MAX_EJECTED = 50
"""Percent of the routers that may be ejected at a time; Envoy always allows one."""
MIN_HEALTHY = 1
"""Percent of healthy routers below which Envoy sends to all of them: only if none is healthy."""


def has_several(router: ir.Router) -> bool:
    """Return whether another router can serve what a dead one does not. With one, nothing could be avoided."""
    return router.replicas > 1


def stream_metadata(router: ir.Router) -> Body:
    """Return the fields of a filter's `grpc_service` for retries."""
    if not has_several(router):
        return {}
    return {"initial_metadata": [{"key": key, "value": value} for key, value in RETRIES.items()]}


def health_check(router: ir.Router) -> Body:
    """Return an active health check of Envoy.

    With several routers, one that hangs is found within a second: it misses a check every half second. Otherwise the
    check only keeps a router that drains from new streams.
    """
    # The stock router does not implement grpc.health.v1, so only its port is checked.
    stock = isinstance(router.implementation, ir.SemanticRouter)
    kind: Body = {"tcp_health_check": {}} if stock else {"grpc_health_check": {}}
    interval, timeout, misses = ("0.500s", "0.500s", 1) if has_several(router) else ("5s", "1s", 2)
    return kind | {
        "healthy_threshold": 1,
        "interval": interval,
        "no_traffic_interval": interval,
        "timeout": timeout,
        "unhealthy_threshold": misses,
    }


def envoy_ejection(router: ir.Router) -> Body:
    """Return the fields of Envoy's cluster."""
    if not has_several(router):
        return {}
    return {
        "common_lb_config": {"healthy_panic_threshold": {"value": MIN_HEALTHY}},
        "outlier_detection": {
            "base_ejection_time": EJECTION_TIME,
            "consecutive_5xx": FAILURES,
            "consecutive_gateway_failure": FAILURES,
            "enforcing_consecutive_gateway_failure": 100,
            "interval": EJECTION_INTERVAL,
            "max_ejection_percent": MAX_EJECTED,
        },
    }


def istio_ejection(router: ir.Router) -> Body:
    """Return the fields of a DestinationRule's trafficPolicy."""
    if not has_several(router):
        return {}
    return {
        "outlierDetection": {
            "baseEjectionTime": EJECTION_TIME,
            "consecutive5xxErrors": FAILURES,
            "consecutiveGatewayErrors": FAILURES,
            "interval": EJECTION_INTERVAL,
            "maxEjectionPercent": MAX_EJECTED,
            "minHealthPercent": MIN_HEALTHY,
        }
    }
