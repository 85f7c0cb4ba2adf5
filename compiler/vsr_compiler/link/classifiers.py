"""Classifiers by task: who tells categories apart, who finds attacks, who finds personal data."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema
from vsr_schemas.runtime import MINILM

OTHER = "other"
"""The category of what is like none of the rest: it is below every other's threshold."""
PRECISIONS = {"cpu": "fp32", "cuda": "bf16"}
"""Of a checkpoint where the policy says nothing, by device."""


def link_classifiers(scope: Scope, policy: schema.PolicySpec) -> dict[str, ir.Classifier]:
    """All classifiers by name, sorted. Where there are categories and no classifier of them, there is one anyway."""
    found = {name: _classifier(scope, name, spec) for name, spec in sorted(policy.classifiers.items())}
    categorical = [name for name, classifier in found.items() if classifier.task == "category"]
    for name in categorical[1:]:
        hint = f"`{categorical[0]}` does it already; keep one of them."
        path = ("classifiers", name)
        scope.report("VSR203", f"`{name}` is a second classifier of categories", path, hint, key=True)
    if categorical and not policy.categories:
        hint = "Add categories, or remove the classifier."
        message = f"the classifier `{categorical[0]}` has no categories to tell apart"
        scope.report("VSR202", message, ("classifiers", categorical[0]), hint, key=True)
    if set(policy.categories) == {OTHER}:
        hint = "Add a category that it is none of."
        scope.report("VSR212", f"`{OTHER}` is the only category", ("categories", OTHER), hint, key=True)
    if policy.categories and not categorical:
        span = scope.span("categories", key=True)
        found["domain"] = ir.Classifier("domain", "category", MINILM, None, "cpu", "int8", None, span)
    return found


def _classifier(scope: Scope, name: str, spec: schema.ClassifierSpec) -> ir.Classifier:
    checkpoint = None if spec.checkpoint is None else (spec.checkpoint.repo, spec.checkpoint.revision)
    encoder = None if checkpoint else spec.encoder or MINILM
    precision = spec.precision or ("int8" if encoder else PRECISIONS[spec.device])
    if (encoder and precision == "bf16") or (checkpoint and precision == "int8"):
        hint = "Encoders with a compiled head run in int8 or fp32, checkpoints in bf16 or fp32."
        scope.report(
            "VSR104", f"`{precision}` is not a precision of this kind", ("classifiers", name, "precision"), hint
        )
    return ir.Classifier(
        name,
        spec.task,
        encoder,
        checkpoint,
        spec.device,
        precision,
        spec.threshold,
        scope.span("classifiers", name, key=True),
        precision_is_set=spec.precision is not None,
    )


def detector(
    scope: Scope, table: dict[str, ir.Classifier], name: str, task: str, path: tuple[str | int, ...]
) -> ir.Classifier | None:
    """The classifier of a name, which must be of this task."""
    found = scope.resolve(table, name, "classifier", path)
    if found is not None and found.task != task:
        hint = f"Name a classifier of the task `{task}`."
        scope.report("VSR216", f"`{name}` is a classifier of the task `{found.task}`, not `{task}`", path, hint)
        return None
    return found
