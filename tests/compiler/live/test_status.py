"""`status`: each fault of a cluster has its finding at the line of the policy, and nothing is written."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from ruamel.yaml import YAML

from support.common import ROOT, call, reference
from support.fake_cluster import FakeCluster, kubeconfig
from support.live_policies import applied, condition, pods_of
from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.live.access import plural
from vsr_compiler.live.desired import read_desired
from vsr_compiler.live.findings import findings
from vsr_compiler.live.status import look
from vsr_compiler.targets import kinds

QUICKSTART = ("policies/quickstart.yaml", "--env", "dev")
ENVIRONMENTS = (
    ("agentgateway", "prod"),
    ("ai-gateway", "kind"),
    ("attach-kserve", "prod"),
    ("envoy-gateway", "prod"),
    ("guards", "prod"),
    ("inference-extension", "kind"),
    ("llm-d", "dev"),
    ("production-stack", "prod"),
    ("quickstart", "dev"),
)


def one(items: list[Diagnostic]) -> Diagnostic:
    """The only finding."""
    assert len(items) == 1, [item.message for item in items]
    return items[0]


def line(number: int) -> str:
    """A line of the quickstart."""
    return (ROOT / "policies/quickstart.yaml").read_text(encoding="utf-8").splitlines()[number - 1]


def environments() -> list[tuple[str, str]]:
    """Each example policy with one of its environments."""
    return [pair for pair in ENVIRONMENTS if list((ROOT / "out" / pair[0]).glob(f"*/overlays/{pair[1]}"))]


@pytest.mark.parametrize(("name", "environment"), environments())
@pytest.mark.parametrize("manager", ["argocd-controller", "kustomize-controller", "kubectl", "somebody"])
def test_applied_output_of_every_target_is_live(
    cluster: FakeCluster, client, name: str, environment: str, manager: str
) -> None:
    """Whoever applied it: a dry run adds what the API server adds, and leaves out what the manager adds."""
    cluster.default = lambda body: body.setdefault("spec", {}).setdefault("added", "by the server")
    applied(cluster, Path("out") / name, environment, manager)
    desired = read_desired(Path("out") / name, environment, None)
    seen = look(client, client, desired, dry_run=True)
    assert [item.message for item in findings(desired, seen, dry_run=True)] == []
    assert all(item.is_live and item.comparison == "dry run" for item in seen.objects)


def test_every_target_has_an_environment_here() -> None:
    """The list above is complete."""
    assert len(environments()) >= 8


def test_command_exits_0_and_writes_nothing(live: FakeCluster) -> None:
    """Every request is a GET, or a PATCH that is a dry run."""
    result = call("status", *QUICKSTART)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "quickstart, environment dev (istio): 19 of 19 objects live" in result.stdout
    assert {method for method, _ in live.requests} == {"GET", "PATCH"}
    queries = [parse_qs(urlsplit(path).query) for method, path in live.requests if method == "PATCH"]
    assert len(queries) == 19
    assert all(query["dryRun"] == ["All"] for query in queries)


def test_dry_run_is_made_as_the_manager_that_applied_the_object(live: FakeCluster, found) -> None:
    """Otherwise a field that left the output would stay unnoticed."""
    body = live.find("HTTPRoute", "phi4-mini")
    body["spec"]["hostnames"] = ["old.example.com"]
    body["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:hostnames"] = {}
    item = one(found())
    assert item.code == "VSR576"
    assert '`spec.hostnames` is ["old.example.com"] instead of absent, set by argocd-controller' in item.message


def test_missing_object_is_named_with_its_model_and_line(live: FakeCluster, found) -> None:
    """The remedy is the command that applies the overlay."""
    del live.objects[live.path_of(live.find("HTTPRoute", "phi4-mini"))]
    item = one(found())
    assert item.code == "VSR574"
    assert item.message == "HTTPRoute `default/phi4-mini`, made from model `phi4-mini`, is not in the cluster"
    assert "--field-manager=vsr-compile-quickstart -k out/quickstart/istio/overlays/dev" in item.hint
    assert (item.span.file, line(item.span.line)) == ("policies/quickstart.yaml", "  phi4-mini:")


def test_missing_definition_is_named_with_the_versions_that_exist(live: FakeCluster, found) -> None:
    """Another version of the group helps to see which release is installed."""
    live.without.add("gateway.networking.k8s.io/v1")
    live.knows("gateway.networking.k8s.io/v1beta1", "Gateway")
    items = found()
    assert [item.code for item in items] == ["VSR575"] * 3
    assert "does not have Gateway of gateway.networking.k8s.io/v1; of gateway.networking.k8s.io it has v1beta1" in str(
        [item.message for item in items]
    )
    assert "gateway-api" in items[0].hint


def test_changed_field_is_named_with_who_changed_it(live: FakeCluster, found) -> None:
    """The manager of the field, if the API server knows it."""
    body = live.find("Deployment", "llama-8b")
    body["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/other:1"
    body["metadata"]["managedFields"].append(
        {
            "manager": "kubectl-edit",
            "operation": "Update",
            "time": "2026-12-02T09:00:00Z",
            "fieldsV1": {
                "f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"vllm"}': {".": {}, "f:image": {}}}}}}
            },
        }
    )
    item = one(found())
    assert item.code == "VSR576"
    assert '`spec.template.spec.containers[0].image` is "registry.example/other:1" instead of ' in item.message
    assert item.message.endswith("set by kubectl-edit")


def test_replicas_of_an_autoscaler_are_a_note(live: FakeCluster, found) -> None:
    """The scale subresource is how autoscalers work; a person who edits the number is drift."""
    body = live.find("Deployment", "semantic-router")
    body["spec"]["replicas"] = 4
    for name in ("replicas", "updatedReplicas", "availableReplicas"):
        body["status"][name] = 4
    scaler = {"manager": "kube-controller-manager", "operation": "Update", "subresource": "scale"}
    body["metadata"]["managedFields"].append(
        {**scaler, "time": "2026-12-02T09:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    )
    item = one(found())
    assert (item.code, item.level) == ("VSR576", Severity.NOTE)
    assert "`spec.replicas` is 4 instead of 2" in item.message


REJECTED = {
    "a listener that allows no such route": (
        "HTTPRoute",
        "phi4-mini",
        lambda status: status["parents"][0].update(
            conditions=[condition("Accepted", "False", "NotAllowedByListeners", "not allowed")]
        ),
        "is not in force: Gateway `inference-gateway`: Accepted is False: NotAllowedByListeners: not allowed",
    ),
    "a backend that does not exist": (
        "HTTPRoute",
        "phi4-mini",
        lambda status: status["parents"][0].update(
            conditions=[condition("Accepted"), condition("ResolvedRefs", "False", "BackendNotFound", "phi4-mini")]
        ),
        "ResolvedRefs is False: BackendNotFound",
    ),
    "no word of the gateway": (
        "HTTPRoute",
        "phi4-mini",
        lambda status: status.update(parents=[]),
        "is not in force yet: Gateway `inference-gateway` has not reported about it",
    ),
    "a condition about an older generation": (
        "Gateway",
        "inference-gateway",
        lambda status: status.update(conditions=[condition("Programmed", generation=2)]),
        "Programmed is about generation 2, and the object is at generation 3",
    ),
    "a certificate that is missing": (
        "Gateway",
        "inference-gateway",
        lambda status: status.update(
            listeners=[
                {"name": "https", "conditions": [condition("ResolvedRefs", "False", "InvalidCertificateRef", "no x")]}
            ]
        ),
        "listener `https`: ResolvedRefs is False: InvalidCertificateRef: no x",
    ),
    "pods that are not ready": (
        "Deployment",
        "llama-8b",
        lambda status: status.update(availableReplicas=0),
        "is not in force yet: 0 of 1 replicas are available",
    ),
    "a rollout that does not end": (
        "Deployment",
        "llama-8b",
        lambda status: status.update(
            updatedReplicas=0, conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded", "too late")]
        ),
        "is not in force: Progressing is False: ProgressDeadlineExceeded: too late",
    ),
    "a Deployment that its controller has not seen": (
        "Deployment",
        "llama-8b",
        lambda status: status.update(observedGeneration=2),
        "the status is about generation 2, and the object is at generation 3",
    ),
    "a volume that nobody provides": (
        "PersistentVolumeClaim",
        "llama-8b",
        lambda status: status.update(phase="Pending"),
        "the volume is Pending",
    ),
}


@pytest.mark.parametrize("case", REJECTED)
def test_object_that_is_not_in_force_is_explained(live: FakeCluster, found, case: str) -> None:
    """In the words of the controller, at the policy's line."""
    kind, name, change, words = REJECTED[case]
    change(live.find(kind, name)["status"])
    item = one(found())
    assert item.code == "VSR577"
    assert words in item.message
    assert item.span.file == "policies/quickstart.yaml"
    assert item.span.line


