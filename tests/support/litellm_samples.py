"""Configurations of the LiteLLM proxy in the forms in which people write them, and the codes of their reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """A configuration, and what its import reports beside Secrets and settings without a counterpart."""

    text: str
    codes: frozenset[str] = frozenset()


def _sample(text: str, *codes: str) -> Sample:
    return Sample(text, frozenset(codes))


SAMPLES: dict[str, Sample] = {
    "one provider": _sample("""\
model_list:
  - model_name: gpt-4o-mini
    litellm_params:
      model: openai/gpt-4o-mini
      api_key: os.environ/OPENAI_API_KEY
"""),
    "a model without a prefix": _sample(
        """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: gpt-4o}
  - model_name: claude-sonnet
    litellm_params: {model: claude-sonnet-4-5, api_key: os.environ/ANTHROPIC_API_KEY}
""",
        "VSR559",
    ),
    "servers of one's own": _sample("""\
model_list:
  - model_name: llama-3.1-8b
    litellm_params:
      model: hosted_vllm/meta-llama/Llama-3.1-8B-Instruct
      api_base: http://llama.models.svc.cluster.local:8000/v1
    model_info: {max_input_tokens: 131072}
  - model_name: qwen
    litellm_params: {model: openai/Qwen/Qwen3-8B, api_base: "http://qwen.models:8000/v1", api_key: none}
"""),
    "replicas with weights": _sample("""\
model_list:
  - model_name: llama
    litellm_params: {model: hosted_vllm/llama, api_base: "http://llama-a:8000/v1", weight: 3}
  - model_name: llama
    litellm_params: {model: hosted_vllm/llama, api_base: "http://llama-b:8000/v1", weight: 1}
router_settings:
  routing_strategy: simple-shuffle
"""),
    "azure in two regions": _sample(
        """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: azure/gpt-4o-eu
      api_base: https://acme-eu.openai.azure.com/
      api_key: os.environ/AZURE_API_KEY_EU
      api_version: "2024-10-21"
      rpm: 6
  - model_name: gpt-4o
    litellm_params:
      model: azure/gpt-4o-us
      api_base: https://acme-us.openai.azure.com/
      api_key: os.environ/AZURE_API_KEY_US
      api_version: "2024-10-21"
      rpm: 12
""",
        "VSR543",
    ),
    "a fallback": _sample(
        """\
model_list:
  - model_name: small
    litellm_params: {model: hosted_vllm/small, api_base: "http://small:8000/v1"}
  - model_name: large
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
router_settings:
  fallbacks: [{small: [large]}]
  num_retries: 2
  timeout: 60
""",
        "VSR545",
    ),
    "fallbacks by kind": _sample(
        """\
model_list:
  - model_name: small
    litellm_params: {model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY}
  - model_name: long
    litellm_params: {model: gemini/gemini-2.5-pro, api_key: os.environ/GEMINI_API_KEY}
litellm_settings:
  context_window_fallbacks: [{small: [long]}]
  content_policy_fallbacks: [{small: [long]}]
  default_fallbacks: [long]
  request_timeout: 120
""",
        "VSR545",
    ),
    "aliases": _sample("""\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
router_settings:
  model_group_alias: {gpt-4: gpt-4o, my-gpt: {model: gpt-4o, hidden: false}}
"""),
    "a wildcard beside names": _sample(
        """\
model_list:
  - model_name: "openai/*"
    litellm_params: {model: "openai/*", api_key: os.environ/OPENAI_API_KEY}
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
""",
        "VSR544",
    ),
    "keys in the file": _sample(
        """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: sk-proj-abcdefghijklmnop0123456789}
  - model_name: mistral
    litellm_params:
      model: mistral/mistral-large-latest
      api_key: "5up3rS3cretM1stralKey"
general_settings:
  master_key: sk-1234
""",
        "VSR540",
        "VSR547",
    ),
    "a database of keys": _sample(
        """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  database_url: os.environ/DATABASE_URL
  store_model_in_db: true
  alerting: [slack]
""",
        "VSR547",
    ),
    "bedrock and vertex": _sample(
        """\
model_list:
  - model_name: claude
    litellm_params:
      model: bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0
      aws_region_name: eu-central-1
  - model_name: gemini
    litellm_params:
      model: vertex_ai/gemini-2.5-pro
      vertex_project: acme-project
      vertex_location: europe-west4
      vertex_credentials: os.environ/GOOGLE_APPLICATION_CREDENTIALS
""",
        "VSR559",
    ),
    "many providers": _sample("""\
model_list:
  - {model_name: groq-llama, litellm_params: {model: groq/llama-3.3-70b-versatile, api_key: os.environ/GROQ_API_KEY}}
  - {model_name: deepseek, litellm_params: {model: deepseek/deepseek-chat, api_key: os.environ/DEEPSEEK_API_KEY}}
  - {model_name: router, litellm_params: {model: openrouter/qwen/qwen3-235b, api_key: os.environ/OPENROUTER_API_KEY}}
  - {model_name: together, litellm_params: {model: together_ai/meta-llama/Llama-3-70b, api_key: os.environ/TOGETHER}}
  - {model_name: grok, litellm_params: {model: xai/grok-4, api_key: os.environ/XAI_API_KEY}}
  - {model_name: sonar, litellm_params: {model: perplexity/sonar, api_key: os.environ/PERPLEXITY_API_KEY}}
