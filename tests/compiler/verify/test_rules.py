"""What else the rules report, and where they hold back."""

from __future__ import annotations

import inspect
import re

import pytest

import support.verify_support as m
from support.common import ROOT
from vsr_compiler.diagnostics import CODES, Severity
from vsr_compiler.verify import RULES

HEALTH = """--metrics-endpoint-auth=false, --ha-enable-leader-election]
        livenessProbe: {grpc: {port: 9003, service: inference-extension}}"""
MONITOR = (
    m.SERVICE.replace("name: big,", "name: labelled, labels: {app: big},")
    + """\
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: big, namespace: prod}
spec: {selector: {matchLabels: {app: big}}, endpoints: [{port: http}]}
"""
)
POD_MONITOR = """\
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: big, namespace: prod}
spec: {selector: {matchLabels: {app: big}}, podMetricsEndpoints: [{portNumber: 8000}]}
"""
EDITS: dict[str, tuple[list[str], str, str, str, str]] = {
    "a backend that is not there": (
        m.ISTIO,
        "kind: Service, name: big,",
        "kind: Service, name: large,",
        "VSR402",
        "large",
    ),
    "an account that is not there": (m.POOLED, "AccountName: big-epp", "AccountName: epp", "VSR402", "ServiceAccount"),
    "a host that is not there": (m.POOLED, "host: big-epp.prod", "host: epp.prod", "VSR402", "no such Service"),
    "a backend elsewhere without a grant": (
        m.ISTIO,
        "name: big, port: 80",
        "name: big, namespace: far, port: 80",
        "VSR403",
        "nothing grants it",
    ),
    "a name that no server bears": (
        m.ISTIO,
        "served-model-name, big",
        "served-model-name, huge",
        "VSR404",
        "not serve",
    ),
    "a pool on another port": (
        m.POOLED,
        "targetPorts: [{number: 8000}]",
        "targetPorts: [{number: 80}]",
        "VSR405",
        "80",
    ),
    "a Service to a port without a name": (m.ISTIO, "targetPort: 8000", "targetPort: web", "VSR405", "port web"),
    "a workload of other pods": (
        m.ISTIO,
        "selector: {matchLabels: {app: big}}",
        "selector: {matchLabels: {app: x}}",
        "VSR405",
        "its own pods",
    ),
    "a picker of another pool": (m.POOLED, "--pool-name=big", "--pool-name=small", "VSR406", "--pool-name `small`"),
    "a picker on another port": (m.POOLED, "--grpc-port=9002", "--grpc-port=9000", "VSR406", "--grpc-port `9000`"),
    "a picker without its file": (
        m.POOLED,
        "--grpc-port=9002",
        "--config-file=/config/a.yaml",
        "VSR406",
        "nothing is mounted",
    ),
    "plain text to a TLS port": (m.POOLED, "mode: SIMPLE", "mode: DISABLE", "VSR407", "plain text"),
    "TLS to a plain text port": (
        m.POOLED,
        "--grpc-port=9002",
        "--grpc-port=9002, --secure-serving=false",
        "VSR407",
        "speaks TLS",
    ),
    "a certificate that nobody knows": (m.POOLED, ", insecureSkipVerify: true", "", "VSR407", "signs its own"),
    "a backend at a host that is not there": (m.AI, "big.prod.svc", "large.prod.svc", "VSR402", "no such Service"),
    "a backend at another port": (m.AI, "local, port: 80}", "local, port: 81}", "VSR402", "port 81"),
    "a name that no server behind a backend bears": (
        m.AI,
        "served-model-name, big",
        "served-model-name, huge",
        "VSR404",
        "not serve",
    ),
    "a cluster at a host that is not there": (
        m.ENVOY,
        "value: {name: router}",
        """value: {name: router, load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address:
      {address: router.far.svc.cluster.local, port_value: 50051}}}}]}]}}""",
        "VSR419",
        "no such Service",
    ),
    "a cluster at a port that is not there": (
        m.ENVOY,
        "value: {name: router}",
        """value: {name: router, load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address:
      {address: big.prod.svc.cluster.local, port_value: 50051}}}}]}]}}""",
        "VSR419",
        "port 50051",
    ),
    "a router spoken to by HTTP/1": (
        m.ISTIO,
        "{name: grpc, port: 50051}",
        "{name: a, port: 50051}",
        "VSR408",
        "HTTP/2",
    ),
    "a picker spoken to by HTTP/1": (m.POOLED, "appProtocol: http2", "appProtocol: http", "VSR408", "HTTP/2"),
    "Envoy's own name": (m.POOLED, "vsr.ext_proc", "envoy.filters.http.ext_proc", "VSR409", "re-points"),
    "a filter behind the others": (m.ISTIO, "INSERT_FIRST", "ADD", "VSR409", "behind the others"),
    "a filter behind the picker": (
        m.POOLED,
        "GATEWAY}\n    patch:\n      operation: INSERT_FIRST",
        """GATEWAY, listener: {filterChain: {filter: {subFilter: {name: envoy.filters.http.grpc_stats}}}}}
    patch:\n      operation: INSERT_BEFORE""",
        "VSR409",
        "behind the endpoint picker",
    ),
    "a filter behind Envoy's router": (m.ENVOY, "http_filters/0", "http_filters/-", "VSR409", "no request comes"),
    "a filter that is not the first": (m.AI, "http_filters/0", "http_filters/2", "VSR409", "may put its own before"),
    "nothing stripped": (m.ISTIO, "remove: x-selected-model", "remove: x-other", "VSR410", "chooses the route itself"),
    "half a body": (m.ISTIO, "mode: BUFFERED,", "mode: BUFFERED_PARTIAL,", "VSR411", "cuts bodies off"),
    "full duplex without trailers": (m.ISTIO, "mode: BUFFERED,", "mode: FULL_DUPLEX_STREAMED,", "VSR411", "trailer"),
    "two services": (m.ISTIO, "message_timeout: 5s", "http_service: {}", "VSR411", "exactly one"),
    "a route that stays": (
        m.ISTIO,
        "message_timeout",
        "route_cache_action: RETAIN\n          message_timeout",
        "VSR411",
        "never chosen again",
    ),
    "no buffer": (m.ISTIO, "per_connection_buffer_limit_bytes", "name", "VSR412", "1 MiB"),
    "a window that is Envoy Gateway's own": (
        m.ENVOY,
        "http2: {initialStreamWindowSize: 8Mi}",
        "http2: {maxConcurrentStreams: 100}",
        "VSR412",
        "over HTTP/2 the gateway buffers 65,536 bytes",
    ),
    "a window under the buffer": (
        m.AI,
        "initialStreamWindowSize: 8Mi",
        "initialStreamWindowSize: 1Mi",
        "VSR412",
        "over HTTP/2 the gateway buffers 1,048,576 bytes",
    ),
    "no timeout": (m.ISTIO, "message_timeout: 5s", "stat_prefix: vsr", "VSR413", "200 ms"),
    "a timeout that is none": (m.ISTIO, "message_timeout: 5s", "message_timeout: 5", "VSR413", "no duration"),
    "a timeout over the route's": (m.ISTIO, "message_timeout: 5s", "message_timeout: 10m", "VSR413", "whole request"),
    "a try over the request": (m.ISTIO, "{request: 300s}", "{request: 1s, backendRequest: 2s}", "VSR413", "waits 2 s"),
    "a flag that is refused": (m.POOLED, "--grpc-port=9002", "--lora-info-metric=x", "VSR414", "refuses"),
    "a flag that is unknown": (m.POOLED, "--grpc-port=9002", "--drain-timout=9s", "VSR414", "knows no argument"),
    "no right to read pods": (m.POOLED, "resources: [pods]", "resources: [nodes]", "VSR415", "may not read pods"),
    "two pools in a rule": (
        m.POOLED,
        "name: big, weight: 1}]",
        "name: big, weight: 1}, {name: x, port: 80}]",
        "VSR416",
        "a pool and 1 more",
    ),
    "another listener": (
        m.ISTIO,
        "kind: Gateway, name: edge}]\n  rules",
        "kind: Gateway, name: edge, sectionName: s}]\n  rules",
        "VSR417",
        "no listener",
    ),
    "a listener for others": (
        m.ISTIO,
        "protocol: HTTP}",
        "protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}",
        "VSR417",
        "takes a HTTPRoute",
    ),
    "a key in a manifest": (
        m.ISTIO,
        "args: [--model",
        "env: [{name: HF_TOKEN, value: hf_x}]\n        args: [--model",
        "VSR418",
        "HF_TOKEN",
    ),
    "a cluster of no Service": (m.ISTIO, "||router.prod", "||rooter.prod", "VSR419", "no Service"),
    "a cluster of no port": (m.ISTIO, "outbound|50051", "outbound|50052", "VSR419", "port 50052"),
    "a cluster that nobody adds": (
        m.ENVOY,
        "clusterName: router",
        "clusterName: rooter",
        "VSR419",
        "no EnvoyPatchPolicy",
    ),
    "a host of nobody": (m.AI, "hostname: big.prod", "hostname: stack.prod", "VSR402", "no such Service"),
    "a name that AI Gateway's server does not bear": (
        m.AI,
        "served-model-name, big",
        "served-model-name, huge",
        "VSR404",
        "not serve",
    ),
    "a buffer under the router's": (
        m.ISTIO,
        "  config.yaml: |",
        "  runtime.yaml: |\n    limits: {maxBody: 9000000}\n  config.yaml: |",
        "VSR412",
        "8,388,608 bytes",
    ),
    "a policy's buffer under the router's": (
        m.ENVOY,
        "  config.yaml: |",
        "  runtime.yaml: |\n    limits: {maxBody: 9000000}\n  config.yaml: |",
        "VSR412",
        "8,388,608 bytes",
    ),
    "silence shorter than a request": (
        m.ISTIO,
        "early_header_mutation_extensions:",
        "stream_idle_timeout: 60s\n          early_header_mutation_extensions:",
        "VSR413",
        "silent for 60 s",
    ),
    "a policy's silence": (
        m.ENVOY,
        "connection: {",
        "timeout: {http: {streamIdleTimeout: 30s}}\n  connection: {",
        "VSR413",
        "silent for 30 s",
    ),
    "a processor that is only shown": (
        m.ISTIO,
        "failure_mode_allow: false",
        "observability_mode: true",
        "VSR410",
        "count for nothing",
    ),
    "bodies sent early": (
        m.ISTIO,
        "failure_mode_allow: false",
        "send_body_without_waiting_for_header_response: true",
        "VSR411",
        "STREAMED bodies only",
    ),
    "pools without Istio's variable": (
        [*m.POOLED, m.pilot("1.29.6")],
        'EXTENSION, value: "true"',
        'EXTENSION, value: "false"',
        "VSR414",
        "leaves InferencePools alone",
    ),
    "a monitor of no Service": (
        [*m.ISTIO, MONITOR],
        "{matchLabels: {app: big}}, endpoints",
        "{matchLabels: {app: large}}, endpoints",
        "VSR405",
        "selects no Service",
    ),
    "a monitor of no port": (
        [*m.ISTIO, MONITOR],
        "endpoints: [{port: http}]",
        'endpoints: [{port: "80"}]',
        "VSR405",
        "none of its Services names",
    ),
    "a monitor of pods without the port": (
        [*m.ISTIO, POD_MONITOR],
        "podMetricsEndpoints: [{portNumber: 8000}]",
        "podMetricsEndpoints: [{port: metrics}]",
        "VSR405",
        "none of its pods names",
    ),
    "defaults left out": (m.ISTIO, ", type: Exact", "", "VSR420", "headers[].type"),
    "a probe without an answer": (
        m.POOLED,
        "--metrics-endpoint-auth=false]",
        HEALTH,
        "VSR421",
        "inference-extension",
    ),
    "two pickers without a leader": (
        m.POOLED,
        "spec:\n  selector: {matchLabels: {app: big-epp}}",
        "spec:\n  replicas: 2\n  selector: {matchLabels: {app: big-epp}}",
        "VSR421",
        "2 replicas",
    ),
    "a filter for every proxy": (
        m.ISTIO,
        "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]\n  config",
        "priority: 1\n  config",
        "VSR422",
        "every proxy",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_one_edit_of_a_stream_without_faults_is_reported(name: str) -> None:
    """By its code and in its words."""
    parts, old, new, code, part = EDITS[name]
    text = m.joined(*parts)
    assert old in text
    assert not [item for item in m.found(text) if item.code == code and part in item.message]
    found = m.found(text.replace(old, new, 1))
    assert [item for item in found if item.code == code and part in item.message], [
        (item.code, item.message) for item in found
    ]


PLUGINS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: big-epp, namespace: prod}
data:
  config.yaml: |
    apiVersion: llm-d.ai/v1alpha1
    kind: EndpointPickerConfig
    plugins: [{type: queue-scorer}, {type: max-score-picker}]
    schedulingProfiles: [{name: default, plugins: [{pluginRef: queue-scorer}, {pluginRef: max-score-picker}]}]
"""


@pytest.mark.parametrize(
    ("image", "plugin", "part"),
    [
        ("ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", "queue-scoror", "no plugin `queue-scoror`"),
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.1.0", "token-load-scorer", "no plugin `token-load-"),
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0", "token-load-scorer", ""),
        ("registry.example/team/epp:v1.1.0", "of-our-own", ""),
    ],
)
def test_a_plugin_that_the_release_does_not_have_is_reported(image: str, plugin: str, part: str) -> None:
    """By the picker's image, with the name that was likely meant; of images of others, nothing is known."""
    mounted = m.EPP.replace("ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", image)
    mounted = mounted.replace("args: [", "args: [--config-file=/config/config.yaml, ")
    mounted += "      volumes: [{name: config, configMap: {name: big-epp}}]\n"
    config = PLUGINS.replace("queue-scorer", plugin)
    parts = [mounted if each == m.EPP else each for each in m.POOLED]
    found = [item for item in m.found(m.joined(*parts, config)) if "knows no plugin" in item.message]
    assert [part in item.message for item in found] == ([True] if part else [])
    assert all(item.code == "VSR414" and item.hint for item in found)


def test_every_rule_is_shown_by_some_test() -> None:
    """A rule that no manifest provokes is a promise that nobody checked."""
    shown = {edit[3] for edit in EDITS.values()}
    faults = (ROOT / "tests" / "compiler" / "verify" / "test_faults.py").read_text(encoding="utf-8")
    assert {f"VSR4{name[1:]}" for name in RULES} == shown | set(re.findall(r'"(VSR4[0-2]\d)"', faults))


def test_what_is_assumed_is_taken_for_there() -> None:
    """An object that exists elsewhere, and pods by their labels."""
    text = m.joined(m.GATEWAY, m.ROUTE)
    assert [item.code for item in m.found(text) if item.level is Severity.ERROR] == ["VSR402"]
    assert [item for item in m.found(text, "Service/prod/big") if item.level is Severity.ERROR] == []
    pool = m.joined(m.POOL, m.EPP_SERVICE)
    assert "selects no pods" in str(m.found(pool))
    assert "InferencePool `prod/big` selects no pods" not in str(m.found(pool, "Pod/prod/app=big"))


def test_what_a_control_plane_provides_and_secrets_are_notes() -> None:
    """Once for each, however often it is named."""
    read = "envFrom: [{secretRef: {name: s}}]\n        args: [--model"
    server = m.SERVER.replace("name: big,", "name: two,").replace("app: big", "app: two")
    text = m.joined(*m.ISTIO, server).replace("args: [--model", read)
    notes = [item.message for item in m.found(text) if item.level is Severity.NOTE]
    assert [note.partition(" is not among")[0] for note in notes] == ["GatewayClass `istio`", "Secret `prod/s`"]


def test_a_guarded_router_that_fails_open_is_an_error_and_any_other_a_warning() -> None:
    """The weight of the finding is what a client could get past."""
    opened = m.joined(*m.ISTIO).replace("failure_mode_allow: false", "failure_mode_allow: true")
    guards = "    prompt_guard: {enabled: true}\n    providers:"
    guarded = opened.replace("    providers:", guards)
    levels = [[item.level for item in m.found(text) if item.code == "VSR410"] for text in (opened, guarded)]
    assert levels == [[Severity.WARNING], [Severity.ERROR]]


def test_a_grant_lets_a_reference_cross() -> None:
    """And the same grant without a reference is for nothing."""
    grant = """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: big, namespace: far}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: prod}]
  to: [{group: "", kind: Service, name: big}]
"""
    far = [
        m.SERVICE.replace("namespace: prod", "namespace: far"),
        m.SERVER.replace("namespace: prod", "namespace: far"),
    ]
    route = m.ROUTE.replace("name: big, port: 80", "name: big, namespace: far, port: 80")
    assert "VSR403" not in {item.code for item in m.found(m.joined(m.GATEWAY, route, *far, grant))}
    assert "VSR403" in {item.code for item in m.found(m.joined(m.GATEWAY, *far, grant))}


def test_a_listener_may_choose_namespaces_by_label() -> None:
    """A namespace among the objects must bear the label; one that is not may."""
    chosen = "protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}}"
    text = m.joined(*m.ISTIO).replace("protocol: HTTP}", chosen)
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: prod, labels: {a: %s}}\n"
    assert "VSR417" not in {item.code for item in m.found(text)}
    assert "VSR417" not in {item.code for item in m.found(m.joined(text, space % "b"))}
    assert "VSR417" in {item.code for item in m.found(m.joined(text, space % "c"))}


