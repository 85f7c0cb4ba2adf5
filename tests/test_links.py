"""The link checker finds what it is for: each fault, put into objects that have none, is reported."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from support import rendering
from support.common import linked
from support.links import Links

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: links}
router: {image: "r:1"}
gateway: {namespace: edge}
endpoints:
  one: {vllm: {namespace: models}}
  two: {pods: {namespace: models, selector: {app: two}}}
  far: {external: {url: "https://api.example.com/v1"}}
models:
  out: {endpoints: far}
  big: {checkpoint: example/big, endpoints: one, loras: {small: {path: /adapters/small}}}
  other: {endpoints: two}
default: big
"""
POLICY = linked(TEXT)
BODIES = {item.path: item.body for item in rendering.objects(POLICY, "gie")}
PICKER_CONFIG = next(path for path in BODIES if path.startswith("models/configmap-one-epp-"))
Edit = Callable[[dict[str, Any]], object]


def problems(edit: Edit | None = None) -> list[str]:
    """What is found after an edit of the objects by path."""
    bodies = copy.deepcopy(BODIES)
    if edit is not None:
        edit(bodies)
    return Links(list(bodies.values()), POLICY).problems()


def test_the_objects_have_no_fault_to_begin_with() -> None:
    """Otherwise the tests below would show nothing."""
    assert problems() == []


def args(bodies: dict[str, Any], path: str) -> list[str]:
    """The arguments of a Deployment's container."""
    found: list[str] = bodies[path]["spec"]["template"]["spec"]["containers"][0]["args"]
    return found


def swap(path: str, old: str, new: str) -> Edit:
    """An edit that replaces an argument."""

    def edit(bodies: dict[str, Any]) -> None:
        found = args(bodies, path)
        found[found.index(old)] = new

    return edit


def put(path: str, keys: str, value: object) -> Edit:
    """An edit that sets a field, told by its keys with dots between."""

    def edit(bodies: dict[str, Any]) -> None:
        node = bodies[path]
        *way, last = keys.split(".")
        for key in way:
            node = node[int(key) if key.isdigit() else key]
        node[int(last) if last.isdigit() else last] = value

    return edit


def drop(path: str) -> Edit:
    """An edit that leaves an object out."""
    return lambda bodies: bodies.pop(path)


