"""Faults of published manifests, as numbered in docs/reference/verify-faults.md, each with the rule that reports it."""

from __future__ import annotations

import re

import pytest

import support.verify_support as m
from support.common import ROOT

Fault = tuple[str, str, str]
"""The code, the stream, and a part of the message."""


def edited(parts: list[str], old: str, new: str, *more: str) -> str:
    """A stream without faults with one replacement, and more objects behind it."""
    text = m.joined(*parts)
    assert old in text, old
    return m.joined(text.replace(old, new), *more)


def without(parts: list[str], *gone: str) -> str:
    """A stream without faults that lacks some of its parts."""
    return m.joined(*(part for part in parts if part not in gone))


def named(text: str, old: str, new: str) -> str:
    """A part under another name."""
    return text.replace(old, new)


TOKENS = "- {apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create]}\n"
CLUSTER_BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: auth-reviewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: big-epp, namespace: prod}]
"""
GRANT = """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: dead, namespace: routers}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: prod}]
  to: [{group: "", kind: Service, name: router}]
"""
VOLUME = """\
apiVersion: v1
kind: PersistentVolume
metadata: {name: models}
spec: {hostPath: {path: /data}, storageClassName: standard}
"""
CLASS = """\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: semantic-router}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
"""
PROXY = """\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: prod}
spec: {logging: {level: {default: trace}}}
"""
DEV_PROXY = PROXY.replace(
    "{logging: {level: {default: trace}}}",
    "{provider: {kubernetes: {envoyDeployment: {container: {image: 'envoyproxy/envoy:distroless-dev'}}}}}",
)
AGENT = """\
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {name: router, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  traffic: {extProc: {backendRef: {name: router, port: 50051}, processingOptions: {requestBodyMode: Buffered}}}
"""
LATE = """\
  - applyTo: VIRTUAL_HOST
    patch: {operation: MERGE, value: {request_headers_to_remove: [x-vsr-looper-request, x-authz-user-id]}}
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: semanticrouters.vllm.ai}
"""
KEY = "filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Authorization, value: Bearer x}]}}]"
ROUTED = 'backendRefs: [{group: "", kind: Service, name: big, port: 80, weight: 1}]'

OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: istio, namespace: istio-system}
spec: {tag: 1.29.6, values: {pilot: {env: {ENABLE_GATEWAY_API: "true"}}}}
"""
DEFINITION = CRD.replace("{name: sem", "{annotations: {gateway.networking.k8s.io/bundle-version: v1.2.0}, name: sem")
SECOND = named(m.POOL_ROUTE, "name: big, namespace", "name: second, namespace").replace(
    "value: big}]", "value: small}]"
)
NODE_PORTS = PROXY.replace(
    "{logging: {level: {default: trace}}}", "{provider: {kubernetes: {envoyService: {type: NodePort}}}}"
)
CLASS_OF_PORTS = CLASS.replace(
    "spec: {", "spec: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: edge, namespace: prod}, "
)

