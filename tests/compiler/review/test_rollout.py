"""What `diff` says of the rollout: the changes that real control planes refused or interrupted, word for word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.control_cases import compiled_text, edited, policy_text
from vsr_compiler import targets
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.diff_report import report
from vsr_compiler.review.diff_text import text
from vsr_schemas.reports_diff import DiffReport

GOLDEN = Path(__file__).parent / "rollout"
ONE = "one: {vllm: {gpus: 1, replicas: 1, storage: 10Gi}}"
TWO = "  two: {vllm: {gpus: 1, replicas: 1, storage: 10Gi}}\n"
MODEL_TWO = "  model-two: {checkpoint: microsoft/Phi-4-mini-instruct, endpoints: two, context: 8192}\n"
CHANGES: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "less-storage": ("argocd-01", "policy.yaml", [(ONE, ONE.replace("10Gi", "5Gi"))]),
    "second-replica": ("argocd-01", "policy.yaml", [(ONE, ONE.replace("replicas: 1", "replicas: 2"))]),
    "other-stack": ("argocd-02", "policy.yaml", [("target: istio", "target: envoy-gateway")]),
    "renamed-pool": ("argocd-03", "policy.yaml", [(" two:", " second:"), ("endpoints: two", "endpoints: second")]),
    "removed-model": (
        "argocd-05",
        "policy.yaml",
        [(TWO, ""), (MODEL_TWO, ""), ("model: model-two", "model: model-one")],
    ),
    "added-model": ("envoy-gateway-02", "policy.yaml", [("  # aaa: {endpoints: one}", "  aaa: {endpoints: one}")]),
}


def difference(old: str, new: str) -> DiffReport:
    """The report of a change of a policy's text."""
    sides = [compiled_text(text) for text in (old, new)]
    before, after = ({path: file.content for path, file in side.tree.items()} for side in sides)
    return report(sides[1].policy.name, Baseline("before", before), after)


def without_files(found: DiffReport) -> str:
    """The report as text, without the list of files."""
    return text(found.model_copy(update={"files": []}))


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_cases_is_told_with_its_steps(name: str, *, update_golden: bool) -> None:
    """Refused, by hand, by itself, left behind."""
    case, file, edits = CHANGES[name]
    before = policy_text(case, file)
    words = without_files(difference(before, edited(before, *edits)))
    path = GOLDEN / f"{name}.txt"
    if update_golden:
        path.parent.mkdir(exist_ok=True)
        path.write_text(words, encoding="utf-8")
    assert words == path.read_text(encoding="utf-8")


def test_a_refused_change_is_breaking_and_others_are_not() -> None:
    """As `--breaking` tells them apart."""
    before = policy_text("argocd-01")
    assert difference(before, edited(before, (ONE, ONE.replace("10Gi", "5Gi")))).breaking
    assert not difference(before, edited(before, (ONE, ONE.replace("10Gi", "20Gi")))).breaking


@pytest.mark.parametrize("target", targets.TARGETS)
def test_no_switch_of_stacks_is_refused(target: str) -> None:
    """argocd-02: one was, and `diff` was silent about it."""
    before = edited(policy_text("argocd-02"), ("target: istio", "target: gie"))
    found = difference(before, edited(before, ("target: gie", f"target: {target}")))
    assert [change.text for change in found.rollout if change.breaking] == []


Body = dict[str, Any]