"""),
    "ollama on this machine": _sample(
        """\
model_list:
  - model_name: llama3
    litellm_params:
      model: ollama/llama3
      api_base: http://localhost:11434
  - model_name: phi
    litellm_params: {model: ollama_chat/phi4, api_base: "http://ollama:11434"}
""",
        "VSR552",
    ),
    "prices and limits": _sample(
        """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
      rpm: 500
      tpm: 100000
      input_cost_per_token: 0.0000025
      output_cost_per_token: 0.00001
      max_budget: 100
      budget_duration: 1d
router_settings:
  optional_pre_call_checks: [enforce_model_rate_limits]
litellm_settings:
  max_budget: 1000
  budget_duration: 30d
""",
        "VSR548",
    ),
    "embeddings and images": _sample("""\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
  - model_name: embed
    litellm_params: {model: openai/text-embedding-3-small, api_key: os.environ/OPENAI_API_KEY}
    model_info: {mode: embedding}
  - model_name: pictures
    litellm_params: {model: openai/gpt-image-1, api_key: os.environ/OPENAI_API_KEY}
    model_info: {mode: image_generation}
"""),
    "personal data": _sample("""\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
guardrails:
  - guardrail_name: pii
    litellm_params:
      guardrail: presidio
      mode: [pre_call, post_call]
      default_on: true
      output_parse_pii: true
      pii_entities_config: {CREDIT_CARD: BLOCK, EMAIL_ADDRESS: MASK, US_SSN: MASK}
"""),
    "a content filter": _sample("""\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
guardrails:
  - guardrail_name: filter
    litellm_params:
      guardrail: litellm_content_filter
      mode: pre_call
      default_on: true
      patterns:
        - {pattern_type: prebuilt, pattern_name: us_ssn, action: BLOCK}
        - {pattern_type: prebuilt, pattern_name: aws_access_key, action: MASK}
        - {pattern_type: regex, pattern: 'PROJECT-\\d{6}', name: project, action: BLOCK}
      blocked_words:
        - {keyword: "top secret (internal)", action: BLOCK}
  - guardrail_name: secrets
    litellm_params: {guardrail: hide-secrets, mode: pre_call, default_on: true}
"""),
    "an injection detector": _sample(
        """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
guardrails:
  - guardrail_name: lakera-guard
    litellm_params: {guardrail: lakera_v2, mode: during_call, api_key: os.environ/LAKERA_API_KEY}
litellm_settings:
  callbacks: [langfuse, prometheus]
""",
        "VSR546",
    ),
    "a cache": _sample(
        """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
litellm_settings:
  cache: true
  cache_params: {type: redis, host: redis, port: 6379, password: os.environ/REDIS_PASSWORD, ttl: 600}
""",
        "VSR558",
    ),
    "an auto router": _sample(
        """\
model_list:
  - model_name: fast
    litellm_params: {model: hosted_vllm/qwen, api_base: "http://qwen:8000/v1"}
  - model_name: coder
    litellm_params: {model: hosted_vllm/coder, api_base: "http://coder:8000/v1"}
  - model_name: embedder
    litellm_params: {model: openai/text-embedding-3-large, api_key: os.environ/OPENAI_API_KEY}
    model_info: {mode: embedding}
  - model_name: smart
    litellm_params:
      model: auto_router/smart
      auto_router_config: '{"routes": [{"name": "coder", "utterances": ["how to code a program in [language]",
        "explain this function"], "description": "code", "score_threshold": 0.5}]}'
      auto_router_default_model: fast
      auto_router_embedding_model: embedder
litellm_settings:
  cache: true
  cache_params: {type: local, ttl: 60}
router_settings:
  fallbacks: [{coder: [fast]}]
""",
        "VSR545",
        "VSR550",
        "VSR558",
    ),
    "a complexity router": _sample(
        """\
model_list:
  - model_name: haiku
    litellm_params: {model: openai/gpt-4o-mini, api_key: os.environ/OPENAI_API_KEY}
  - model_name: opus
    litellm_params: {model: openai/o3, api_key: os.environ/OPENAI_API_KEY}
  - model_name: smart
    litellm_params:
      model: auto_router/complexity_router
      complexity_router_config:
        tiers: {SIMPLE: haiku, MEDIUM: haiku, COMPLEX: opus, REASONING: [opus]}
        keyword_tier_rules:
          - {keywords: [kubernetes, istio], tier: REASONING}
      complexity_router_default_model: haiku
""",
        "VSR550",
    ),
    "named credentials and anchors": _sample(
        """\
x-common: &common
  litellm_credential_name: azure-eu
  timeout: 30
model_list:
  - model_name: gpt-4o
    litellm_params:
      <<: *common
      model: azure/gpt-4o
credential_list:
  - credential_name: azure-eu
    credential_values:
      api_key: os.environ/AZURE_API_KEY
      api_base: https://acme.openai.azure.com
      api_version: "2024-10-21"
""",
        "VSR551",
    ),
    "values of the chart": _sample(
        """\
image: {repository: ghcr.io/berriai/litellm-database, tag: main-latest}
masterkeySecretName: litellm
proxy_config:
  model_list:
    - model_name: gpt-4o
      litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
  general_settings:
    master_key: os.environ/PROXY_MASTER_KEY
""",
        "VSR547",
    ),
}
