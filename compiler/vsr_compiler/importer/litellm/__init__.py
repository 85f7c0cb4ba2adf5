"""Configurations of the LiteLLM proxy: deployments, fallbacks, guardrails, budgets and auto routers.

Field names are those of LiteLLM's documentation (`docs/my-website/docs/proxy/config_settings.md`, `auto_routing.md`,
`guardrails/`, read on 2026-12-02).
"""

from vsr_compiler.importer.litellm.family import FAMILY

__all__ = ["FAMILY"]