def test_each_rule_has_its_code_and_says_on_the_page_what_its_docstring_says() -> None:
    """docs/reference/verify-rules.md lists exactly the rules that exist."""
    page = (ROOT / "docs" / "reference" / "verify-rules.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (L\d\d) \| VSR4\d\d \| (.*) \|$", page, re.MULTILINE))
    assert rows == {name: " ".join(inspect.cleandoc(rule.__doc__ or "").split()) for name, rule in RULES.items()}
    assert {f"VSR4{name[1:]}" for name in RULES} <= set(CODES)


def test_a_hostname_is_there_where_a_service_entry_names_it() -> None:
    """A route to a provider outside the cluster names a host, not an object."""
    route = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: out, namespace: default}
spec:
  rules:
  - name: out
    backendRefs: [{group: networking.istio.io, kind: Hostname, name: api.example.com, port: 443}]
"""
    entry = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: default}
spec: {hosts: [api.example.com]}
"""

    def missing(text: str) -> list[str]:
        return [item.message for item in m.found(text) if item.code == "VSR402"]

    assert missing(route) == ["HTTPRoute `default/out` names Hostname `default/api.example.com`, which is not there"]
    assert missing(route + entry) == []


def test_what_an_ordinary_filter_removes_does_not_count_as_stripped() -> None:
    """It may stand behind the processor, which has read the client's header by then."""
    text = m.joined(*m.ISTIO)
    assert "VSR410" not in {item.code for item in m.found(text) if item.level is Severity.ERROR}
    later = text.replace("early_header_mutation_extensions", "http_filters")
    assert "VSR410" in {item.code for item in m.found(later) if item.level is Severity.ERROR}


