"""Link rules take time in proportion to the objects: the calls of Python functions are counted, not seconds."""

from __future__ import annotations

import cProfile
import json
import pstats
from collections.abc import Callable
from typing import Any

import pytest
from ruamel.yaml import YAML

from support.common import ROOT
from vsr_compiler.diagnostics import Span
from vsr_compiler.verify.assumptions import Assumptions
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.rules import LINK_RULES
from vsr_compiler.verify.rules.rule import LinkRule

Body = dict[str, Any]
FEW, MANY = 12, 48
AT_MOST = 1.5
"""A rule may take this much more than the objects grow."""
LISTENERS = 16
GATEWAY, ENVOY = "gateway.networking.k8s.io", "gateway.envoyproxy.io"
RBAC = "rbac.authorization.k8s.io"
EXT_PROC = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"


def made(api: str, kind: str, name: str, spec: Body | None = None, namespace: str = "default", **rest: Any) -> Body:
    """Return an object."""
    labels = {"labels": {"part": "models"}}
    metadata = {"name": name, **labels} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata} | ({"spec": spec} if spec else {}) | rest


def deployment(
    number: int, namespace: str = "default", labels: Body | None = None, port: int = 8000, image: str = "vllm:v1"
) -> Body:
    """Return a model server."""
    labels = labels or {"app": f"s{number}"}
    container = {
        "name": "main",
        "image": image,
        "args": [f"--served-model-name=m{number}"],
        "ports": [{"containerPort": port, "name": "http"}],
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return made(
        "apps/v1", "Deployment", f"s{number}", {"selector": {"matchLabels": labels}, "template": template}, namespace
    )


def service(number: int, namespace: str = "default", labels: Body | None = None) -> Body:
    """Return a Service, by default of the server of this number."""
    ports = [{"port": 80, "targetPort": 8000}]
    return made("v1", "Service", f"s{number}", {"selector": labels or {"app": f"s{number}"}, "ports": ports}, namespace)


def gateway(number: int = 0, listeners: int = 1, gateway_class: str = "eg") -> Body:
    """Return a Gateway that accepts all routes."""
    allowed = {"namespaces": {"from": "All"}}
    all_listeners = [
        {"name": f"l{item}", "port": 80 + item, "protocol": "HTTP", "allowedRoutes": allowed}
        for item in range(listeners)
    ]
    return made(
        f"{GATEWAY}/v1", "Gateway", f"g{number}", {"gatewayClassName": gateway_class, "listeners": all_listeners}
    )


def route(number: int, of: int = 0, namespace: str = "default", backend: Body | None = None, **spec: Any) -> Body:
    """Return a route of the router for a model."""
    matches = [{"headers": [{"name": "x-selected-model", "value": f"m{number}"}]}]
    rule = {"matches": matches, "backendRefs": [backend or {"name": f"s{number}", "port": 80}]}
    parents = [{"name": f"g{of}", "namespace": "default"}]
    return made(f"{GATEWAY}/v1", "HTTPRoute", f"r{number}", {"parentRefs": parents, "rules": [rule]} | spec, namespace)


def pool(number: int, labels: Body | None = None) -> Body:
    """Return a pool, by default of the server of this number."""
    spec = {
        "selector": {"matchLabels": labels or {"app": f"s{number}"}},
        "targetPorts": [{"number": 8000}],
        "endpointPickerRef": {"name": f"s{number}", "port": {"number": 80}},
    }
    return made("inference.networking.k8s.io/v1", "InferencePool", f"p{number}", spec)


def to_pool(number: int, of: int = 0) -> Body:
    """Return a route to a pool."""
    backend = {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": f"p{number}", "port": 80}
    return route(number, of, backend=backend)


def ext_proc(number: int) -> Body:
    """Return a router's filter."""
    service_of = {"envoy_grpc": {"cluster_name": f"outbound|80||s{number}.default.svc.cluster.local"}}
    return {"name": "router", "typed_config": {"@type": EXT_PROC, "grpc_service": service_of}}


def envoy_filter(number: int, namespace: str = "default", of: int | None = None) -> Body:
    """Return an EnvoyFilter with a router's filter, for one Gateway or for its namespace."""
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "GATEWAY"},
        "patch": {"operation": "INSERT_BEFORE", "value": ext_proc(number)},
    }
    selector = {} if of is None else {"workloadSelector": {"labels": {f"{GATEWAY}/gateway-name": f"g{of}"}}}
    return made(
        "networking.istio.io/v1alpha3", "EnvoyFilter", f"e{number}", selector | {"configPatches": [patch]}, namespace
    )


def policy(kind: str, number: int, of: int) -> Body:
    """Return a policy of Envoy Gateway for a Gateway."""
    spec = {
        "targetRefs": [{"group": GATEWAY, "kind": "Gateway", "name": f"g{of}"}],
        "connection": {"bufferLimit": "1Mi"},
        "extProc": [{"backendRefs": [{"name": "s0", "port": 80}]}],
        "jwt": {},
    }
    return made(f"{ENVOY}/v1alpha1", kind, f"{kind.lower()}-{number}", spec)


