"""Providers by the names that gateways give them: the base URL and the API.

Sources, read on 2026-12-02: LiteLLM's `constants.py` (hosts that speak OpenAI's API) and its pages about providers;
agentgateway's configuration schema for its names. Rows with ``confirmed=False`` are from documentation of the provider
that was not at hand on that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["openai", "azure", "anthropic", "bedrock", "vertex", "server", "none"]
"""How requests get there: OpenAI's API, a translated one, or an own server. ``none``: by no API that we have."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider.

    Attributes:
        title: Its name for messages.
        kind: How requests get there.
        url: The base URL; empty if every account or server has its own.
        variable: The environment variable of the key, if the configuration names none.
        default: The address of a server of one's own, if the configuration names none.
        confirmed: Whether the row was compared with a source.
    """

    title: str
    kind: Kind
    url: str = ""
    variable: str = ""
    default: str = ""
    confirmed: bool = True


def _openai(title: str, url: str, variable: str, *, confirmed: bool = True) -> Provider:
    return Provider(title, "openai", url, variable, confirmed=confirmed)


def _server(title: str, default: str = "", variable: str = "") -> Provider:
    return Provider(title, "server", variable=variable, default=default)


def _none(title: str) -> Provider:
    return Provider(title, "none")


_OLLAMA = _server("Ollama", "http://localhost:11434")
_VLLM = _server("vLLM")
_TOGETHER = _openai("Together AI", "https://api.together.xyz/v1", "TOGETHERAI_API_KEY")
_FIREWORKS = _openai("Fireworks AI", "https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY")
_GEMINI = _openai("Google AI Studio", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY")
_OPENAI = _openai("OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY")
_COHERE = _openai("Cohere", "https://api.cohere.ai/compatibility/v1", "COHERE_API_KEY", confirmed=False)
_PERPLEXITY = _openai("Perplexity", "https://api.perplexity.ai/v1", "PERPLEXITYAI_API_KEY", confirmed=False)
_MISTRAL = _openai("Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY")
_BEDROCK = Provider("AWS Bedrock", "bedrock")
_VERTEX = Provider("GCP Vertex AI", "vertex")
_ANTHROPIC = Provider("Anthropic", "anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY")
_AZURE = Provider("Azure OpenAI", "azure", variable="AZURE_API_KEY")
PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        "openai": _OPENAI,
        "text-completion-openai": _OPENAI,
        "custom_openai": Provider("an OpenAI-compatible API", "openai"),
        "openai_like": Provider("an OpenAI-compatible API", "openai"),
        "litellm_proxy": Provider("LiteLLM", "openai", variable="LITELLM_PROXY_API_KEY"),
        "azure": _AZURE,
        "azure_text": _AZURE,
        "azure_ai": Provider("Azure AI Foundry", "openai", variable="AZURE_AI_API_KEY"),
        "anthropic": _ANTHROPIC,
        "bedrock": _BEDROCK,
        "bedrock_converse": _BEDROCK,
        "vertex_ai": _VERTEX,
        "vertex_ai_beta": _VERTEX,
        "gemini": _GEMINI,
        "mistral": _MISTRAL,
        "codestral": _openai("Codestral", "https://codestral.mistral.ai/v1", "CODESTRAL_API_KEY"),
        "groq": _openai("Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        "deepseek": _openai("DeepSeek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
        "together_ai": _TOGETHER,
        "fireworks_ai": _FIREWORKS,
        "openrouter": _openai("OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
        "perplexity": _PERPLEXITY,
        "xai": _openai("xAI", "https://api.x.ai/v1", "XAI_API_KEY"),
        "cerebras": _openai("Cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", confirmed=False),
        "deepinfra": _openai("DeepInfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        "nvidia_nim": _openai("NVIDIA NIM", "https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
        "sambanova": _openai("SambaNova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
        "cohere": _COHERE,
        "cohere_chat": _COHERE,
        "nebius": _openai("Nebius", "https://api.studio.nebius.ai/v1", "NEBIUS_API_KEY"),
        "nscale": _openai("Nscale", "https://inference.api.nscale.com/v1", "NSCALE_API_KEY"),
        "featherless_ai": _openai("Featherless", "https://api.featherless.ai/v1", "FEATHERLESS_AI_API_KEY"),
        "friendliai": _openai("FriendliAI", "https://api.friendli.ai/serverless/v1", "FRIENDLI_TOKEN"),
        "hyperbolic": _openai("Hyperbolic", "https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"),
        "lambda_ai": _openai("Lambda", "https://api.lambda.ai/v1", "LAMBDA_API_KEY"),
        "meta_llama": _openai("Meta Llama API", "https://api.llama.com/compat/v1", "LLAMA_API_KEY"),
        "moonshot": _openai("Moonshot", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
        "dashscope": _openai(
            "DashScope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"
        ),
        "volcengine": _openai(
            "Volcengine", "https://ark.cn-beijing.volces.com/api/v3", "VOLCENGINE_API_KEY", confirmed=False
        ),
        "novita": _openai("Novita", "https://api.novita.ai/v3/openai", "NOVITA_API_KEY", confirmed=False),
        "zai": _openai("Z.ai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY", confirmed=False),
        "minimax": _openai("MiniMax", "https://api.minimax.io/v1", "MINIMAX_API_KEY", confirmed=False),
        "github": _openai("GitHub Models", "https://models.github.ai/inference", "GITHUB_API_KEY", confirmed=False),
        "huggingface": _openai("Hugging Face", "https://router.huggingface.co/v1", "HF_TOKEN", confirmed=False),
        "vercel_ai_gateway": _openai(
            "Vercel AI Gateway", "https://ai-gateway.vercel.sh/v1", "VERCEL_AI_GATEWAY_API_KEY"
        ),
        "wandb": _openai("W&B Inference", "https://api.inference.wandb.ai/v1", "WANDB_API_KEY"),
        "v0": _openai("v0", "https://api.v0.dev/v1", "V0_API_KEY"),
        "morph": _openai("Morph", "https://api.morphllm.com/v1", "MORPH_API_KEY"),
        "databricks": Provider("Databricks", "openai", variable="DATABRICKS_API_KEY"),
        "xinference": _server("Xinference", "http://localhost:9997"),
        "ollama": _OLLAMA,
        "ollama_chat": _OLLAMA,
        "hosted_vllm": _VLLM,
        "vllm": _VLLM,
        "lm_studio": _server("LM Studio", "http://localhost:1234"),
        "llamafile": _server("llamafile", "http://localhost:8080"),
        "docker_model_runner": _server("Docker Model Runner", "http://localhost:12434"),
        "baseten": _openai("Baseten", "https://inference.baseten.co/v1", "BASETEN_API_KEY", confirmed=False),
        # APIs of their own, which no target translates.
        "replicate": _none("Replicate"),
        "sagemaker": _none("AWS SageMaker"),
        "sagemaker_chat": _none("AWS SageMaker"),
        "watsonx": _none("IBM watsonx"),
        "watsonx_text": _none("IBM watsonx"),
        "triton": _none("NVIDIA Triton"),
        "predibase": _none("Predibase"),
        "nlp_cloud": _none("NLP Cloud"),
        "aleph_alpha": _none("Aleph Alpha"),
        "petals": _none("Petals"),
        "oobabooga": _none("text-generation-webui"),
        "cloudflare": _none("Cloudflare Workers AI"),
        "snowflake": _none("Snowflake"),
        "voyage": _none("Voyage AI"),
        "jina_ai": _none("Jina AI"),
        "infinity": _none("Infinity"),
        "assemblyai": _none("AssemblyAI"),
        "deepgram": _none("Deepgram"),
        "elevenlabs": _none("ElevenLabs"),
        "github_copilot": _none("GitHub Copilot, which needs a device login"),
        "oci": _none("Oracle Cloud"),
        "sap": _none("SAP AI Core"),
        "clarifai": _none("Clarifai"),
        "bedrock_mantle": _none("AWS Bedrock Mantle"),
        "vertex_ai_mistral": _none("partner models of Vertex AI"),
        "custom": _none("a handler in Python"),
    }
)
"""By LiteLLM's prefix."""

