"""Endpoint pickers: flags, configuration and rights that fit each release, held against what was read of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import pytest
from ruamel.yaml import YAML

from support import rendering
from support.common import linked, reference
from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.objects import Object
from vsr_compiler.releases.hops import HOPS
from vsr_compiler.releases.pickers import PICKERS, Picker, picker_project
from vsr_compiler.targets import profiles
from vsr_compiler.targets.common.workloads import READY

T = TypeVar("T")
TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: pickers}
router: {image: "r:1"}
gateway: {namespace: edge}
endpoints:
  one:
    vllm: {namespace: models, replicas: 4}
    pool: {picker: {replicas: REPLICAS}}
models:
  big: {checkpoint: example/big, endpoints: one}
default: big
"""
RELEASES = [("gie", "seed"), ("gie", "2026-08"), ("gie", "current"), ("llm-d", "seed"), ("llm-d", "current")]
PROJECT = {"gie": "inference-extension", "llm-d": "llm-d-router"}
READ = {
    ("gie", "seed"): "gie-v1.1.0",
    ("gie", "2026-08"): "gie-v1.5.0",
    ("gie", "current"): "llm-d-router-v0.10.0",  # the inference extension 1.6 has no picker
    # The scheduler 0.3.2 is built on the inference extension 1.0.
    ("llm-d", "seed"): "gie-v1.0.1",
    ("llm-d", "current"): "llm-d-router-v0.10.0",
}
"""The entry of the reference data that speaks of a target's picker."""


def policy(profile: str, replicas: int = 1) -> ir.Policy:
    """One pool, at a profile."""
    return replace(linked(TEXT.replace("REPLICAS", str(replicas))), versions=profiles()[profile])


def emitted(target: str, profile: str, replicas: int = 1) -> dict[tuple[str, str], Object]:
    """The target's objects by kind and name."""
    found = rendering.objects(policy(profile, replicas), target)
    return {(item.kind, item.name): item for item in found}


def config_map(found: Mapping[tuple[str, str], T]) -> T:
    """The configuration of the one picker."""
    (key,) = [key for key in found if key[0] == "ConfigMap" and key[1].startswith("one-epp-")]
    return found[key]


def container(target: str, profile: str, replicas: int = 1) -> dict[str, Any]:
    """The picker's container."""
    body = emitted(target, profile, replicas)[("Deployment", "one-epp")].body
    found: dict[str, Any] = body["spec"]["template"]["spec"]["containers"][0]
    return found


def flags(target: str, profile: str, replicas: int = 1) -> dict[str, str]:
    """The picker's flags."""
    return dict(arg.removeprefix("--").split("=", 1) for arg in container(target, profile, replicas)["args"])


def config(target: str, profile: str) -> dict[str, Any]:
    """The picker's configuration."""
    data = config_map(emitted(target, profile)).body["data"]
    found: dict[str, Any] = YAML(typ="safe").load(data["picker.yaml"])
    return found


@cache
def read(target: str, profile: str) -> dict[str, Any]:
    """What was read of the release in its project's source."""
    path = reference() / "reference" / "epp_matrix.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["releases"][READ[(target, profile)]]
    return found


def table(target: str, profile: str) -> Picker:
    """Our table of the release."""
    versions = profiles()[profile]
    project = picker_project(PROJECT[target], versions)
    return PICKERS[project][versions[project]]


@pytest.mark.parametrize(("target", "profile"), RELEASES)
@pytest.mark.parametrize("replicas", [1, 3])
def test_every_flag_is_one_that_the_release_has(target: str, profile: str, replicas: int) -> None:
    """An unknown flag stops the picker at its start."""
    assert set(flags(target, profile, replicas)) <= set(read(target, profile)["flags"])


