"""What releases of llm-d's router break: its endpoint picker and its sidecar.

0.10.0 and the commits after it were read up to 22 August 2026 (ebab68792). What was merged later is not confirmed.
"""

from __future__ import annotations

from types import MappingProxyType

from vsr_compiler.releases.breakages.model import (
    Arguments,
    Behaviour,
    Breakage,
    Metrics,
    Parameters,
    PickerSetting,
    PickerSettings,
    Plugins,
    PodLabel,
    Program,
    Together,
    Unseen,
)

_ROUTER = "llm-d-router"
_STARTS_NOT = "the endpoint picker does not start with {found}, which was removed"
_DISAGGREGATION = frozenset({"disagg-profile-handler", "pd-profile-handler"})

BREAKAGES = (
    Breakage(
        component=_ROUTER,
        since="0.10.0",
        what="the sidecar does not start with {found}, which was removed",
        remedy="Use {instead}.",
        source="llm-d/llm-d-router#2054",
        sign=Arguments(
            Program.SIDECAR,
            MappingProxyType(
                {
                    "connector": "--kv-connector",
                    "prefiller-use-tls": "--enable-tls=prefiller",
                    "decoder-use-tls": "--enable-tls=decoder",
                    "prefiller-tls-insecure-skip-verify": "--tls-insecure-skip-verify=prefiller",
                    "decoder-tls-insecure-skip-verify": "--tls-insecure-skip-verify=decoder",
                }
            ),
        ),
    ),
    Breakage(
        component=_ROUTER,
        since="0.12.0",
        what="the sidecar does not start with {found}, which is to be removed",
        remedy="Use {instead}.",
        source="llm-d/llm-d-router#2142: deprecated in 0.10.0; the release of the removal is quoted by others",
        sign=Arguments(Program.SIDECAR, MappingProxyType({"vllm-port": "--model-server-port"})),
        confirmed=False,
    ),
    Breakage(
        component=_ROUTER,
        since="0.10.0",
        what="{found} lets requests wait for 60 s and 5,000 of them per priority, where there was no limit",
        remedy="Set `flowControl.defaultRequestTTL` and `maxRequests` of the priority bands.",
        source="llm-d/llm-d-router#2123",
        sign=PickerSettings(PickerSetting.UNBOUNDED_QUEUE),
        severity="warning",
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what=_STARTS_NOT,
        remedy="Use {instead}.",
        source="llm-d/llm-d-router, cmd/epp/runner/runner.go: RegisterDeprecated with removal in 0.11; #2509, #2815",
        sign=Plugins(
            MappingProxyType(
                {
                    "pd-profile-handler": "disagg-profile-handler",
                    "disagg-headers-handler": "disagg-profile-handler",
                    "prefill-header-handler": "disagg-profile-handler",
                }
            )
        ),
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what=_STARTS_NOT,
        remedy="Use {instead}.",
        source="llm-d/llm-d-router, cmd/epp/runner/runner.go: RegisterDeprecated with removal in 0.11; #2859, #2865",
        sign=Plugins(
            MappingProxyType(
                {
                    "by-label": "label-selector-filter",
                    "by-label-selector": "label-selector-filter",
                    "tokenizer": "token-producer",
                }
            )
        ),
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what="the endpoint picker does not start with the flat parameter {found}, which was removed",
        remedy="Use {instead}: write all parameters as `profiles: {…}` and `deciders: {…}`.",
        source="llm-d/llm-d-router#2509; 0.10.0, disagg_profile_handler.go, legacyDisaggProfileHandlerParameters",
        sign=Parameters(
            _DISAGGREGATION,
            MappingProxyType(
                {
                    "decodeProfile": "profiles.decode",
                    "prefillProfile": "profiles.prefill",
                    "encodeProfile": "profiles.encode",
                    "prefillDeciderPluginName": "deciders.prefill",
                    "encodeDeciderPluginName": "deciders.encode",
                    "deciderPluginName": "deciders.prefill",
                }
            ),
        ),
        confirmed=False,
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what="the endpoint picker does not start with the parameter {found}, which was removed",
        remedy="Use {instead}.",
        source="llm-d/llm-d-router#2120",
        sign=Parameters(
            frozenset({"program-aware-fairness"}), MappingProxyType({"lasDecayFactor": "lasHalfLifeSeconds"})
        ),
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what="the endpoint picker does not start with {found}, which names an attribute and its producer in one",
        remedy="Name the producer in the parameter `producer`.",
        source="llm-d/llm-d-router#2190",
        sign=PickerSettings(PickerSetting.ATTRIBUTE_WITH_PRODUCER),
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what="pods with the label {found} are not decoders any more, and get no request",
        remedy="Use the role {instead}.",
        source="llm-d/llm-d-router#2509",
        sign=PodLabel("llm-d.ai/role", MappingProxyType({"both": "prefill-decode"})),
        confirmed=False,
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what="{found} does not exist any more",
        remedy="Use {instead}, or both names with `or` while you upgrade.",
        source="llm-d/llm-d-router#2385, #2400 (the hits now count contiguous prefixes only)",
        sign=Metrics("llm_d_router_epp_kv_cache_", "llm_d_epp_kv_cache_", renamed=True),
    ),
    Breakage(
        component=_ROUTER,
        since="0.9.0",
        what="{found} does not exist any more",
        remedy="Use {instead}, or both names with `or` while you upgrade.",
        source="llm-d/llm-d-router 0.9.0, pkg/epp/metrics/llm_d_router_metrics.go",
        sign=Metrics("llm_d_router_epp_", "llm_d_epp_"),
    ),
    *(
        Breakage(
            component=_ROUTER,
            since="0.11.0",
            what="{found} does not exist any more",
            remedy="Use {instead}.",
            source="llm-d/llm-d-router#2509; 0.10.0, docs/metrics.md",
            sign=Metrics(name, "llm_d_epp_disagg_decision_total"),
            confirmed=False,
        )
        for name in ("llm_d_epp_pd_decision_total", "llm_d_inference_scheduler_pd_decision_total")
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what="{found} counts contiguous blocks from the first one only, where it counted every block that matches",
        remedy="Set the thresholds of alerts and the scales of dashboards again.",
        source="llm-d/llm-d-router#2400",
        sign=Unseen("`llm_d_epp_kv_cache_index_lookup_hits_total`"),
        severity="note",
    ),
    Breakage(
        component=_ROUTER,
        since="0.11.0",
        what="{found} does not lead to Google's managed Prometheus any more, but to objects of the Prometheus operator",
        remedy="Set `router.monitoring.provider.name: gmp`.",
        source="llm-d/llm-d-router#2374",
        sign=Together(Behaviour.IMPLIED_MONITORING),
        severity="warning",
    ),
)
