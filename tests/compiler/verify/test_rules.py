"""Link rules: what they report, and what they accept."""

from __future__ import annotations

import re

import pytest

import support.verify_support as m
from support.breakage_cases import CASES
from support.common import ROOT
from vsr_compiler.diagnostics import Severity
from vsr_compiler.releases.picker_arguments import FAILING_PLUGINS
from vsr_compiler.releases.pickers import PICKERS
from vsr_compiler.verify.rules import LINK_RULES

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
LIMITS = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: limits, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  rateLimit: {type: Global, global: {rules: [{limit: {requests: 10, unit: Hour}}]}}
"""
EDITS: dict[str, tuple[list[str], str, str, str, str]] = {
    "a missing backend": (
        m.ISTIO,
        "kind: Service, name: big,",
        "kind: Service, name: large,",
        "VSR402",
        "large",
    ),
    "a missing account": (m.POOLED, "AccountName: big-epp", "AccountName: epp", "VSR402", "ServiceAccount"),
    "a host without a Service": (m.POOLED, "host: big-epp.prod", "host: epp.prod", "VSR402", "no such Service"),
    "a backend in another namespace without a grant": (
        m.ISTIO,
        "name: big, port: 80",
        "name: big, namespace: far, port: 80",
        "VSR403",
        "without a ReferenceGrant",
    ),
    "a name that no server serves": (
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
        "uses TLS",
    ),
    "a self-signed certificate that is verified": (m.POOLED, ", insecureSkipVerify: true", "", "VSR407", "self-signed"),
    "a backend with a host without a Service": (m.AI, "big.prod.svc", "large.prod.svc", "VSR402", "no such Service"),
    "a backend at another port": (m.AI, "local, port: 80}", "local, port: 81}", "VSR402", "port 81"),
    "a name that no server behind a backend serves": (
        m.AI,
        "served-model-name, big",
        "served-model-name, huge",
        "VSR404",
        "not serve",
    ),
    "a cluster with a host without a Service": (
        m.ENVOY,
        "value: {name: router}",
        """value: {name: router, load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address:
      {address: router.prod.svc.cluster.local, port_value: 50051}}}}]}]}}""",
        "VSR419",
        "no such Service",
    ),
    "a cluster with a missing port": (
        m.ENVOY,
        "value: {name: router}",
        """value: {name: router, load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address:
      {address: big.prod.svc.cluster.local, port_value: 50051}}}}]}]}}""",
        "VSR419",
        "port 50051",
    ),
    "a router port without HTTP/2": (
        m.ISTIO,
        "{name: grpc, port: 50051}",
        "{name: a, port: 50051}",
        "VSR408",
        "HTTP/2",
    ),
    "a picker port without HTTP/2": (m.POOLED, "appProtocol: http2", "appProtocol: http", "VSR408", "HTTP/2"),
    "Envoy's default name": (m.POOLED, "vsr.ext_proc", "envoy.filters.http.ext_proc", "VSR409", "redirects"),
    "a filter behind the others": (m.ISTIO, "INSERT_FIRST", "ADD", "VSR409", "runs after the others"),
    "a filter behind the picker": (
        m.POOLED,
        "GATEWAY}\n    patch:\n      operation: INSERT_FIRST",
        """GATEWAY, listener: {filterChain: {filter: {subFilter: {name: envoy.filters.http.grpc_stats}}}}}
    patch:\n      operation: INSERT_BEFORE""",
        "VSR409",
        "after the endpoint picker",
    ),
    "a filter behind Envoy's router": (
        m.ENVOY,
        "http_filters/0",
        "http_filters/-",
        "VSR409",
        "which no request passes",
    ),
    "a filter that is not the first": (
        m.AI,
        "http_filters/0",
        "http_filters/2",
        "VSR409",
        "may insert its own filter before",
    ),
    "no header stripped": (
        m.ISTIO,
        "remove: x-selected-model",
        "remove: x-other",
        "VSR410",
        "chooses the route itself",
    ),
    "a truncated body": (m.ISTIO, "mode: BUFFERED,", "mode: BUFFERED_PARTIAL,", "VSR411", "truncates long bodies"),
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
    "Envoy Gateway's default window": (
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
    "an invalid timeout": (m.ISTIO, "message_timeout: 5s", "message_timeout: 5", "VSR413", "is not a duration"),
    "a timeout over the route's": (m.ISTIO, "message_timeout: 5s", "message_timeout: 10m", "VSR413", "whole request"),
    "a backend timeout over the request timeout": (
        m.ISTIO,
        "{request: 300s}",
        "{request: 1s, backendRequest: 2s}",
        "VSR413",
        "waits 2 s",
    ),
    "a removed flag": (m.POOLED, "--grpc-port=9002", "--lora-info-metric=x", "VSR414", "rejects"),
    "an unknown flag": (m.POOLED, "--grpc-port=9002", "--drain-timout=9s", "VSR414", "does not have the flag"),
    "no permission to list pods": (
        m.POOLED,
        "resources: [pods]",
        "resources: [nodes]",
        "VSR415",
        "no permission to list pods",
    ),
    "two pools in a rule": (
        m.POOLED,
        "name: big, weight: 1}]",
        "name: big, weight: 1}, {name: x, port: 80}]",
        "VSR416",
        "2 backendRefs",
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
        "accepts a HTTPRoute",
    ),
    "a key in a manifest": (
        m.ISTIO,
        "args: [--model",
        "env: [{name: HF_TOKEN, value: hf_x}]\n        args: [--model",
        "VSR418",
        "HF_TOKEN",
    ),
    "a cluster of no Service": (m.ISTIO, "||router.prod", "||rooter.prod", "VSR419", "there is no Service"),
    "a cluster of no port": (m.ISTIO, "outbound|50051", "outbound|50052", "VSR419", "port 50052"),
    "a cluster that no patch adds": (
        m.ENVOY,
        "clusterName: router",
        "clusterName: rooter",
        "VSR419",
        "no EnvoyPatchPolicy",
    ),
    "a backend with an unknown host": (m.AI, "hostname: big.prod", "hostname: stack.prod", "VSR402", "no such Service"),
    "a name that AI Gateway's server does not serve": (
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
    "an idle timeout shorter than a request": (
        m.ISTIO,
        "early_header_mutation_extensions:",
        "stream_idle_timeout: 60s\n          early_header_mutation_extensions:",
        "VSR413",
        "idle for 60 s",
    ),
    "a policy's idle timeout": (
        m.ENVOY,
        "connection: {",
        "timeout: {http: {streamIdleTimeout: 30s}}\n  connection: {",
        "VSR413",
        "idle for 30 s",
    ),
    "a processor that only observes": (
        m.ISTIO,
        "failure_mode_allow: false",
        "observability_mode: true",
        "VSR410",
        "ignores the responses",
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
        "ignores InferencePools",
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
    "a probe that nothing answers": (
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
    "a listener that no filter is added to": (
        m.ENVOY,
        "{name: http, port: 80, protocol: HTTP}",
        "{name: http, port: 80, protocol: HTTP}, {name: other, port: 81, protocol: HTTP}",
        "VSR624",
        "the listener `other` of Gateway `prod/edge`",
    ),
    "authentication that no route enables on arrival": (
        m.ENVOY,
        "---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyPatchPolicy",
        """---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: users, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  extAuth: {http: {}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy""",
        "VSR625",
        "`extAuth` of SecurityPolicy `prod/users` does not run for requests to HTTPRoute `prod/big`",
    ),
    "a picker that accepts less than the gateway buffers": (
        m.POOLED,
        "--grpc-max-recv-msg-size=8454144",
        "--grpc-max-recv-msg-size=8Mi",
        "VSR626",
        "accepts messages of 8,388,608 bytes",
    ),
    "a mount of a missing volume": (
        m.ISTIO,
        "ports: [{containerPort: 8000}]",
        "ports: [{containerPort: 8000}]\n        volumeMounts: [{name: cache, mountPath: /cache}]",
        "VSR627",
        "mounts the volume `cache`",
    ),
    "a fallback that no retry reaches": (
        m.AI,
        "backendRefs: [{name: big}]",
        """backendRefs: [{name: big}, {name: big, priority: 1}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: big, namespace: prod}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: big}], retry: {numRetries: 2}}""",
        "VSR628",
        "never uses its fallback",
    ),
    "plain HTTP to a provider": (
        m.AI,
        "fqdn: {hostname: big.prod.svc.cluster.local, port: 80}",
        "fqdn: {hostname: api.example.com, port: 443}",
        "VSR629",
        "sends plain HTTP",
    ),
    "a server on another port than its probes": (
        m.ISTIO,
        "--served-model-name, big]",
        "--served-model-name, big, --port=8001]",
        "VSR630",
        "listens on port 8001",
    ),
    "a policy in the place of one with limits": (
        [*m.AI, LIMITS],
        LIMITS,
        f"""{LIMITS}---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: other, namespace: prod}}
