"""Providers that the stock router knows by name, with the URL of their API.

Source: the catalog shipped in the PyPI wheel ``vllm-sr==0.4.0`` (2026-09-27).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROVIDERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "agnes": ("https://apihub.agnes-ai.com/v1", "openai"),
        "aion": ("https://api.aionlabs.ai/v1", "openai"),
        "anthropic": ("https://api.anthropic.com", "anthropic"),
        "apodex": ("https://api.apodex.ai/v1", "openai"),
        "baidu-ai-studio": ("https://aistudio.baidu.com/llm/lmapi/v3", "openai"),
        "baidu-qianfan": ("https://api.baiduqianfan.ai/v1", "openai"),
        "celeris": ("https://inference.celeris.ai/celeris-1/v1", "openai"),
        "cerebras": ("https://api.cerebras.ai/v1", "openai"),
        "cohere": ("https://api.cohere.com/compatibility/v1", "openai"),
        "cometapi": ("https://api.cometapi.com/v1", "openai"),
        "compactifai": ("https://api.compactif.ai/v1", "openai"),
        "dashscope": ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "openai"),
        "deepinfra": ("https://api.deepinfra.com/v1/openai", "openai"),
        "deepseek": ("https://api.deepseek.com/v1", "openai"),
        "featherless": ("https://api.featherless.ai/v1", "openai"),
        "fireworks": ("https://api.fireworks.ai/inference/v1", "openai"),
        "friendli": ("https://api.friendli.ai/serverless/v1", "openai"),
        "gemini": ("https://generativelanguage.googleapis.com/v1beta/openai", "openai"),
        "groq": ("https://api.groq.com/openai/v1", "openai"),
        "hugging-face": ("https://router.huggingface.co/v1", "openai"),
        "inception": ("https://api.inceptionlabs.ai/v1", "openai"),
        "meta": ("https://api.meta.ai/v1", "openai"),
        "minimax": ("https://api.minimax.io/v1", "openai"),
        "mistral": ("https://api.mistral.ai/v1", "openai"),
        "moonshot": ("https://api.moonshot.ai/v1", "openai"),
        "nebius": ("https://api.studio.nebius.com/v1", "openai"),
        "novita": ("https://api.novita.ai/openai/v1", "openai"),
        "nvidia-nim": ("https://integrate.api.nvidia.com/v1", "openai"),
        "openai": ("https://api.openai.com/v1", "openai"),
        "openrouter": ("https://openrouter.ai/api/v1", "openai"),
        "perplexity": ("https://api.perplexity.ai", "openai"),
        "reka": ("https://api.reka.ai/v1", "openai"),
        "sakana": ("https://api.sakana.ai/v1", "openai"),
        "sambanova": ("https://api.sambanova.ai/v1", "openai"),
        "sarvam": ("https://api.sarvam.ai/v1", "openai"),
        "stepfun": ("https://api.stepfun.ai/v1", "openai"),
        "together": ("https://api.together.ai/v1", "openai"),
        "upstage": ("https://api.upstage.ai/v1", "openai"),
        "vercel-ai-gateway": ("https://ai-gateway.vercel.sh/v1", "openai"),
        "volcengine-ark": ("https://ark.cn-beijing.volces.com/api/v3", "openai"),
        "writer": ("https://api.writer.com", "openai"),
        "xai": ("https://api.x.ai/v1", "openai"),
        "xiaomi": ("https://api.xiaomimimo.com/v1", "openai"),
        "zai": ("https://api.z.ai/api/paas/v4", "openai"),
    }
)
"""URL and schema by name. Others are servers of one's own, without a URL that everybody shares."""
OWN_SERVERS = frozenset(
    {
        "amd-atom",
        "anthropic-compatible",
        "azure-openai",
        "bedrock",
        "cloudflare-workers-ai",
        "docker-model-runner",
        "lemonade",
        "lm-studio",
        "microsoft-foundry",
        "nvidia-riva",
        "ollama",
        "openai-compatible",
        "sglang",
        "snowflake-cortex",
        "triton",
        "vertex-ai",
        "vllm",
        "xinference",
    }
)
"""Providers without such a URL."""
