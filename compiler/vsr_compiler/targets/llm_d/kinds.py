"""The kinds of llm-d."""

from __future__ import annotations

from vsr_compiler.manifests.kinds import AlwaysHealthy, Kind, Wave, kinds_of

KINDS: tuple[Kind, ...] = kinds_of(
    "llm-d.ai", "InferenceModelRewrite InferenceObjective", Wave.REFERENCED, AlwaysHealthy()
)