spec: {{targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: edge}}], retry: {{numRetries: 2}}}}
""",
        "VSR637",
        "only the older one applies",
    ),
    "a limit by a cost that no route has": (
        [*m.AI, LIMITS],
        "limit: {requests: 10, unit: Hour}",
        """limit: {requests: 10, unit: Hour}, cost: {request: {from: Number, number: 0}, response:
      {from: Metadata, metadata: {namespace: io.envoy.ai_gateway, key: tokens}}}""",
        "VSR638",
        "`tokens`, which",
    ),
    "a limit in weeks": ([*m.AI, LIMITS], "unit: Hour", "unit: Week", "VSR639", "`Week`"),
}


@pytest.mark.parametrize("name", EDITS)
def test_one_change_of_a_valid_stream_is_reported(name: str) -> None:
    """With the code of the rule."""
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
        ("ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", "queue-scoror", "the plugin `queue-scoror`"),
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.1.0", "token-load-scorer", "the plugin `token-load-"),
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0", "token-load-scorer", ""),
        ("registry.example/team/epp:v1.1.0", "of-our-own", ""),
    ],
)
def test_plugin_that_the_release_does_not_have_is_reported(image: str, plugin: str, part: str) -> None:
    """The release is that of the picker's image; custom images are not checked."""
    mounted = m.EPP.replace("ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", image)
    mounted = mounted.replace("args: [", "args: [--config-file=/config/config.yaml, ")
    mounted += "      volumes: [{name: config, configMap: {name: big-epp}}]\n"
    config = PLUGINS.replace("queue-scorer", plugin)
    parts = [mounted if each == m.EPP else each for each in m.POOLED]
    found = [item for item in m.found(m.joined(*parts, config)) if "does not have the plugin" in item.message]
    assert [part in item.message for item in found] == ([True] if part else [])
    assert all(item.code == "VSR414" and item.hint for item in found)


