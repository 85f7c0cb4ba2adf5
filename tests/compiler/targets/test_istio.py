"""The Istio target: what kubectl, the CRDs and the API server's defaults make of it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

import pytest
from ruamel.yaml import YAML

from support import crds, rendering
from support.common import ROOT, SMALL, kubectl, linked, reference
from vsr_compiler import ir
from vsr_compiler.deploy import sandbox
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets import profiles
from vsr_compiler.targets.common import extproc
from vsr_schemas.headers import SELECTED_MODEL, STRIPPED, STRIPPED_PREFIXES

BASE = ROOT / "out" / "quickstart" / "istio" / "base"
WIDE = SMALL.replace(
    "{service: {name: two, port: 8000}}", "{service: {name: two, namespace: far, port: 8000}}"
).replace("{endpoints: [two]}", "{endpoints: {two: 90, one: 10}, checkpoint: example/big}")


def rendered(text: str = SMALL) -> dict[tuple[str, str], Object]:
    """The target's objects by kind and name."""
    policy = linked(text)
    policy = replace(policy, router=replace(policy.router, files={"config.yaml": b"a: 1\n", "h.safetensors": b"\x00"}))
    return {(item.kind, item.name): item for item in rendering.objects(policy, "istio")}


@pytest.mark.subprocess
def test_kustomize_gives_back_every_file_of_the_base() -> None:
    """What is reviewed is what is applied: byte for byte, apart from the comment line."""
    result = subprocess.run([kubectl(), "kustomize", str(BASE)], capture_output=True, text=True, check=True)
    documents = {document.strip("\n") + "\n" for document in result.stdout.split("\n---\n")}
    files = [path for path in BASE.rglob("*.yaml") if path.name != "kustomization.yaml"]
    texts = {path.read_text(encoding="utf-8").split("\n", 1)[1] for path in files}
    assert documents == texts


@pytest.mark.subprocess
def test_the_root_kustomization_builds() -> None:
    """`kubectl kustomize .` is what a cluster gets."""
    result = subprocess.run([kubectl(), "kustomize", str(ROOT)], capture_output=True, text=True, check=True)
    kinds = [document["kind"] for document in YAML(typ="safe").load_all(result.stdout)]
    assert kinds[0] == "Namespace"
    assert sorted({"EnvoyFilter", "DestinationRule", "Gateway", "HTTPRoute", "Deployment"} & set(kinds)) == [
        "Deployment",
        "DestinationRule",
        "EnvoyFilter",
        "Gateway",
        "HTTPRoute",
    ]


def test_no_two_objects_share_an_identity_or_a_file() -> None:
    """Rule L01: a second object of the same name would silently replace the first."""
    policy = linked(WIDE)
    found = rendering.objects(policy, "istio")
    assert len({item.identity for item in found}) == len(found)
    assert len({item.path for item in found}) == len(found)


def test_every_object_knows_the_place_that_it_came_from() -> None:
    """Law 5: findings on output point into the policy."""
    for item in rendered(WIDE).values():
        assert item.origin.file == "policy.yaml"
        assert item.origin.line >= 1


def test_each_model_has_a_route_on_its_name_and_there_is_no_catch_all() -> None:
    """A request is routed by the header that the router wrote, and by nothing else."""
    routes = [item for (kind, _), item in rendered().items() if kind == "HTTPRoute"]
    matches = [match for item in routes for rule in item.body["spec"]["rules"] for match in rule["matches"]]
    values = [header["value"] for match in matches for header in match["headers"] if header["name"] == SELECTED_MODEL]
    assert sorted(values) == ["big", "little"]
    assert len(matches) == len(values)


def test_a_reference_that_crosses_namespaces_comes_with_its_grant() -> None:
    """Rule L03: exactly the Services that are pointed at, from exactly the namespace of the routes."""
    grant = rendered(WIDE)[("ReferenceGrant", "inference-gateway-to-two")].body
    assert grant["metadata"]["namespace"] == "far"
    assert grant["spec"]["from"] == [
        {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "default"}
    ]
    assert grant["spec"]["to"] == [{"group": "", "kind": "Service", "name": "two"}]
    assert not [kind for kind, _ in rendered() if kind == "ReferenceGrant"]


def test_endpoint_weights_become_backend_weights() -> None:
    """The gateway divides between the endpoints of one model."""
    backends = rendered(WIDE)[("HTTPRoute", "little")].body["spec"]["rules"][0]["backendRefs"]
    assert [(each["name"], each["namespace"], each["weight"]) for each in backends] == [
        ("one", "default", 10),
        ("two", "far", 90),
    ]


def patches(body: dict[str, Any]) -> dict[str, Any]:
    """The EnvoyFilter's values by what they apply to."""
    return {patch["applyTo"]: patch["patch"]["value"] for patch in body["spec"]["configPatches"]}


def test_connections_are_limited_before_requests_are_read() -> None:
    """By a network filter before the HTTP connection manager; an EnvoyFilter for a Gateway has no overload manager."""
    body = rendered()[("EnvoyFilter", "inference-gateway-semantic-router")].body
    patches = [patch for patch in body["spec"]["configPatches"] if patch["applyTo"] == "NETWORK_FILTER"]
    (limit,) = [patch for patch in patches if patch["patch"]["operation"] == "INSERT_BEFORE"]
    place = {"name": "envoy.filters.network.http_connection_manager"}
    assert limit["match"]["listener"]["filterChain"]["filter"] == place
    assert limit["patch"]["value"]["typed_config"]["max_connections"] == 10_000