@pytest.mark.parametrize(
    ("policy", "environment", "kind", "status", "words"),
    [
        (
            "envoy-gateway",
            "prod",
            "EnvoyPatchPolicy",
            {
                "ancestors": [
                    {
                        "ancestorRef": {"name": "gw"},
                        "conditions": [
                            condition("Accepted"),
                            condition("Programmed", "False", "ResourceNotFound", "Unable to find xds resource"),
                        ],
                    }
                ]
            },
            "is not in force: Programmed is False: ResourceNotFound: Unable to find xds resource",
        ),
        (
            "agentgateway",
            "prod",
            "AgentgatewayPolicy",
            {
                "ancestors": [
                    {
                        "ancestorRef": {"name": "gw"},
                        "conditions": [
                            condition("Accepted"),
                            condition(
                                "Attached", "False", "Pending", "Policy is not attached: HTTPRoute a/b not found"
                            ),
                        ],
                    }
                ]
            },
            "is not in force yet: Attached is False: Pending: Policy is not attached",
        ),
        (
            "inference-extension",
            "kind",
            "InferencePool",
            {
                "parents": [
                    {
                        "parentRef": {"name": "gw"},
                        "conditions": [condition("ResolvedRefs", "False", "InvalidExtensionRef", "no picker")],
                    }
                ]
            },
            "is not in force: ResolvedRefs is False: InvalidExtensionRef: no picker",
        ),
        (
            "inference-extension",
            "kind",
            "InferencePool",
            {},
            "may not be in use: no gateway has reported that it uses it",
        ),
    ],
)
def test_policies_and_pools_of_gateways_are_judged(
    cluster: FakeCluster, client, policy: str, environment: str, kind: str, status: dict[str, object], words: str
) -> None:
    """A patch that finds nothing, a policy that is attached to nothing, and a pool without a picker."""
    applied(cluster, Path("out") / policy, environment)
    first = next(item for item in cluster.objects.values() if item["kind"] == kind)
    first["status"] = status
    desired = read_desired(Path("out") / policy, environment, None)
    item = one(findings(desired, look(client, client, desired, dry_run=True), dry_run=True))
    assert item.code == "VSR577"
    assert words in item.message
    assert item.level is (Severity.WARNING if "may not" in words else Severity.ERROR)


