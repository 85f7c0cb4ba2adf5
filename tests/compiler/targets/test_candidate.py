"""A candidate beside a policy: read from its own file, mounted beside, and refused where it could not decide."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from support.common import SMALL, call
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.live.pods import config_map
from vsr_compiler.pipeline import Compiled, compile_policy, findings, read_policy
from vsr_compiler.targets import environment_targets
from vsr_runtime.server.generation import content_hash

KEYWORDS = (
    SMALL[: SMALL.index("categories:")]
    + """\
signals: {urgent: {keywords: [urgent]}}
routes: [{name: urgent, when: {signal: urgent}, model: little}]
default: big
"""
)
NEXT = KEYWORDS.replace("[urgent]", "[urgent, asap]")
THIRD = NEXT.replace("models:\n", "models:\n  third: {checkpoint: example/third, endpoints: [three]}\n").replace(
    "endpoints:\n", "endpoints:\n  three: {vllm: {}}\n", 1
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A repository with a candidate."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "next.yaml").write_text(NEXT)
    return tmp_path


def active(words: str, text: str = KEYWORDS) -> str:
    """A policy with a candidate."""
    return text.replace('0.1.0"}', f'0.1.0", candidate: {{{words}}}}}')


def written(folder: Path, text: str, other: str = "") -> Path:
    """The file of a policy, and a candidate's text."""
    if other:
        (folder / "next.yaml").write_text(other)
    (folder / "policy.yaml").write_text(text)
    return folder / "policy.yaml"


def compiled(path: Path) -> Compiled:
    """A policy as it is compiled."""
    return compile_policy(read_policy(path), lambda _: None)


def refusals(path: Path) -> list[Diagnostic]:
    """What `check` says of candidates."""
    return [item for item in findings(path) if item.code in {"VSR587", "VSR588", "VSR589", "VSR590"}]


def router(result: Compiled, of: str) -> dict:
    """The router's Deployment below a folder."""
    (found,) = (
        item.body
        for path, item in result.objects.items()
        if path.startswith(of) and item.kind == "Deployment" and item.name == "semantic-router"
    )
    return found


@pytest.mark.parametrize("target", [name for name in environment_targets() if name not in {"compose", "attach"}])
def test_router_of_each_target_has_the_candidate_beside_its_policy(folder, target):
    """Router of each target has the candidate beside its policy, with the share as a flag."""
    path = written(
        folder, active("policy: ./next.yaml, share: 12.5") + f"environments: {{dev: {{target: {target}}}}}\n"
    )
    result = compiled(path)
    pod = router(result, target)["spec"]["template"]["spec"]
    (process,) = pod["containers"]
    assert {"--shadow=/etc/vsr-candidate/config.yaml", "--share=12.5"} <= {*process["args"]}
    assert {"name": "candidate", "mountPath": "/etc/vsr-candidate", "readOnly": True} in process["volumeMounts"]
    names = [volume["configMap"]["name"] for volume in pod["volumes"] if volume["name"] in {"config", "candidate"}]
    maps = {item.name: item.body for item in result.objects.values() if item.kind == "ConfigMap"}
    assert config_map(pod) == ", ".join(names)
    assert maps[names[1]]["immutable"] is True
    assert "asap" in maps[names[1]]["data"]["config.yaml"]
    assert "asap" not in maps[names[0]]["data"]["config.yaml"]


def test_annotation_is_the_digest_that_the_runtime_shows_of_the_candidate(folder, tmp_path):
    """Annotation is the digest that the runtime shows of the candidate, whose files are in the output."""
    result = compiled(written(folder, active("policy: ./next.yaml")))
    deployment = router(result, "istio")
    (name,) = (
        one["configMap"]["name"]
        for one in deployment["spec"]["template"]["spec"]["volumes"]
        if one["name"] == "candidate"
    )
    data = next(item.body for item in result.objects.values() if item.name == name)
    for file, text in data["data"].items():
        (tmp_path / file).write_text(text)
    for file, text in data.get("binaryData", {}).items():
        (tmp_path / file).write_bytes(base64.b64decode(text))
    annotations = deployment["metadata"]["annotations"]
    assert annotations["vsr.dev/candidate-sha256"] == content_hash(tmp_path / "config.yaml")
    own = {path.rpartition("/")[2] for path in result.tree if path.startswith("candidates/next/")}
    assert own == {*data["data"], *data.get("binaryData", {})}
    assert not [word for word in deployment["spec"]["template"]["spec"]["containers"][0]["args"] if "--share" in word]


