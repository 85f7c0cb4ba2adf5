"""Links the candidate of a policy or of an environment."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema


def link_candidate(scope: Scope, spec: schema.CandidateSpec | None, path: Path) -> ir.Candidate | None:
    """Return the candidate at a path; None if there is none. Its file is read later."""
    return None if spec is None else ir.Candidate(spec.policy, spec.share, scope.span(*path, "policy"))
