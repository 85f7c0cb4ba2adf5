"""What stands around the router: who may reach it, what it may touch, and the options that an overlay may add."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support import rendering
from support.cases import output_of
from support.common import SMALL, kubectl, linked
from vsr_compiler import targets
from vsr_compiler.targets.common import extproc, router, router_policies
from vsr_compiler.targets.common.components import Component
from vsr_compiler.targets.istio import gateway
from vsr_runtime.server.server import DRAIN
from vsr_runtime.server.transport.stream import AGE
from vsr_schemas.headers import STRIPPED
from vsr_schemas.runtime import FOLLOWING

EDITS = SMALL.replace("model: little\n", "model: little\n    headers: {set: {x-tier.1: gold}, remove: [x-debug]}\n", 1)


def rules(text: str) -> dict[str, Any]:
    """The filter's mutation rules."""
    found: dict[str, Any] = extproc.ext_proc_filter(linked(text), "router")["typed_config"]["mutation_rules"]
    return found


def test_the_router_may_write_its_own_headers_and_those_that_routes_edit_and_no_other() -> None:
    """Everything else is an error of the stream, so that a router that was taken over cannot set an identity."""
    for text, allowed in ((SMALL, set()), (EDITS, {"x-tier.1", "x-debug"})):
        found = rules(text)
        pattern = re.compile(found["allow_expression"]["regex"])
        assert found["disallow_all"] is True
        assert found["disallow_is_error"] is True
        for name in ("x-selected-model", "content-length", *allowed):
            assert pattern.fullmatch(name)
        for name in ("authorization", "host", ":path", "x-tierx1", "x-selected-model-2", "x-authz-user-id"):
            assert not pattern.fullmatch(name)


def test_headers_by_which_pods_are_addressed_are_taken_from_clients() -> None:
    """The sidecar before a decode server calls whatever host x-prefiller-host-port names."""
    assert {"x-gateway-destination-endpoint", "x-prefiller-host-port", "x-encoder-hosts-ports"} <= set(STRIPPED)


def test_only_the_gateway_reaches_the_decisions() -> None:
    """Pods of another Gateway or namespace do not; the HTTP port is for the router's own namespace."""
    text = SMALL + "gateway: {name: edge, namespace: ingress}\n"
    policy = linked(text)
    spec = router_policies.network_policy(policy, gateway.pods(policy)).body["spec"]
    decisions, http = spec["ingress"]
    assert decisions["ports"] == [{"port": 50051, "protocol": "TCP"}]
    assert decisions["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}},
            "podSelector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "edge"}},
        }
    ]
    assert http == {"from": [{"podSelector": {}}], "ports": [{"port": 8080, "protocol": "TCP"}]}
    assert spec["policyTypes"] == ["Ingress"]


def test_a_single_replica_can_be_drained() -> None:
    """At most one pod is away; a minimum of one would block every drain of a router of one."""
    found = {item.kind: item for item in router_policies.emitter(gateway.pods)(linked())}
    spec = found["PodDisruptionBudget"].body["spec"]
    assert spec["maxUnavailable"] == 1
    assert "minAvailable" not in spec


def options(target: str) -> dict[str, Component]:
    """The target's components by name."""
    return {each.name: each for each in rendering.components(linked(), target)}


def test_metrics_of_pickers_are_read_with_a_token() -> None:
    """A picker asks who reads its metrics; one account a namespace may, and Prometheus bears its token."""
    found = {(item.kind, item.name): item.body for item in options("gie")["monitoring"].objects}
    (endpoint,) = found[("ServiceMonitor", "one-epp")]["spec"]["endpoints"]
    secret = found[("Secret", "vsr-metrics-reader")]
    assert endpoint["authorization"]["credentials"] == {"name": "vsr-metrics-reader", "key": "token"}
    assert secret["type"] == "kubernetes.io/service-account-token"
    assert secret["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "vsr-metrics-reader"}
    assert "data" not in secret
    role = found[("ClusterRole", "default-vsr-metrics-reader")]
    assert role["rules"] == [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]
    assert not [key for key in found if key[0] == "PodMonitor" and key[1] == "two"]
    plain = {item.kind for item in options("istio")["monitoring"].objects}
    assert {"Secret", "ClusterRole"} & plain == set()


def test_an_alert_names_what_fails_and_what_that_means() -> None:
    """One for the router's pods, one for each picker, one for each queue, beside those on the router's own metrics."""
    (rule,) = [item for item in options("llm-d")["monitoring"].objects if item.kind == "PrometheusRule"]
    found = {alert["alert"]: alert for alert in rule.body["spec"]["groups"][0]["rules"]}
    alerts = [found[name] for name in ("RouterUnavailable", "EndpointPickerUnavailable", "ModelQueueGrows")]
    assert "its requests fail" in alerts[1]["annotations"]["summary"]
    assert 'deployment="semantic-router"' in alerts[0]["expr"]
    pods = re.search(r'pod=~"([^"]+)"', alerts[2]["expr"])
    assert pods
    assert re.fullmatch(pods[1], "one-6d4b-x7k2")
    assert not re.fullmatch(pods[1], "one-other-6d4b-x7k2")


@pytest.mark.subprocess
@pytest.mark.parametrize("target", sorted(targets.TARGETS.keys() - {"agentgateway", "attach"}))  # not of this case
def test_options_build_on_the_base_that_they_are_for(target: str, tmp_path: Path) -> None:
    """An overlay of the user's own adds both: the scaler owns the number of replicas, and nothing is named twice."""
    case = output_of("one-model") / target
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(case / "base", tmp_path)],
        "components": [os.path.relpath(path, tmp_path) for path in sorted((case / "components").iterdir())],
    }
    (tmp_path / "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
    result = subprocess.run([kubectl(), "kustomize", str(tmp_path)], capture_output=True, text=True, check=True)
    built = {(each["kind"], each["metadata"]["name"]): each for each in YAML(typ="safe").load_all(result.stdout)}
    assert "replicas" not in built[("Deployment", "semantic-router")]["spec"]
    scaler = built[("HorizontalPodAutoscaler", "semantic-router")]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 8)
    assert ("PrometheusRule", "semantic-router-one-model") in built


@pytest.mark.parametrize(
    ("more", "follows"),
    [
        ("", False),
        ("guards: {keys: {patterns: ['sk-[a-z]{8}'], action: block, on: response}}\n", True),
        ("guards: {keys: {patterns: ['sk-[a-z]{8}'], action: block}}\n", False),
    ],
)
def test_the_router_has_time_to_read_responses_to_their_end(more: str, *, follows: bool) -> None:
    """Kubernetes kills no pod that still gives a client its answer, and does not wait for others as long."""
    (pods,) = [each.body for each in router.emitter()(linked(SMALL + more)) if each.body["kind"] == "Deployment"]
    spec = pods["spec"]["template"]["spec"]
    seconds = spec["terminationGracePeriodSeconds"]
    assert f"--shutdown-delay={router.SHUTDOWN_DELAY}" in spec["containers"][0]["args"]
    longest = router.SHUTDOWN_DELAY + AGE * 1.2 + DRAIN + (FOLLOWING if follows else 0)
    assert longest < seconds <= longest + 20