def test_policy_is_as_without_a_candidate_except_for_it(folder):
    """Policy is as without a candidate, except for the ConfigMap, the Deployment and the sandbox."""
    plain = compiled(written(folder, KEYWORDS))
    beside = compiled(written(folder, active("policy: ./next.yaml, share: 10")))
    before, after = ({path: file.content for path, file in one.tree.items()} for one in (plain, beside))
    changed = {path for path in after if after[path] != before.get(path)}
    assert {path.rpartition("/")[2] for path in changed if not path.startswith("candidates/")} == {
        "deployment-semantic-router.yaml",
        "kustomization.yaml",
        "sandbox.yaml",
        next(path.rpartition("/")[2] for path in changed if "configmap-semantic-router-candidate" in path),
    }
    assert before.keys() <= after.keys()


def test_candidate_of_one_environment_is_only_there(folder):
    """Candidate of one environment is only there, and an environment can have another one."""
    (folder / "later.yaml").write_text(NEXT.replace("asap", "soon"))
    stage, prod = "{candidate: {policy: ./next.yaml}}", "{candidate: {policy: ./later.yaml, share: 5}}"
    environments = f"environments: {{dev: {{}}, stage: {stage}, prod: {prod}}}\n"
    result = compiled(written(folder, KEYWORDS + environments))
    assert "--shadow" not in str(router(result, "istio/base"))
    flags = {
        name: [
            word
            for item in objects
            if item.kind == "Deployment" and item.name == "semantic-router"
            for word in item.body["spec"]["template"]["spec"]["containers"][0]["args"]
            if word.startswith("--sha")
        ]
        for name, objects in result.environments.items()
    }
    shadow = "--shadow=/etc/vsr-candidate/config.yaml"
    assert flags == {"dev": [], "stage": [shadow], "prod": [shadow, "--share=5"]}
    found = {
        name: [item for item in objects if "candidate" in item.name] for name, objects in result.environments.items()
    }
    assert {name: len(items) for name, items in found.items()} == {"dev": 0, "stage": 1, "prod": 1}
    assert "soon" in found["prod"][0].body["data"]["config.yaml"]


def test_host_has_the_candidate_as_a_folder(folder):
    """Host has the candidate as a folder, and its router the flags."""
    path = written(folder, active("policy: ./next.yaml, share: 10") + "environments: {box: {target: compose}}\n")
    files = {name: file.content for name, file in compiled(path).tree.items() if name.startswith("compose/box/")}
    service = yaml.safe_load(files["compose/box/compose.yaml"])["services"]["router"]
    assert {"--shadow=/etc/vsr/candidate/config.yaml", "--share=10"} <= {*service["command"]}
    assert "/etc/vsr/candidate" in str(service["volumes"])
    assert b"asap" in files["compose/box/candidate/config.yaml"]


@pytest.mark.parametrize(
    ("words", "other", "said"),
    [
        ("policy: ./missing.yaml", "", "there is no file"),
        ("policy: ./policy.yaml", "", "this policy itself"),
        ("policy: ./folder.yaml", "", "not a regular file"),
        ("policy: ./link.yaml", "", "outside the repository"),
        (
            "policy: ./next.yaml",
            NEXT.replace('image: "registry.example/vsr-runtime:0.1.0"', "engine: semantic-router"),
            "for another router",
        ),
    ],
)
def test_file_that_is_no_candidate_is_refused_at_its_name(folder, tmp_path_factory, words, other, said):
    """File that is no candidate is refused at its name."""
    (folder / "folder.yaml").mkdir()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "next.yaml"
    elsewhere.write_text(NEXT)
    (folder / "link.yaml").symlink_to(elsewhere)
    (found,) = refusals(written(folder, active(words), other))
    assert (found.code, found.span.line) == ("VSR587", 4)
    assert said in found.message


def test_mistake_in_the_candidate_is_found_in_its_file(folder):
    """Mistake in the candidate is found in its file."""
    path = written(folder, active("policy: ./next.yaml"), NEXT.replace("model: little", "model: lttle"))
    (found,) = findings(path)
    assert found.code == "VSR201"
    assert found.span.file.endswith("next.yaml")


