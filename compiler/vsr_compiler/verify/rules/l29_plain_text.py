"""L29: plain HTTP to a TLS port."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import ENVOY, GATEWAY_API, ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule

_HTTPS = 443


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    secured = {
        (policy.namespace, as_string(ref.get("name")))
        for policy in index.of_kind("BackendTLSPolicy", GATEWAY_API)
        for ref in as_mappings(policy.spec.get("targetRefs"))
        if ref.get("kind") == "Backend"
    }
    for backend in index.of_kind("Backend", ENVOY):
        if "tls" in backend.spec or (backend.namespace, backend.name) in secured:
            continue
        if index.assumes("BackendTLSPolicy", backend.namespace, backend.name):
            continue
        for path, body in backend.entries("spec", "endpoints"):
            if value_at(body, "fqdn", "port") == _HTTPS:
                message = f"{backend.title} has port {_HTTPS} but no TLS, so the gateway sends plain HTTP to it"
                hint = "Set spec.tls.wellKnownCACertificates: System, or add a BackendTLSPolicy for the Backend."
                yield Diagnostic("VSR629", message, backend.span(*path), hint, Severity.WARNING)
                break


RULE = LinkRule(
    name="L29",
    code="VSR629",
    purpose="A Backend of Envoy Gateway with port 443 has `tls`, or a BackendTLSPolicy targets it.",
    check=_check,
)
