"""Arguments and plugin types of endpoint pickers by release.

Source: the code of each release. Custom builds can have more.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class PickerArguments(NamedTuple):
    """Arguments without dashes, and types of plugins."""

    flags: frozenset[str]
    plugins: frozenset[str]


class _Change(NamedTuple):
    """A release as difference from the one before it in the table. Names are separated by blanks."""

    family: str
    release: tuple[int, int]
    plugins: str = ""
    no_plugins: str = ""
    flags: str = ""
    no_flags: str = ""


_CHANGES = (
    _Change(
        "gie",
        (1, 0),
        plugins="""
            header-based-testing-filter kv-cache-utilization-scorer lora-affinity-scorer max-score-picker
            prefix-cache-scorer queue-scorer random-picker single-profile-handler weighted-random-picker
            """,
        flags="""
            cert-path config-file config-text enable-pprof grpc-health-port grpc-port ha-enable-leader-election
            health-checking kv-cache-usage-percentage-metric lora-info-metric metrics-port
            metrics-staleness-threshold model-server-metrics-https-insecure-skip-verify model-server-metrics-path
            model-server-metrics-port model-server-metrics-scheme pool-group pool-name pool-namespace
            refresh-metrics-interval refresh-prometheus-metrics-interval secure-serving
            total-queued-requests-metric v zap-devel zap-encoder zap-log-level zap-stacktrace-level
            zap-time-encoding
            """,
    ),
    _Change(
        "gie",
        (1, 1),
        flags="cache-info-metric metrics-endpoint-auth tracing",
    ),
    _Change(
        "gie",
        (1, 2),
        plugins="destination-endpoint-served-verifier",
        flags="endpoint-selector endpoint-target-ports",
    ),
    _Change(
        "gie",
        (1, 3),
        plugins="""
            metrics-data-source model-server-protocol-metrics predicted-latency-scorer
            running-requests-size-scorer
            """,
        flags="disable-endpoint-subset-filter enable-cert-reload total-running-requests-metric",
    ),
    _Change(
        "gie",
        (1, 4),
        plugins="""
            edf-ordering-policy fcfs-ordering-policy global-strict-fairness-policy k8s-notification-source
            request-attribute-reporter round-robin-fairness-policy
            """,
    ),
    _Change(
        "gie",
        (1, 5),
        plugins="""
            approx-prefix-cache-producer concurrency-detector core-metrics-extractor endpoint-notification-source
            inflight-load-producer latency-scorer latency-slo-admitter openai-parser passthrough-parser
            predicted-latency-producer prefix-cache-affinity-filter slo-deadline-ordering-policy
            slo-headroom-tier-filter static-usage-limit-policy token-load-scorer utilization-detector
            vllmgrpc-parser
            """,
        no_plugins="model-server-protocol-metrics",
    ),
    _Change(
        "llm-d",
        (0, 9),
        plugins="""
            active-request-scorer agent-identity always-disagg-multimodal-decider always-disagg-pd-decider
            anthropic-parser by-label by-label-selector context-length-aware data-parallel-profile-handler
            decode-filter disagg-headers-handler disagg-profile-handler encode-filter file-discovery
            label-selector-filter load-aware-scorer mm-embeddings-cache-producer mm-embeddings-cache-scorer
            models-data-extractor models-data-source no-hit-lru-scorer pd-profile-handler
            precise-prefix-cache-producer precise-prefix-cache-scorer prefill-filter prefill-header-handler
            prefix-based-pd-decider probabilistic-admitter program-aware-fairness session-affinity-filter
            session-id-producer token-producer tokenizer vertexai-parser vllmhttp-parser
            """,
        no_plugins="predicted-latency-scorer",
        flags="enable-grpc-stream-metrics grpc-max-recv-msg-size grpc-max-send-msg-size",
    ),
    _Change(
        "llm-d",
        (0, 10),
        plugins="""
            burst-prefix-cache-producer dcgm-data-source dcgm-extractor disaggregatedset-rollout-screener
            endpoint-attribute-filter endpoint-attribute-scorer header-label-affinity-scorer
            header-profile-handler multicluster-approx-prefix-cache-producer multicluster-file-discovery
            multicluster-kv-cache-utilization-scorer multicluster-metrics-data-source
            multicluster-metrics-extractor multicluster-queue-scorer multicluster-session-affinity-filter
            p2p-source-producer priority-holdback-policy priority-then-time-eviction-order-policy
            sheddable-eviction-filter soft-reflective-ceiling-policy topology-affinity-filter
            topology-affinity-scorer topology-extractor utilization-filter
            """,
        flags="""
            allow-experimental-plugins drain-timeout emit-endpoint-scores metrics-cert-dir metrics-client-ca-file
            tls-cipher-suites tls-min-version
            """,
        no_flags="""
            model-server-metrics-https-insecure-skip-verify model-server-metrics-path model-server-metrics-port
            model-server-metrics-scheme
            """,
    ),
)


def _by_release() -> dict[tuple[str, tuple[int, int]], PickerArguments]:
    flags: frozenset[str] = frozenset()
    plugins: frozenset[str] = frozenset()
    releases = {}
    for change in _CHANGES:
        flags = flags - set(change.no_flags.split()) | set(change.flags.split())
        plugins = plugins - set(change.no_plugins.split()) | set(change.plugins.split())
        releases[change.family, change.release] = PickerArguments(flags, plugins)
    return releases


PICKER_ARGUMENTS: Mapping[tuple[str, tuple[int, int]], PickerArguments] = MappingProxyType(_by_release())
"""By family (`gie` for the inference extension's picker, `llm-d`) and release."""

MESSAGE_LIMIT = 4_194_304
"""Bytes of the longest message that a picker's gRPC server accepts by default.

Source: grpc-go, `defaultServerMaxReceiveMessageSize`. No picker sets another limit by itself: inference extension
1.5.0, `pkg/epp/server/runserver.go`; llm-d-router 0.10.0, `pkg/epp/server/options.go`. A filter that buffers passes the
body on in one piece, and the picker's filter sends it as one message.
"""
MESSAGE_FLAG = "grpc-max-recv-msg-size"
"""The flag that raises ``MESSAGE_LIMIT``, in the releases that have it. Its value is a quantity, such as `9Mi`."""

FAILING_PLUGINS: Mapping[tuple[str, tuple[int, int]], Mapping[str, str]] = MappingProxyType(
    {("gie", (1, 5)): MappingProxyType({"token-load-scorer": "inflight-load-producer"})}
)
"""Plugins that a release has but cannot use, by release, each with the plugin that produces its data.

With both the picker does not start; without the producer the plugin has no effect. Source: inference extension 1.5.0,
`pkg/epp/datalayer/data_graph.go` compares two pointers that are never equal. Repaired after 1.5.0, in no release.
"""
