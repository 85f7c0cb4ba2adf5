"""Links how an environment attaches the router to a Gateway that exists already."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_compiler.releases.attachments import CONVENTIONS
from vsr_compiler.syntax.document import Path
from vsr_schemas.headers import CREDENTIALS, SELECTED_MODEL, is_protected
from vsr_schemas.policy import v1alpha1 as schema


def link_attachment(scope: Scope, spec: schema.EnvironmentSpec, path: Path) -> ir.Attachment | None:
    """Return the attachment of an environment; None if its target has a Gateway of its own."""
    if spec.target != ir.ATTACH:
        words = (("to", spec.to), ("header", spec.header))
        written: list[Path] = [(*path, name) for name, value in words if value is not None]
        if spec.gateway.controller is not None:
            written.append((*path, "gateway", "controller"))
        for place in written:
            message = f"`{place[-1]}` is only for the target {ir.ATTACH}, and this environment has `{spec.target}`"
            scope.report("VSR364", message, place, f"Remove it, or set `target: {ir.ATTACH}`.", key=True)
        return None
    convention = spec.to or "any"
    header = (spec.header or CONVENTIONS[convention].header).lower()
    if not _is_usable(header):
        message = f"the router cannot write the model into the header `{header}`, which has another meaning"
        hint = "Name the header that the routes of others match, such as `X-Gateway-Model-Name`."
        scope.report("VSR364", message, (*path, "header"), hint)
    return ir.Attachment(convention, header, spec.gateway.controller or "istio", scope.span(*path, key=True))


def _is_usable(header: str) -> bool:
    """Return whether routes may match a header: it says nothing but the model, and no client's copy counts."""
    known = {SELECTED_MODEL, *(convention.header for convention in CONVENTIONS.values())}
    return header in known or not (is_protected(header) or header in CREDENTIALS or header.startswith("x-envoy-"))
