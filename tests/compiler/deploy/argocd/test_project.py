"""The AppProject and the cluster: what a change of names or stack brings and takes, and what is left behind."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest

from support import argo_cd
from support.common import ROOT
from support.control_cases import edited
from support.gitops_support import DEV, GITOPS, PLAIN, compiled, with_environments
from vsr_compiler import targets
from vsr_compiler.manifests.objects import Body
from vsr_compiler.pipeline import Compiled
from vsr_compiler.targets import kinds

POOLS = edited(
    PLAIN,
    ("one: {vllm: {}}", "one: {vllm: {namespace: models}}"),
    ("two: {service: {name: two, port: 8000}}", "two: {vllm: {namespace: models}}"),
    ("little: {", "little: {checkpoint: example/little, "),
)


@cache
def result(target: str, text: str = POOLS) -> Compiled:
    """A policy with one environment on a target."""
    return compiled(with_environments(replace(DEV, target=target), text=text))


def argo(compile_result: Compiled, kind: str) -> Body:
    """The AppProject or the Application."""
    return next(item.body for item in compile_result.objects.values() if item.kind == kind)


def objects(compile_result: Compiled) -> list[Body]:
    """What Argo CD syncs, components included: a folder of the user's own may take them in."""
    components = [item.body for path, item in compile_result.objects.items() if "/components/" in path]
    return [*(item.body for item in compile_result.environments["dev"]), *components]


RENAMES = {
    "endpoint": lambda text: text.replace("one", "first"),
    "endpoint elsewhere": lambda text: text.replace("two", "second"),
    "model": lambda text: text.replace("big", "large"),
    "gateway": lambda text: text + "gateway: {name: edge}\n",
}


@pytest.mark.parametrize("target", targets.TARGETS)
@pytest.mark.parametrize("change", RENAMES)
def test_a_rename_is_one_sync_and_leaves_nothing_behind(change: str, target: str) -> None:
    """With the project of before as well as with that of after: nobody has to apply it in an order."""
    old, new = result(target), result(target, RENAMES[change](POOLS))
    for project in (argo(old, "AppProject"), argo(new, "AppProject")):
        done = argo_cd.sync(project, argo(new, "Application"), objects(old), objects(new))
        assert (done.problems, done.orphans) == ((), ())
        kept = done.live.keys() - {argo_cd.key(body) for body in objects(new)}
        assert {kind for _, kind, _, _ in kept} <= {"PersistentVolumeClaim"}


@pytest.mark.parametrize("target", targets.TARGETS)
@pytest.mark.parametrize("before", targets.TARGETS)
def test_a_switch_of_stacks_is_one_sync_and_leaves_nothing_behind(before: str, target: str) -> None:
    """The filters and roles of the stack that was are seen and pruned."""
    old, new = result(before), result(target)
    assert argo(old, "AppProject") == argo(new, "AppProject")
    done = argo_cd.sync(argo(old, "AppProject"), argo(new, "Application"), objects(old), objects(new))
    assert (done.problems, done.orphans) == ((), ())


def test_the_model_shows_what_a_project_of_full_names_did() -> None:
    """A rename was refused with the project of before, and left its roles behind with that of after."""
    old, new = result("gie"), result("gie", POOLS.replace("one", "first"))

    def exact(compile_result: Compiled) -> Body:
        project = argo(compile_result, "AppProject")
        names = [argo_cd.key(body) for body in objects(compile_result)]
        allowed = [{"group": key[0], "kind": key[1], "name": key[3]} for key in names if not key[2]]
        return {**project, "spec": {**project["spec"], "clusterResourceWhitelist": allowed}}

    refused = argo_cd.sync(exact(old), argo(new, "Application"), objects(old), objects(new))
    assert "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project small" in refused.problems
    left = argo_cd.sync(exact(new), argo(new, "Application"), objects(old), objects(new))
    assert {(kind, name) for _, kind, _, name in left.orphans} == {
        ("ClusterRole", "models-one-epp-metrics-auth"),
        ("ClusterRoleBinding", "models-one-epp-metrics-auth"),
    }


@pytest.mark.parametrize("target", targets.TARGETS)
def test_the_project_permits_the_components_and_no_other_policys_objects(target: str) -> None:
    """Another namespace, another name, a kind that no target writes."""
    found = result(target)
    project, server = argo(found, "AppProject"), GITOPS.server
    assert all(argo_cd.permitted(project, body, server) for body in objects(found))
    namespaced = [body for body in objects(found) if argo_cd.key(body)[2]]
    assert not any(argo_cd.permitted(project, body, "https://elsewhere.example.com") for body in namespaced)
    for kind, name in (("ClusterRole", "cluster-admin"), ("ClusterRoleBinding", "default-one"), ("Namespace", "prod")):
        group = "" if kind == "Namespace" else "rbac.authorization.k8s.io/"
        body = {"apiVersion": f"{group}v1", "kind": kind, "metadata": {"name": name}}
        assert not argo_cd.permitted(project, body, server)
    stranger = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x", "namespace": "default"}}
    assert not argo_cd.permitted(project, stranger, server)


def test_a_policy_without_pools_permits_no_cluster_roles() -> None:
    """Whoever can write a ClusterRoleBinding can give itself everything."""
    text = PLAIN.replace("one: {vllm: {}}", "one: {service: {name: one, port: 8000}}")
    allowed = argo(result("istio", text), "AppProject")["spec"]["clusterResourceWhitelist"]
    assert {entry["kind"] for entry in allowed} == {"GatewayClass", "Namespace"}


def test_the_table_of_kinds_names_what_targets_emit_and_nothing_else() -> None:
    """The project allows the kinds of the table, so a kind that no case has would be allowed for nothing."""
    names = {kind.name for kind in kinds().values() if kind.emitted}
    title = re.compile(r"^(?:kind: )?([A-Z][A-Za-z]+)(?:$| [a-z0-9])", re.MULTILINE)
    files = (ROOT / "tests" / "golden").glob("*/*.*")
    occurring = {match[1] for file in files for match in title.finditer(file.read_text(encoding="utf-8"))}
    assert names - occurring == set()
    for target in targets.TARGETS:
        emitted = {(argo_cd.group_of(body), body["kind"]) for body in objects(result(target))}
        assert emitted <= {key for key, kind in kinds().items() if kind.emitted}


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("a-*-c", "a-b-c", True),
        ("a-*-c", "a-b-b-c", True),
        ("a-*-c", "a-b-c-d", False),
        ("a-*-c", "b-a-b-c", False),
        ("*", "a/b", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("[ab", "a", False),
        (r"\*", "*", True),
        (r"\*", "a", False),
        ("", "", True),
    ],
)
def test_patterns_match_as_in_go(pattern: str, name: str, *, expected: bool) -> None:
    """As `filepath.Match` does."""
    assert argo_cd.go_match(pattern, name) is expected