AGENTGATEWAY: Mapping[str, str] = MappingProxyType(
    {
        "openai": "openai",
        "azureopenai": "azure",
        "azure": "azure",
        "anthropic": "anthropic",
        "gemini": "gemini",
        "vertex": "vertex_ai",
        "vertexai": "vertex_ai",
        "bedrock": "bedrock",
        "cohere": "cohere",
        "ollama": "ollama",
        "baseten": "baseten",
        "cerebras": "cerebras",
        "deepinfra": "deepinfra",
        "deepseek": "deepseek",
        "groq": "groq",
        "huggingface": "huggingface",
        "mistral": "mistral",
        "openrouter": "openrouter",
        "togetherai": "together_ai",
        "xai": "xai",
        "fireworks": "fireworks_ai",
        "custom": "openai_like",
    }
)
"""agentgateway's names in lower case, and the rows above."""

TRANSLATED: Mapping[Kind, str] = MappingProxyType(
    {"anthropic": "anthropic", "bedrock": "aws-bedrock", "vertex": "gcp-vertex-ai"}
)
"""Kinds whose API is not OpenAI's, and the schema for each: chat requests need a target that translates."""
GUESSED_PREFIXES: tuple[tuple[str, str], ...] = (
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
    ("text-davinci", "openai"),
    ("davinci", "openai"),
    ("dall-e", "openai"),
    ("whisper-", "openai"),
    ("tts-", "openai"),
    ("omni-moderation", "openai"),
    ("gpt", "openai"),
    ("claude", "anthropic"),
    ("command", "cohere"),
    ("embed-", "cohere"),
    ("gemini", "vertex_ai"),
    ("mistral-", "mistral"),
    ("deepseek-", "deepseek"),
    ("anthropic.", "bedrock"),
    ("amazon.", "bedrock"),
    ("meta.", "bedrock"),
    ("us.", "bedrock"),
    ("eu.", "bedrock"),
    ("grok-", "xai"),
)
"""Model names without a prefix, which LiteLLM looks up in its price list."""
