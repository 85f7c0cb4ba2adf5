"""Names of the metrics of model servers.

Sources: vLLM 0.17.0 and 0.33.0, `vllm/v1/metrics/loggers.py`, whose counters Prometheus gets with `_total`; llm-d's
simulator 0.10.2, which has the same names, without preemptions. Servers of others may be vLLM as well, SGLang with
`--enable-metrics` (`docs/references/production_metrics.md`) or Text Generation Inference
(`docs/source/reference/metrics.md`).
"""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.targets.common.queries import Names


@dataclass(frozen=True, slots=True)
class ServerMetrics:
    """The names of what servers measure. Latencies are histograms, in seconds.

    Attributes:
        running: Requests that are being computed.
        waiting: Requests that wait.
        first_token: The time to the first token.
        token: The time between two tokens.
        request: The time of a whole request.
        kv_cache: The use of the KV cache, from 0 to 1.
        hits: Tokens of prompts that the prefix cache had.
        queries: Tokens of prompts that it was asked for.
        hit_rate: The share of hits, for servers that measure no more.
        preemptions: Requests that lost their place in the KV cache.
    """

    running: Names
    waiting: Names
    first_token: Names
    token: Names
    request: Names
    kv_cache: Names
    hits: Names
    queries: Names
    preemptions: Names
    hit_rate: Names = ()


VLLM = ServerMetrics(
    running=("vllm:num_requests_running",),
    waiting=("vllm:num_requests_waiting",),
    first_token=("vllm:time_to_first_token_seconds",),
    token=("vllm:inter_token_latency_seconds",),
    request=("vllm:e2e_request_latency_seconds",),
    kv_cache=("vllm:kv_cache_usage_perc",),
    hits=("vllm:prefix_cache_hits_total",),
    queries=("vllm:prefix_cache_queries_total",),
    preemptions=("vllm:num_preemptions_total",),
)
"""Servers that the compiler writes."""

ANY = ServerMetrics(
    running=(*VLLM.running, "sglang:num_running_reqs", "tgi_batch_current_size"),
    waiting=(*VLLM.waiting, "sglang:num_queue_reqs", "tgi_queue_size"),
    # Text Generation Inference does not measure it.
    first_token=(*VLLM.first_token, "sglang:time_to_first_token_seconds"),
    token=(
        *VLLM.token,
        "sglang:inter_token_latency_seconds",
        "sglang:time_per_output_token_seconds",
        "tgi_request_mean_time_per_token_duration",
    ),
    request=(*VLLM.request, "sglang:e2e_request_latency_seconds", "tgi_request_duration"),
    kv_cache=(*VLLM.kv_cache, "sglang:token_usage"),
    hits=VLLM.hits,
    queries=VLLM.queries,
    preemptions=VLLM.preemptions,
    hit_rate=("sglang:cache_hit_rate",),
)
"""Servers of others, which may be any of these."""
