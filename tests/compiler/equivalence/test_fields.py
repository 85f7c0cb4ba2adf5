"""Nothing of a config is equal by omission: each field of the contract makes a difference, or is named here."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from vsr_compiler.equivalence import IncomparableError, prove, read_side
from vsr_compiler.equivalence.leaves import COLLECTIONS
from vsr_schemas.routerconfig import v0_4_0 as contract

Json = dict[str, Any]
KEYWORD: Json = {"name": "k", "operator": "OR", "keywords": ["a"], "case_sensitive": False, "method": "bm25"}
BASE: Json = {
    "version": "v0.3",
    "listeners": [],
    "providers": {
        "defaults": {"model": "small"},
        "models": [{"name": name, "backend_refs": []} for name in ("small", "big")],
    },
    "routing": {
        "modelCards": [{"name": "small", "loras": [{"name": "own"}]}, {"name": "big"}],
        "signals": {
            "domains": [{"name": "math", "description": "", "mmlu_categories": ["math"]}],
            "keywords": [KEYWORD],
            "context": [{"name": "c", "min_tokens": "5", "max_tokens": "90"}],
            "structure": [
                {
                    "name": "s",
                    "feature": {"type": "count", "source": {"type": "keyword_set", "keywords": ["a"]}},
                    "predicate": {"gte": 2.0},
                }
            ],
            "conversation": [
                {"name": "v", "feature": {"type": "count", "source": {"type": "message"}}, "predicate": {"gte": 2.0}}
            ],
            "pii": [{"name": "p", "threshold": 0.5, "pii_types_allowed": ["PERSON"], "include_history": False}],
            "embeddings": [{"name": "e", "threshold": 0.5, "candidates": ["a"], "aggregation_method": "max"}],
            "language": [{"name": "de", "description": ""}],
            "complexity": [
                {"name": "x", "threshold": 0.2, "hard": {"candidates": ["a"]}, "easy": {"candidates": ["b"]}}
            ],
            "jailbreak": [{"name": "j", "method": "classifier", "threshold": 0.5, "include_history": False}],
            "input_modality": [{"name": "image", "description": "", "modality": "image"}],
            "fact_check": [{"name": "needs_fact_check"}],
            "role_bindings": [{"name": "r", "role": "admin", "subjects": [{"kind": "Group", "name": "ops"}]}],
        },
        "projections": {
            "partitions": [
                {"name": "g", "semantics": "exclusive", "members": ["g0", "g1"], "default": "g0", "temperature": 1.0}
            ],
            "scores": [
                {
                    "name": "t",
                    "method": "weighted_sum",
                    "inputs": [{"type": "keyword", "name": "k", "weight": 1.0, "value_source": "binary"}],
                }
            ],
            "mappings": [
                {
                    "name": "m",
                    "source": "t",
                    "method": "threshold_bands",
                    "outputs": [{"name": "low", "lt": 0.6}, {"name": "band", "gte": 0.5}],
                }
            ],
        },
        "decisions": [],
    },
    "global": {"router": {"auto_model_names": ["auto"]}},
}
BASE["routing"]["signals"]["embeddings"] += [
    {"name": name, "threshold": 0.5, "candidates": [name], "aggregation_method": "max"} for name in ("g0", "g1")
]
LEAVES = [
    *(("domain", "math"), ("keyword", "k"), ("context", "c"), ("structure", "s"), ("conversation", "v"), ("pii", "p")),
    *(
        ("embedding", "e"),
        ("language", "de"),
        ("complexity", "x:hard"),
        ("jailbreak", "j"),
        ("input_modality", "image"),
    ),
    *(("projection", "band"), ("embedding", "g0"), ("authz", "admin"), ("fact_check", "needs_fact_check")),
]
BASE["routing"]["decisions"] = [
    {
        "name": f"d{index}",
        "priority": 100 - index,
        "rules": {"operator": "AND", "conditions": [{"type": kind, "name": name}]},
        "modelRefs": [{"model": "big", "use_reasoning": True, "reasoning_effort": "low"}],
        "plugins": [
            {"type": "system_prompt", "configuration": {"system_prompt": f"{index}", "mode": "insert"}},
            {"type": "header_mutation", "configuration": {"update": [{"name": "x-a", "value": "1"}]}},
            {"type": "request_params", "configuration": {"max_tokens_limit": 5}},
            {"type": "tools", "configuration": {"mode": "filtered", "allow_tools": ["a"]}},
            {
                "type": "response_cache",
                "configuration": {"mode": "semantic", "semantic": {"similarity_threshold": 0.5}},
            },
        ],
    }
    for index, (kind, name) in enumerate(LEAVES)
]
BASE["routing"]["decisions"][0] |= {
    "modelRefs": [{"model": "big", "use_reasoning": True, "reasoning_effort": "low"}, {"model": "small"}],
    "algorithm": {"type": "multi_factor", "multi_factor": {"weights": {"quality": 1.0}, "slo": {"max_inflight": 3}}},
}
FACTORS = "routing.decisions.0.algorithm.multi_factor"
LATENCY = "routing.decisions.0.algorithm"
CHANGED: dict[tuple[str, str], tuple[str, Any]] = {
    ("RoleBinding", "role"): ("routing.signals.role_bindings.0.role", "owner"),
    ("RoleBinding", "subjects"): ("routing.signals.role_bindings.0.subjects", [{"kind": "User", "name": "ops"}]),
    ("LatencyAware", "tpot_percentile"): (LATENCY, {"type": "latency_aware", "latency_aware": {"tpot_percentile": 9}}),
    ("LatencyAware", "ttft_percentile"): (LATENCY, {"type": "latency_aware", "latency_aware": {"ttft_percentile": 9}}),
    ("Algorithm", "latency_aware"): (LATENCY, {"type": "latency_aware", "latency_aware": {"ttft_percentile": 8}}),
    ("Algorithm", "multi_factor"): (FACTORS, {"weights": {"cost": 1.0}}),
    ("MultiFactor", "weights"): (f"{FACTORS}.weights", {"cost": 1.0}),
    ("MultiFactor", "slo"): (f"{FACTORS}.slo", {"max_cost_per_1m": 1.0}),
    ("MultiFactor", "latency_percentile"): (f"{FACTORS}.latency_percentile", 50),
    ("MultiFactor", "on_no_candidates"): (f"{FACTORS}.on_no_candidates", "first"),
    **{
        ("MultiFactorWeights", name): (f"{FACTORS}.weights.{name}", 0.3)
        for name in contract.MultiFactorWeights.model_fields
    },
    **{
        ("MultiFactorCeilings", name): (f"{FACTORS}.slo.{name}", 5)
        for name in contract.MultiFactorCeilings.model_fields
    },
    ("ModelCard", "quality_score"): ("routing.modelCards.1.quality_score", 0.9),
    ("Pricing", "prompt_per_1m"): ("providers.models.1.pricing", {"prompt_per_1m": 9.0}),
    ("ModelCatalog", "modules"): ("global.model_catalog.modules", {"classifier": {"domain": {"threshold": 0.6}}}),
    **{
        ("DomainModule", name): (f"global.model_catalog.modules.classifier.domain.{name}", 0.6)
        for name in contract.DomainModule.model_fields
    },
    ("Domain", "mmlu_categories"): ("routing.signals.domains.0.mmlu_categories", ["math", "law"]),
    ("KeywordRule", "operator"): ("routing.signals.keywords.0.operator", "AND"),
    ("KeywordRule", "keywords"): ("routing.signals.keywords.0.keywords", ["b"]),
    ("KeywordRule", "case_sensitive"): ("routing.signals.keywords.0.case_sensitive", True),
    ("KeywordRule", "method"): ("routing.signals.keywords.0.method", "ngram"),
    ("KeywordRule", "fuzzy_match"): ("routing.signals.keywords.0.fuzzy_match", True),
    ("KeywordRule", "fuzzy_threshold"): ("routing.signals.keywords.0.fuzzy_threshold", 1),
    ("KeywordRule", "bm25_threshold"): ("routing.signals.keywords.0.bm25_threshold", 0.3),
    ("KeywordRule", "ngram_threshold"): ("routing.signals.keywords.0.ngram_threshold", 0.3),
    ("KeywordRule", "ngram_arity"): ("routing.signals.keywords.0.ngram_arity", 4),
    ("ContextRule", "min_tokens"): ("routing.signals.context.0.min_tokens", "6"),
    ("ContextRule", "max_tokens"): ("routing.signals.context.0.max_tokens", "91"),
    ("StructureRule", "feature"): ("routing.signals.structure.0.feature.type", "exists"),
    ("StructureRule", "predicate"): ("routing.signals.structure.0.predicate", {"gte": 3.0}),
    ("StructureFeature", "type"): ("routing.signals.structure.0.feature.type", "density"),
    ("StructureFeature", "source"): ("routing.signals.structure.0.feature.source.type", "text_bytes"),
    ("StructureSource", "type"): ("routing.signals.structure.0.feature.source.type", "sequence"),
    ("StructureSource", "pattern"): ("routing.signals.structure.0.feature.source.pattern", "x"),
    ("StructureSource", "keywords"): ("routing.signals.structure.0.feature.source.keywords", ["b"]),
    ("StructureSource", "sequences"): ("routing.signals.structure.0.feature.source.sequences", [["b"]]),
    ("StructureSource", "case_sensitive"): ("routing.signals.structure.0.feature.source.case_sensitive", True),
    ("ConversationRule", "feature"): ("routing.signals.conversation.0.feature.type", "exists"),
    ("ConversationRule", "predicate"): ("routing.signals.conversation.0.predicate", {"gte": 3.0}),
    ("ConversationFeature", "type"): ("routing.signals.conversation.0.feature.type", "exists"),
    ("ConversationFeature", "source"): ("routing.signals.conversation.0.feature.source.type", "tool_definition"),
    ("ConversationSource", "type"): ("routing.signals.conversation.0.feature.source.type", "image_content"),
    ("ConversationSource", "role"): ("routing.signals.conversation.0.feature.source.role", "user"),
    ("Predicate", "gt"): ("routing.signals.structure.0.predicate.gt", 4.0),
    ("Predicate", "gte"): ("routing.signals.structure.0.predicate.gte", 4.0),
    ("Predicate", "lt"): ("routing.signals.structure.0.predicate.lt", 9.0),
    ("Predicate", "lte"): ("routing.signals.structure.0.predicate.lte", 9.0),
    ("PiiRule", "threshold"): ("routing.signals.pii.0.threshold", 0.6),
    ("PiiRule", "pii_types_allowed"): ("routing.signals.pii.0.pii_types_allowed", []),
    ("PiiRule", "include_history"): ("routing.signals.pii.0.include_history", True),
    ("EmbeddingRule", "threshold"): ("routing.signals.embeddings.0.threshold", 0.6),
    ("EmbeddingRule", "candidates"): ("routing.signals.embeddings.0.candidates", ["b"]),
    ("EmbeddingRule", "aggregation_method"): ("routing.signals.embeddings.0.aggregation_method", "mean"),
    ("EmbeddingRule", "query_modality"): ("routing.signals.embeddings.0.query_modality", "image"),
    ("LanguageRule", "threshold"): ("routing.signals.language.0.threshold", 0.6),
    ("RuleLeaf", "on_unknown"): ("routing.decisions.0.rules.conditions.0.on_unknown", "match"),
    ("RuleNode", "on_unknown"): ("routing.decisions.0.rules.on_unknown", "match"),
    ("InputModalityRule", "modality"): ("routing.signals.input_modality.0.modality", "audio"),
    ("Candidates", "candidates"): ("routing.signals.complexity.0.easy.candidates", ["c"]),
    ("ComplexityRule", "threshold"): ("routing.signals.complexity.0.threshold", 0.3),
    ("ComplexityRule", "hard"): ("routing.signals.complexity.0.hard", {"candidates": ["c"]}),
    ("ComplexityRule", "easy"): ("routing.signals.complexity.0.easy", {"candidates": ["c"]}),
    ("ComplexityRule", "composer"): ("routing.signals.complexity.0.composer", {"type": "language", "name": "de"}),
    ("JailbreakRule", "method"): ("routing.signals.jailbreak.0.method", "contrastive"),
    ("JailbreakRule", "threshold"): ("routing.signals.jailbreak.0.threshold", 0.6),
    ("JailbreakRule", "include_history"): ("routing.signals.jailbreak.0.include_history", True),
    ("ProjectionPartition", "semantics"): ("routing.projections.partitions.0.semantics", "softmax_exclusive"),
    ("ProjectionPartition", "members"): ("routing.projections.partitions.0.members", ["g0"]),
    ("ProjectionPartition", "default"): ("routing.projections.partitions.0.default", "g1"),
    ("ProjectionPartition", "temperature"): ("routing.projections.partitions.0.temperature", 2.0),
    ("ProjectionScore", "method"): ("routing.projections.scores.0.method", "maximum"),
    ("ProjectionScore", "inputs"): ("routing.projections.scores.0.inputs", []),
    ("ProjectionInput", "type"): ("routing.projections.scores.0.inputs.0.type", "context"),
    ("ProjectionInput", "name"): ("routing.projections.scores.0.inputs.0.name", "k2"),
    ("ProjectionInput", "weight"): ("routing.projections.scores.0.inputs.0.weight", 2.0),
    ("ProjectionInput", "value_source"): ("routing.projections.scores.0.inputs.0.value_source", "raw"),
    ("ProjectionInput", "match"): ("routing.projections.scores.0.inputs.0.match", 2.0),
    ("ProjectionInput", "miss"): ("routing.projections.scores.0.inputs.0.miss", 2.0),
    ("ProjectionInput", "kb"): ("routing.projections.scores.0.inputs.0.kb", "b"),
    ("ProjectionInput", "metric"): ("routing.projections.scores.0.inputs.0.metric", "b"),
    ("ProjectionCalibration", "method"): ("routing.projections.mappings.0.calibration", {"method": "sigmoid_distance"}),
    ("ProjectionCalibration", "slope"): ("routing.projections.mappings.0.calibration", {"slope": 2.0}),
    ("ProjectionOutput", "lt"): ("routing.projections.mappings.0.outputs.1.lt", 0.9),
    ("ProjectionOutput", "lte"): ("routing.projections.mappings.0.outputs.1.lte", 0.9),
    ("ProjectionOutput", "gt"): ("routing.projections.mappings.0.outputs.1.gt", 0.7),
    ("ProjectionOutput", "gte"): ("routing.projections.mappings.0.outputs.1.gte", 0.7),
    ("ProjectionMapping", "source"): ("routing.projections.mappings.0.source", "u"),
    ("ProjectionMapping", "method"): ("routing.projections.mappings.0.method", "multi_emit"),
    ("ProjectionMapping", "calibration"): ("routing.projections.mappings.0.calibration", {"slope": 2.0}),
    ("ProjectionMapping", "outputs"): ("routing.projections.mappings.0.outputs", [{"name": "band", "gte": 0.7}]),
    ("Projections", "partitions"): ("routing.projections.partitions", []),
    ("Projections", "scores"): ("routing.projections.scores", []),
    ("Projections", "mappings"): ("routing.projections.mappings", []),
    ("RuleLeaf", "type"): ("routing.decisions.0.rules.conditions.0.type", "language"),
    ("RuleLeaf", "name"): ("routing.decisions.0.rules.conditions.0.name", "law"),
    ("RuleNode", "operator"): ("routing.decisions.0.rules.operator", "NOT"),
    ("RuleNode", "conditions"): ("routing.decisions.0.rules.conditions", []),
    ("ModelRef", "model"): ("routing.decisions.0.modelRefs.0.model", "small"),
    ("ModelRef", "lora_name"): ("routing.decisions.0.modelRefs.0.lora_name", "own"),
    ("ModelRef", "use_reasoning"): ("routing.decisions.0.modelRefs.0.use_reasoning", False),
    ("ModelRef", "reasoning_mode"): ("routing.decisions.0.modelRefs.0.reasoning_mode", "adaptive"),
    ("ModelRef", "reasoning_effort"): ("routing.decisions.0.modelRefs.0.reasoning_effort", "high"),
    ("ModelRef", "weight"): (
        "routing.decisions.0.modelRefs",
        [{"model": "big", "weight": 0.5}, {"model": "small", "weight": 0.5}],
    ),
    ("Algorithm", "type"): ("routing.decisions.0.algorithm", {"type": "router_dc"}),
    ("Decision", "priority"): ("routing.decisions.0.priority", 1),
    ("Decision", "tier"): ("routing.decisions.0.tier", 2),
    ("Decision", "rules"): ("routing.decisions.0.rules", None),
    ("Decision", "modelRefs"): ("routing.decisions.0.modelRefs", []),
    ("Decision", "algorithm"): ("routing.decisions.0.algorithm", {"type": "router_dc"}),
    ("Decision", "plugins"): ("routing.decisions.0.plugins", []),
    ("SystemPrompt", "enabled"): ("routing.decisions.0.plugins.0.configuration.enabled", False),
    ("SystemPrompt", "system_prompt"): ("routing.decisions.0.plugins.0.configuration.system_prompt", "other"),
    ("SystemPrompt", "mode"): ("routing.decisions.0.plugins.0.configuration.mode", "replace"),
    ("HeaderPair", "name"): ("routing.decisions.0.plugins.1.configuration.update.0.name", "x-b"),
    ("HeaderPair", "value"): ("routing.decisions.0.plugins.1.configuration.update.0.value", "2"),
    ("HeaderMutation", "add"): ("routing.decisions.0.plugins.1.configuration.add", [{"name": "x-b", "value": "2"}]),
    ("HeaderMutation", "update"): ("routing.decisions.0.plugins.1.configuration.update", []),
    ("HeaderMutation", "delete"): ("routing.decisions.0.plugins.1.configuration.delete", ["x-b"]),
    ("RequestParams", "blocked_params"): ("routing.decisions.0.plugins.2.configuration.blocked_params", ["seed"]),
    ("RequestParams", "max_tokens_limit"): ("routing.decisions.0.plugins.2.configuration.max_tokens_limit", 6),
    ("RequestParams", "max_n"): ("routing.decisions.0.plugins.2.configuration.max_n", 6),
    ("RequestParams", "default_max_tokens"): ("routing.decisions.0.plugins.2.configuration.default_max_tokens", 6),
    ("RequestParams", "strip_unknown"): ("routing.decisions.0.plugins.2.configuration.strip_unknown", True),
    ("Tools", "enabled"): ("routing.decisions.0.plugins.3.configuration.enabled", False),
    ("Tools", "mode"): ("routing.decisions.0.plugins.3.configuration.mode", "none"),
    ("Tools", "allow_tools"): ("routing.decisions.0.plugins.3.configuration.allow_tools", ["b"]),
    ("Tools", "block_tools"): ("routing.decisions.0.plugins.3.configuration.block_tools", ["b"]),
    ("CacheSemantic", "similarity_threshold"): (
        "routing.decisions.0.plugins.4.configuration.semantic.similarity_threshold",
        0.6,
    ),
    ("ResponseCache", "enabled"): ("routing.decisions.0.plugins.4.configuration.enabled", False),
    ("ResponseCache", "mode"): ("routing.decisions.0.plugins.4.configuration.mode", "exact"),
    ("ResponseCache", "scope"): ("routing.decisions.0.plugins.4.configuration.scope", "global"),
    ("ResponseCache", "semantic"): ("routing.decisions.0.plugins.4.configuration.semantic", None),
    ("ResponseCache", "similarity_threshold"): (
        "routing.decisions.0.plugins.4.configuration.similarity_threshold",
        0.6,
    ),
    ("ResponseCache", "ttl_seconds"): ("routing.decisions.0.plugins.4.configuration.ttl_seconds", 5),
    ("FastResponse", "message"): (
        "routing.decisions.0.plugins",
        [{"type": "fast_response", "configuration": {"message": "no"}}],
    ),
    ("ProviderDefaults", "model"): ("providers.defaults.model", "big"),
    ("ProviderModel", "name"): ("providers.models.0.name", "other"),
    ("Lora", "name"): ("routing.modelCards.0.loras.0.name", "other"),
    ("ModelCard", "loras"): ("routing.modelCards.0.loras", []),
    ("RouterGlobal", "auto_model_names"): ("global.router.auto_model_names", ["MoM"]),
    ("Global", "model_catalog"): ("global.model_catalog", {"embeddings": {"a": 1}}),
    ("ModelCatalog", "embeddings"): ("global.model_catalog", {"embeddings": {"a": 1}}),
    ("Routing", "strategy"): ("routing.strategy", "confidence"),
    ("Routing", "signals"): ("routing.signals", {}),
    ("Routing", "projections"): ("routing.projections", {}),
    ("Routing", "decisions"): ("routing.decisions", []),
    ("Recipe", "routing"): ("recipes", [{"name": "a", "routing": {}}]),
    ("Entrypoint", "recipe"): ("entrypoints", [{"model_names": ["a"], "recipe": "a"}]),
}
"""A change for each field: where, and to what."""
PARTS = {"providers", "routing", "global", "global_", "recipes", "entrypoints", "models", "defaults", "router", "type"}
"""Fields whose parts have changes of their own."""
WITHOUT_EFFECT: dict[str, frozenset[str]] = {
    "RouterConfig": frozenset({"version", "listeners"}),
    "RouterGlobal": frozenset({"clear_route_cache"}),
    "Listener": frozenset(contract.Listener.model_fields),
    "BackendRef": frozenset(contract.BackendRef.model_fields),
    "Pricing": frozenset({"completion_per_1m"}),
    "LatencyAware": frozenset({"description"}),
    "Global": frozenset({"services"}),
    "Reasoning": frozenset(contract.Reasoning.model_fields),
    "ReasoningFamily": frozenset(contract.ReasoningFamily.model_fields),
    "ProviderModel": frozenset(
        {"external_model_ids", "backend_refs", "provider_model_id", "pricing", "reasoning", "reasoning_family"}
    ),
    "ProviderDefaults": frozenset({"reasoning_effort", "reasoning_families"}),
    "ModelCard": frozenset({"context_window_size", "name"}),
    "Routing": frozenset({"modelCards"}),
    "Recipe": frozenset({"name", "description"}),
    "RecipeRouting": frozenset(contract.RecipeRouting.model_fields),
    "Entrypoint": frozenset({"model_names"}),
}
"""Which headers name clients is a matter of each engine's trust, which an import reports. The rest says where models
are, how they are told to reason and what answers cost, but decides nothing; recipes and entry points make a config that
is not compared."""


def _models() -> Iterator[type[BaseModel]]:
    for name in contract.__all__:
        item = getattr(contract, name)
        if isinstance(item, type) and issubclass(item, BaseModel) and item is not contract.StockModel:
            yield item


FIELDS = [
    (model.__name__, field)
    for model in _models()
    for field in model.model_fields
    if field not in {"name", "description"} or (model.__name__, field) in CHANGED
]


def changed(path: str, value: object) -> Json:
    """The config with another value at a path."""
    result = copy.deepcopy(BASE)
    *parents, last = path.split(".")
    here: Any = result
    for key in parents:
        here = here[int(key)] if isinstance(here, list) else here.setdefault(key, {})
    here[int(last) if isinstance(here, list) else last] = value
    return result


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_every_field_of_the_contract_is_known_to_the_prover(model: str, field: str) -> None:
    """A new field needs a change here that is found, or a reason why it decides nothing."""
    if model.endswith("Plugin") or model == "Signals" or field in PARTS - {"type"}:
        return
    if field in WITHOUT_EFFECT.get(model, ()):
        return
    path, value = CHANGED[model, field]
    try:
        assert prove(read_side(BASE), read_side(changed(path, value))).verdict == "different"
    except IncomparableError:
        assert model in {"Recipe", "Entrypoint"}


def test_every_collection_of_signals_is_known_to_the_prover() -> None:
    """By the type of its leaves."""
    assert set(contract.Signals.model_fields) <= set(COLLECTIONS.values())


@pytest.mark.parametrize(
    "path",
    [
        *(f"routing.signals.{collection}.0.later" for collection in contract.Signals.model_fields),
        *("routing.signals.structure.0.feature.source.later", "routing.signals.complexity.0.hard.later"),
        *("routing.decisions.0.later", "routing.decisions.0.modelRefs.0.later", "routing.decisions.0.plugins.0.later"),
        *("routing.projections.mappings.0.later", "routing.projections.scores.0.later"),
        *("routing.projections.scores.0.inputs.0.later", "routing.projections.mappings.0.outputs.0.later"),
        *("routing.projections.partitions.0.later", "routing.later"),
    ],
)
def test_a_field_that_nobody_knows_is_never_equal_by_omission(path: str) -> None:
    """The rule with it equals only one with the same field."""
    one, other = changed(path, "one"), changed(path, "other")
    assert prove(read_side(BASE), read_side(one)).verdict == "different"
    assert prove(read_side(one), read_side(other)).verdict == "different"
    assert prove(read_side(one), read_side(copy.deepcopy(one))).verdict == "equal"


def test_a_type_of_leaves_that_nobody_knows_is_a_variable_of_its_own() -> None:
    """It is the same only if its whole definition is."""
    sides = []
    for rules in ([{"name": "a", "limit": 1}], [{"name": "a", "limit": 2}], []):
        config = copy.deepcopy(BASE)
        config["routing"]["signals"]["later"] = rules
        config["routing"]["decisions"][0]["rules"] = {"type": "latest", "name": "a"}
        sides.append(read_side(config))
    for one, other in itertools.combinations(sides, 2):
        assert prove(one, other).verdict == "different"
    assert prove(sides[0], sides[0]).verdict == "equal"