@pytest.mark.parametrize(("target", "profile"), RELEASES)
def test_metric_flags_are_set_where_they_must_be_and_left_out_where_they_are_refused(target: str, profile: str) -> None:
    """The server of today has no gpu_cache_usage_perc; from 1.4 on, a picker that is told the name does not start."""
    told = flags(target, profile).get("kv-cache-usage-percentage-metric")
    if read(target, profile).get("metricFlagsRejected"):
        assert told is None
    else:
        assert read(target, profile)["kvMetricDefault"] == "vllm:gpu_cache_usage_perc"
        assert told == "vllm:kv_cache_usage_perc"


@pytest.mark.parametrize(("target", "profile"), RELEASES)
def test_every_plugin_and_scorer_is_one_that_the_release_has(target: str, profile: str) -> None:
    """A picker of llm-d 0.9 or newer does not start with an unknown plugin, nor with a parameter that it lacks."""
    # The reference data of the scheduler names the plugins of the library below it, not its own.
    own = (
        {"active-request-scorer", "load-aware-scorer", "session-affinity-scorer"}
        if READ[(target, profile)] == "gie-v1.0.1"
        else set()
    )
    known = set(read(target, profile)["plugins"]) | own
    found = config(target, profile)
    assert {plugin["type"] for plugin in found["plugins"]} <= known
    assert table(target, profile).scorers <= known
    assert set(table(target, profile).producers.values()) <= known
    assert set(found) - {"apiVersion", "kind"} <= set(
        read(target, profile).get("topLevel", ["plugins", "schedulingProfiles"])
    )


@pytest.mark.parametrize(("target", "profile"), RELEASES)
def test_the_configuration_is_of_the_api_that_the_release_reads(target: str, profile: str) -> None:
    """llm-d.ai from llm-d-router 0.9 on, the inference extension's group before."""
    assert config(target, profile)["apiVersion"] == read(target, profile)["configApi"].split(" ")[0]


@pytest.mark.parametrize(("target", "profile"), RELEASES)
def test_weights_are_always_written_out(target: str, profile: str) -> None:
    """A weight that is left out counts 1, whatever the projects' charts weigh."""
    (only,) = config(target, profile)["schedulingProfiles"]
    weights = {ref["pluginRef"]: ref["weight"] for ref in only["plugins"] if "weight" in ref}
    assert weights == {"kv-cache-utilization-scorer": 2, "prefix-cache-scorer": 3, "queue-scorer": 2}
    assert only["plugins"][-1] == {"pluginRef": "max-score-picker"}


@pytest.mark.parametrize(("target", "profile"), RELEASES)
def test_a_picker_may_read_exactly_what_its_release_watches(target: str, profile: str) -> None:
    """One resource missing, and it never becomes ready; token reviews are cluster-scoped."""
    found = emitted(target, profile)
    rules = found[("Role", "one-epp")].body["rules"]
    read_only = {(rule["apiGroups"][0], kind) for rule in rules for kind in rule["resources"]}
    expected = {("", "pods"), ("inference.networking.k8s.io", "inferencepools")}
    legacy, own = "inference.networking.x-k8s.io", "llm-d.ai"
    expected.add((legacy, "inferenceobjectives"))
    if profile != "seed":
        expected.add((legacy, "inferencemodelrewrites"))
    if profile == "current":
        expected |= {(own, "inferenceobjectives"), (own, "inferencemodelrewrites")}
    assert read_only == expected
    assert {tuple(rule["verbs"]) for rule in rules} == {("get", "list", "watch")}
    wide = found[("ClusterRole", "models-one-epp-metrics-auth")].body
    assert [rule["resources"] for rule in wide["rules"]] == [["tokenreviews"], ["subjectaccessreviews"]]
    (subject,) = found[("ClusterRoleBinding", "models-one-epp-metrics-auth")].body["subjects"]
    assert subject["namespace"] == "models"


