"""Releases of endpoint pickers by project: image, flags, configuration, plugins and access rights.

Sources: the flags, plugin registries and roles of each project at its tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler.releases.picker_arguments import MESSAGE_FLAG

OBJECTIVES, REWRITES = "inferenceobjectives", "inferencemodelrewrites"
LLM_D_ROUTER = "llm-d-router"
LEGACY, LLM_D = "inference.networking.x-k8s.io", "llm-d.ai"


@dataclass(frozen=True, slots=True)
class Disaggregation:
    """Disaggregation of prefill and decode: plugins with parameters, profiles with their filters, and the sidecar."""

    plugins: tuple[tuple[str, Mapping[str, object]], ...]
    profiles: tuple[tuple[str, str], ...]
    sidecar_image: str
    sidecar_args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picker:
    """A release of an endpoint picker.

    Attributes:
        image: The image.
        config_api: The apiVersion of its EndpointPickerConfig.
        flags: Flags that differ by release, with their values.
        kv_metric_flag: Whether a flag must name vLLM's gauge; later releases reject the flag.
        scorers: The scorers that a policy can use.
        whole_weights: Whether weights must be integers.
        producers: By scorer, the plugin that produces its data and must be configured as well.
        watches: Resources besides pods and pools that it reads, by API group. Their CRDs must be installed.
        without: API groups among them whose CRDs may be absent.
        message_flag: The flag that raises the limit of a gRPC message, ``picker_arguments.MESSAGE_LIMIT``; empty if the
            release has none.
        disaggregation: None if the release or this table does not support it.
    """

    image: str
    config_api: str
    flags: Mapping[str, str]
    kv_metric_flag: bool
    scorers: frozenset[str]
    whole_weights: bool
    producers: Mapping[str, str]
    watches: Mapping[str, tuple[str, ...]]
    without: frozenset[str] = frozenset()
    message_flag: str = ""
    disaggregation: Disaggregation | None = None


DEFAULT_SCORERS: tuple[tuple[str, float], ...] = (
    ("kv-cache-utilization-scorer", 2),
    ("prefix-cache-scorer", 3),
    ("queue-scorer", 2),
)
"""The defaults of the projects' charts. A scorer without a weight would count 1."""
GIE_SCORERS = frozenset(
    {"kv-cache-utilization-scorer", "lora-affinity-scorer", "prefix-cache-scorer", "queue-scorer"},
)
GIE_API, LLM_D_API = f"{LEGACY}/v1alpha1", f"{LLM_D}/v1alpha1"
PRODUCERS = MappingProxyType(
    {"prefix-cache-scorer": "approx-prefix-cache-producer", "token-load-scorer": "inflight-load-producer"}
)
QUIET = MappingProxyType({"metrics-endpoint-auth": "true", "tracing": "false"})
"""Tracing is enabled by default and would look for a collector in the pod."""

PICKERS: Mapping[str, Mapping[str, Picker]] = MappingProxyType(
    {
        "inference-extension": MappingProxyType(
            {
                "1.1.0": Picker(
                    image="registry.k8s.io/gateway-api-inference-extension/epp:v1.1.0",
                    config_api=GIE_API,
                    flags=QUIET,
                    kv_metric_flag=True,
                    scorers=GIE_SCORERS,
                    whole_weights=True,
                    producers=MappingProxyType({}),
                    watches=MappingProxyType({LEGACY: (OBJECTIVES,)}),
                ),
                "1.5.0": Picker(
                    image="registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0",
                    config_api=GIE_API,
                    flags=QUIET,
                    kv_metric_flag=False,
                    # Not `token-load-scorer`: see picker_arguments.FAILING_PLUGINS.
                    scorers=GIE_SCORERS | {"running-requests-size-scorer"},
                    whole_weights=False,
                    producers=PRODUCERS,
                    watches=MappingProxyType({LEGACY: (REWRITES, OBJECTIVES)}),
                ),
            }
        ),
        LLM_D_ROUTER: MappingProxyType(
            {
                "0.3.2": Picker(
                    image="ghcr.io/llm-d/llm-d-inference-scheduler:v0.3.2",
                    config_api=GIE_API,
                    # Built on the inference extension 1.0.0, which has neither flag and always requires
                    # authentication to read its metrics.
                    flags=MappingProxyType({}),
                    kv_metric_flag=True,
                    scorers=GIE_SCORERS | {"active-request-scorer", "load-aware-scorer", "session-affinity-scorer"},
                    whole_weights=True,
                    producers=MappingProxyType({}),
                    watches=MappingProxyType({LEGACY: (OBJECTIVES,)}),
                ),
                "0.10.0": Picker(
                    image="ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0",
                    config_api=LLM_D_API,
                    flags=QUIET,
                    kv_metric_flag=False,
                    scorers=GIE_SCORERS
                    | {
                        "active-request-scorer",
                        "load-aware-scorer",
                        "no-hit-lru-scorer",
                        "running-requests-size-scorer",
                        "token-load-scorer",
                    },
                    whole_weights=False,
                    producers=PRODUCERS,
                    watches=MappingProxyType({LEGACY: (REWRITES, OBJECTIVES), LLM_D: (REWRITES, OBJECTIVES)}),
                    # Seen to run with the CRDs of the inference extension 1.6.0, which has none of the group.
                    without=frozenset({LEGACY}),
                    message_flag=MESSAGE_FLAG,
                    disaggregation=Disaggregation(
                        plugins=(
                            ("prefill-filter", MappingProxyType({})),
                            ("decode-filter", MappingProxyType({})),
                            ("prefix-based-pd-decider", MappingProxyType({"nonCachedTokens": 16})),
                            (
                                "disagg-profile-handler",
                                MappingProxyType({"deciders": {"prefill": "prefix-based-pd-decider"}}),
                            ),
                        ),
                        profiles=(("prefill", "prefill-filter"), ("decode", "decode-filter")),
                        sidecar_image="ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0",
                        sidecar_args=("--kv-connector=nixlv2", "--secure-proxy=false"),
                    ),
                ),
            }
        ),
    }
)


def picker_project(project: str, versions: Mapping[str, str]) -> str:
    """Return the project of the endpoint pickers: since 1.6 the inference extension is an API without a picker.

    Args:
        project: The project whose pickers a target asks for.
        versions: The releases of a policy.
    """
    return project if versions[project] in PICKERS[project] else LLM_D_ROUTER