def test_object_that_is_being_deleted_is_not_live(live: FakeCluster, found) -> None:
    """A finalizer can keep it for long."""
    live.find("Gateway", "inference-gateway")["metadata"]["deletionTimestamp"] = "2026-12-02T10:00:00Z"
    item = one(found())
    assert (item.code, "it is being deleted" in item.message) == ("VSR577", True)


def test_stale_router_is_named_with_both_configurations(live: FakeCluster, found) -> None:
    """A pod keeps the ConfigMap that it was started with."""
    (volume,) = [item for item in live.pods[-1]["spec"]["volumes"] if item["name"] == "config"]
    live.pods[-1] = json.loads(json.dumps(live.pods[-1]).replace(volume["configMap"]["name"], "old-config"))
    item = one(found())
    name = live.pods[-1]["metadata"]["name"]
    assert item.code == "VSR578"
    assert f"{name}` runs with the configuration `old-config` instead of `semantic-router-config-" in item.message


def test_router_that_cannot_start_is_named_with_its_reason(live: FakeCluster, found) -> None:
    """The words of the container and of its last end."""
    pod = next(item for item in live.pods if item["metadata"]["name"].startswith("semantic-router"))
    pod["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
        "containerStatuses": [
            {
                "name": "router",
                "restartCount": 7,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
                "lastState": {"terminated": {"reason": "Error", "exitCode": 1}},
            }
        ],
    }
    item = one(found())
    assert item.code == "VSR578"
    assert "after 7 restarts: container `router`: CrashLoopBackOff; back-off 5m0s; last exit: Error 1" in item.message