@pytest.mark.parametrize(("target", "profile"), RELEASES)
def test_standbys_come_with_an_election_and_the_right_to_hold_one(target: str, profile: str) -> None:
    """More than one replica without an election would be several pickers that each see part of the load."""
    assert "ha-enable-leader-election" not in flags(target, profile)
    assert flags(target, profile, 3)["ha-enable-leader-election"] == "true"
    groups = [rule["apiGroups"][0] for rule in emitted(target, profile, 3)[("Role", "one-epp")].body["rules"]]
    assert "coordination.k8s.io" in groups
    assert emitted(target, profile, 3)[("Deployment", "one-epp")].body["spec"]["replicas"] == 3


def test_a_pool_carries_the_fields_of_its_release() -> None:
    """The field appProtocol is a default of 1.5.0, and unknown to 1.1.0."""
    assert emitted("gie", "2026-08")[("InferencePool", "one")].body["spec"]["appProtocol"] == "http"
    assert "appProtocol" not in emitted("gie", "seed")[("InferencePool", "one")].body["spec"]


def test_the_way_to_the_picker_is_encrypted_and_wide_enough_for_streams() -> None:
    """The rule stands in the gateway's namespace, names the Service in full, and no one else sees it."""
    rule = emitted("gie", "current")[("DestinationRule", "one-epp")].body
    assert rule["metadata"]["namespace"] == "edge"
    assert rule["spec"]["host"] == "one-epp.models.svc.cluster.local"
    assert rule["spec"]["exportTo"] == ["."]
    assert rule["spec"]["trafficPolicy"]["tls"] == {"mode": "SIMPLE", "insecureSkipVerify": True}
    assert rule["spec"]["trafficPolicy"]["connectionPool"]["http"]["http2MaxRequests"] == 65_535
    assert flags("gie", "current")["secure-serving"] == "true"


def test_booleans_are_one_argument_with_their_value() -> None:
    """`--tracing false` would end Go's flags, and everything after it would be ignored."""
    for target, profile in RELEASES:
        assert all(arg.startswith("--") and "=" in arg for arg in container(target, profile)["args"])


def test_a_new_configuration_is_a_new_pod() -> None:
    """A picker reads its configuration at the start only, so the pod template names the object with its content."""
    template = {
        weight: {
            (item.kind, item.name): item
            for item in rendering.objects(
                linked(TEXT.replace("replicas: REPLICAS", f"plugins: {{queue-scorer: {weight}}}")), "gie"
            )
        }[("Deployment", "one-epp")].body["spec"]["template"]
        for weight in (1, 2)
    }
    assert template[1]["spec"]["volumes"][0] != template[2]["spec"]["volumes"][0]


