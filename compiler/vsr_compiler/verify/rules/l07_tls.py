"""L07: TLS between a gateway and an endpoint picker that only one side uses."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest import Manifest, as_string
from vsr_compiler.verify.manifest_index import AI, ISTIO, ManifestIndex
from vsr_compiler.verify.pickers import Picker, pickers
from vsr_compiler.verify.rules.rule import LinkRule

RulesByService = dict[tuple[str, str] | None, list[Manifest]]
"""DestinationRules by name and namespace of the Service of their host."""


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    checked: set[tuple[str, str]] = set()
    rules: RulesByService = {}
    for rule in index.of_kind("DestinationRule", ISTIO):
        rules.setdefault(index.service_of_host(as_string(rule.spec.get("host")), rule.namespace), []).append(rule)
    ai_routes = index.of_kind("AIGatewayRoute", AI)
    ai_pools = {as_string(ref.get("name")) for route in ai_routes for _, ref in index.backend_refs(route)}
    for picker in pickers(index):
        secure = picker.is_on("secure-serving", default=True)
        if picker.pool.name in ai_pools and not secure:
            message = f"{picker.owner.title} serves without TLS, but Agent Router uses TLS for every picker"
            path = picker.flags["secure-serving"][1]
            yield Diagnostic("VSR407", message, picker.owner.span(*path), "Remove --secure-serving=false.")
        service = (picker.service.namespace, picker.service.name)
        route_kinds = {route.kind for route in index.routes_to(picker.pool)}
        if index.istio and route_kinds != {"AIGatewayRoute"} and service not in checked:
            checked.add(service)
            yield from _istio(rules, picker, secure=secure)


def _istio(rules_by_service: RulesByService, picker: Picker, *, secure: bool) -> Iterator[Diagnostic]:
    name, namespace = picker.service.name, picker.service.namespace
    rules = rules_by_service.get((name, namespace), [])
    if secure and not rules:
        message = f"{picker.service.title} serves TLS, but there is no DestinationRule for it: every request gets 500"
        host = f"{name}.{namespace or 'NAMESPACE'}.svc.cluster.local"
        hint = f"Add a DestinationRule for {host} with tls mode SIMPLE in the gateway's namespace."
        yield Diagnostic("VSR407", message, picker.pool.span("spec"), hint)
    for rule in rules:
        mode = as_string(rule.at("spec", "trafficPolicy", "tls", "mode"))
        if secure and mode in {"", "DISABLE"}:
            message = f"{rule.title} uses plain text for {picker.service.title}, which serves TLS"
            hint = "Use tls mode SIMPLE with insecureSkipVerify or a CA, or give the picker --secure-serving=false."
            yield Diagnostic("VSR407", message, rule.span("spec", "trafficPolicy"), hint)
        elif not secure and mode in {"SIMPLE", "MUTUAL"}:
            message = f"{rule.title} uses TLS for {picker.service.title}, which serves plain text"
            hint = "Remove `tls` from the DestinationRule, or --secure-serving=false from the picker."
            yield Diagnostic("VSR407", message, rule.span("spec", "trafficPolicy", "tls", "mode"), hint)
        elif secure and not _has_trust(rule):
            message = f"{rule.title} verifies the certificate of {picker.service.title}, which is self-signed"
            hint = "Set insecureSkipVerify, or give the picker --cert-path and the DestinationRule its CA."
            if "cert-path" not in picker.flags:
                yield Diagnostic("VSR407", message, rule.span("spec", "trafficPolicy", "tls"), hint)


def _has_trust(rule: Manifest) -> bool:
    tls = rule.at("spec", "trafficPolicy", "tls")
    return any(tls.get(key) for key in ("insecureSkipVerify", "caCertificates", "credentialName"))


RULE = LinkRule(
    name="L07",
    code="VSR407",
    purpose="On Istio, a picker that serves TLS (the default) has a DestinationRule with TLS, and a picker that does "
    "not has none. Behind Agent Router (formerly Envoy AI Gateway), every picker serves TLS.",
    check=_check,
)
