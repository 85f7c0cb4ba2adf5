"""Limits of what can travel to a model: gateway, picker arguments, the router's settings, and notes at compile time."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support import rendering
from support.common import linked
from vsr_compiler import ir
from vsr_compiler.manifests.objects import Object
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.releases.hops import HOPS
from vsr_compiler.releases.picker_arguments import MESSAGE_LIMIT
from vsr_compiler.releases.pickers import PICKERS, picker_project
from vsr_compiler.targets import TARGETS, profiles
from vsr_schemas.apis import API_PATHS, MESSAGES

MIB = 2**20
HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: limits}
router: {image: "r:1", maxBody: 8Mi}
"""
POOLED = f"""\
{HEAD}endpoints:
  base: {{vllm: {{replicas: 3}}, pool: {{}}}}
models:
  base8b: {{checkpoint: example/base, endpoints: base, loras: {{cheap: {{path: /adapters/cheap}}}}}}
default: base8b
"""
MIXED = f"""\
{HEAD}endpoints:
  plain: {{service: {{name: plain, port: 8000}}}}
  pooled: {{pods: {{selector: {{app: pooled}}, port: 8000}}, pool: {{}}}}
models:
  mid: {{endpoints: plain}}
  small: {{endpoints: pooled}}
default: small
"""
OPENAI = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"]
PICKED = 4 * MIB - 64 * 1024
"""What a picker with Go's default limit accepts of a body."""


def policy(text: str, profile: str = "current") -> ir.Policy:
    """A policy at a profile."""
    return replace(linked(text), versions=profiles()[profile])


def limits(text: str, target: str, tmp_path: Path, **versions: str) -> dict[str, Any]:
    """The limits in the router's ConfigMap on a target, in an overlay with its own releases of some projects."""
    path = tmp_path / "policy.yaml"
    own = ", ".join(f"{project.replace('_', '-')}: {release}" for project, release in versions.items())
    chosen = f"environments:\n  e: {{target: {target}, versions: {{{own}}}}}\n"
    path.write_text(text + chosen, encoding="utf-8")
    objects = compile_policy(read_policy(path), lambda _: None).environments["e"]
    data = next(item for item in objects if item.kind == "ConfigMap" and "runtime.yaml" in item.body["data"])
    found: dict[str, Any] = YAML(typ="safe").load(data.body["data"]["runtime.yaml"])["limits"]
    return found


def buffers(objects: list[Object]) -> set[int]:
    """Every limit on buffered bodies, in bytes, that the objects set."""
    text = "\n".join(str(item.body) for item in objects if item.kind in {"EnvoyFilter", "ClientTrafficPolicy"})
    numbers = {int(size) for size in re.findall(r"'per_connection_buffer_limit_bytes': (\d+)", text)}
    units = {"Mi": MIB, "Ki": 1024, "": 1}
    return numbers | {int(n) * units[unit] for n, unit in re.findall(r"'bufferLimit': '(\d+)(Mi|Ki|)'", text)}


def picker_arguments(objects: list[Object]) -> list[str]:
    """The arguments of all pickers."""
    pods = (item.body["spec"]["template"]["spec"] for item in objects if item.kind == "Deployment")
    return [
        arg
        for pod in pods
        for container in pod["containers"]
        if container["name"] == "epp"
        for arg in container["args"]
    ]


def test_a_picker_with_a_flag_accepts_what_the_gateway_buffers(tmp_path: Path) -> None:
    """llm-d-router 0.10.0: a body of `maxBody` and the frame of its message; no limit is lowered."""
    objects = rendering.objects(policy(POOLED), "llm-d")
    assert f"--grpc-max-recv-msg-size={8 * MIB + 64 * 1024}" in picker_arguments(objects)
    assert buffers(objects) == {8 * MIB}
    found = limits(POOLED, "llm-d", tmp_path)
    assert (found["maxBody"], found["maxMessage"]) == (8 * MIB, 8 * MIB + 64 * 1024)
    assert "models" not in found


@pytest.mark.parametrize(
    ("target", "profile"), [("gie", "2026-08"), ("gie", "seed"), ("llm-d", "seed"), ("ai-gateway", "2026-08")]
)
def test_where_every_model_is_behind_a_limited_picker_the_gateway_buffers_no_more(target: str, profile: str) -> None:
    """A client gets 413 and not an empty 500: neither of these pickers has a flag."""
    objects = rendering.objects(policy(POOLED, profile), target)
    assert not [arg for arg in picker_arguments(objects) if "msg-size" in arg]
    assert buffers(objects) == {PICKED}
    assert PICKED + 64 * 1024 == MESSAGE_LIMIT