def body(kind: str, api: str = "v1", **fields: Any) -> Body:
    """An object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "a", "namespace": "x"}, **fields}


def effects(old: Body | None, new: Body | None, **files: tuple[Body, Body]) -> list[tuple[str, str | None, int]]:
    """Text, rule and number of steps of a change of one object, and of further files."""
    sides = []
    for side, item in enumerate((old, new)):
        tree = {"istio/overlays/prod/kustomization.yaml": dump({"resources": ["../../base"]}).encode()}
        if item is not None:
            tree[f"istio/base/x/{item['kind'].lower()}-a.yaml"] = dump(item).encode()
        tree |= {path.replace("__", "/") + ".yaml": dump(pair[side]).encode() for path, pair in files.items()}
        sides.append(tree)
    found = report("p", Baseline("old", sides[0]), sides[1]).rollout
    return [(change.text, change.breaking, len(change.steps)) for change in found]


def test_an_address_that_cannot_change_is_refused_with_the_way_around() -> None:
    """From ClusterIP to headless and back."""
    headless, plain = body("Service", spec={"clusterIP": "None"}), body("Service", spec={})
    text = "Service x/a in prod: the API server refuses to change spec.clusterIP"
    assert effects(plain, headless) == [(f"{text} not set → None", "change refused", 3)]
    assert effects(headless, plain) == [(f"{text} None → not set", "change refused", 3)]


def deployment(strategy: Body | None = None, **pod: Any) -> Body:
    """A Deployment of one pod."""
    spec = {"replicas": 1, "template": {"spec": pod}} | ({"strategy": strategy} if strategy else {})
    return body("Deployment", "apps/v1", spec=spec)


def test_new_pods_are_told_with_the_reason_and_the_gap() -> None:
    """A change of replicas starts no new pods for those that run."""
    old, new = deployment(hostNetwork=False), deployment(hostNetwork=True)
    text = "Deployment x/a in prod gets new pods, because of hostNetwork"
    assert effects(old, new) == [(text, None, 0)]
    gap = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    ((told, _, _),) = effects(old, deployment(gap, hostNetwork=True))
    assert told == f"{text}; its only pod stops first, so its requests fail until the new one is ready"
    ((told, _, _),) = effects(old, deployment({"type": "Recreate"}, hostNetwork=True))
    assert told == f"{text}; all old pods stop first, so its requests fail until a new one is ready"
    assert effects(old, {**old, "spec": {**old["spec"], "replicas": 3}}) == []


def test_what_a_sync_keeps_is_told_with_the_command_that_removes_it() -> None:
    """A claim holds weights and adapters; other objects are pruned."""
    assert effects(body("PersistentVolumeClaim"), None) == [
        ("PersistentVolumeClaim x/a in prod stays in the cluster with its content", None, 1)
    ]
    assert effects(body("Service"), None) == []


def test_names_of_another_output_never_become_part_of_a_command() -> None:
    """An earlier output is anybody's."""
    odd = body("PersistentVolumeClaim")
    odd["metadata"] = {"name": "a; rm -rf x", "namespace": "$(x)"}
    tree = {"istio/overlays/prod/kustomization.yaml": b"resources: [../../base]\n"}
    before = {**tree, "istio/base/x/persistentvolumeclaim-a.yaml": dump(odd).encode()}
    (found,) = report("p", Baseline("old", before), tree).rollout
    assert found.steps == ["If nobody needs it any more: `kubectl -n <…> delete persistentvolumeclaim <…>`"]


def project(*names: str) -> Body:
    """An AppProject with namespaces."""
    destinations = [{"namespace": name, "server": "https://x"} for name in names]
    return body("AppProject", "argoproj.io/v1alpha1", spec={"destinations": destinations})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (project("a"), project("a"), []),
        (project("a"), project("a", "b"), ["Before the sync, which fails otherwise"]),
        (project("a", "b"), project("a"), ["After the sync"]),
        (project("a"), project("b"), ["Before the sync", "After the sync"]),
    ],
)
def test_the_order_of_project_and_sync_is_told(old: Body, new: Body, expected: list[str]) -> None:
    """A sync needs what the project adds, and prunes only what it still allows."""
    sides = [{"argocd/project/appproject-p.yaml": dump(side).encode()} for side in (old, new)]
    found = report("p", Baseline("old", sides[0]), sides[1]).rollout
    assert [step.split(":")[0] for change in found for step in change.steps] == expected


def test_values_of_charts_that_helm_cannot_apply_are_refused() -> None:
    """The chart of the production stack writes claims and selectors of them."""
    path = "production-stack__helm__values-vllm-stack"

    def values(storage: str, modes: str, label: str) -> Body:
        model = {"name": "m", "pvcStorage": storage, "pvcAccessMode": [modes]}
        return {"servingEngineSpec": {"modelSpec": [model], "labels": {"x": label}}}

    old = values("10Gi", "ReadWriteOnce", "a")
    ((told, rule, steps),) = effects(None, None, **{path: (old, values("5Gi", "ReadWriteMany", "b"))})
    assert (rule, steps) == ("change refused", 2)
    assert "m: ReadWriteOnce → ReadWriteMany (PersistentVolumeClaim: accessModes)" in told
    assert "m: 10Gi → 5Gi (PersistentVolumeClaim: storage)" in told
    assert "(Deployment: selector)" in told
    ((told, rule, _),) = effects(None, None, **{path: (old, values("20Gi", "ReadWriteOnce", "a"))})
    assert (told, rule) == ("chart vllm-stack changes: Helm applies its values, not Argo CD", None)


