"""What no part of the mapper has read: values without effect in groups, all others one by one."""

from __future__ import annotations

import re

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.coverage import Coverage, sweep, without_indexes
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.stock.models import PROSE
from vsr_compiler.importer.stock.settings import OWN
from vsr_compiler.syntax.nodes import Node

LOADING = "how the stock router loads and runs its models"
STORES = "where the stock router keeps its caches; the runtime has its own store"
NAMES = "names without effect in a policy"
OBJECTS = "metadata of objects"
SWITCHED = "parts of the stock router whose state a policy says by having or not having them"
UNUSED = "defaults that nothing in the source uses"
GROUPS: tuple[tuple[str, str], ...] = (
    (r"(apiVersion|kind|metadata|status)\b.*", OBJECTS),
    (r"(.*\.)?(description|use_reasoning_description|reasoning_description)", PROSE),
    (r"(.*\.)?(quality_score|param_size|capabilities\[\]|tags\[\]|modality)", PROSE),
    (r"global\.model_catalog\.modules\.(prompt_guard|classifier\.pii)\.enabled", SWITCHED),
    (
        (
            r"global\.model_catalog\.modules\.(prompt_guard|classifier\.pii)\."
            r"(model_ref|model_id|use_cpu|use_modernbert|use_mmbert_32k|use_vllm|variant|\w+_mapping_path)"
        ),
        LOADING,
    ),
    (r"global\.model_catalog\.modules\.(?!prompt_guard\b|classifier\.pii\b).*", OWN),
    (
        (
            r"global\.stores\.(response_cache|semantic_cache)\."
            r"(backend_type|backend_config_path|max_entries|eviction_policy|embedding_model|use_hnsw|hnsw_\w+|"
            r"redis|milvus|qdrant|valkey|memory|hybrid)\b.*"
        ),
        STORES,
    ),
    (
        (
            r"global\.(model_catalog\.modules\.(prompt_guard|classifier\.pii)\.threshold|"
            r"stores\.(response_cache|semantic_cache)\.(enabled|similarity_threshold|ttl_seconds))"
        ),
        UNUSED,
    ),
    (r"(providers\.defaults\.)?reasoning_families(\.[^\[\]]+)?(?<!\.type)(?<!\.parameter)", UNUSED),
    (r"(.*\.)?backend_refs\[\]\.(name|type)", NAMES),
    (r"vllm_endpoints\[\]\.(name|health_check_path|type)", NAMES),
)
"""Paths without indexes, by pattern, with why they have no effect; the first that matches counts."""
HINT = "The policy language has no field for it, or the importer does not know it."


def report(roots: list[Node], coverage: Coverage, job: Job) -> None:
    """Report what was neither read nor reported, in the layout that the mapper reads and then in the sources."""
    for root in roots:
        sweep(root, coverage, lambda path, span: _one(job, path, span), job.losses.places())


def _one(job: Job, path: str, span: Span) -> None:
    plain = without_indexes(path)
    for pattern, why in GROUPS:
        if re.fullmatch(pattern, plain):
            job.losses.group("VSR527", why, plain, span)
            return
    job.losses.add("VSR526", f"`{path[:200]}` is not carried over", span, HINT)
