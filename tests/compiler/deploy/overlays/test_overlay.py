"""Overlays: what kubectl builds from them is what the compiler says the environment is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.gitops_support import (
    DEV,
    ELSEWHERE,
    HERE,
    PLAIN,
    PROD,
    bodies,
    build,
    compiled,
    documents,
    with_environments,
    written,
)
from vsr_compiler import ir, targets
from vsr_compiler.deploy.overlays import overlay
from vsr_compiler.deploy.overlays.overlay import apply_overlay, selects
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.targets.common.workloads import resources

ENVIRONMENTS = [
    DEV,
    PROD,
    ELSEWHERE,
    replace(PROD, name="both", gateway_name="edge", gateway_namespace="ingress"),
    replace(DEV, name="simulated", simulate=True),
]


def config_map(name: str, namespace: str = "x", **data: str) -> Object:
    """A small object."""
    return make("v1", "ConfigMap", name, HERE, namespace=namespace, data=data)


def on_disk(base: list[Object], wanted: list[Object], folder: Path) -> set[str]:
    """An overlay of objects made by hand, built by kubectl."""
    result = overlay(base, wanted)
    kustomization = {"resources": [item.path for item in base]}
    files = {f"base/{item.path}": dump(item.body) for item in base} | {"base/kustomization.yaml": dump(kustomization)}
    files |= {f"overlays/e/{path}": dump(item.body) for path, item in result.objects.items()}
    files |= {f"overlays/e/{path}": dump(patch) for path, patch in result.patches.items()}
    files["overlays/e/kustomization.yaml"] = dump(result.kustomization)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return documents(build(folder / "overlays/e"))


@pytest.mark.subprocess
@pytest.mark.parametrize("target", targets.TARGETS)
@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: environment.name)
def test_kubectl_builds_each_overlay_byte_for_byte_as_the_compiler_says(
    environment: ir.Environment, target: str, tmp_path: Path
) -> None:
    """The overlay is the environment: each object, each byte, none more and none less."""
    environment = replace(environment, target=target)
    result = compiled(with_environments(environment))
    folder = written(result, tmp_path)
    expected = {dump(item.body) for item in result.environments[environment.name]}
    assert documents(build(folder / target / "overlays" / environment.name)) == expected


def test_an_environment_that_changes_nothing_is_its_base() -> None:
    """No patch, no file beside the kustomization."""
    result = compiled(with_environments(DEV))
    overlays = [path for path in result.tree if "/overlays/" in path]
    assert overlays == ["istio/overlays/dev/kustomization.yaml"]
    assert b"patches" not in result.tree[overlays[0]].content


def test_scale_is_a_small_patch_of_the_one_deployment() -> None:
    """Three replicas are one operation, and nobody reads the rest of the Deployment again."""
    result = compiled(with_environments(DEV, replace(DEV, name="big", replicas={"router": 3})))
    path = "istio/overlays/big/patches/vllm-semantic-router-system/deployment-semantic-router.yaml"
    assert result.tree[path].content.decode().splitlines()[1:] == [
        "- op: replace",
        "  path: /spec/replicas",
        "  value: 3",
    ]
    assert result.patched[path].body["spec"]["replicas"] == 3


@pytest.mark.parametrize("usual", [1, 2])
@pytest.mark.parametrize("target", ["istio", "production-stack"])
def test_servers_that_are_stopped_leave_their_volume_as_it_is(usual: int, target: str) -> None:
    """A claim cannot change its mode: the night's sync would be refused, and the morning's."""
    text = PLAIN.replace("{vllm: {}}", f"{{vllm: {{replicas: {usual}}}}}")
    stopped = ir.Environment("off", target, HERE, replicas={"one": 0, "router": 0})
    found = compiled(with_environments(stopped, text=text))
    claims = [item.body["spec"] for item in found.environments["off"] if item.kind == "PersistentVolumeClaim"]
    claims += [
        {"accessModes": model["pvcAccessMode"]}
        for item in found.values.values()
        for model in item.body.get("servingEngineSpec", {}).get("modelSpec", ())
    ]
    assert claims
    assert {tuple(spec["accessModes"]) for spec in claims} == {("ReadWriteOnce",) if usual == 1 else ("ReadWriteMany",)}


def test_numbers_images_and_resources_reach_the_pods_that_they_name() -> None:
    """Endpoints by their names, the router by `router`; defaults stay where nothing is said."""
    found = {
        item.name: item.body
        for item in compiled(with_environments(PROD)).environments["prod"]
        if item.kind == "Deployment"
    }
    model, router = found["one"]["spec"], found["semantic-router"]["spec"]
    assert (model["replicas"], router["replicas"]) == (3, 4)
    assert model["template"]["spec"]["containers"][0]["image"] == "registry.example/vllm:1"
    container = router["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example/router:2"
    assert container["resources"] == {
        "requests": {"cpu": "2", "memory": "512Mi"},
        "limits": {"memory": "2Gi"},
    }


@pytest.mark.parametrize(
    ("requests", "limits", "expected"),
    [
        ({}, {"memory": "1Gi"}, ({"cpu": "2", "memory": "1Gi"}, {"memory": "1Gi"})),
        ({}, {"memory": "20000M"}, ({"cpu": "2", "memory": "16Gi"}, {"memory": "20000M"})),
        ({"memory": "64Gi"}, {}, ({"cpu": "2", "memory": "64Gi"}, {"memory": "64Gi"})),
        ({}, {"cpu": "500m"}, ({"cpu": "500m", "memory": "16Gi"}, {"cpu": "500m", "memory": "32Gi"})),
        ({"cpu": "8"}, {}, ({"cpu": "8", "memory": "16Gi"}, {"memory": "32Gi"})),
        ({}, {"gpu/a": "2"}, ({"cpu": "2", "memory": "16Gi", "gpu/a": "2"}, {"memory": "32Gi", "gpu/a": "2"})),
        ({"gpu/a": "2"}, {}, ({"cpu": "2", "memory": "16Gi", "gpu/a": "2"}, {"memory": "32Gi", "gpu/a": "2"})),
    ],
)
def test_what_an_environment_says_takes_along_what_would_contradict_it(
    requests: dict[str, str], limits: dict[str, str], expected: tuple[dict[str, str], dict[str, str]]
) -> None:
    """A limit below the usual request, or half of the devices: an API server refused the Deployment."""
    found = resources({"cpu": "2", "memory": "16Gi"}, {"memory": "32Gi"}, ir.Resources(requests, limits))
    assert (found["requests"], found["limits"]) == expected


@pytest.mark.subprocess
def test_another_gateway_is_another_object_and_takes_everything_that_refers_to_it_along(tmp_path: Path) -> None:
    """Routes, filter and rule move with the Gateway, and the old ones are gone: no reference is left behind."""
    folder = written(compiled(with_environments(ELSEWHERE)), tmp_path)
    found = bodies(build(folder / "istio" / "overlays" / "elsewhere"))
    places = {
        body["kind"]: body["metadata"] for body in found if body["kind"] in {"Gateway", "EnvoyFilter", "HTTPRoute"}
    }
    assert {each["namespace"] for each in places.values()} == {"ingress"}
    route = next(body for body in found if body["kind"] == "HTTPRoute")
    assert (route["spec"]["parentRefs"][0]["name"], route["spec"]["parentRefs"][0]["namespace"]) == ("edge", "ingress")
    grants = [body for body in found if body["kind"] == "ReferenceGrant"]
    assert grants[0]["spec"]["from"][0]["namespace"] == "ingress"


def test_kustomize_is_never_asked_to_rewrite_names() -> None:
    """`namespace`, `namePrefix` and the like break references in custom resources."""
    result = compiled(with_environments(*ENVIRONMENTS))
    for path, file in result.tree.items():
        if path.endswith("kustomization.yaml"):
            keys = set(bodies(file.content.decode())[0])
            assert keys <= {"apiVersion", "kind", "resources", "patches", "sortOptions"}, path


def test_routing_is_the_same_in_every_environment() -> None:
    """One router folder a policy, and every environment's ConfigMap holds it."""
    result = compiled(with_environments(*ENVIRONMENTS))
    maps = [
        item.body["data"]
        for objects in result.environments.values()
        for item in objects
        if item.kind == "ConfigMap" and item.name.startswith("semantic-router-config-")
    ]
    assert len(maps) == len(ENVIRONMENTS)
    assert all(data == maps[0] for data in maps)