def test_claims_that_an_upgrade_of_a_chart_deletes_are_told() -> None:
    """Helm deletes what its templates no longer have, weights among it."""
    path = "production-stack__helm__values-vllm-stack"
    old, none = {"name": "m", "pvcStorage": "10Gi"}, {"name": "m"}

    def stack(*models: Body) -> Body:
        return {"servingEngineSpec": {"modelSpec": list(models)}}

    for after in (stack(), stack(none), stack(old | {"pvcExistingClaimName": "own"})):
        (told, rule, steps), _ = effects(None, None, **{path: (stack(old), after)})
        assert told == "the upgrade of chart vllm-stack deletes the claim vllm-stack-m-storage-claim with its content"
        assert (rule, steps) == (None, 1)
    ((told, _, _),) = effects(None, None, **{path: (stack(none), stack(old))})
    assert "deletes" not in told
    path = "istio__helm__values-semantic-router"
    kept = {"fullnameOverride": "a; rm -rf x", "persistence": {"enabled": True}}
    claimed = {"fullnameOverride": "a", "persistence": {"enabled": True, "existingClaim": "own"}}
    sides = [{"istio/helm/values-semantic-router.yaml": dump(side).encode()} for side in (kept, claimed)]
    found = report("p", Baseline("old", sides[0]), sides[1]).rollout
    assert "helm.sh/resource-policy=keep" in found[0].steps[0]
    assert "rm -rf" not in found[0].steps[0]


def ai_route(*models: str) -> Body:
    """An AIGatewayRoute with a rule per model."""
    rules = [
        {"matches": [{"headers": [{"name": "x-ai-eg-model", "value": name}]}], "backendRefs": [{"name": f"on-{name}"}]}
        for name in models
    ]
    return body("AIGatewayRoute", "aigateway.envoyproxy.io/v1beta1", spec={"rules": rules})


def test_models_whose_backends_ai_gateway_renames_are_told() -> None:
    """envoy-gateway-02: a rule in front moved the others, which answered 500."""
    text = "models b, c get 500 for some seconds in prod, while Agent Router renames their backends"
    assert effects(ai_route("b", "c"), ai_route("a", "b", "c")) == [(text, None, 0)]
    assert effects(ai_route("b", "c"), ai_route("b", "c", "d")) == []


def application(server: str) -> Body:
    """An Application in a cluster."""
    return body("Application", "argoproj.io/v1alpha1", spec={"destination": {"server": server}})


def attempts_of(*names: str) -> Body:
    """The gateway's filter with routes that have several attempts."""
    values = [{"name": f"vsr-route/{name}"} for name in names] + [{"name": "vsr.no_model"}]
    patches = [{"applyTo": "HTTP_ROUTE", "patch": {"operation": "ADD", "value": value}} for value in values]
    return body("EnvoyFilter", "networking.istio.io/v1alpha3", spec={"configPatches": patches})


def test_attempts_that_go_before_the_router_are_told() -> None:
    """All of them are in one object, which a sync changes before the router."""
    ((text, _, steps),) = effects(attempts_of("a", "b"), attempts_of("b"))
    assert "no longer makes the attempts of a in" in text
    assert steps == 2
    assert effects(attempts_of("a"), attempts_of("a", "b")) == []


def test_an_environment_that_moves_to_another_cluster_leaves_its_objects_behind() -> None:
    """Argo CD looks only at the cluster that the Application names."""
    sides = [
        {"argocd/application-p-a.yaml": dump(application(server)).encode()} for server in ("https://a", "https://b")
    ]
    moved, changed = report("p", Baseline("old", sides[0]), sides[1]).rollout
    assert moved.text == "Application a moves from https://a to https://b; its objects in the old cluster stay there"
    assert len(moved.steps) == 2
    assert "kubectl apply -k out/p/argocd" in changed.steps[0]


def test_a_removed_environment_stays_in_the_cluster() -> None:
    """Nobody deletes an Application because its folder is gone."""
    tree = {f"istio/overlays/{name}/kustomization.yaml": b"resources: [../../base]\n" for name in ("dev", "prod")}
    kept = {path: content for path, content in tree.items() if "dev" in path}
    (found,) = report("p", Baseline("old", tree), kept).rollout
    assert found.text == "environment prod is removed, but its Application and all its objects stay"
    assert "argocd app delete p-prod --cascade" in found.steps[0]


@pytest.mark.parametrize("odd", [None, 3, "x", [], {"rules": 3, "template": [], "destinations": "x"}])
def test_an_earlier_output_of_any_form_does_no_harm(odd: Any) -> None:
    """Whatever its kinds and fields are."""
    for kind, api in (
        ("AIGatewayRoute", "aigateway.envoyproxy.io/v1beta1"),
        ("Gateway", "gateway.networking.k8s.io/v1"),
        ("Deployment", "apps/v1"),
        ("PersistentVolumeClaim", "v1"),
    ):
        effects(body(kind, api, spec=odd), body(kind, api, spec={"a": 1}))
    charts = ("istio__helm__values-vllm-stack", "istio__helm__values-semantic-router")
    for path in ("argocd__project__appproject-p", *charts):
        effects(None, None, **{path: (body("AppProject", spec=odd), project("a"))})