@pytest.mark.parametrize(
    ("image", "plugins", "part", "level"),
    [
        ("gateway-api-inference-extension/epp:v1.5.0", "inflight-load-producer", "does not start", Severity.ERROR),
        ("gateway-api-inference-extension/epp:v1.5.0", "queue-scorer", "has no effect", Severity.WARNING),
        ("llm-d/llm-d-router-endpoint-picker:v0.10.0", "inflight-load-producer", "", None),
        ("team/epp:v1.5.0", "inflight-load-producer", "", None),
    ],
)
def test_token_load_scorer_of_a_picker_that_cannot_use_it_is_reported(
    image: str, plugins: str, part: str, level: Severity | None
) -> None:
    """Inference extension 1.5.0 does not start with it and its producer; llm-d-router 0.10.0 does."""
    mounted = m.EPP.replace("ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", f"registry.example/{image}")
    mounted = mounted.replace("args: [", "args: [--config-file=/config/config.yaml, ")
    mounted += "      volumes: [{name: config, configMap: {name: big-epp}}]\n"
    config = PLUGINS.replace("llm-d.ai/v1alpha1", "inference.networking.x-k8s.io/v1alpha1")
    config = config.replace("[{type: queue-scorer}", f"[{{type: token-load-scorer}}, {{type: {plugins}}}", 1)
    config = config.replace("pluginRef: queue-scorer", "pluginRef: token-load-scorer")
    parts = [mounted if each == m.EPP else each for each in m.POOLED]
    found = [item for item in m.found(m.joined(*parts, config)) if "token-load-scorer" in item.message]
    assert [(part in item.message, item.level) for item in found] == ([(True, level)] if part else [])


def test_no_scorer_of_a_policy_is_one_that_its_release_cannot_use() -> None:
    """The table of what policies may use is consistent with that of failing plugins."""
    for (family, release), failing in FAILING_PLUGINS.items():
        project = {"gie": "inference-extension", "llm-d": "llm-d-router"}[family]
        for name, picker in PICKERS[project].items():
            if tuple(map(int, name.split(".")))[:2] == release:
                assert not failing.keys() & picker.scorers


def test_every_link_rule_has_a_test() -> None:
    """In this file or among the faults of published manifests."""
    shown = {edit[3] for edit in EDITS.values()}
    faults = (ROOT / "tests" / "compiler" / "verify" / "test_faults.py").read_text(encoding="utf-8")
    releases = {case.code for case in CASES} | {"VSR647"}  # test_breakages.py
    assert {rule.code for rule in LINK_RULES} == shown | releases | set(re.findall(r'"(VSR4[0-2]\d)"', faults))


