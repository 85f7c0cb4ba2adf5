"""The part of the stock router's config that release 0.4.0 accepts and that this project writes and executes.

The file declares ``version: v0.3``: upstream has kept that literal while the contract moved, so the release, not the
literal, names the contract. Everything outside this subset is refused by name, never skipped.

Source: the JSON Schema shipped in the PyPI wheel ``vllm-sr==0.4.0``.
"""

from __future__ import annotations

from vsr_schemas.routerconfig.v0_4_0.base import (
    StockModel,
)
from vsr_schemas.routerconfig.v0_4_0.decisions import (
    Decision,
    ModelRef,
    RuleLeaf,
    RuleNode,
)
from vsr_schemas.routerconfig.v0_4_0.plugins import (
    CacheSemantic,
    FastResponse,
    FastResponsePlugin,
    HeaderMutation,
    HeaderMutationPlugin,
    HeaderPair,
    Plugin,
    RequestParams,
    RequestParamsPlugin,
    ResponseCache,
    ResponseCachePlugin,
    SystemPrompt,
    SystemPromptPlugin,
    Tools,
    ToolsPlugin,
)
from vsr_schemas.routerconfig.v0_4_0.projections import (
    ProjectionCalibration,
    ProjectionInput,
    ProjectionMapping,
    ProjectionOutput,
    ProjectionPartition,
    Projections,
    ProjectionScore,
)
from vsr_schemas.routerconfig.v0_4_0.providers import (
    BackendRef,
    Lora,
    ModelCard,
    Pricing,
    ProviderDefaults,
    ProviderModel,
    Providers,
    Reasoning,
)
from vsr_schemas.routerconfig.v0_4_0.router import (
    Global,
    RouterConfig,
    RouterGlobal,
    Routing,
)
from vsr_schemas.routerconfig.v0_4_0.signals import (
    MMLU_CATEGORIES,
    Candidates,
    ComplexityRule,
    ContextRule,
    ConversationFeature,
    ConversationRule,
    ConversationSource,
    Domain,
    EmbeddingRule,
    InputModalityRule,
    JailbreakRule,
    KeywordRule,
    LanguageRule,
    PiiRule,
    Predicate,
    Signals,
    StructureFeature,
    StructureRule,
    StructureSource,
)

RELEASE = "0.4.0"

__all__ = (
    "MMLU_CATEGORIES",
    "RELEASE",
    "BackendRef",
    "CacheSemantic",
    "Candidates",
    "ComplexityRule",
    "ContextRule",
    "ConversationFeature",
    "ConversationRule",
    "ConversationSource",
    "Decision",
    "Domain",
    "EmbeddingRule",
    "FastResponse",
    "FastResponsePlugin",
    "Global",
    "HeaderMutation",
    "HeaderMutationPlugin",
    "HeaderPair",
    "InputModalityRule",
    "JailbreakRule",
    "KeywordRule",
    "LanguageRule",
    "Lora",
    "ModelCard",
    "ModelRef",
    "PiiRule",
    "Plugin",
    "Predicate",
    "Pricing",
    "ProjectionCalibration",
    "ProjectionInput",
    "ProjectionMapping",
    "ProjectionOutput",
    "ProjectionPartition",
    "ProjectionScore",
    "Projections",
    "ProviderDefaults",
    "ProviderModel",
    "Providers",
    "Reasoning",
    "RequestParams",
    "RequestParamsPlugin",
    "ResponseCache",
    "ResponseCachePlugin",
    "RouterConfig",
    "RouterGlobal",
    "Routing",
    "RuleLeaf",
    "RuleNode",
    "Signals",
    "StockModel",
    "StructureFeature",
    "StructureRule",
    "StructureSource",
    "SystemPrompt",
    "SystemPromptPlugin",
    "Tools",
    "ToolsPlugin",
)