FAULTS: dict[int, Fault] = {
    1: ("VSR401", m.joined(*m.ISTIO, m.CONFIG), "is defined twice"),
    2: ("VSR401", m.joined(*m.POOLED, CLUSTER_BINDING, named(CLUSTER_BINDING, "big-epp", "other")), "is defined twice"),
    3: (
        "VSR415",
        edited(m.POOLED, ", --metrics-endpoint-auth=false", "", named(CLUSTER_BINDING, ", namespace: prod", "")),
        "has no namespace",
    ),
    4: ("VSR406", edited(m.POOLED, ", namespace: prod", ""), "--pool-namespace `prod`"),
    5: ("VSR422", edited(m.POOLED, "host: big-epp.prod.svc.cluster.local", "host: big-epp"), "without a namespace"),
    6: ("VSR420", edited(m.ISTIO, "{name: big, namespace: prod}", "{name: big}"), "has no namespace"),
    7: ("VSR416", m.joined(*m.POOLED, SECOND, m.pilot("1.28.0")), "keeps the picker of"),
    8: ("VSR402", edited(m.ISTIO, "port: 80, targetPort", "port: 8000, targetPort"), "has no port 80"),
    9: (
        "VSR414",
        edited(m.POOLED, "llm-d-router-endpoint-picker:v0.10.0", "llm-d-inference-scheduler:v0.3.2"),
        "gpu_cache_usage_perc",
    ),
    10: ("VSR418", edited(m.ISTIO, "vllm-openai:v0.17.0", "vllm-openai:latest"), "is not pinned"),
    11: (
        "VSR410",
        edited(m.ISTIO, "failure_mode_allow: false", "failure_mode_allow: true"),
        "when the processor of",
    ),
    12: ("VSR410", edited(m.ISTIO, "failure_mode_allow: false", "failure_mode_allow: true"), "requests bypass"),
    13: (
        "VSR422",
        edited(
            m.POOLED,
            "kind: DestinationRule\nmetadata: {name: big-epp, namespace: prod}",
            "kind: DestinationRule\nmetadata: {name: big-epp, namespace: default}",
        ),
        "does not see",
    ),
    14: ("VSR423", m.joined(*m.ISTIO, VOLUME), "folder of one node"),
    15: (
        "VSR416",
        m.joined(*m.POOLED, m.SERVICE, named(m.ROUTE, "name: big, namespace", "name: b, namespace")),
        "older",
    ),
    16: (
        "VSR415",
        edited(m.POOLED, "[inferencepools]", "[inferencepools, inferenceobjectives]"),
        "is not a resource of",
    ),
    17: ("VSR418", edited(m.ISTIO, ROUTED, f"{ROUTED}\n    {KEY}"), "in plain text"),
    18: ("VSR418", m.joined(*m.ENVOY, PROXY), "`trace`"),
    19: ("VSR419", edited(m.ENVOY, "prod/edge/http", "default/semantic-router/http"), "does not have"),
    20: ("VSR404", edited(m.AI, "{model: big}, models", "{model: general-expert}, models"), "no route matches it"),
    21: ("VSR411", edited(m.ISTIO, "request_body_mode: BUFFERED", "request_body_mode: STREAMED"), "STREAMED"),
    22: ("VSR403", m.joined(*m.ISTIO, GRANT), "no reference from another namespace"),
    23: ("VSR423", m.joined(*m.ENVOY, CLASS), "whole cluster"),
    24: ("VSR412", edited(m.AI, "connection: {bufferLimit: 8Mi}", "connection: {}"), "32 KiB"),
    25: ("VSR404", m.joined(*m.ISTIO, m.SERVER.replace("big", "stack")), "no route leads to it"),
    26: (
        "VSR405",
        edited(
            m.POOLED,
            "kind: Deployment\nmetadata: {name: big, namespace: prod}",
            "kind: Deployment\nmetadata: {name: big, namespace: llm-backends}",
        ),
        "selects no pods",
    ),
    27: ("VSR404", edited(m.ISTIO, "value: big}]", "value: math-expert}]"), "never selects"),
    28: ("VSR407", without(m.POOLED, m.EPP_RULE), "every request gets 500"),
    29: ("VSR414", m.joined(*m.POOLED, OPERATOR), "is not a variable of Istio"),
    30: ("VSR414", m.joined(*m.ISTIO, OPERATOR, DEFINITION), "built for the Gateway API 1.4"),
    31: (
        "VSR405",
        edited(
            m.ISTIO,
            "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]",
            "workloadSelector: {labels: {istio: ingressgateway}}",
        ),
        "no Gateway's pods",
    ),
    32: ("VSR412", without(m.AI, m.CLIENT), "32 KiB"),
    33: ("VSR418", m.joined(*m.ENVOY, DEV_PROXY), "distroless-dev"),
    34: ("VSR423", m.joined(*m.ENVOY, CLASS_OF_PORTS, NODE_PORTS), "opens ports on all nodes"),
    35: (
        "VSR402",
        edited(
            m.POOLED,
            "{group: inference.networking.k8s.io, kind: InferencePool",
            "{group: inference.networking.x-k8s.io, kind: InferencePool",
        ),
        "which does not exist",
    ),
    36: ("VSR410", m.joined(*m.ISTIO[:-2], m.FILTER + LATE, m.CONFIG), "after the processor has read them"),
    38: (
        "VSR415",
        edited(m.POOLED, 'rules:\n- {apiGroups: [""]', f'rules:\n{TOKENS}- {{apiGroups: [""]'),
        "has no effect",
    ),
    39: (
        "VSR414",
        edited(
            [*m.POOLED[:5], m.EPP.replace("llm-d-router-endpoint-picker:v0.10.0", "llm-d-inference-scheduler:v0.3.2")],
            "--metrics-endpoint-auth=false]",
            '--tracing, "false"]',
        ),
        "as two arguments",
    ),
    40: ("VSR411", m.joined(*m.ISTIO[:-2], AGENT), "after the route is chosen"),
    41: ("VSR401", m.joined(CRD, CRD), "is defined twice"),
}
LEFT_TO_SCHEMAS = {37}
"""Samples that do not fit their CRD: the schema check reports these, no link rule does."""


@pytest.mark.parametrize("number", FAULTS)
def test_fault_of_published_manifests_is_reported(number: int) -> None:
    """By its rule, with a place and a hint."""
    code, text, part = FAULTS[number]
    found = m.found(text)
    mine = [item for item in found if item.code == code and part in item.message]
    assert mine, [(item.code, item.message) for item in found]
    assert all(item.span.file == "m.yaml" and item.span.line for item in mine)
    assert all(item.hint for item in mine)


def test_every_documented_fault_is_reported_or_left_to_schemas() -> None:
    """No number is missing."""
    assert set(FAULTS) | LEFT_TO_SCHEMAS == set(range(1, 42))
    assert not set(FAULTS) & LEFT_TO_SCHEMAS


def test_page_names_the_rule_that_reports_each_fault() -> None:
    """The table of the page and the one above are equal."""
    page = (ROOT / "docs" / "reference" / "verify-faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| .* \| (L\d\d|schema) \|$", page, re.MULTILINE)
    assert {int(number): rule for number, rule in rows} == {
        number: f"L{FAULTS[number][0][-2:]}" if number in FAULTS else "schema" for number in range(1, 42)
    }
