"""Links ``router.encoder``."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import did_you_mean
from vsr_compiler.link.scope import Scope
from vsr_schemas.encoders import ENCODERS
from vsr_schemas.policy import v1alpha1 as schema


def link_encoder(scope: Scope, policy: schema.PolicySpec) -> ir.Encoder:
    """Return the encoder of a policy. VSR601 if it is not in the table, VSR602 if a classifier names another one."""
    spec = policy.router.encoder
    if spec is None:
        return ir.Encoder()
    if spec.repo not in ENCODERS:
        hint = did_you_mean(spec.repo, sorted(ENCODERS)) or f"Use one of {', '.join(f'`{name}`' for name in ENCODERS)}."
        message = f"it is not known how the encoder `{spec.repo}` reads a text"
        scope.report("VSR601", message, ("router", "encoder", "repo"), hint)
    for name, classifier in sorted(policy.classifiers.items()):
        if classifier.encoder is not None and classifier.encoder != spec.repo:
            message = f"`{name}` has another encoder than `router.encoder`, which all heads of a policy share"
            scope.report("VSR602", message, ("classifiers", name, "encoder"), "Remove one of the two.")
    return ir.Encoder(spec.repo, spec.sha256, spec.revision, scope.span("router", "encoder", key=True))