def test_the_router_of_a_limited_target_knows_the_limit_and_the_paths(tmp_path: Path) -> None:
    """The settings in the ConfigMap are those of the target; `maxMessage` is what a gRPC message may have."""
    found = limits(POOLED, "gie", tmp_path, inference_extension="1.5.0")
    assert (found["maxBody"], found["maxMessage"]) == (PICKED, MESSAGE_LIMIT)
    assert found["apis"] == OPENAI
    assert found["models"] == {model: {"query": False} for model in ("base8b", "cheap")}


def test_a_limited_picker_does_not_lower_the_limit_of_other_models(tmp_path: Path) -> None:
    """The gateway buffers what the other model accepts; the router knows the limit of each."""
    assert buffers(rendering.objects(policy(MIXED, "2026-08"), "ai-gateway")) == {8 * MIB}
    found = limits(MIXED, "ai-gateway", tmp_path, inference_extension="1.5.0")
    assert found["maxBody"] == 8 * MIB
    assert found["models"]["small"] == {"apis": OPENAI, "query": False, "maxBody": PICKED}
    assert "maxBody" not in found["models"]["mid"]


def test_an_older_picker_serves_chats_and_completions_only(tmp_path: Path) -> None:
    """It reads no path: every body is taken for one of the two. Each overlay has the limits of its own releases."""
    found = limits(POOLED, "gie", tmp_path, inference_extension="1.1.0")
    assert found["apis"] == ["/v1/chat/completions", "/v1/completions"]


def test_a_limit_below_the_pickers_is_kept(tmp_path: Path) -> None:
    """`maxBody: 2Mi` is 2 MiB everywhere, and no note says otherwise."""
    text = POOLED.replace("8Mi", "2Mi")
    assert limits(text, "gie", tmp_path)["maxBody"] == 2 * MIB
    assert "VSR318" not in {notice.code for notice in rendering.notices(policy(text), "gie")}


def test_the_stock_router_gets_the_smallest_limit_for_all_models() -> None:
    """It has no limit by model, so the gateway must not buffer what one of its models cannot get."""
    text = MIXED.replace('image: "r:1"', "engine: semantic-router")
    assert buffers(rendering.objects(policy(text, "2026-08"), "ai-gateway")) == {PICKED}
    notice = next(item for item in rendering.notices(policy(text, "2026-08"), "ai-gateway") if item.code == "VSR318")
    assert "applies to every model" in notice.hint


@pytest.mark.parametrize(("target", "said"), [("gie", True), ("llm-d", False), ("istio", False)])
def test_a_lowered_limit_is_reported_with_its_number_and_cause(target: str, said: bool) -> None:  # noqa: FBT001 - a column
    """VSR318 names the component, its release, the limit and the models."""
    found = [item.message for item in rendering.notices(policy(POOLED, "2026-08"), target) if item.code == "VSR318"]
    expected = (
        "`maxBody` is 8,388,608 bytes, but inference-extension 1.5.0 accepts 4,128,768: "
        "longer requests to `base8b`, `cheap` get 413"
    )
    assert found == [expected] * said


@pytest.mark.parametrize(("text", "names"), [(POOLED, "`base8b`, `cheap`"), (MIXED, "`small`")])
def test_a_value_that_a_picker_rejects_is_reported(text: str, names: str) -> None:
    """VSR319 names the paths and the models behind the picker, and no others."""
    found = [item.message for item in rendering.notices(policy(text, "2026-08"), "ai-gateway") if item.code == "VSR319"]
    assert [message.split(",  because")[0].split(", because")[0] for message in found] == [
        f"{names}: inference-extension 1.5.0 does not serve {MESSAGES} or paths with a query"
    ]


def test_an_older_ai_gateway_serves_neither_messages_nor_responses(tmp_path: Path) -> None:
    """0.4.0 has no processor for them, whatever is behind it."""
    apis = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/images/generations"]
    older = {"envoy_ai_gateway": "0.4.0", "envoy_gateway": "1.6.7", "gateway_api": "1.5.1"}
    found = limits(MIXED, "ai-gateway", tmp_path, **older, inference_extension="1.5.0")
    assert found["models"]["mid"] == {"apis": apis}


def test_the_ai_gateway_counts_no_tokens_of_servers_that_speak_openais_api(tmp_path: Path) -> None:
    """It has a processor for that path, and a translation to Anthropic's own schema only."""
    served = limits(MIXED, "ai-gateway", tmp_path)["models"]["mid"]["apis"]
    assert "/v1/messages" in served
    assert "/v1/audio/transcriptions" in served
    assert not {"/v1/messages/count_tokens", "/v1/rerank", "/v1/responses/{id}"} & set(served)