def test_assumed_objects_and_pods_are_not_missing() -> None:
    """Objects by identity, and pods by labels."""
    text = m.joined(m.GATEWAY, m.ROUTE, m.SERVICE.replace("name: big, n", "name: other, n"))
    assert [item.code for item in m.found(text) if item.level is Severity.ERROR] == ["VSR402"]
    assert [item for item in m.found(text, "Service/prod/big") if item.level is Severity.ERROR] == []
    pool = m.joined(m.POOL, m.EPP_SERVICE)
    assert "selects no pods" in str(m.found(pool))
    assert "InferencePool `prod/big` selects no pods" not in str(m.found(pool, "Pod/prod/app=big"))


def test_objects_that_every_cluster_provides_are_notes() -> None:
    """Once for each object; Secrets are notes as well."""
    read = "envFrom: [{secretRef: {name: s}}]\n        args: [--model"
    server = m.SERVER.replace("name: big,", "name: two,").replace("app: big", "app: two")
    text = m.joined(*m.ISTIO, server).replace("args: [--model", read)
    notes = [item.message for item in m.found(text) if item.level is Severity.NOTE]
    assert [note.partition(" is not among")[0] for note in notes] == ["GatewayClass `istio`", "Secret `prod/s`"]


def test_router_that_fails_open_is_an_error_with_guards_and_otherwise_a_warning() -> None:
    """With guards, requests bypass them."""
    opened = m.joined(*m.ISTIO).replace("failure_mode_allow: false", "failure_mode_allow: true")
    guards = "    prompt_guard: {enabled: true}\n    providers:"
    guarded = opened.replace("    providers:", guards)
    levels = [[item.level for item in m.found(text) if item.code == "VSR410"] for text in (opened, guarded)]
    assert levels == [[Severity.WARNING], [Severity.ERROR]]


def test_grant_allows_a_reference_into_another_namespace() -> None:
    """A grant without a reference is reported."""
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


def test_listener_may_select_namespaces_by_label() -> None:
    """A namespace among the objects needs the label; others may have it."""
    chosen = "protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}}"
    text = m.joined(*m.ISTIO).replace("protocol: HTTP}", chosen)
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: prod, labels: {a: %s}}\n"
    assert "VSR417" not in {item.code for item in m.found(text)}
    assert "VSR417" not in {item.code for item in m.found(m.joined(text, space % "b"))}
    assert "VSR417" in {item.code for item in m.found(m.joined(text, space % "c"))}


def test_hostname_of_a_service_entry_is_not_missing() -> None:
    """A route to an external provider refers to a host, not to an object."""
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

    assert missing(route) == [
        "HTTPRoute `default/out` refers to Hostname `default/api.example.com`, which does not exist"
    ]
    assert missing(route + entry) == []


def test_header_that_an_ordinary_filter_removes_is_not_stripped() -> None:
    """The filter may run after the processor, which has read the client's header."""
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
def test_listener_may_select_namespaces_by_expressions(expression: str, *, admitted: bool) -> None:
    """Each operator, on the name of the namespace and on another label."""
    chosen = f"allowedRoutes: {{namespaces: {{from: Selector, selector: {{matchExpressions: [{expression}]}}}}}}}}]"
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: prod, labels: {team: ai}}\n"
    stream = m.joined(*m.ISTIO, space).replace("protocol: HTTP}]", f"protocol: HTTP, {chosen}")
    assert ("VSR417" not in {item.code for item in m.found(stream)}) == admitted


def test_class_with_the_name_of_its_gateway_is_accepted() -> None:
    """No other Gateway has this name; other classes may be shared."""
    own = "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: prod-edge}\nspec: {}\n"
    assert "VSR423" not in {item.code for item in m.found(m.joined(*m.ENVOY, own))}
    assert "VSR423" in {item.code for item in m.found(m.joined(*m.ENVOY, own.replace("prod-edge", "edge")))}


def test_selected_name_and_sent_name_of_a_model_may_differ() -> None:
    """The router selects the one, the server receives the other."""
    both = "{name: x-ai-eg-model, type: Exact, value: org/big}, {name: x-selected-model, type: Exact, value: big}"
    stream = m.joined(*m.AI).replace("{name: x-ai-eg-model, type: Exact, value: big}", both)
    assert ["does not serve" in item.message for item in m.found(stream) if item.code == "VSR404"] == [True]
    served = stream.replace("served-model-name, big", "served-model-name, org/big")
    assert [item for item in m.found(served) if item.code == "VSR404"] == []