def test_pods_are_listed_page_by_page(live: FakeCluster, found, desired) -> None:
    """The last page counts as the first."""
    (router,) = [item for item in desired.manifests if item.kind == "Deployment" and item.name == "semantic-router"]
    live.pods += pods_of(router, [f"more-{number}" for number in range(250)])
    live.pods[-1]["status"]["conditions"] = []
    item = one(found())
    assert "more-249" in item.message
    assert sum("/pods?" in path for _, path in live.requests) == 3


def test_without_the_permission_to_patch_fields_are_compared(live: FakeCluster, found) -> None:
    """A note says what is not seen; what the output sets is."""
    live.denied = {("patch", "deployments"), ("patch", "httproutes")}
    for item in live.objects.values():
        item.setdefault("spec", {})["added"] = "by the server"
    note = one(found())
    assert (note.code, note.level) == ("VSR579", Severity.NOTE)
    assert "5 objects are compared by the fields that the output sets" in note.message
    live.find("HTTPRoute", "phi4-mini")["spec"]["rules"][0]["matches"].pop()
    drift, note = sorted(found(), key=lambda item: item.code)
    assert (drift.code, note.code) == ("VSR576", "VSR579")
    assert "`spec.rules[0].matches[" in drift.message


def test_without_dry_runs_only_reads_are_sent(live: FakeCluster) -> None:
    """`--no-dry-run` needs nothing but `get` and `list`."""
    result = call("status", *QUICKSTART, "--no-dry-run")
    assert (result.exit_code, result.stderr) == (0, "")
    assert {method for method, _ in live.requests} == {"GET"}


def test_account_that_may_not_read_is_told_what_to_grant(live: FakeCluster, found) -> None:
    """What cannot be read is not called live."""
    live.denied = {("get", "gateways"), ("list", "pods")}
    items = found()
    assert [item.code for item in items] == ["VSR579", "VSR579"]
    assert all("status --rbac" in item.hint for item in items)
    assert 'cannot be read: gateways "inference-gateway" is forbidden' in str([item.message for item in items])


def test_refused_output_is_drift_that_an_apply_cannot_end(live: FakeCluster, found) -> None:
    """For example a definition of an older release, which does not have a field."""
    live.refused["phi4-mini"] = 'unknown field "spec.rules[0].retry"'
    items = [item for item in found() if "HTTPRoute" in item.message]
    assert one(items).code == "VSR576"
    assert "the API server would refuse HTTPRoute `default/phi4-mini`" in items[0].message


def test_delivery_is_judged_where_it_exists(live: FakeCluster, found, desired) -> None:
    """An Application whose sync failed explains why objects are old."""
    (application,) = desired.delivery
    live.apply(
        application.body,
        sync={"status": "OutOfSync"},
        health={"status": "Healthy"},
        operationState={"phase": "Failed", "message": "one or more objects failed to apply"},
    )
    item = one(found())
    assert item.code == "VSR577"
    assert "the last sync of Argo CD failed: one or more objects failed to apply" in item.message
    assert line(item.span.line) == "  dev: {target: istio}"


