"""The files that the router reads: its config, its settings and classifier heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity, Span
from vsr_compiler.heads.compile import compile_heads, untrained_settings
from vsr_compiler.heads.head_quality import check_heads
from vsr_compiler.heads.label_heads import measurements, with_head_thresholds
from vsr_compiler.manifests.yaml import Json, UnprintableError, dump, header
from vsr_compiler.pipeline.candidates import share_conflicts
from vsr_compiler.routerconfig import CONFIG, SETTINGS
from vsr_compiler.routerconfig.loading import check_loading
from vsr_compiler.routerconfig.semantic_router import stock_body
from vsr_compiler.routerconfig.vsr_runtime import router_config, runtime_settings

CANDIDATES = "candidates"
"""The folder of the router files of candidates, in a folder each."""
Existing = Callable[[str], bytes | None]
"""Reads a file of the policy's existing output by path; returns None if there is none."""


def with_router_files(policy: ir.Policy, existing: Existing, *, rebuild: bool) -> tuple[ir.Policy, dict[str, Any]]:
    """Return the policy with its router files, and the content of the YAML files by their text.

    The router files are config, settings and classifier heads. The stock router has only a config.
    """
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        config = stock_body(policy)
        text = file_text(config, policy.span)
        return replace(policy, router=replace(policy.router, files={CONFIG: text})), {text.decode(): config}
    if refused := [*loading_errors(policy), *share_conflicts(policy)]:
        raise CompileError(refused)
    policy, by_text = _with_candidates(policy, existing, rebuild=rebuild)
    heads = compile_heads(policy, lambda name: existing(f"router/{name}"), rebuild=rebuild)
    policy = with_head_thresholds(policy, heads.classifiers)
    thresholds = {name: one.threshold for name, one in heads.classifiers.items()}
    judged = list(check_heads(policy, measurements(policy, heads.files), thresholds))
    if any(item.level is Severity.ERROR for item in judged):
        raise CompileError(judged)
    config = router_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True)
    runtime = runtime_settings(policy, heads.classifiers).model_dump(mode="json", exclude_none=True)
    bodies = {CONFIG: config, SETTINGS: runtime}
    texts = {name: file_text(body, policy.span) for name, body in bodies.items()}
    router = replace(policy.router, files={**texts, **heads.files})
    by_text |= {texts[name].decode(): body for name, body in bodies.items()}
    return replace(policy, router=router, warnings=(*policy.warnings, *heads.warnings, *judged)), by_text


def _with_candidates(policy: ir.Policy, existing: Existing, *, rebuild: bool) -> tuple[ir.Policy, dict[str, Any]]:
    """Return the policy with the router files of its candidates, and the content of their YAML files."""
    made: dict[str, ir.Policy] = {}
    by_text: dict[str, Any] = {}
    for name, candidate in policy.candidates.items():

        def own(file: str, name: str = name) -> bytes | None:
            return existing(f"{CANDIDATES}/{name}/{file.removeprefix('router/')}")

        made[name], bodies = with_router_files(candidate, own, rebuild=rebuild)
        by_text |= bodies
    return (replace(policy, candidates=made) if made else policy), by_text


def loading_errors(policy: ir.Policy) -> list[Diagnostic]:
    """Return why the runtime would not load the policy. It is asked before anything is trained."""
    return list(check_loading(policy, untrained_settings(policy)))


def file_text(body: Json, origin: Span) -> bytes:
    """Return a body as the content of a file. VSR507 for a value that kustomize would alter."""
    try:
        return header(dump(body)).encode()
    except UnprintableError as error:
        raise CompileError([Diagnostic("VSR507", str(error), origin)]) from None