@pytest.mark.parametrize(("target", "profile"), RELEASES)
def test_a_picker_without_standbys_is_replaced_while_the_old_one_serves(target: str, profile: str) -> None:
    """`Recreate` answers 500 for as long as the new picker needs; a standby gets ready only after the old leader."""
    strategies = [
        emitted(target, profile, replicas)[("Deployment", "one-epp")].body["spec"]["strategy"] for replicas in (1, 2)
    ]
    assert strategies == [
        {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        {"type": "Recreate"},
    ]


def test_disaggregation_parts_the_pods_by_role_behind_one_pool() -> None:
    """A prefill pod speaks for itself, a decode pod through its sidecar, which has the pool's port."""
    text = TEXT.replace("picker: {replicas: REPLICAS}", "disaggregation: true").replace("replicas: 4", "replicas: 5")
    found = {(item.kind, item.name): item.body for item in rendering.objects(linked(text), "llm-d")}
    prefill, decode = (found[("Deployment", f"one-{role}")]["spec"] for role in ("prefill", "decode"))
    assert (prefill["replicas"], decode["replicas"]) == (2, 3)
    for role, spec in (("prefill", prefill), ("decode", decode)):
        assert spec["template"]["metadata"]["labels"]["llm-d.ai/role"] == role
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
        server = spec["template"]["spec"]["containers"][0]
        assert any("NixlConnector" in arg for arg in server["args"])
    (sidecar,) = decode["template"]["spec"]["initContainers"]
    assert sidecar["restartPolicy"] == "Always"
    assert {"--port=8000", "--model-server-port=8200"} <= set(sidecar["args"])
    assert "initContainers" not in prefill["template"]["spec"]
    assert found[("InferencePool", "one")]["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": "one"}
    profiles = YAML(typ="safe").load(config_map(found)["data"]["picker.yaml"])["schedulingProfiles"]
    assert [(each["name"], each["plugins"][0]["pluginRef"]) for each in profiles] == [
        ("prefill", "prefill-filter"),
        ("decode", "decode-filter"),
    ]


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_picker_with_standbys_says_how_many_of_it_are_ready(replicas: int) -> None:
    """Only its leader is, so Argo CD's own check would hold up every sync after the first wave."""
    for target, profile in RELEASES:
        metadata = emitted(target, profile, replicas)[("Deployment", "one-epp")].body["metadata"]
        assert metadata.get("annotations", {}) == ({READY: "1"} if replicas > 1 else {})


@pytest.mark.parametrize(("target", "refused"), [("gie", True), ("ai-gateway", True), ("llm-d", False)])
def test_token_load_scorer_is_refused_where_the_picker_would_not_start(target: str, refused: bool) -> None:  # noqa: FBT001 - a column
    """VSR312 for the inference extension 1.5.0; llm-d-router 0.10.0 starts with it."""
    text = TEXT.replace("{replicas: REPLICAS}", "{plugins: {token-load-scorer: 1}}")
    found = replace(linked(text), versions=profiles()["2026-08"])
    try:
        rendering.objects(found, target)
        codes: set[str] = set()
    except CompileError as error:
        codes = {item.code for item in error.diagnostics}
    assert ("VSR312" in codes) == refused


@pytest.mark.parametrize(("project", "releases"), PICKERS.items())
def test_what_every_picker_accepts_of_a_request_is_known(project: str, releases: dict[str, Picker]) -> None:
    """A release without an entry would promise bodies and paths that its picker rejects."""
    assert set(releases) == set(HOPS[project])


@pytest.mark.parametrize("target", ["gie", "ai-gateway"])
def test_pools_without_a_picker_of_their_project_have_that_of_llm_d(target: str) -> None:
    """The inference extension 1.6 is an API only; releases that have a picker keep it, whatever llm-d-router is set."""
    text = TEXT.replace("REPLICAS", "1")
    for release, router, image in (
        ("1.6.0", "0.10.0", "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0"),
        ("1.5.0", "0.3.2", "registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0"),
    ):
        versions = {**profiles()["current"], "inference-extension": release, "llm-d-router": router}
        objects = rendering.objects(replace(linked(text), versions=versions), target)
        found = {(item.kind, item.name): item for item in objects}
        (picker,) = found["Deployment", "one-epp"].body["spec"]["template"]["spec"]["containers"]
        assert picker["image"] == image


@pytest.mark.parametrize("target", ["gie", "ai-gateway"])
def test_only_the_target_llm_d_disaggregates(target: str) -> None:
    """VSR312, though the picker could: the other targets do not write the model servers for it."""
    text = TEXT.replace("{picker: {replicas: REPLICAS}}", "{disaggregation: true}")
    notices = rendering.notices(linked(text), target)
    (found,) = (item for item in notices if item.code == "VSR312")
    assert (target in found.message, "llm-d" in found.hint) == (True, True)


@pytest.mark.parametrize("target", ["gie", "ai-gateway"])
def test_unknown_release_of_a_picker_is_reported_where_it_is_used(target: str) -> None:
    """VSR313 with the inference extension 1.6, and nothing with a release that has a picker of its own."""
    text = TEXT.replace("REPLICAS", "1")
    for release, expected in (("1.6.0", ["VSR313"]), ("1.5.0", [])):
        versions = {**profiles()["current"], "inference-extension": release, "llm-d-router": "9.9.9"}
        notices = rendering.notices(replace(linked(text), versions=versions), target)
        assert [item.code for item in notices if item.code == "VSR313"] == expected