def test_a_policy_that_opens_an_api_is_told_what_does_not_serve_it() -> None:
    """Without `apis` only the usual ones are reported: nobody expects images of every component."""
    text = POOLED + "apis: [chat, rerank]\n"
    messages = [item.message for item in rendering.notices(policy(text), "llm-d") if item.code == "VSR319"]
    assert len(messages) == 1
    assert "/v1/rerank" in messages[0]
    assert "/v1/images" not in messages[0]
    assert "VSR319" not in {item.code for item in rendering.notices(policy(POOLED), "llm-d")}


def test_messages_pass_the_ai_gateway_with_the_value_that_we_write() -> None:
    """Its chart serves Anthropic's API below /anthropic unless told otherwise; no object of ours can change that."""
    values = {item.chart: item.body for item in rendering.values(policy(MIXED), "ai-gateway")}
    assert values["ai-gateway-helm"] == {"endpointConfig": {"anthropic": ""}}
    assert MESSAGES in HOPS["envoy-ai-gateway"]["1.1.0"].apis
    notice = next(item for item in rendering.notices(policy(MIXED), "ai-gateway") if item.code == "VSR315")
    assert "values-ai-gateway-helm.yaml" in notice.message


def test_an_older_ai_gateway_has_no_such_value() -> None:
    """The chart of 0.4.0 would ignore it."""
    values = rendering.values(policy(MIXED, "seed"), "ai-gateway")
    assert [item.chart for item in values] == ["gateway-helm"]


@pytest.mark.parametrize("profile", sorted(profiles()))
@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_component_of_a_path_has_an_entry_for_its_release(target: str, profile: str) -> None:
    """A release without an entry would count as unlimited."""
    hops = {"production-stack", "envoy-ai-gateway", "inference-extension", "llm-d-router", "vllm"}
    versions = profiles()[profile]
    for part, _ in TARGETS[target].parts(policy(POOLED, profile)):
        for project in hops & {picker_project(name, versions) if name in PICKERS else name for name in part.releases}:
            assert HOPS[project][versions[project]].source


@pytest.mark.parametrize("target", sorted(TARGETS.keys() - {"attach"}))  # it writes no servers
def test_every_target_knows_what_is_on_the_way_to_its_models(target: str) -> None:
    """All of them say something of a server that we write."""
    assert any(part.hops for part, _ in TARGETS[target].parts(policy(POOLED)))
    assert set(API_PATHS) >= set(OPENAI)


ON_FAILURE = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: on-failure}
router: {image: "r:1", onFailure: default-model}
endpoints:
  one: {vllm: {gpus: 1}}
  two: {vllm: {gpus: 1}}
models:
  base: {checkpoint: org/base, endpoints: one}
  other: {checkpoint: org/other, endpoints: two}
default: base
"""


def test_without_a_router_the_default_model_answers_by_its_own_name_too() -> None:
    """On AI Gateway the model in the body selects the route: an auto name, or the default's own."""
    objects = rendering.objects(policy(ON_FAILURE), "ai-gateway")
    route = next(item for item in objects if item.kind == "AIGatewayRoute" and item.name.endswith("-on-failure"))
    matches = route.body["spec"]["rules"][0]["matches"]
    assert [match["headers"][0]["value"] for match in matches] == ["auto", "MoM", "base"]
    assert {match["headers"][0]["name"] for match in matches} == {"x-ai-eg-model"}


DISAGGREGATED = POOLED.replace("pool: {}", "pool: {disaggregation: true}")


@pytest.mark.parametrize("text", [POOLED, DISAGGREGATED])
def test_every_server_is_scraped_once(text: str) -> None:
    """A decode pod has the port `http` of its sidecar, an init container, and `model`: one series for each pod."""
    monitoring = next(item for item in rendering.components(policy(text), "llm-d") if item.name == "monitoring")
    monitor = next(item for item in monitoring.objects if item.kind == "PodMonitor" and item.name == "base")
    endpoints = {endpoint["port"]: endpoint for endpoint in monitor.body["spec"]["podMetricsEndpoints"]}
    drop = {"action": "drop", "regex": "true", "sourceLabels": ["__meta_kubernetes_pod_container_init"]}
    deployments = [item for item in rendering.objects(policy(text), "llm-d") if item.kind == "Deployment"]
    for pod in (item.body["spec"]["template"]["spec"] for item in deployments if item.name.startswith("base")):
        if pod["containers"][0]["name"] == "epp":
            continue
        ports = [
            (port["name"], init)
            for init, containers in ((True, pod.get("initContainers", [])), (False, pod["containers"]))
            for container in containers
            for port in container.get("ports", [])
            if port["name"] in endpoints and not (init and drop in endpoints[port["name"]].get("relabelings", []))
        ]
        assert len(ports) == 1
