"""Names of the metrics of endpoint pickers.

Sources: `pkg/epp/metrics` of kubernetes-sigs/gateway-api-inference-extension at v1.0.0 (which llm-d's scheduler 0.3.2
contains), v1.1.0 and v1.5.0, and of llm-d/llm-d-router at v0.10.0 and on its main branch of August 2026.

The extension 1.0.0 says `inference_model_*`, later ones `inference_objective_*`. llm-d-router 0.10.0 has each metric by
that name and as `llm_d_epp_*`, 0.11 by the latter only.
"""

from __future__ import annotations

from vsr_compiler.targets.common.queries import Names

REQUESTS: Names = ("llm_d_epp_request_total", "inference_objective_request_total", "inference_model_request_total")
"""Requests by model."""
ERRORS: Names = (
    "llm_d_epp_request_error_total",
    "inference_objective_request_error_total",
    "inference_model_request_error_total",
)
"""Errors by `error_code`."""
SCHEDULING: Names = (
    "llm_d_epp_scheduler_e2e_duration_seconds",
    "inference_extension_scheduler_e2e_duration_seconds",
)
"""A histogram of the time to choose a pod."""
QUEUE: Names = ("llm_d_epp_average_queue_size", "inference_pool_average_queue_size")
"""The average number of requests that wait at a pod of the pool."""
KV_CACHE: Names = ("llm_d_epp_average_kv_cache_utilization", "inference_pool_average_kv_cache_utilization")
"""The average use of the KV caches of the pool, from 0 to 1."""
READY: Names = ("llm_d_epp_ready_endpoints", "inference_pool_ready_pods")
"""Pods of the pool that can get requests."""
ALL: tuple[Names, ...] = (REQUESTS, ERRORS, SCHEDULING, QUEUE, KV_CACHE, READY)