def patch_policy(number: int, of: int) -> Body:
    """Return an EnvoyPatchPolicy with a router's filter."""
    managers = "$..filters[?(@.name=='envoy.filters.network.http_connection_manager')]"
    patch = {
        "type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": f"default/g{of}/l0",
        "operation": {"op": "add", "jsonPath": managers, "path": "x", "value": ext_proc(number)},
    }
    target = {"group": GATEWAY, "kind": "Gateway", "name": f"g{of}"}
    return made(
        f"{ENVOY}/v1alpha1", "EnvoyPatchPolicy", f"patch-{number}", {"targetRef": target, "jsonPatches": [patch]}
    )


def grant(number: int, namespace: str) -> Body:
    """Return a ReferenceGrant for one Service."""
    spec = {
        "from": [{"group": GATEWAY, "kind": "HTTPRoute", "namespace": "default"}],
        "to": [{"group": "", "kind": "Service", "name": f"s{number}"}],
    }
    return made(f"{GATEWAY}/v1beta1", "ReferenceGrant", f"grant-{number}", spec, namespace)


def across(number: int, namespace: str) -> Body:
    """Return a route to a Service of another namespace."""
    return route(number, backend={"name": f"s{number}", "port": 80, "namespace": namespace})


def selecting(api: str, kind: str, number: int, field: str, labels: Body, **spec: Any) -> Body:
    """Return an object with a label selector."""
    return made(api, kind, f"x{number}", {field: {"matchLabels": labels}} | spec)


def monitor(kind: str, number: int, labels: Body) -> Body:
    """Return a monitor of Prometheus' operator."""
    ports = [{"port": "http"}]
    return selecting(
        "monitoring.coreos.com/v1", kind, number, "selector", labels, endpoints=ports, podMetricsEndpoints=ports
    )


def bound(number: int) -> list[Body]:
    """Return a role with its subject."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    return [
        made(f"{RBAC}/v1", "ClusterRole", f"r{number}", namespace="", rules=rules),
        made(
            f"{RBAC}/v1",
            "ClusterRoleBinding",
            f"b{number}",
            namespace="",
            roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": f"r{number}"},
            subjects=[{"kind": "ServiceAccount", "name": f"a{number}", "namespace": "default"}],
        ),
        made("v1", "ServiceAccount", f"a{number}"),
    ]


def hosts(number: int) -> list[Body]:
    """Return objects that name hosts."""
    host = f"s{number}.default.svc.cluster.local"
    return [
        made("networking.istio.io/v1", "DestinationRule", f"d{number}", {"host": host}),
        made("networking.istio.io/v1", "ServiceEntry", f"e{number}", {"hosts": [f"h{number}.example.com"]}),
        made(f"{ENVOY}/v1alpha1", "Backend", f"b{number}", {"endpoints": [{"fqdn": {"hostname": host, "port": 80}}]}),
    ]


def served(number: int, namespace: str = "default") -> list[Body]:
    """Return a model server and its Service."""
    return [deployment(number, namespace), service(number, namespace)]


def config(number: int) -> Body:
    """Return a router's configuration."""
    return made("v1", "ConfigMap", f"c{number}", data={"config.yaml": f"model_config:\n  m{number}: {{}}\n"})


def compiled(number: int) -> list[Body]:
    """Return the output of a policy with pools, pickers and their permissions, under names of its own."""
    text = _OUTPUT.replace("default", f"space-{number}").replace("vllm-s", f"v{number}-s")
    return [item for item in json.loads(text) if isinstance(item, dict)]