EPP, ROUTE, POOL = "models/deployment-one-epp.yaml", "edge/httproute-big.yaml", "models/inferencepool-one.yaml"
FILTER = "edge/envoyfilter-inference-gateway-semantic-router.yaml"
OUT, ENTRY = "edge/httproute-out.yaml", "edge/serviceentry-inference-gateway-to-api-example-com-d0c43d38.yaml"
TLS = ENTRY.replace("serviceentry", "destinationrule")
FAULTS = {
    "a second object of one name": (lambda b: b.update(copy=b[EPP]), "two objects share an identity"),
    "a pool that is not there": (drop(POOL), "no pool one"),
    "a grant that is not there": (drop("models/referencegrant-inference-gateway-to-one.yaml"), "not granted"),
    "a grant for nothing": (drop("edge/httproute-other.yaml"), "granted for nothing"),
    "a route to no listener": (put(ROUTE, "spec.parentRefs.0.sectionName", "https"), "no such listener"),
    "a route that is not admitted": (put(ROUTE, "metadata.namespace", "far"), "does not admit"),
    "a name that nobody serves": (swap("models/deployment-one.yaml", "big", "huge"), "big: not served by one"),
    "an adapter that nobody loads": (
        swap("models/deployment-one.yaml", "small=/adapters/small", "tiny=/adapters/small"),
        "small: not served by one",
    ),
    "a name without a route": (drop("edge/httproute-other.yaml"), "routes are on"),
    "a picker of another pool": (swap(EPP, "--pool-name=one", "--pool-name=two"), "--pool-name is two"),
    "a picker of another namespace": (
        swap(EPP, "--pool-namespace=models", "--pool-namespace=default"),
        "--pool-namespace is default",
    ),
    "a picker on another port": (swap(EPP, "--grpc-port=9002", "--grpc-port=9000"), "--grpc-port is 9000"),
    "a picker without TLS": (swap(EPP, "--secure-serving=true", "--secure-serving=false"), "TLS differs"),
    "a picker without a DestinationRule": (drop("edge/destinationrule-one-epp.yaml"), "TLS differs"),
    "a DestinationRule out of sight": (
        put("edge/destinationrule-one-epp.yaml", "metadata.namespace", "models"),
        "the gateway does not see it",
    ),
    "a DestinationRule for nothing": (put("edge/destinationrule-one-epp.yaml", "spec.host", "one-epp"), "no host"),
    "a configuration of another key": (
        swap(EPP, "--config-file=/config/picker.yaml", "--config-file=/config/x.yaml"),
        "no configuration x.yaml",
    ),
    "a plugin that is not declared": (
        put(
            PICKER_CONFIG,
            "data",
            {"picker.yaml": "plugins: []\nschedulingProfiles: [{plugins: [{pluginRef: a}]}]"},
        ),
        "plugin a is not declared",
    ),
    "a host with a namespace": (put(OUT, "spec.rules.0.backendRefs.0.namespace", "edge"), "has no namespace"),
    "a host at another port": (put(OUT, "spec.rules.0.backendRefs.0.port", 80), "no host api.example.com:80"),
    "a host in plain text": (put(ENTRY, "spec.ports.0.protocol", "HTTP"), "no host api.example.com:443"),
    "a host under any name": (put(TLS, "spec.trafficPolicy.tls.subjectAltNames", []), "how to speak TLS"),
    "a host without TLS": (drop(TLS), "how to speak TLS"),
    "a host for everybody": (put(ENTRY, "spec.exportTo", ["*"]), "nobody else"),
    "a host for nothing": (drop(OUT), "known for nothing"),
    "a probe that nobody answers": (
        put(EPP, "spec.template.spec.containers.0.readinessProbe.grpc.service", "inference-extension"),
        "probes name no service",
    ),
    "a picker spoken to by HTTP/1": (put("models/service-one-epp.yaml", "spec.ports.0.appProtocol", "http"), "HTTP/2"),
    "a pool on another port": (put(POOL, "spec.targetPorts.0.number", 80), "no pod on 80"),
    "a pool of another's pods": (
        put("models/inferencepool-two.yaml", "spec.selector.matchLabels", {"app.kubernetes.io/name": "one"}),
        "another pool's",
    ),
    "a filter of Envoy's own name": (
        put(FILTER, "spec.configPatches.4.patch.value.name", "envoy.filters.http.ext_proc"),
        "re-point",
    ),
    "a first filter of Envoy's own name": (
        put(FILTER, "spec.configPatches.3.patch.value.name", "envoy.filters.http.ext_proc"),
        "re-point",
    ),
    "a filter for no Gateway": (put(FILTER, "spec.targetRefs.0.name", "other"), "no Gateway other"),
    "a router on another port": (
        put("vllm-semantic-router-system/service-semantic-router.yaml", "spec.ports.0.port", 80),
        "no HTTP/2 port 50051",
    ),
    "a Service to nothing": (put("models/service-one.yaml", "spec.selector", {"app": "x"}), "nothing at http"),
    "a Deployment of other pods": (put(EPP, "spec.selector.matchLabels", {"app": "x"}), "does not match its pods"),
    "an account that is not there": (drop("models/serviceaccount-one-epp.yaml"), "no account one-epp"),
    "a claim that is not there": (drop("models/persistentvolumeclaim-one.yaml"), "no claim one"),
    "a role that is not there": (drop("models/role-one-epp.yaml"), "no Role"),
    "wide rights in a Role": (
        put("models/role-one-epp.yaml", "rules.0.resources", ["tokenreviews"]),
        "no effect in a Role",
    ),
    "a budget for nothing": (
        put(
            "vllm-semantic-router-system/poddisruptionbudget-semantic-router.yaml",
            "spec.selector.matchLabels",
            {"a": "b"},
        ),
        "selects nothing",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    """One edit, and a sentence about it."""
    edit, sentence = FAULTS[fault]
    assert [text for text in problems(edit) if sentence in text], problems(edit)


BESIDE = {
    item.path: item.body
    for item in rendering.objects(linked(TEXT.replace("vllm: {n", "pool: {}, vllm: {n")), "ai-gateway")
}
PATCH = "edge/envoypatchpolicy-inference-gateway-semantic-router.yaml"
AI_FAULTS = {
    "a backend that is not there": (drop("edge/aiservicebackend-two.yaml"), "no AIServiceBackend two"),
    "a host that is not there": (
        put("edge/backend-two.yaml", "spec.endpoints.0.fqdn.hostname", "x.models.svc.cluster.local"),
        "no Service x:80",
    ),
    "a host in plain text": (
        put("vllm-semantic-router-system/backend-far.yaml", "spec.tls", None),
        "how to speak TLS",
    ),
    "a route that is not admitted": (
        put("edge/gateway-inference-gateway.yaml", "spec.listeners.0.allowedRoutes.namespaces", {"from": "Same"}),
        "does not admit",
    ),
    "a patch of another listener": (put(PATCH, "spec.jsonPatches.1.name", "edge/other/http"), "no listener"),
    "a filter that asks another cluster": (put(PATCH, "spec.jsonPatches.0.name", "x"), "asks another cluster"),
    "a router of another listener": (put(PATCH, "spec.jsonPatches.2.name", "edge/other/http"), "no listener"),
    "a filter behind another": (
        put(PATCH, "spec.jsonPatches.1.operation.path", "/default_filter_chain/filters/0/typed_config/http_filters/-"),
        "vsr.header_mutation is not right before the request buffer",
    ),
    "a router before authentication": (
        put(PATCH, "spec.jsonPatches.2.operation.jsonPath", "$..http_filters[?(@.name=='envoy.filters.http.cors')]"),
        "vsr.ext_proc is not right before the request buffer",
    ),
    "a router of Envoy's own name": (
        put(PATCH, "spec.jsonPatches.2.operation.value.name", "envoy.filters.http.ext_proc"),
        "its own filter before",
    ),
    "a request without a buffer": (drop("edge/backendtrafficpolicy-inference-gateway.yaml"), "no request is buffered"),
    "a router behind one address": (
        put("vllm-semantic-router-system/service-semantic-router-headless.yaml", "spec.clusterIP", "10.0.0.1"),
        "no headless Service",
    ),
    "clients that choose by themselves": (
        put("edge/clienttrafficpolicy-inference-gateway.yaml", "spec.headers.earlyRequestHeaders.remove", ["x"]),
        "clients may say",
    ),
    "a class that is not there": (drop("cluster/gatewayclass-edge-inference-gateway.yaml"), "no class"),
    "a rule that asks no router": (
        put("models/aigatewayroute-inference-gateway-big.yaml", "spec.rules.0.matches.0.headers", []),
        "no router chooses",
    ),
    "a picker without TLS": (swap(EPP, "--secure-serving=true", "--secure-serving=false"), "speaks TLS"),
}


def beside(edit: Edit) -> list[str]:
    """What is found after an edit of the objects of AI Gateway by path."""
    changed = copy.deepcopy(BESIDE)
    edit(changed)
    return Links(list(changed.values()), linked(TEXT)).problems()


def test_ai_gateways_objects_have_no_fault_to_begin_with() -> None:
    """As above."""
    assert beside(lambda _: None) == []


@pytest.mark.parametrize("fault", AI_FAULTS)
def test_a_fault_of_ai_gateways_objects_is_found(fault: str) -> None:
    """One edit, and a sentence about it."""
    edit, sentence = AI_FAULTS[fault]
    assert [text for text in beside(edit) if sentence in text], beside(edit)
