"""The Gateway, for which Envoy Gateway deploys Envoy, with its class, proxy settings and limits for clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateways import ENVOY_GATEWAY, EnvoyGateway
from vsr_compiler.targets.common import listeners
from vsr_compiler.targets.common.extproc import CLIENT_CONNECTIONS, CLIENT_STREAMS, http2_window
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, GatewayPods, gateway_duration
from vsr_compiler.targets.common.identity import own_headers
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP
from vsr_schemas.headers import STRIPPED, STRIPPED_PREFIXES
from vsr_schemas.quantities import quantity
from vsr_schemas.runtime import UPLOAD_SECONDS

ENVOY_API = f"{ENVOY_GROUP}/v1alpha1"
CONTROLLER = f"{ENVOY_GROUP}/gatewayclass-controller"
CONTROLLER_NAMESPACE = "envoy-gateway-system"
"""The namespace of Envoy Gateway and of the proxies of every Gateway."""
OWNER = f"{ENVOY_GROUP}/owning-gateway"


def emitter(route_namespaces: Callable[[ir.Policy], Iterable[str]]) -> Callable[[ir.Policy], Iterator[Object]]:
    """Return the emitter of the Gateway.

    Args:
        route_namespaces: Returns the namespaces of a policy's routes, which the Gateway admits.
    """

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """Yield the GatewayClass, the Gateway, the EnvoyProxy and the ClientTrafficPolicies."""
        gateway = policy.gateway
        yield make(GATEWAY_API, "GatewayClass", gateway.class_name, gateway.span, spec={"controllerName": CONTROLLER})
        yield _gateway(policy, sorted(route_namespaces(policy)))
        yield _proxy(policy)
        yield from _client_traffic(policy)

    return emit


def cluster_names(policy: ir.Policy) -> Iterator[tuple[str, str, str]]:
    """Yield the pattern of the GatewayClass, whatever the Gateway is called."""
    yield GATEWAY_GROUP, "GatewayClass", replace(policy.gateway, name="*").class_name


def pods(policy: ir.Policy) -> GatewayPods:
    """Return the proxies, which are in the namespace of Envoy Gateway."""
    gateway = policy.gateway
    labels = {f"{OWNER}-name": gateway.name, f"{OWNER}-namespace": gateway.namespace}
    return GatewayPods(CONTROLLER_NAMESPACE, labels, "metrics")


def target(policy: ir.Policy) -> Body:
    """Return the targetRef of a policy that attaches to the Gateway."""
    return {"group": GATEWAY_GROUP, "kind": "Gateway", "name": policy.gateway.name}


def _gateway(policy: ir.Policy, route_namespaces: list[str]) -> Object:
    gateway = policy.gateway
    return make(
        GATEWAY_API,
        "Gateway",
        gateway.name,
        gateway.span,
        namespace=gateway.namespace,
        spec={
            "gatewayClassName": gateway.class_name,
            "infrastructure": {
                "parametersRef": {"group": ENVOY_GROUP, "kind": "EnvoyProxy", "name": gateway.name},
            },
            "listeners": listeners.listeners(policy, route_namespaces),
        },
    )


def _proxy(policy: ir.Policy) -> Object:
    gateway = policy.gateway
    return make(
        ENVOY_API,
        "EnvoyProxy",
        gateway.name,
        gateway.span,
        namespace=gateway.namespace,
        spec={
            # More verbose levels would log prompts.
            "logging": {"level": {"default": "warn"}},
            "provider": {"type": "Kubernetes"},
            # A proxy that stops lets responses finish; they can stream as long as a request may last.
            "shutdown": {"drainTimeout": gateway_duration(gateway.timeout)},
        },
    )


def early_request_headers(release: EnvoyGateway, own: Sequence[str] = ()) -> Body:
    """Return the part of a ClientTrafficPolicy that removes what no client may send.

    A list has a maximum length. The names beyond it are removed by matchers if the release has them. Otherwise they are
    not removed here; they are the last of the table, most of which Envoy removes from clients' requests by itself.

    Args:
        release: The release of Envoy Gateway.
        own: Further names, of the policy: those of claims, which Envoy's filter for tokens removes as well.
    """
    names = (*STRIPPED, *own)
    body: Body = {"remove": list(names[: release.max_removed_headers])}
    if release.removes_on_match:
        body["removeOnMatch"] = [
            *({"type": "Prefix", "value": prefix} for prefix in STRIPPED_PREFIXES),
            *({"type": "Exact", "value": name} for name in _beyond(names, release)),
        ]
    return body


def _beyond(names: Sequence[str], release: EnvoyGateway) -> list[str]:
    """Return the names that have no place among the removed ones and no prefix that is removed."""
    return [name for name in names[release.max_removed_headers :] if not name.startswith(STRIPPED_PREFIXES)]


def _client_traffic(policy: ir.Policy) -> Iterator[Object]:
    """Yield the ClientTrafficPolicy of the Gateway, or one for each set of client authorities.

    A policy for a listener replaces the Gateway's as a whole and gives that one the condition `Overridden`. So the
    settings are repeated, and every listener has exactly one policy.
    """
    gateway = policy.gateway
    groups: dict[ir.ClientCertificates | None, list[ir.Section]] = {}
    for section in gateway.sections:
        groups.setdefault(section.listener.client_certificates, []).append(section)
    only_tls = {section.listener.client_certificates for section in gateway.sections if section.listener.tls}
    if len(groups) == 1 or len(only_tls) == 1:
        # A listener without TLS ignores settings of TLS.
        yield _client_policy(policy, gateway.name, [target(policy)], next(iter(only_tls), None))
        return
    for authority, sections in groups.items():
        # Named after a listener, so that another listener renames no policy.
        name = gateway.name if authority is None else f"{gateway.name}-{sections[0].name}"
        refs = [target(policy) | {"sectionName": section.name} for section in sections]
        yield _client_policy(policy, name, refs, authority)


def check_client_certificates(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR343 if listeners without TLS share a port, and others need policies by listener.

    A policy for one of several such listeners is invalid (Envoy Gateway, internal/gatewayapi/clienttrafficpolicy.go).
    """
    gateway = policy.gateway
    tls = {section.listener.client_certificates for section in gateway.sections if section.listener.tls}
    plain = Counter(section.listener.port for section in gateway.sections if section.listener.tls is None)
    shared = [port for port, number in sorted(plain.items()) if number > 1]
    if len(tls) > 1 and shared:
        message = f"several hostnames of port {shared[0]} have no TLS, and listeners differ in `clientCertificates`"
        hint = "Give all listeners with TLS the same `clientCertificates`, or the port one listener without hostnames."
        place = next(section.listener for section in gateway.sections if section.listener.port == shared[0])
        yield Diagnostic("VSR343", message, place.span, hint)