@pytest.mark.subprocess
def test_what_an_environment_lacks_is_deleted_by_name(tmp_path: Path) -> None:
    """A deletion hits the one object: not its namesake in another namespace, nor one of another kind."""
    base = [config_map("a"), config_map("a", "y"), make("v1", "Secret", "a", HERE, namespace="x"), config_map("b")]
    wanted = [*base[1:3], config_map("b", k="v")]
    assert on_disk(base, wanted, tmp_path) == {dump(item.body) for item in wanted}


@pytest.mark.subprocess
def test_a_namespace_and_a_name_of_its_own_are_deletion_and_new_object(tmp_path: Path) -> None:
    """An identity cannot be patched."""
    base = [config_map("a"), config_map("b"), config_map("c")]
    wanted = [config_map("a", "y"), *base[1:]]
    assert on_disk(base, wanted, tmp_path) == {dump(item.body) for item in wanted}


@pytest.mark.subprocess
def test_an_overlay_that_shares_little_is_self_contained(tmp_path: Path) -> None:
    """A list of deletions longer than what is left would help nobody."""
    base = [config_map("a"), config_map("b"), config_map("c")]
    wanted = [config_map("d"), config_map("c")]
    assert overlay(base, wanted).patches == {}
    assert on_disk(base, wanted, tmp_path) == {dump(item.body) for item in wanted}


@pytest.mark.subprocess
def test_a_dot_in_a_name_selects_only_itself(tmp_path: Path) -> None:
    """Targets are patterns: unescaped, `a.b` would select `axb` too."""
    base = [config_map("a.b"), config_map("axb"), config_map("c")]
    wanted = [config_map("a.b", k="v"), *base[1:]]
    assert on_disk(base, wanted, tmp_path) == {dump(item.body) for item in wanted}


def test_a_target_selects_as_kustomize_does() -> None:
    """What is left out matches anything; patterns match the whole."""
    body = config_map("a").body
    assert selects({"kind": "ConfigMap", "name": "a", "namespace": "x", "version": "v1"}, body)
    assert selects({"name": "."}, body)
    assert not selects({"name": "a", "namespace": "y"}, body)
    assert not selects({"group": "apps", "name": "a"}, body)


def test_a_patch_that_hits_nothing_or_two_is_a_fault_of_ours() -> None:
    """Kustomize would pass over it in silence."""
    base = [config_map("a"), config_map("b"), config_map("c")]
    result = overlay(base, [config_map("a", k="v"), *base[1:]])
    with pytest.raises(AssertionError, match="selects 0 objects"):
        apply_overlay(base[1:], result)
    result.kustomization["patches"][0]["target"]["name"] = "[ab]"
    with pytest.raises(AssertionError, match="selects 2 objects"):
        apply_overlay(base, result)
