"""Clients' headers on real control planes: the policies with which the faults were seen, compiled again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import rendering
from support.common import linked, reference
from vsr_compiler import ir
from vsr_compiler.deploy import sandbox
from vsr_compiler.targets.common.extproc import early_header_mutation

PICKERS = (
    "x-gateway-model-name-rewrite",
    "x-llm-d-model-name-rewrite",
    "x-gateway-inference-objective",
    "x-llm-d-inference-objective",
    "x-gateway-inference-fairness-id",
    "x-llm-d-inference-fairness-id",
    "x-data-parallel-host-port",
    "x-kv-cache-source-host-port",
    "x-slo-ttft-ms",
    "x-slo-tpot-ms",
    "x-llm-d-slo-ttft-ms",
    "x-llm-d-slo-tpot-ms",
)
"""What clients could tell the pickers and the decode sidecar."""


def policy(case: str) -> ir.Policy:
    """The policy of a case."""
    folder: Path = reference() / "data" / "cases" / "control" / case
    return linked((folder / "policy.yaml").read_text(encoding="utf-8"))


def bodies(compiled: ir.Policy, target: str, kind: str) -> list[dict[str, Any]]:
    """The objects of a kind."""
    return [item.body for item in rendering.objects(compiled, target) if item.kind == kind]


@pytest.mark.parametrize("target", ["gie", "llm-d"])
def test_what_a_client_tells_a_picker_is_removed_on_pool_targets_and_in_the_sandbox(target: str) -> None:
    """Case picker-01."""
    compiled = policy("picker-01-model-rewrite-header")
    local = sandbox.bootstrap(compiled)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    early = early_header_mutation()["early_header_mutation_extensions"]
    assert local["typed_config"]["early_header_mutation_extensions"] == early
    names = [mutation.get("remove") for mutation in early[0]["typed_config"]["mutations"]]
    assert [name for name in PICKERS if name not in names] == []
    (envoy_filter,) = bodies(compiled, target, "EnvoyFilter")
    values = [each["patch"]["value"] for each in envoy_filter["spec"]["configPatches"]]
    managers = [value["typed_config"] for value in values if "typed_config" in value]
    assert early in [manager.get("early_header_mutation_extensions") for manager in managers]


@pytest.mark.parametrize("target", ["envoy-gateway", "ai-gateway"])
def test_what_a_client_tells_a_picker_is_removed_by_envoy_gateway(target: str) -> None:
    """Case picker-01 on the targets whose gateway is Envoy Gateway, which a user may put pools behind."""
    compiled = policy("all-09-provider-learns-who-asks")
    if target == "ai-gateway":
        compiled = policy("picker-01-model-rewrite-header")
    (client,) = bodies(compiled, target, "ClientTrafficPolicy")
    names = client["spec"]["headers"]["earlyRequestHeaders"]["remove"]
    assert [name for name in PICKERS if name not in names] == []


@pytest.mark.parametrize("target", ["istio", "gie", "llm-d", "envoy-gateway"])
def test_a_provider_is_not_told_who_asks(target: str) -> None:
    """Case all-09: the client's address, the selected model, flags of guards, and what the gateway adds."""
    rules = [
        rule
        for route in bodies(policy("all-09-provider-learns-who-asks"), target, "HTTPRoute")
        for rule in route["spec"]["rules"]
    ]
    (outside,) = (rule for rule in rules if "filters" in rule and "backendRefs" in rule)
    removed = outside["filters"][0]["requestHeaderModifier"]["remove"]
    assert {"x-forwarded-for", "x-envoy-external-address", "x-selected-model", "x-vsr-guards"} <= set(removed)
