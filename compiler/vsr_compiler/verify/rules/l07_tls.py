"""L07: a picker is spoken to as it listens."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest import Manifest, text
from vsr_compiler.verify.manifest_index import AI, ISTIO, World
from vsr_compiler.verify.pickers import Picker, pickers

Rules = dict[tuple[str, str] | None, list[Manifest]]
"""DestinationRules by name and namespace of the Service that their host is."""


def rule(world: World) -> Iterator[Diagnostic]:
    """A picker that serves TLS, which it does unless told otherwise, has a DestinationRule with TLS on Istio, and one
    that does not has none; Envoy AI Gateway always speaks TLS to it.
    """  # noqa: D205 - the whole of it is what users read
    told: set[tuple[str, str]] = set()
    ruled: Rules = {}
    for each in world.of("DestinationRule", ISTIO):
        ruled.setdefault(world.service_of(text(each.spec.get("host")), each.namespace), []).append(each)
    pooled = {text(ref.get("name")) for route in world.of("AIGatewayRoute", AI) for _, ref in world.backends(route)}
    for picker in pickers(world):
        secure = picker.is_on("secure-serving", default=True)
        place = picker.owner.span(*picker.flags["secure-serving"][1]) if "secure-serving" in picker.flags else None
        if picker.pool.name in pooled and not secure:
            message = f"{picker.owner.title} serves without TLS, and Envoy AI Gateway speaks TLS to every picker"
            hint = "Remove --secure-serving=false."
            yield Diagnostic("VSR407", message, place or picker.owner.span(*picker.path), hint)
        key = (picker.service.namespace, picker.service.name)
        behind = {route.kind for route in world.reaching(picker.pool)}
        if world.istio and behind != {"AIGatewayRoute"} and key not in told:
            told.add(key)
            yield from _istio(ruled, picker, secure=secure)


def _istio(ruled: Rules, picker: Picker, *, secure: bool) -> Iterator[Diagnostic]:
    name, namespace = picker.service.name, picker.service.namespace
    rules = ruled.get((name, namespace), [])
    if secure and not rules:
        message = f"{picker.service.title} serves TLS, and no DestinationRule says so: every request gets 500"
        host = f"{name}.{namespace or 'NAMESPACE'}.svc.cluster.local"
        hint = f"Add one for {host} with tls SIMPLE in the gateway's namespace."
        yield Diagnostic("VSR407", message, picker.pool.span("spec"), hint)
    for found in rules:
        mode = text(found.at("spec", "trafficPolicy", "tls", "mode"))
        if secure and mode in {"", "DISABLE"}:
            message = f"{found.title} speaks plain text to {picker.service.title}, which serves TLS"
            hint = "Use tls mode SIMPLE with insecureSkipVerify or a CA, or --secure-serving=false at the picker."
            yield Diagnostic("VSR407", message, found.span("spec", "trafficPolicy"), hint)
        elif not secure and mode in {"SIMPLE", "MUTUAL"}:
            message = f"{found.title} speaks TLS to {picker.service.title}, which serves plain text"
            hint = "Remove the rule's tls, or --secure-serving=false at the picker."
            yield Diagnostic("VSR407", message, found.span("spec", "trafficPolicy", "tls", "mode"), hint)
        elif secure and not _trusts(found):
            message = f"{found.title} verifies the certificate of {picker.service.title}, which signs its own"
            hint = "Set insecureSkipVerify, or give the picker --cert-path and the rule its CA."
            if "cert-path" not in picker.flags:
                yield Diagnostic("VSR407", message, found.span("spec", "trafficPolicy", "tls"), hint)


def _trusts(found: Manifest) -> bool:
    tls = found.at("spec", "trafficPolicy", "tls")
    return any(tls.get(key) for key in ("insecureSkipVerify", "caCertificates", "credentialName"))