def _client_policy(policy: ir.Policy, name: str, refs: list[Body], authority: ir.ClientCertificates | None) -> Object:
    gateway = policy.gateway
    release = ENVOY_GATEWAY[policy.versions["envoy-gateway"]]
    timeout = gateway_duration(policy.gateway.timeout)
    tls: Body = {}
    if authority is not None:
        reference = {"group": "", "kind": authority.kind, "name": authority.name}
        tls = {"tls": {"clientValidation": {"caCertificateRefs": [reference]}}}
    return make(
        ENVOY_API,
        "ClientTrafficPolicy",
        name,
        gateway.span,
        namespace=gateway.namespace,
        spec={
            "targetRefs": refs,
            # The filter buffers the whole body. With the default of 32 KiB longer prompts would get 413.
            "connection": {
                "bufferLimit": quantity(policy.router.max_body),
                "connectionLimit": {"value": CLIENT_CONNECTIONS},
                "maxAcceptPerSocketEvent": 1,
            },
            "headers": {"earlyRequestHeaders": early_request_headers(release, own_headers(policy))},
            # The default of 64 KiB would limit clients that use HTTP/2 (envoyproxy/ai-gateway#2130).
            "http2": {
                "initialStreamWindowSize": quantity(http2_window(policy)),
                "maxConcurrentStreams": CLIENT_STREAMS,
            },
            # A request has to arrive soon. A reasoning model can be silent for long, so a response has no other
            # deadline than the whole request.
            "timeout": {"http": {"requestReceivedTimeout": f"{UPLOAD_SECONDS}s", "streamIdleTimeout": timeout}},
        }
        | tls,
    )