def test_wait_ends_when_everything_is_live(live: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change is a line of progress."""
    status = live.find("Deployment", "llama-8b")["status"]
    status["availableReplicas"] = 0
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        status["availableReplicas"] = len(looks) // 3

    monkeypatch.setattr("vsr_compiler.live.waiting.time.sleep", sleep)
    result = call("status", *QUICKSTART, "--wait", "--timeout", "100")
    assert (result.exit_code, len(looks)) == (0, 3)
    assert result.stderr.count("18 of 19 objects live; waiting: Deployment `default/llama-8b`") == 1


def test_wait_ends_at_its_deadline_and_at_what_time_does_not_change(
    live: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing permission does not come by waiting."""
    live.find("Deployment", "llama-8b")["status"]["availableReplicas"] = 0
    monkeypatch.setattr("vsr_compiler.live.waiting.time.sleep", lambda _: None)
    result = call("status", *QUICKSTART, "--wait", "--timeout", "1")
    assert (result.exit_code, "not live after 1 s" in result.stderr) == (1, True)
    live.denied = {("list", "pods")}
    result = call("status", *QUICKSTART, "--wait", "--timeout", "86400")
    assert (result.exit_code, "not live after" in result.stderr) == (1, False)


def test_report_has_every_object_with_its_place(live: FakeCluster) -> None:
    """For programs: one entry for each object of the lock."""
    del live.objects[live.path_of(live.find("HTTPRoute", "phi4-mini"))]
    result = call("status", *QUICKSTART, "--format", "json")
    data = json.loads(result.stdout)
    assert (result.exit_code, data["kind"], data["live"]) == (1, "StatusReport", False)
    by_name = {(item["kind"], item["name"]): item for item in data["objects"]}
    assert len(by_name) == len(data["objects"]) == 19
    route = by_name["HTTPRoute", "phi4-mini"]
    assert (route["summary"], route["subject"]) == ("missing", "model `phi4-mini`")
    assert route["place"].startswith("policies/quickstart.yaml:")
    assert by_name["Gateway", "inference-gateway"]["summary"] == "live"
    assert {pod["stale"] for pod in data["pods"]} == {False}
    assert [item["code"] for item in data["findings"]] == ["VSR574"]


def test_cluster_that_cannot_be_asked_is_one_finding(live: FakeCluster, tmp_path: Path) -> None:
    """No such context, no answer, no rights, no kubeconfig: never a traceback."""
    for context, words in (("other", "no cluster found"), ("gone", "no response from the server")):
        result = call("status", *QUICKSTART, "--context", context)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "cluster: error VSR573: " in result.stderr
        assert words in result.stderr
    live.unauthorized = True
    assert "VSR573: the server does not list its resources: Unauthorized" in call("status", *QUICKSTART).stderr
    assert tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "[]",
        "{}",
        "clusters: 5",
        '{"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "b", "user": "c"}}]}',
        '{"current-context": "a", "contexts": [{"name": "a"}], "clusters": [], "users": []}',
    ],
)
def test_broken_kubeconfig_is_a_finding(live: FakeCluster, tmp_path: Path, text: str) -> None:
    """Whatever is in the file."""
    (tmp_path / "kubeconfig").write_text(text, encoding="utf-8")
    result = call("status", *QUICKSTART)
    assert (result.exit_code, "cluster: error VSR573: no cluster found: " in result.stderr) == (1, True)
    assert live.requests == []


def test_program_for_credentials_has_a_deadline(live: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubeconfig may start a program, which may wait for somebody."""
    over = threading.Event()
    monkeypatch.setattr("vsr_compiler.verify.api_server.client.connect", lambda _: over.wait())
    monkeypatch.setattr("vsr_compiler.cli.status_run.CONNECT_SECONDS", 0.1)
    result = call("status", *QUICKSTART)
    over.set()
    assert (result.exit_code, "gives no credentials within 0.1 s" in result.stderr) == (1, True)
    assert live.requests == []


def test_silent_server_ends_the_look(live: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """One deadline for all questions."""
    monkeypatch.setattr("vsr_compiler.live.status.SECONDS", 0.2)
    live.silent.set()
    result = call("status", *QUICKSTART)
    assert (result.exit_code, "have no answer after 0.2 s" in result.stderr) == (1, True)


def test_delivery_may_be_in_another_cluster(
    live: FakeCluster, desired, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--gitops-context` names it."""
    from support.fake_cluster import running  # noqa: PLC0415 - one test

    with running() as management:
        (application,) = desired.delivery
        management.apply(application.body, sync={"status": "OutOfSync"}, health={"status": "Healthy"})
        place = tmp_path / "two"
        place.write_text(kubeconfig(("here", live.url), ("argo", management.url)), encoding="utf-8")
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(place))
        assert call("status", *QUICKSTART).exit_code == 0
        result = call("status", *QUICKSTART, "--gitops-context", "argo")
    assert (result.exit_code, "Argo CD shows OutOfSync and Healthy" in result.stderr) == (1, True)


