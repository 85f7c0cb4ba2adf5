"""Links classifiers. Each has one task: categories, attacks, personal data, or labels of the policy."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.link.classifier_servers import link_classifier_server
from vsr_compiler.link.labels import false_alarms, link_examples
from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema

OTHER = "other"
"""The category of requests that reach the threshold of no other category."""
DETECTOR_THRESHOLD = 0.7
PRECISIONS = {"cpu": "fp32", "cuda": "bf16"}
"""Default precision of a checkpoint, by device."""


def link_classifiers(scope: Scope, policy: schema.PolicySpec, encoder: ir.Encoder) -> dict[str, ir.Classifier]:
    """Return all classifiers by name, sorted, with a default one if the policy has categories and no classifier."""
    classifiers = {
        name: _classifier(scope, policy, name, spec, encoder) for name, spec in sorted(policy.classifiers.items())
    }
    categorical = [name for name, classifier in classifiers.items() if classifier.task == "category"]
    for name in categorical[1:]:
        hint = f"Remove it, or remove `{categorical[0]}`."
        path = ("classifiers", name)
        scope.report("VSR203", f"`{name}` is a second classifier with `task: category`", path, hint, key=True)
    if categorical and not policy.categories:
        hint = "Define `categories`, or remove the classifier."
        message = f"classifier `{categorical[0]}` has no categories"
        scope.report("VSR202", message, ("classifiers", categorical[0]), hint, key=True)
    if set(policy.categories) == {OTHER}:
        hint = "Define another category; `other` is for requests that match no other category."
        scope.report("VSR212", f"`{OTHER}` is the only category", ("categories", OTHER), hint, key=True)
    if policy.categories and not categorical:
        span = scope.span("categories", key=True)
        classifiers["domain"] = ir.Classifier("domain", "category", encoder, None, "cpu", "int8", None, span)
    return classifiers


def _classifier(
    scope: Scope, policy: schema.PolicySpec, name: str, spec: schema.ClassifierSpec, shared: ir.Encoder
) -> ir.Classifier:
    checkpoint = None if spec.checkpoint is None else (spec.checkpoint.repo, spec.checkpoint.revision)
    encoder = None if checkpoint or spec.server else shared
    precision = spec.precision or ("int8" if encoder else PRECISIONS[spec.device])
    if (encoder and precision == "bf16") or (checkpoint and precision == "int8"):
        hint = "Use `int8` or `fp32` for an encoder, `bf16` or `fp32` for a checkpoint."
        scope.report(
            "VSR104",
            f"precision `{precision}` is not available for this classifier",
            ("classifiers", name, "precision"),
            hint,
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
        of=spec.of,
        server=link_classifier_server(scope, policy, name, spec),
        examples=link_examples(scope, name, spec),
        false_alarms=false_alarms(spec),
    )


def detector(
    scope: Scope, table: dict[str, ir.Classifier], name: str, task: str, path: tuple[str | int, ...]
) -> ir.Classifier | None:
    """Return a classifier by name. It must have this task."""
    classifier = scope.resolve(table, name, "classifier", path)
    if classifier is not None and classifier.task != task:
        hint = f"Use a classifier with `task: {task}`."
        scope.report("VSR216", f"classifier `{name}` has `task: {classifier.task}`, not `task: {task}`", path, hint)
        return None
    return classifier


def detector_threshold(classifier: ir.Classifier | None, threshold: float | None) -> tuple[float, bool]:
    """Return the threshold of a use of a detector, and whether the head that it is has another one once trained."""
    by_head = threshold is None and classifier is not None and bool(classifier.examples)
    return DETECTOR_THRESHOLD if threshold is None else threshold, by_head
