"""What releases of vLLM break."""

from __future__ import annotations

from types import MappingProxyType

from vsr_compiler.releases.breakages.model import Arguments, Breakage, Metrics, Program

_VLLM = "vllm"
_BITS = frozenset({"bitsandbytes"})

BREAKAGES = (
    Breakage(
        component=_VLLM,
        since="0.20.0",
        what="{found} is deprecated: a later release of `vllm serve` ignores or rejects it",
        remedy="Give the model as the first argument, before every flag.",
        source="defilantech/LLMKube#357; princeton-ddss/blackfish#515 quotes the warning of 0.26",
        sign=Arguments(Program.VLLM, MappingProxyType({"model": ""}), as_module=False),
        severity="note",
    ),
    Breakage(
        component=_VLLM,
        since="0.27.0",
        what="the server does not start with {found}, which was removed",
        remedy="Remove the argument: it had no effect since 0.10.",
        source="vllm-project/vllm#49244, runpod-workers/worker-vllm#324",
        sign=Arguments(
            Program.VLLM, MappingProxyType({"max-num-partial-prefills": "", "max-long-partial-prefills": ""})
        ),
    ),
    Breakage(
        component=_VLLM,
        since="0.28.0",
        what="the server does not start with {found}, which was removed",
        remedy="Remove the argument. Take scales of a quantised KV cache from the checkpoint.",
        source="vllm-project/vllm#49389, vllm-project/vllm#48684, runpod-workers/worker-vllm#332",
        sign=Arguments(
            Program.VLLM,
            MappingProxyType({"calculate-kv-scales": "", "no-calculate-kv-scales": "", "override-attention-dtype": ""}),
        ),
    ),
    Breakage(
        component=_VLLM,
        since="0.28.0",
        what="{found} needs a plugin that the image does not have, and the model does not load",
        remedy="Use an image with `vllm-bnb-plugin`, or a checkpoint with another quantisation.",
        source="vllm-project/vllm#43529, runpod-workers/worker-vllm#332",
        sign=Arguments(Program.VLLM, MappingProxyType({"quantization": "", "q": "", "load-format": ""}), _BITS),
    ),
    Breakage(
        component=_VLLM,
        since="0.10.0",
        what="{found} does not exist any more",
        remedy="Use {instead}.",
        source="vllm-project/vllm, docs/usage/metrics.md: removed with the engine V0",
        sign=Metrics("vllm:gpu_cache_usage_perc", "vllm:kv_cache_usage_perc"),
    ),
)
"""By release. vLLM hides metrics in the release after their deprecation, and removes them in the next one."""