def test_output_that_is_older_than_the_policy_is_a_warning(live: FakeCluster, tmp_path: Path) -> None:
    """The cluster is compared with what is committed."""
    text = (ROOT / "policies/quickstart.yaml").read_text(encoding="utf-8")
    policy = tmp_path / "quickstart.yaml"
    policy.write_text(text.replace("gpus: 1, storage: 40Gi", "gpus: 2, storage: 40Gi"), encoding="utf-8")
    result = call("status", policy, "--env", "dev")
    assert result.exit_code == 0
    assert "warning VSR576: out/quickstart is older than the policy" in result.stderr
    policy.write_text(text.replace("default: llama3-8b", "default: nobody"), encoding="utf-8")
    result = call("status", "out/quickstart", "--policy", policy)
    assert (result.exit_code, "does not compile" in result.stderr) == (0, True)
    assert live.requests


def test_printed_roles_allow_what_the_command_asks_and_nothing_else(live: FakeCluster) -> None:
    """Each request of a look is allowed by name; with `--no-dry-run` the roles only read."""
    for flags, actions in (((), {"get", "list", "patch"}), (("--no-dry-run",), {"get", "list"})):
        live.requests.clear()
        roles = YAML(typ="safe").load_all(call("status", *QUICKSTART, *flags, "--rbac").stdout)
        rules = [
            (role["metadata"].get("namespace", ""), rule)
            for role in roles
            for rule in role["rules"]
            if rule["apiGroups"] != ["argoproj.io"]
        ]
        assert live.requests == []
        assert {action for _, rule in rules for action in rule["verbs"]} == actions
        assert all(rule.get("resourceNames") or rule["resources"] == ["pods"] for _, rule in rules)
        call("status", *QUICKSTART, *flags)
        unused = {id(rule) for _, rule in rules}
        for method, path in live.requests:
            steps = urlsplit(path).path.strip("/").split("/")
            group, rest = ("", steps[2:]) if steps[0] == "api" else (steps[1], steps[3:])
            if not rest or (steps[2] != "argocd" and "argoproj.io" in path):
                continue
            space, rest = (rest[1], rest[2:]) if rest[0] == "namespaces" and len(rest) > 2 else ("", rest)
            action = "patch" if method == "PATCH" else "get" if len(rest) > 1 else "list"
            allowing = [
                rule
                for own, rule in rules
                if own == space
                and rule["apiGroups"] == [group]
                and rule["resources"] == [rest[0]]
                and action in rule["verbs"]
                and (len(rest) < 2 or rest[1] in rule["resourceNames"])
            ]
            assert len(allowing) == 1, (method, path)
            unused.discard(id(allowing[0]))
        assert not unused


def test_resources_have_the_names_that_their_definitions_give_them() -> None:
    """The Roles are printed without a cluster, so names follow from kinds."""
    form = re.compile(
        r"^ {2}group: (\S+)\n {2}names:\n(?: {4}.*\n)*? {4}kind: (\w+)\n.*\n {4}plural: (\w+)$", re.MULTILINE
    )
    files = (path.read_text(encoding="utf-8") for path in (reference() / "crds").rglob("*.yaml"))
    names = {(group, kind): name for text in files for group, kind, name in form.findall(text)}
    known = [key for key in kinds() if key in names]
    assert len(known) > 10
    assert {key: plural(key[1]) for key in known} == {key: names[key] for key in known}
    for kind, name in (
        ("NetworkPolicy", "networkpolicies"),
        ("Service", "services"),
        ("ServiceAccount", "serviceaccounts"),
    ):
        assert plural(kind) == name


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("policies/quickstart.yaml", "--env", "prod"), 1, "out/quickstart has no environment `prod`"),
        (("policies/envoy-gateway.yaml",), 2, "Name the environment by --env: `kind`, `prod`."),
        (("docs", "--env", "dev"), 1, "docs is no output folder"),
        (("policies/quickstart.yaml", "--policy", "policies/quickstart.yaml"), 2, "--policy is for an output folder"),
        (("policies/quickstart.yaml", "--out", "nowhere"), 1, "the policy is not compiled"),
    ],
)
def test_wrong_arguments_are_explained(live: FakeCluster, arguments: tuple[str, ...], code: int, words: str) -> None:
    """Before any cluster is asked."""
    result = call("status", *arguments)
    assert (result.exit_code, words in result.stderr) == (code, True)
    assert live.requests == []
