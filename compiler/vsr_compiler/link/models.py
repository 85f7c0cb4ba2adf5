"""Links models, and the LoRA adapters that are models too."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.identity import client_tests
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES


def link_models(
    scope: Scope, policy: schema.PolicySpec, endpoints: dict[str, ir.Endpoint], identity: ir.Identity | None = None
) -> dict[str, ir.Model]:
    """Return all models by name, adapters included, sorted."""
    models: dict[str, ir.Model] = {}
    for name, spec in policy.models.items():
        path = ("models", name)
        resolved = _endpoints(scope, spec, endpoints, path)
        reasoning = _reasoning(scope, spec, path)
        models[name] = ir.Model(
            name,
            resolved,
            spec.context,
            scope.span(*path, key=True),
            provider_model=spec.provider_model,
            price=None if spec.price is None else (spec.price.prompt, spec.price.completion),
            cached_price=None if spec.price is None else spec.price.cached_prompt,
            reasoning=reasoning,
            allow=() if spec.allow is None else client_tests(scope, identity, spec.allow, (*path, "allow")),
        )
    for name, spec in policy.models.items():
        for lora in spec.loras:
            _lora(scope, models, models[name], lora)
    return dict(sorted(models.items()))


def _lora(scope: Scope, models: dict[str, ir.Model], base: ir.Model, lora: str) -> None:
    path = ("models", base.name, "loras", lora)
    if lora in models:
        hint = "Rename one of the two. Adapters and models share one set of names."
        scope.report("VSR214", f"adapter `{lora}` has the name of another model", path, hint, key=True)
        return
    if not all(isinstance(endpoint.kind, ir.VllmServer) for endpoint, _ in base.endpoints):
        hint = "Serve the model by `vllm`, or define the adapter as a model of its own on the endpoint that serves it."
        scope.report(
            "VSR215",
            f"adapter `{lora}` is on an endpoint that is not a vLLM server of the compiler",
            path,
            hint,
            key=True,
        )
    span = scope.span(*path, key=True)
    models[lora] = ir.Model(
        lora, base.endpoints, base.context, span, base=base.name, reasoning=base.reasoning, allow=base.allow
    )


def _endpoints(
    scope: Scope, spec: schema.ModelSpec, endpoints: dict[str, ir.Endpoint], path: Path
) -> tuple[tuple[ir.Endpoint, int], ...]:
    """Return the endpoints with their weights, sorted by name; equal weights if the policy gives none."""
    path = (*path, "endpoints")
    written = spec.endpoints
    weights = (
        written if isinstance(written, dict) else dict.fromkeys([written] if isinstance(written, str) else written, 1)
    )
    if not any(weights.values()):
        scope.report(
            "VSR210", f"all endpoints of model `{path[1]}` have weight 0", path, "Give one of them a weight above 0."
        )
    if isinstance(written, list) and len(weights) < len(written):
        hint = "Remove one, or set weights."
        scope.report("VSR205", f"duplicate entry in the endpoints of model `{path[1]}`", path, hint)
    resolved = []
    for index, (name, weight) in enumerate(weights.items()):
        step: Path = () if isinstance(written, str) else (name,) if isinstance(written, dict) else (index,)
        endpoint = scope.resolve(endpoints, name, "endpoint", (*path, *step), key=isinstance(written, dict))
        if endpoint is not None:
            resolved.append((endpoint, weight))
    return tuple(sorted(resolved, key=lambda pair: pair[0].name))


def _reasoning(scope: Scope, spec: schema.ModelSpec, path: Path) -> ir.Reasoning | None:
    if spec.reasoning_family is None:
        return None
    family = FAMILIES.get(spec.reasoning_family)
    if family is None:
        hint = (
            suggest(spec.reasoning_family, list(FAMILIES))
            or "Use one of: " + ", ".join(f"`{name}`" for name in FAMILIES) + "."
        )
        message = f"reasoning family `{spec.reasoning_family}` is not defined"
        scope.report("VSR201", message, (*path, "reasoningFamily"), hint)
        return None
    return ir.Reasoning(spec.reasoning_family, family.levels, family.modes)