def test_candidates_with_one_name_in_the_output_are_refused(folder):
    """Candidates with one name in the output are refused."""
    (folder / "next.yml").write_text(NEXT)
    environments = "environments: {dev: {candidate: {policy: ./next.yml}}}\n"
    (found,) = refusals(written(folder, active("policy: ./next.yaml") + environments))
    assert (found.code, found.span.line) == ("VSR587", 14)


def test_candidate_of_a_candidate_is_not_read(folder):
    """Candidate of a candidate is not read, so copies of a policy do not lead in a circle."""
    path = written(folder, active("policy: ./next.yaml"), active("policy: ./policy.yaml", NEXT))
    assert refusals(path) == []
    assert "--shadow" in str(router(compiled(path), "istio"))


JWT = '{issuer: "https://login.example.com", audiences: [llm], jwksUri: "https://login.example.com/keys"}'
IDENTITY = f"identity: {{jwt: {JWT}}}\n"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (THIRD, "model 'third'"),
        (NEXT.replace("service: {name: two, port: 8000}", "service: {name: two, port: 9000}"), "HTTPRoute"),
        (NEXT + "limits: [{name: few, requests: 10, window: 1h, per: client}]\n", "limits of use"),
        (NEXT + IDENTITY, "identity"),
        (NEXT.replace('0.1.0"}', '0.1.0", responseHeaders: always}'), "response headers"),
        (NEXT + "guards: {pii: {types: [EMAIL_ADDRESS], action: block, on: both}}\n", "reads responses"),
    ],
)
def test_candidate_that_the_gateway_cannot_serve_gets_no_share(folder, other, said):
    """Candidate that the gateway cannot serve gets no share, at its line. It may be compared."""
    share = written(folder, active("policy: ./next.yaml, share: 10"), other)
    try:
        read_policy(folder / "next.yaml")
    except CompileError as error:
        pytest.fail(str(error.diagnostics))
    found = refusals(share)
    assert {(item.code, item.span.line) for item in found} == {("VSR588", 4)}
    assert said in " ".join(item.message for item in found)
    with pytest.raises(CompileError):
        compiled(share)
    compared = compiled(written(folder, active("policy: ./next.yaml")))
    assert "--shadow" in str(router(compared, "istio"))


def test_objects_of_a_compared_candidate_are_a_note(folder):
    """Objects of a compared candidate that are not there are a note."""
    result = compiled(written(folder, active("policy: ./next.yaml"), THIRD))
    (note,) = (item for item in result.warnings if item.code == "VSR589")
    assert "HTTPRoute `default/third`" in note.message
    assert not [item for item in result.objects.values() if item.name == "third"]


def test_candidate_with_fewer_models_may_decide(folder):
    """Candidate with fewer models may decide."""
    fewer = (
        NEXT.replace("routes: [{name: urgent, when: {signal: urgent}, model: little}]", "routes: []")
        .replace("  little: {endpoints: [two]}\n", "")
        .replace("  two: {service: {name: two, port: 8000}}\n", "")
    )
    assert refusals(written(folder, active("policy: ./next.yaml, share: 10"), fewer)) == []


def test_candidate_with_a_checkpoint_that_pods_do_not_have_is_refused(folder):
    """Candidate with a checkpoint that pods do not have is refused, even to compare."""
    checkpoint = f"{{repo: example/attacks, revision: {'0' * 40}}}"
    classifiers = f"classifiers: {{attacks: {{task: jailbreak, checkpoint: {checkpoint}}}}}\n"
    other = NEXT + classifiers + "guards: {jailbreak: {detector: attacks, action: block}}\n"
    (found,) = refusals(written(folder, active("policy: ./next.yaml"), other))
    assert found.code == "VSR590"
    assert "checkpoint `example/attacks`" in found.message


def test_share_is_a_percentage(folder):
    """Share is a percentage."""
    for share in ("-1", "101", "much"):
        result = call("check", written(folder, active(f"policy: ./next.yaml, share: {share}")))
        assert result.exit_code == 1
        assert "VSR1" in result.output + result.stderr


def test_pods_follow_the_candidate_of_a_router_that_reloads(folder):
    """Pods follow the candidate of a router that reloads: its ConfigMap has one name for all contents."""
    names = []
    for other in (NEXT, NEXT.replace("asap", "soon")):
        path = written(folder, active("policy: ./next.yaml").replace("candidate:", "reload: hot, candidate:"), other)
        found = [item for item in compiled(path).objects.values() if "candidate" in item.name]
        assert "immutable" not in found[0].body
        names.append([item.name for item in found])
    assert names[0] == names[1]
