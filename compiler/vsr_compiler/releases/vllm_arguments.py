"""The arguments of vLLM's server, by release.

Source: the source distribution of each release on PyPI: `vllm/engine/arg_utils.py` (EngineArgs, AsyncEngineArgs),
`vllm/entrypoints/openai/cli_args.py` (FrontendArgs) and `vllm/utils/argparse_utils.py` (underscores, `-O`, JSON paths).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class VllmArguments:
    """The arguments of a release.

    Attributes:
        switches: Arguments that `--no-` negates.
        marks: Arguments without a value and without a negation.
        options: Arguments with a value, or several.
        short: Short names with their long names.
    """

    switches: frozenset[str]
    marks: frozenset[str]
    options: frozenset[str]
    short: Mapping[str, str]

    @property
    def names(self) -> frozenset[str]:
        """Every long name."""
        negated = {f"--no-{name.removeprefix('--')}" for name in self.switches}
        return self.switches | self.marks | self.options | negated

    def takes_value(self, name: str) -> bool:
        """Return whether the next item of a list can be the value of an argument. Unknown ones may have a value."""
        return name not in self.switches and name not in self.marks and not name.startswith("--no-")


def _flags(text: str) -> frozenset[str]:
    return frozenset(f"--{word}" for word in text.split())


VLLM_ARGUMENTS: Mapping[str, VllmArguments] = MappingProxyType(
    {
        "0.17.0": VllmArguments(
            switches=_flags(
                """
                allow-credentials allow-deprecated-quantization async-scheduling calculate-kv-scales
                cudagraph-metrics data-parallel-external-lb data-parallel-hybrid-lb disable-cascade-attn
                disable-chunked-mm-input disable-custom-all-reduce disable-fastapi-docs
                disable-frontend-multiprocessing disable-hybrid-kv-cache-manager
                disable-nccl-for-dp-synchronization disable-sliding-window disable-uvicorn-access-log
                enable-auto-tool-choice enable-chunked-prefill enable-dbo enable-elastic-ep enable-eplb
                enable-expert-parallel enable-flashinfer-autotune enable-force-include-usage
                enable-layerwise-nvtx-tracing enable-log-deltas enable-log-outputs enable-log-requests
                enable-logging-iteration-details enable-lora enable-mfu-metrics enable-mm-embeds
                enable-offline-docs enable-prefix-caching enable-prompt-embeds enable-prompt-tokens-details
                enable-request-id-headers enable-return-routed-experts enable-server-load-tracking
                enable-sleep-mode enable-ssl-refresh enable-tokenizer-info-endpoint enable-tower-connector-lora
                enforce-eager exclude-tools-when-tool-choice-none fail-on-environ-validation fully-sharded-loras
                interleave-mm-strings kv-cache-metrics kv-sharing-fast-prefill language-model-only log-error-stack
                mm-encoder-only ray-workers-use-nsight return-tokens-as-token-ids skip-mm-profiling
                skip-tokenizer-init specialize-active-lora tokens-only trust-remote-code
                trust-request-chat-template use-gpu-for-pooling-score use-tqdm-on-load
                """
            ),
            marks=_flags("aggregate-engine-logging disable-log-stats headless"),
            options=_flags(
                """
                additional-config all2all-backend allowed-headers allowed-local-media-path allowed-media-domains
                allowed-methods allowed-origins api-key api-server-count attention-backend attention-config
                block-size chat-template chat-template-content-format code-revision collect-detailed-traces
                compilation-config config config-format convert cp-kv-cache-interleave-size cpu-offload-gb
                cpu-offload-params cudagraph-capture-sizes data-parallel-address data-parallel-backend
                data-parallel-rank data-parallel-rpc-port data-parallel-size data-parallel-size-local
                data-parallel-start-rank dbo-decode-token-threshold dbo-prefill-token-threshold
                dcp-kv-cache-interleave-size decode-context-parallel-size default-chat-template-kwargs
                default-mm-loras disable-access-log-for-endpoints distributed-executor-backend download-dir dtype
                ec-transfer-config eplb-config expert-placement-strategy generation-config gpu-memory-utilization
                h11-max-header-count h11-max-incomplete-event-size hf-config-path hf-overrides hf-token host
                ignore-patterns io-processor-plugin kernel-config kv-cache-dtype kv-cache-memory-bytes
                kv-cache-metrics-sample kv-events-config kv-offloading-backend kv-offloading-size
                kv-transfer-config limit-mm-per-prompt load-format log-config-file logits-processors logprobs-mode
                long-prefill-token-threshold lora-dtype lora-modules mamba-block-size mamba-cache-dtype
                mamba-cache-mode mamba-ssm-cache-dtype master-addr master-port max-cpu-loras
                max-cudagraph-capture-size max-log-len max-logprobs max-long-partial-prefills max-lora-rank
                max-loras max-model-len max-num-batched-tokens max-num-partial-prefills max-num-seqs
                max-parallel-loading-workers media-io-kwargs middleware mm-encoder-attn-backend mm-encoder-tp-mode
                mm-processor-cache-gb mm-processor-cache-type mm-processor-kwargs mm-shm-cache-max-object-size-mb
                model model-impl model-loader-extra-config moe-backend nnodes node-rank num-gpu-blocks-override
                offload-backend offload-group-size offload-num-in-group offload-params offload-prefetch-step
                optimization-level otlp-traces-endpoint override-attention-dtype override-generation-config
                performance-mode pipeline-parallel-size pooler-config port prefill-context-parallel-size
                prefix-caching-hash-algo profiler-config pt-load-map-location quantization reasoning-parser
                reasoning-parser-plugin response-role revision root-path runner safetensors-load-strategy
                scheduler-cls scheduling-policy seed served-model-name show-hidden-metrics-for-version
                speculative-config ssl-ca-certs ssl-cert-reqs ssl-certfile ssl-ciphers ssl-keyfile stream-interval
                structured-outputs-config swap-space tensor-parallel-size tokenizer tokenizer-mode
                tokenizer-revision tool-call-parser tool-parser-plugin tool-server ubatch-size uds
                uvicorn-log-level video-pruning-rate weight-transfer-config worker-cls worker-extension-cls
                """
            ),
            short=MappingProxyType(
                {
                    "-ac": "--attention-config",
                    "-asc": "--api-server-count",
                    "-cc": "--compilation-config",
                    "-dcp": "--decode-context-parallel-size",
                    "-dp": "--data-parallel-size",
                    "-dpa": "--data-parallel-address",
                    "-dpb": "--data-parallel-backend",
                    "-dpe": "--data-parallel-external-lb",
                    "-dph": "--data-parallel-hybrid-lb",
                    "-dpl": "--data-parallel-size-local",
                    "-dpn": "--data-parallel-rank",
                    "-dpp": "--data-parallel-rpc-port",
                    "-dpr": "--data-parallel-start-rank",
                    "-ep": "--enable-expert-parallel",
                    "-n": "--nnodes",
                    "-pcp": "--prefill-context-parallel-size",
                    "-pp": "--pipeline-parallel-size",
                    "-q": "--quantization",
                    "-r": "--node-rank",
                    "-tp": "--tensor-parallel-size",
                    "-O": "--optimization-level",
                }
            ),
        ),
    }
)
