"""Changes of behaviour that one look at several objects shows: for each, the objects that it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from vsr_compiler.diagnostics import Severity
from vsr_compiler.releases.breakages.model import Behaviour
from vsr_compiler.releases.gateways import ENVOY_GATEWAY
from vsr_compiler.releases.numbers import Numbers, numbers
from vsr_compiler.verify.envoy_gateway_settings import configurations
from vsr_compiler.verify.grants import may_be_permitted
from vsr_compiler.verify.istio import control_planes, parse_release
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_mappings, as_string, as_strings, value_at
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, ISTIO, ManifestIndex
from vsr_compiler.verify.references import references
from vsr_compiler.verify.release_checks.found import installed, release_of

_BUNDLE = "gateway.networking.k8s.io/bundle-version"
_POLICY = "safe-upgrades.gateway.networking.k8s.io"
_BY_GATEWAY = 3
"""Parts of the name of a listener that is named by its Gateway: namespace, Gateway and listener."""
_UNHEALTHY = "PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS"
_NAMES_BY_PORT = "XDSNameSchemeV2"


class Concerned(NamedTuple):
    """An object that a change concerns, what shows it, and a severity other than that of the change."""

    source: Manifest
    path: Path
    found: str
    severity: Severity | None = None


Concerns = Callable[[ManifestIndex], Iterator[Concerned]]


def _lua_is_off(index: ManifestIndex) -> Iterator[Concerned]:
    settings = [body for _, _, body in configurations(index)]
    if any(value_at(body, "extensionApis", "enableLua") is True for body in settings):
        return
    severity = None if settings else Severity.WARNING
    for policy in index.of_kind("EnvoyExtensionPolicy", ENVOY):
        if policy.spec.get("lua"):
            yield Concerned(policy, ("spec", "lua"), "`lua`", severity)


def _tracing_by_clients(index: ManifestIndex) -> Iterator[Concerned]:
    for proxy in index.of_kind("EnvoyProxy", ENVOY):
        tracing = as_mapping(proxy.at("spec", "telemetry", "tracing"))
        if tracing and "clientSamplingFraction" not in tracing:
            yield Concerned(proxy, ("spec", "telemetry", "tracing"), "`tracing`")


def _listeners_by_port(index: ManifestIndex) -> Iterator[Concerned]:
    flags = [as_mapping(body.get("runtimeFlags")) for _, _, body in configurations(index)]
    if any(_NAMES_BY_PORT in as_strings(flag.get("disabled")) for flag in flags):
        return
    for policy in index.of_kind("EnvoyPatchPolicy", ENVOY):
        for path, patch in policy.entries("spec", "jsonPatches"):
            kind, name = as_string(patch.get("type")).rpartition(".")[2], as_string(patch.get("name"))
            if kind in {"Listener", "RouteConfiguration"} and name.count("/") == _BY_GATEWAY - 1:
                yield Concerned(policy, (*path, "name"), f"`{name[:200]}`")


def _external_name_backend(index: ManifestIndex) -> Iterator[Concerned]:
    for route in _routes(index, "HTTPRoute", "GRPCRoute", "TLSRoute"):
        if _is_of_istio(index, route):
            continue
        for path, ref in index.backend_refs(route):
            if as_string(ref.get("kind", "Service")) == "Service" and not ref.get("group"):
                namespace = as_string(ref.get("namespace")) or route.namespace
                service = index.find("", "Service", namespace, as_string(ref.get("name")))
                if service is not None and service.spec.get("type") == "ExternalName":
                    yield Concerned(route, path, f"the ExternalName {service.title} as a backend")


def _empty_backends(index: ManifestIndex) -> Iterator[Concerned]:
    for route in _routes(index, "HTTPRoute"):
        if not _may_be_of_istio(index, route):
            continue
        for path, rule in route.entries("spec", "rules"):
            answers = {as_string(item.get("type")) for item in as_mappings(rule.get("filters"))}
            if not rule.get("backendRefs") and not answers & {"RequestRedirect", "ExtensionRef"}:
                yield Concerned(route, path, "a rule without backends")


def _two_tls_policies(index: ManifestIndex) -> Iterator[Concerned]:
    policies: dict[tuple[str, str] | str, Manifest] = {}
    for policy in index.of_kind("BackendTLSPolicy", GATEWAY_API):
        for ref in as_mappings(policy.spec.get("targetRefs")):
            for host in _hosts(index, policy, as_string(ref.get("kind")), as_string(ref.get("name"))):
                policies.setdefault(host, policy)
    for rule in index.of_kind("DestinationRule", ISTIO):
        host = as_string(rule.spec.get("host"))
        found = policies.get(index.service_of_host(host, rule.namespace) or host) or policies.get(host)
        if found is not None:
            for path in _with_tls(rule):
                yield Concerned(
                    rule, path, f"`tls` of this DestinationRule, which {found.title} sets for the same host,"
                )


def _hosts(index: ManifestIndex, policy: Manifest, kind: str, name: str) -> Iterator[tuple[str, str] | str]:
    """Yield what a BackendTLSPolicy targets: a Service by name and namespace, or hosts outside of the cluster."""
    if kind == "Service":
        yield name, policy.namespace
    elif kind == "Hostname":
        yield name
    elif kind == "ServiceEntry":
        entry = index.find(ISTIO, "ServiceEntry", policy.namespace, name)
        yield from as_strings(entry.spec.get("hosts")) if entry is not None else ()


def _with_tls(rule: Manifest) -> Iterator[Path]:
    path: Path = ("spec", "trafficPolicy")
    for place in (path, *(place for place, _ in rule.entries(*path, "portLevelSettings"))):
        if isinstance(rule.at(*place, "tls"), dict):
            yield (*place, "tls")


def _unhealthy_endpoints(index: ManifestIndex) -> Iterator[Concerned]:
    if any(plane.variables.get(_UNHEALTHY, ("", ()))[0] == "false" for plane in control_planes(index)):
        return
    for rule in index.of_kind("DestinationRule", ISTIO):
        path: Path = ("spec", "trafficPolicy")
        for place in (path, *(place for place, _ in rule.entries(*path, "portLevelSettings"))):
            detection = rule.at(*place, "outlierDetection")
            if isinstance(detection, dict) and not detection.get("minHealthPercent"):
                yield Concerned(rule, (*place, "outlierDetection"), "`outlierDetection` without `minHealthPercent`")


def _cross_namespace(index: ManifestIndex) -> Iterator[Concerned]:
    for ref in references(index):
        is_own = ref.source.group != AI or ref.namespace in {"", ref.source.namespace}
        if not is_own and ref.kind != "Gateway" and not ref.granted and not may_be_permitted(index, ref):
            yield Concerned(ref.source, ref.path, f"{ref.kind} `{ref.namespace}/{ref.name}`")


def _old_definitions(index: ManifestIndex) -> Iterator[Concerned]:
    """The policy of a release admits no definitions of an earlier minor release."""
    policies = [policy for policy in index.of_kind("ValidatingAdmissionPolicy") if policy.name == _POLICY]
    written = [as_string(as_mapping(policy.at("metadata", "annotations")).get(_BUNDLE)) for policy in policies]
    known = [release_of(index, "gateway-api"), *written]
    newest = max((parsed for release in known if (parsed := numbers(release))), default=None)
    reported: set[tuple[str, str]] = set()
    for definition in index.of_kind("CustomResourceDefinition") if newest else ():
        bundle = as_string(as_mapping(definition.at("metadata", "annotations")).get(_BUNDLE))
        release, key = parse_release(bundle), (definition.span().file, bundle)
        is_older = release is not None and newest is not None and release[:2] < newest[:2] and "-rc" not in bundle
        if is_older and definition.spec.get("group") == GATEWAY_API and key not in reported:
            reported.add(key)
            yield Concerned(definition, ("metadata", "annotations", _BUNDLE), f"definitions of {bundle[:50]}")
    if newest is not None:
        yield from _definitions_of_charts(index, newest)


def _definitions_of_charts(index: ManifestIndex, newest: Numbers) -> Iterator[Concerned]:
    """Yield installations of Envoy Gateway whose chart has definitions of an earlier release in it."""
    for item in installed(index):
        known = ENVOY_GATEWAY.get(item.release.removeprefix("v"))
        brings = numbers(known.brings) if known and item.component == "envoy-gateway" else None
        is_older = brings is not None and brings[:2] < newest[:2] and item.source.kind in {"HelmRelease", "Application"}
        if known and is_older and not _skips_definitions(item.source):
            found = f"the definitions of {known.brings} that the chart of Envoy Gateway {item.release} has in it"
            yield Concerned(item.source, item.path, found, Severity.WARNING)


def _skips_definitions(owner: Manifest) -> bool:
    if owner.kind == "Application":
        return owner.at("spec", "source", "helm", "skipCrds") is True
    return owner.at("spec", "install", "crds") == "Skip" and owner.at("spec", "upgrade", "crds") in {None, "Skip"}


def _unserved_routes(index: ManifestIndex) -> Iterator[Concerned]:
    release = numbers(release_of(index, "gateway-api"))
    if release is not None and release < (1, 6, 0):
        for route in _routes(index, "TCPRoute", "UDPRoute"):
            if not _is_of_istio(index, route):
                yield Concerned(route, ("apiVersion",), f"a {route.kind}")


def _implied_monitoring(index: ManifestIndex) -> Iterator[Concerned]:
    """Yield charts of llm-d's router on GKE whose values leave the provider of monitoring to the chart."""
    places: tuple[tuple[str, Path], ...] = (
        ("HelmRelease", ("spec", "values")),
        ("Application", ("spec", "source", "helm", "valuesObject")),
    )
    for kind, path in places:
        for owner in index.of_kind(kind):
            is_router = any(item.source is owner and item.component == "llm-d-router" for item in installed(index))
            values = as_mapping(owner.at(*path))
            chosen = value_at(values, "router", "monitoring", "provider", "name")
            if is_router and as_string(value_at(values, "provider", "name")).lower() == "gke" and not chosen:
                yield Concerned(owner, (*path, "provider", "name"), "`provider: {name: gke}`")


