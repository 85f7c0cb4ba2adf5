"""L22: DestinationRules that the gateway does not see, and EnvoyFilters that affect every proxy."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.ext_proc import ext_proc_filters
from vsr_compiler.verify.manifest import Manifest, as_string, as_strings
from vsr_compiler.verify.manifest_index import GATEWAY_API, ISTIO, ManifestIndex
from vsr_compiler.verify.pickers import picker_service
from vsr_compiler.verify.rules.rule import LinkRule

_ROOT = "istio-system"


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for envoy_filter in index.of_kind("EnvoyFilter", ISTIO):
        spec, namespace = envoy_filter.spec, envoy_filter.namespace
        if not spec.get("targetRefs") and not spec.get("workloadSelector") and namespace != _ROOT:
            scope = f"`{namespace}`" if namespace else "its namespace"
            message = f"{envoy_filter.title} names no gateway, so it changes every proxy in {scope}"
            yield Diagnostic("VSR422", message, envoy_filter.span("spec"), "Add targetRefs with the Gateway.")
    rules: dict[tuple[str, str], list[Manifest]] = {}
    for rule in index.of_kind("DestinationRule", ISTIO):
        host = as_string(rule.spec.get("host"))
        service = index.service_of_host(host, rule.namespace)
        if "." not in host and host:
            message = f"{rule.title} has the host `{host}` without a namespace: it depends on where the rule is applied"
            hint = f"Write {host}.{rule.namespace or 'NAMESPACE'}.svc.cluster.local."
            # Without a namespace of its own, the rule moves together with its Service.
            level = Severity.WARNING if rule.writes_namespace else Severity.NOTE
            yield Diagnostic("VSR422", message, rule.span("spec", "host"), hint, level)
        if service is not None:
            rules.setdefault((service[1], service[0]), []).append(rule)
    for namespace, called in sorted(_calls(index)):
        for_service = rules.get(called, [])
        if for_service and not any(_is_visible(rule, namespace, called[0]) for rule in for_service):
            first = for_service[0]
            message = f"the gateway in `{namespace}` does not see {first.title}, whose host it calls"
            hint = f"Move it to `{namespace}`, or to the Service's namespace with exportTo."
            yield Diagnostic("VSR422", message, first.span("metadata"), hint)


def _calls(index: ManifestIndex) -> set[tuple[str, tuple[str, str]]]:
    """Return the namespaces of gateways with namespace and name of the routers and pickers that they call."""
    namespaces = {gateway.namespace for gateway in index.of_kind("Gateway", GATEWAY_API)}
    calls = {
        (processor.source.namespace, (namespace, name))
        for processor in ext_proc_filters(index)
        if processor.source.group == ISTIO
        for namespace, name, _ in processor.services
    }
    for pool in index.pools:
        for route in index.routes_to(pool):
            service = (pool.namespace, picker_service(pool)[0])
            gateways = index.gateways_of(route) if route.kind == "HTTPRoute" else []
            calls |= {(namespace, service) for namespace, _ in gateways}
    return {call for call in calls if call[0] in namespaces}


def _is_visible(rule: Manifest, gateway_namespace: str, service_namespace: str) -> bool:
    """Whether Istio finds the rule: it looks in the client's namespace, then the Service's, then the root namespace."""
    exported = as_strings(rule.spec.get("exportTo")) or ["*"]
    if rule.namespace == gateway_namespace:
        return True
    return rule.namespace in {service_namespace, _ROOT} and bool({"*", gateway_namespace} & set(exported))


RULE = LinkRule(
    name="L22",
    code="VSR422",
    purpose="A DestinationRule for a router or picker is in the gateway's namespace, in the Service's namespace with "
    "`exportTo`, or in Istio's root namespace, and its host is the full name of the Service. An EnvoyFilter names the "
    "gateway that it changes.",
    check=_check,
)