@pytest.mark.parametrize(
    ("expression", "admitted"),
    [
        ("{key: kubernetes.io/metadata.name, operator: In, values: [far, prod]}", True),
        ("{key: kubernetes.io/metadata.name, operator: In, values: [far]}", False),
        ("{key: kubernetes.io/metadata.name, operator: NotIn, values: [prod]}", False),
        ("{key: kubernetes.io/metadata.name, operator: Exists}", True),
        ("{key: team, operator: In, values: [ai]}", True),
        ("{key: team, operator: DoesNotExist}", False),
    ],
)
def test_a_listener_may_choose_namespaces_by_expressions(expression: str, *, admitted: bool) -> None:
    """Each operator, on the name that every namespace bears and on a label of one that is there."""
    chosen = f"allowedRoutes: {{namespaces: {{from: Selector, selector: {{matchExpressions: [{expression}]}}}}}}}}]"
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: prod, labels: {team: ai}}\n"
    stream = m.joined(*m.ISTIO, space).replace("protocol: HTTP}]", f"protocol: HTTP, {chosen}")
    assert ("VSR417" not in {item.code for item in m.found(stream)}) == admitted


def test_a_class_that_is_one_gateways_own_is_no_finding() -> None:
    """L23: nobody else can bear its name, so nobody fights over it; any other name may be somebody's."""
    own = "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: prod-edge}\nspec: {}\n"
    assert "VSR423" not in {item.code for item in m.found(m.joined(*m.ENVOY, own))}
    assert "VSR423" in {item.code for item in m.found(m.joined(*m.ENVOY, own.replace("prod-edge", "edge")))}


def test_both_names_of_a_model_are_read_where_they_are_meant() -> None:
    """The router selects by one, the server is asked for the other."""
    both = "{name: x-ai-eg-model, type: Exact, value: org/big}, {name: x-selected-model, type: Exact, value: big}"
    stream = m.joined(*m.AI).replace("{name: x-ai-eg-model, type: Exact, value: big}", both)
    assert ["does not serve" in item.message for item in m.found(stream) if item.code == "VSR404"] == [True]
    served = stream.replace("served-model-name, big", "served-model-name, org/big")
    assert [item for item in m.found(served) if item.code == "VSR404"] == []