def test_the_filter_fails_closed_and_shares_its_numbers_with_the_router() -> None:
    """Timeout, buffer and cluster are the symbols that the router's own objects are made from."""
    found = rendered()
    policy = linked()
    values = patches(found[("EnvoyFilter", "inference-gateway-semantic-router")].body)
    config = values["HTTP_FILTER"]["typed_config"]
    assert values["HTTP_FILTER"]["name"] == "vsr.ext_proc"
    assert config["failure_mode_allow"] is False
    assert config["message_timeout"] == "1s"
    assert config["processing_mode"]["request_body_mode"] == "BUFFERED"
    assert values["LISTENER"] == {"per_connection_buffer_limit_bytes": policy.router.max_body}
    manager = values["NETWORK_FILTER"]["typed_config"]
    http2 = {"initial_stream_window_size": policy.router.max_body, "max_concurrent_streams": 100}
    assert manager["http2_protocol_options"] == http2
    times = {"request_headers_timeout": "10s", "request_timeout": "60s", "stream_idle_timeout": "300s"}
    assert {name: manager[name] for name in times} == times
    assert config["request_attributes"] == ["source.address"]
    service = found[("Service", "semantic-router")].body
    port = service["spec"]["ports"][0]
    cluster = (
        f"outbound|{port['port']}||{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
    )
    assert config["grpc_service"]["envoy_grpc"]["cluster_name"] == cluster
    assert port["name"] == "grpc"
    rule = found[("DestinationRule", "inference-gateway-semantic-router")].body
    assert rule["spec"]["host"] == cluster.split("||")[1]
    assert rule["metadata"]["namespace"] == "default"


def test_the_local_stand_has_the_same_filter_headers_and_routes() -> None:
    """What is tried on a laptop is what runs in the cluster."""
    policy = linked(WIDE)
    values = patches(rendered(WIDE)[("EnvoyFilter", "inference-gateway-semantic-router")].body)
    listener = sandbox.bootstrap(policy)["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    mine, theirs = manager["http_filters"][0], values["HTTP_FILTER"]
    mine["typed_config"]["grpc_service"] = theirs["typed_config"]["grpc_service"]
    assert mine == theirs
    early = values["NETWORK_FILTER"]["typed_config"]["early_header_mutation_extensions"]
    assert manager["early_header_mutation_extensions"] == early
    assert manager["http2_protocol_options"] == values["NETWORK_FILTER"]["typed_config"]["http2_protocol_options"]
    mutations = early[0]["typed_config"]["mutations"]
    removed = [mutation["remove"] for mutation in mutations if "remove" in mutation]
    assert removed == list(STRIPPED)
    prefixes = [mutation["remove_on_match"]["key_matcher"]["prefix"] for mutation in mutations[len(removed) :]]
    assert prefixes == list(STRIPPED_PREFIXES)
    assert SELECTED_MODEL in removed
    names = [
        route["match"]["headers"][0]["string_match"]["exact"]
        for route in manager["route_config"]["virtual_hosts"][0]["routes"]
    ]
    assert names == [model.name for model in policy.models]


def test_config_and_heads_travel_as_one_configmap_that_never_changes() -> None:
    """Text stays readable, heads are binary; another content is another name, which the pod template mounts."""
    found = rendered()
    (config,) = [item.body for (kind, _), item in found.items() if kind == "ConfigMap"]
    assert config["immutable"]
    assert config["data"] == {"config.yaml": "a: 1\n"}
    assert config["binaryData"] == {"h.safetensors": "AA=="}
    deployment = found[("Deployment", "semantic-router")].body
    assert len(deployment["metadata"]["annotations"]["vsr.dev/config-sha256"]) == 64
    volume = deployment["spec"]["template"]["spec"]["volumes"][0]
    assert volume["configMap"]["name"] == config["metadata"]["name"]


def test_a_server_serves_exactly_the_names_that_routes_send_to_it() -> None:
    """Rule L04: --served-model-name is made from the same symbols as the routes."""
    container = rendered(WIDE)[("Deployment", "one")].body["spec"]["template"]["spec"]["containers"][0]
    start = container["args"].index("--served-model-name")
    assert container["args"][start + 1 : start + 3] == ["big", "little"]
    assert container["image"].count(":") == 1
    assert not container["image"].endswith(":latest")
    token = next(each for each in container["env"] if each["name"] == "HF_TOKEN")
    assert set(token) == {"name", "valueFrom"}


@pytest.mark.parametrize("text", [SMALL, WIDE], ids=["small", "wide"])
@pytest.mark.parametrize("profile", sorted(profiles()))
def test_custom_resources_fit_their_crds_and_carry_every_default(text: str, profile: str) -> None:
    """No unknown field, no wrong value, and nothing left for the API server to fill in: Argo CD sees no difference."""
    schemas = crds.profile(reference(), *crds.folders(profiles()[profile]))
    checked = set()
    for body, schema in crds.custom((item.body for item in rendered(text).values()), schemas):
        assert crds.problems(schema, body) == [], body["kind"]
        assert crds.defaulted(schema, body) == body, body["kind"]
        checked.add(body["kind"])
    assert {"Gateway", "HTTPRoute", "EnvoyFilter", "DestinationRule"} <= checked


def test_durations_are_spelled_as_each_api_spells_them() -> None:
    """Protobuf takes fractions of a second, Gateway API whole units only."""
    from vsr_compiler.targets.common.gateway_api import gateway_duration  # noqa: PLC0415 - beside its only use

    assert [extproc.duration(value) for value in (1000, 300, 1500)] == ["1s", "0.300s", "1.500s"]
    assert [gateway_duration(value) for value in (1000, 300, 1500)] == ["1s", "300ms", "1s500ms"]


def test_a_policy_is_frozen() -> None:
    """Features cannot change what other features read."""
    policy = linked()
    with pytest.raises(AttributeError):
        policy.name = "other"  # type: ignore[misc] - the assignment is what is refused
    assert isinstance(policy, ir.Policy)
