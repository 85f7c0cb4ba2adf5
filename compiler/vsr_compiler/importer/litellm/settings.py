"""Settings of LiteLLM by what they mean for a policy."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SECTIONS = (
    "model_list",
    "litellm_settings",
    "router_settings",
    "general_settings",
    "environment_variables",
    "guardrails",
    "credential_list",
    "include",
)
"""Sections that are read. `callback_settings` and others are about observability."""
OTHER_SECTIONS = frozenset(
    [
        "callback_settings",
        "mcp_servers",
        "mcp_tools",
        "files_settings",
        "finetune_settings",
        "assistant_settings",
        "vector_store_registry",
        "search_tools",
        "prompts",
        "policies",
        "policy_attachments",
        "agent_list",
        "agents",
    ]
)

ACCESS: Mapping[str, str] = MappingProxyType(
    {
        "custom_auth": "authenticates clients with code of yours",
        "enable_jwt_auth": "authenticates clients by tokens",
        "enable_oauth2_auth": "authenticates clients by OAuth 2",
        "enable_oauth2_proxy_auth": "authenticates clients by a proxy",
        "allowed_ips": "admits only some addresses",
        "allowed_routes": "admits only some paths",
        "public_routes": "opens paths to everybody",
        "role_permissions": "limits what roles may do",
        "use_client_credentials_pass_through_routes": "sends the client's credentials on",
        "enforce_user_param": "requires a user in each request",
        "enforced_params": "requires parameters in each request",
        "default_team_disabled": "requires a team for each key",
    }
)
"""Keys of ``general_settings`` that restrict who may do what, besides ``master_key``."""

AMOUNTS: Mapping[str, str] = MappingProxyType(
    {
        "litellm_settings.max_budget": "a budget of all requests together",
        "litellm_settings.max_user_budget": "a budget of each user",
        "litellm_settings.max_internal_user_budget": "a budget of each user",
        "litellm_settings.max_end_user_budget": "a budget of each end user",
        "litellm_settings.default_internal_user_params": "budgets and limits of users",
        "litellm_settings.default_team_params": "budgets and limits of teams",
        "litellm_settings.default_team_settings": "settings of teams",
        "litellm_settings.default_key_generate_params": "budgets and limits of keys",
        "litellm_settings.upperbound_key_generate_params": "upper bounds of keys",
        "litellm_settings.key_generation_settings": "who may create keys",
        "litellm_settings.priority_reservation": "reserved shares of tokens",
        "litellm_settings.tag_budget_config": "budgets by tag",
        "litellm_settings.model_group_max_parallel_requests": "parallel requests of models",
        "router_settings.provider_budget_config": "budgets of providers",
        "router_settings.model_group_retry_policy": "retries by model and error",
        "router_settings.retry_policy": "retries by error",
        "router_settings.default_max_parallel_requests": "parallel requests of deployments",
        "general_settings.max_parallel_requests": "parallel requests of keys",
        "general_settings.global_max_parallel_requests": "parallel requests of the proxy",
        "general_settings.max_request_size_mb": "the size of requests",
    }
)
"""Budgets and limits for which the policy needs more than the file says."""

READ: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "litellm_settings": frozenset(
            [
                "fallbacks",
                "context_window_fallbacks",
                "content_policy_fallbacks",
                "default_fallbacks",
                "num_retries",
                "request_timeout",
                "cache",
                "cache_params",
                "guardrails",
                "callbacks",
                "banned_keywords_list",
                "blocked_user_list",
                "model_group_alias",
                "presidio_ad_hoc_recognizers",
                "output_parse_pii",
                "budget_duration",
            ]
        ),
        "router_settings": frozenset(
            [
                "fallbacks",
                "context_window_fallbacks",
                "content_policy_fallbacks",
                "default_fallbacks",
                "num_retries",
                "timeout",
                "model_group_alias",
                "routing_strategy",
                "optional_pre_call_checks",
                "enable_pre_call_checks",
            ]
        ),
        "general_settings": frozenset({"master_key", "completion_model", "database_url", "store_model_in_db"}),
    }
)
"""Keys that are read elsewhere in this package."""

STRATEGIES = frozenset({"", "simple-shuffle"})
"""Values of ``routing_strategy`` that the weights of endpoints do as well."""
WINDOWS: Mapping[str, str] = MappingProxyType(
    {
        "1m": "1m",
        "60s": "1m",
        "1h": "1h",
        "60m": "1h",
        "3600s": "1h",
        "1d": "1d",
        "24h": "1d",
        "30d": "30d",
        "1mo": "30d",
    }
)
"""``budget_duration``, and the window of a limit."""
MODERATION: Mapping[str, str] = MappingProxyType(
    {
        "aim": "Aim",
        "akto": "Akto",
        "aporia": "Aporia",
        "azure/prompt_shield": "Azure Prompt Shield",
        "azure/text_moderations": "Azure Content Safety",
        "azure_content_safety": "Azure Content Safety",
        "bedrock": "Bedrock Guardrails",
        "custom": "code of yours",
        "custom_code": "code of yours",
        "dynamoai": "DynamoAI",
        "enkryptai": "EnkryptAI",
        "generic_guardrail_api": "a guardrail API",
        "google_text_moderation": "Google text moderation",
        "grayswan": "Gray Swan",
        "guardrails_ai": "Guardrails AI",
        "hiddenlayer": "HiddenLayer",
        "ibm_guardrails": "IBM guardrails",
        "javelin": "Javelin",
        "lasso": "Lasso",
        "llamaguard_moderations": "Llama Guard",
        "model_armor": "Google Model Armor",
        "noma": "Noma",
        "onyx": "Onyx",
        "openai_moderation": "OpenAI moderation",
        "openai_moderations": "OpenAI moderation",
        "pangea": "Pangea",
        "panw_prisma_airs": "Prisma AIRS",
        "pillar": "Pillar",
        "prompt_security": "Prompt Security",
        "tool_permission": "permissions of tools",
        "unified_guardrail": "a unified guardrail",
        "zscaler_ai_guard": "Zscaler AI Guard",
        "google_text_moderations": "Google text moderation",
        "blocked_user_check": "a list of blocked users",
    }
)
"""Guardrails that call something else, for which a policy has no guard."""
INJECTION: Mapping[str, str] = MappingProxyType(
    {
        "lakera": "Lakera",
        "lakera_v2": "Lakera",
        "lakera_prompt_injection": "Lakera",
        "detect_prompt_injection": "LiteLLM's detection of prompt injection",
        "azure/prompt_shield": "Azure Prompt Shield",
    }
)
"""Guardrails against prompt injection: `patterns: injection` finds some of what they find."""
HARMLESS_CALLBACKS = frozenset(
    [
        "argilla",
        "arize",
        "arize_phoenix",
        "athina",
        "azure_sentinel",
        "azure_storage",
        "agentops",
        "braintrust",
        "cloudzero",
        "cost_tracking",
        "custom",
        "custom_logger",
        "datadog",
        "datadog_llm_observability",
        "deepeval",
        "dynamodb",
        "galileo",
        "gcs_bucket",
        "gcs_pubsub",
        "greenscale",
        "generic_api",
        "helicone",
        "humanloop",
        "lago",
        "langfuse",
        "langfuse_otel",
        "langsmith",
        "langtrace",
        "levo",
        "literal_ai",
        "logfire",
        "lunary",
        "max_budget_limiter",
        "mlflow",
        "opentelemetry",
        "openmeter",
        "opik",
        "otel",
        "posthog",
        "prometheus",
        "promptlayer",
        "s3",
        "s3_v2",
        "sentry",
        "slack",
        "smtp_email",
        "sqs",
        "supabase",
        "traceloop",
        "vector_store_pre_call_hook",
        "vantage",
        "wandb",
        "weave",
        "weave_otel",
        "batch_redis_requests",
        "dynamic_rate_limiter",
        "dynamic_rate_limiter_v3",
        "parallel_request_limiter",
    ]
)
"""Callbacks that observe, and change no request."""