_FILES = sorted((ROOT / "out" / "llm-d" / "llm-d" / "base").glob("*/*.yaml"))
_OUTPUT = json.dumps([YAML(typ="safe").load(path.read_text(encoding="utf-8")) for path in _FILES])
POLICIES = ("ClientTrafficPolicy", "SecurityPolicy", "BackendTrafficPolicy")
ONE = {"app": "one"}
MANAGER = deployment(0, "istio-system", {"app": "istiod"}, image="istio/pilot:1.28.0")
FAMILIES: dict[str, tuple[list[Body], Callable[[int], list[Body]]]] = {
    "servers": ([gateway()], lambda n: [*served(n), route(n)]),
    "servers in namespaces": ([gateway()], lambda n: [*served(n, f"n{n}"), route(n, namespace=f"n{n}")]),
    "pools": ([gateway(gateway_class="istio"), envoy_filter(0)], lambda n: [*served(n), pool(n), to_pool(n)]),
    "pools with one label": ([gateway()], lambda n: [deployment(n, labels=ONE), pool(n, ONE)]),
    "pools without pods": ([], lambda n: [deployment(n + 1000), pool(n)]),
    "services with one label": ([], lambda n: [deployment(n, labels=ONE), service(n, labels=ONE)]),
    "services with a wrong port": ([], lambda n: [deployment(n, labels=ONE, port=9), service(n, labels=ONE)]),
    "gateways of Istio": (
        [],
        lambda n: [gateway(n, gateway_class="istio"), envoy_filter(n, of=n), *served(n), route(n, n)],
    ),
    "gateways of Envoy Gateway": (
        [],
        lambda n: [
            gateway(n),
            patch_policy(n, n),
            *(policy(kind, n, n) for kind in POLICIES),
            *served(n),
            pool(n),
            to_pool(n, n),
        ],
    ),
    "gateways with extensions": (
        [],
        lambda n: [gateway(n), policy("EnvoyExtensionPolicy", n, n), *served(n), route(n, n)],
    ),
    "policies of one gateway": ([gateway(), *served(0), route(0)], lambda n: [policy(kind, n, 0) for kind in POLICIES]),
    "filters of the root namespace": (
        [gateway(gateway_class="istio"), *served(0), route(0)],
        lambda n: [envoy_filter(n, "istio-system")],
    ),
    "filters and routes": ([gateway(gateway_class="istio")], lambda n: [envoy_filter(n), *served(n), route(n)]),
    "many listeners": ([gateway(listeners=LISTENERS)], lambda n: [*served(n), route(n)]),
    "grants": ([gateway()], lambda n: [across(n, f"n{n}"), grant(n, f"n{n}"), *served(n, f"n{n}")]),
    "grants in one namespace": ([gateway()], lambda n: [across(n, "models"), grant(n, "models"), *served(n, "models")]),
    "missing services": ([gateway()], lambda n: [route(n)]),
    "services elsewhere": ([gateway()], lambda n: [route(n), service(n, "models")]),
    "network policies": (
        [],
        lambda n: [
            selecting("networking.k8s.io/v1", "NetworkPolicy", n, "podSelector", {"app": f"s{n}"}),
            deployment(n),
        ],
    ),
    "service monitors": ([], lambda n: [monitor("ServiceMonitor", n, {"part": "models"}), *served(n)]),
    "pod monitors": ([], lambda n: [monitor("PodMonitor", n, {"app": f"s{n}"}), deployment(n)]),
    "pod monitors of nothing": ([], lambda n: [monitor("PodMonitor", n, {"app": "none"}), deployment(n)]),
    "configurations": ([gateway()], lambda n: [config(n), *served(n), route(n)]),
    "permissions": ([], bound),
    "hosts": ([], lambda n: [*hosts(n), *served(n)]),
    "hostnames": ([gateway()], lambda n: [*served(n), route(n, hostnames=[f"h{n}.example.com"])]),
    "compiled output": ([], compiled),
    "virtual services": (
        [],
        lambda n: [
            made(
                "networking.istio.io/v1",
                "VirtualService",
                f"v{n}",
                {"http": [{"route": [{"destination": {"host": f"s{n}", "subset": "a"}}]}], "gateways": [f"g{n}"]},
            ),
            *hosts(n),
            *served(n),
        ],
    ),
    "created objects": (
        [gateway()],
        lambda n: [made("example.org/v1", "Chat", f"c{n}"), route(n), deployment(n + 1000), service(n + 1000)],
    ),
    "charts": (
        [gateway()],
        lambda n: [made("helm.toolkit.fluxcd.io/v2", "HelmRelease", f"h{n}", {}), route(n), deployment(n + 1000)],
    ),
    "one object": ([], lambda _: [service(0)]),
    "one match": ([gateway(), *served(0)], lambda n: [route(0) | {"metadata": {"name": f"r{n}"}}]),
    "an old Istio": ([MANAGER, gateway(gateway_class="istio")], lambda n: [*served(n), pool(n), to_pool(n)]),
}
"""Objects of which there is one, and those of which there are many, by number."""


def calls(rule: LinkRule, family: str, count: int) -> int:
    """Return how many function calls a rule makes."""
    few, many = FAMILIES[family]
    bodies = [*few, *(body for number in range(count) for body in many(number))]
    objects = [Manifest.generated(body, Span("world.yaml", line + 1, 1)) for line, body in enumerate(bodies)]
    index = ManifestIndex(objects, Assumptions())
    profile = cProfile.Profile()
    profile.enable()
    for _ in rule.check(index):
        pass
    profile.disable()
    return sum(entry[1] for entry in pstats.Stats(profile).stats.values())  # type: ignore[attr-defined]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_work_of_a_rule_grows_with_the_objects(family):
    """A world of four times as many objects takes at most six times as many calls."""
    too_much = {}
    for rule in LINK_RULES:
        few, many = calls(rule, family, FEW), calls(rule, family, MANY)
        if many > few * AT_MOST * MANY / FEW:
            too_much[rule.name] = (few, many)
    assert too_much == {}