def _routes(index: ManifestIndex, *kinds: str) -> Iterator[Manifest]:
    for kind in kinds:
        yield from index.of_kind(kind, GATEWAY_API)


def _classes(index: ManifestIndex, route: Manifest) -> list[str]:
    """Return the classes of a route's Gateways; an empty class for a Gateway that is not among the objects."""
    gateways = [index.find(GATEWAY_API, "Gateway", *key) for key in index.gateways_of(route)]
    return [as_string(gateway.spec.get("gatewayClassName")) if gateway else "" for gateway in gateways]


def _is_of_istio(index: ManifestIndex, route: Manifest) -> bool:
    return any(name.startswith("istio") for name in _classes(index, route))


def _may_be_of_istio(index: ManifestIndex, route: Manifest) -> bool:
    classes = _classes(index, route)
    return any(not name or name.startswith("istio") for name in classes)


CONCERNS: Mapping[Behaviour, Concerns] = {
    Behaviour.LUA_IS_OFF: _lua_is_off,
    Behaviour.TRACING_BY_CLIENTS: _tracing_by_clients,
    Behaviour.LISTENERS_BY_PORT: _listeners_by_port,
    Behaviour.EXTERNAL_NAME_BACKEND: _external_name_backend,
    Behaviour.EMPTY_BACKENDS: _empty_backends,
    Behaviour.TWO_TLS_POLICIES: _two_tls_policies,
    Behaviour.UNHEALTHY_ENDPOINTS: _unhealthy_endpoints,
    Behaviour.CROSS_NAMESPACE: _cross_namespace,
    Behaviour.OLD_DEFINITIONS: _old_definitions,
    Behaviour.UNSERVED_ROUTES: _unserved_routes,
    Behaviour.IMPLIED_MONITORING: _implied_monitoring,
}
"""What finds the objects that a change concerns."""
