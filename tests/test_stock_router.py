"""The stock router takes what is compiled for it: its own validator reads each config in the repository for it.

What is compiled for our runtime, in the same contract, `make stock-router` lets it read.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support import rendering, stock_configs
from support.cases import output_of
from support.common import ROOT, kubectl, linked, required
from vsr_compiler.analysis import stock_router
from vsr_compiler.review import policy_tests
from vsr_compiler.routerconfig.semantic_router import stock_body, stock_config
from vsr_runtime.settings import load
from vsr_schemas.routerconfig.engine_0_4_0 import RouterConfig

PYTHON = ROOT / ".stock-router" / "bin" / "python"
"""`make stock-router` puts it there, in an environment of its own."""
CLI = "import sys, yaml; yaml.SafeLoader = yaml.CSafeLoader; from cli.main import main; sys.exit(main())"
"""`vllm-sr` with libyaml: it reads a large catalog three times."""
CONFIGS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("out/*/router/config.yaml", "tests/golden/*/router/config.yaml")
    for path in ROOT.glob(pattern)
    if not (path.parent / "runtime.yaml").exists()
)
OLDER = ROOT / ".stock-router-0.3.0" / "bin" / "python"
OLDER_CLI = """
import sys
from cli.parser import parse_user_config
from cli.validator import validate_user_config
sys.exit("".join(str(error) for path in sys.argv[1:] for error in validate_user_config(parse_user_config(path))) or 0)
"""
"""What `vllm-sr validate` of release 0.3.0 does, for several files in one process."""
CASE = ROOT / "tests" / "golden" / "stock-router"
CONFIG = CASE / "router" / "config.yaml"
GOLDEN = CASE / "policy.yaml"


def validated(path: Path) -> subprocess.CompletedProcess[str]:
    """What the validator of release 0.4.0 says. It asks nobody."""
    required(PYTHON.exists() or None, "the stock router's validator (make stock-router)")
    command = [str(PYTHON), "-c", CLI, "config", "validate", "--config", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.subprocess
@pytest.mark.parametrize("path", CONFIGS)
def test_its_validator_accepts_every_config(path: str) -> None:
    """Each policy's whose engine it is; those have no settings of our runtime beside them."""
    found = validated(ROOT / path)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.subprocess
def test_our_runtime_loads_what_its_command_line_writes(tmp_path: Path) -> None:
    """The starter has one decision for every request."""
    required(PYTHON.exists() or None, "the stock router's command line (make stock-router)")
    path = tmp_path / "config.yaml"
    command = [str(PYTHON), "-c", CLI, "config", "init", "--output", str(path)]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    program = load(path).program
    assert [route.target(0).name for route in program.routes] == [program.default]


@pytest.mark.subprocess
def test_its_validator_would_say_what_it_does_not_take(tmp_path: Path) -> None:
    """Otherwise the test above would show nothing."""
    text = CONFIG.read_text(encoding="utf-8")
    path = tmp_path / "config.yaml"
    path.write_text(text.replace("pii_types_allowed", "pii_types_denied"), encoding="utf-8")
    assert validated(path).returncode == 1


@pytest.mark.subprocess
def test_its_validator_accepts_the_remote_classifiers_of_the_docs(tmp_path: Path) -> None:
    """It accepts the fields of the example in docs/reference/http-api.md; it does not check the contracts."""
    page = (ROOT / "docs" / "reference" / "http-api.md").read_text(encoding="utf-8")
    (shown,) = (block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if block.startswith("global:"))
    yaml = YAML(typ="safe")
    config = yaml.load(CONFIG)
    path = tmp_path / "config.yaml"
    for text, status in ((shown, 0), (shown.replace("contract: token_spans.v1", "kind: token_spans.v1"), 1)):
        config["global"] = yaml.load(text)["global"]
        yaml.dump(config, path)
        found = validated(path)
        assert found.returncode == status, found.stdout + found.stderr


def test_what_is_written_is_what_the_contract_knows() -> None:
    """Nothing is lost on the way through the contract, and nothing unknown is in it."""
    config = stock_config(linked(GOLDEN.read_text(encoding="utf-8")))
    body = config.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert RouterConfig.model_validate(body) == config


def test_guards_come_before_every_route_and_refusals_before_all() -> None:
    """The engine takes the highest priority that matches, so the order of the policy is one of numbers."""
    decisions = stock_config(linked(GOLDEN.read_text(encoding="utf-8"))).routing.decisions
    ranked = [each.name for each in sorted(decisions, key=lambda each: -each.priority)]
    guards = ["guard/attacks", "guard/personal", "guard/projects", "guard/internal"]
    assert ranked == [*guards, "closed", "math", "law", "cooking", "far"]
    assert len({each.priority for each in decisions}) == len(decisions)


def test_a_guard_that_cannot_tell_refuses_unless_the_policy_says_pass() -> None:
    """`onError` is the detector's setting and the decision's: a failure never counts as clean by itself."""
    text = GOLDEN.read_text(encoding="utf-8")
    config = stock_config(linked(text))
    assert [each.rules.on_unknown for each in config.routing.decisions[:4]] == ["match"] * 4
    modules = config.global_.model_catalog.modules if config.global_.model_catalog else None
    assert modules is not None
    assert modules.prompt_guard is not None
    assert modules.prompt_guard.on_error == "block"
    passing = stock_config(linked(text.replace("threshold: 0.6,", "threshold: 0.6, onError: pass,")))
    assert passing.routing.decisions[0].rules.on_unknown == "no_match"
    catalog = passing.global_.model_catalog
    assert catalog is not None
    assert catalog.modules.prompt_guard is not None
    assert catalog.modules.prompt_guard.on_error == "allow"


def test_personal_data_is_every_type_that_is_not_allowed() -> None:
    """The policy names what must not pass, the contract what may."""
    rule = (stock_config(linked(GOLDEN.read_text(encoding="utf-8"))).routing.signals.pii or [])[0]
    assert "EMAIL_ADDRESS" not in rule.pii_types_allowed
    assert "US_SSN" not in rule.pii_types_allowed
    assert "PERSON" in rule.pii_types_allowed


def test_a_message_may_be_as_long_as_a_body() -> None:
    """The engine's own limit is 4 MiB, and what is longer would fail only when it comes."""
    policy = linked(GOLDEN.read_text(encoding="utf-8"))
    longer = replace(policy, router=replace(policy.router, max_body=20 * 2**20))
    assert stock_config(longer).global_.integrations.looper.grpc_max_msg_size_mb == 21


def test_the_config_contains_no_key() -> None:
    """The config names the variable, the pod takes it from the Secret."""
    text = stock_config(linked(GOLDEN.read_text(encoding="utf-8"))).model_dump_json()
    assert "PROVIDER_PROVIDER_API_KEY" in text
    assert "provider-api" not in text


def test_the_values_for_its_chart_and_our_objects_are_the_same_router() -> None:
    """Whoever uses the chart changes a file: names, ports, image, config and keys are those of the Deployment."""
    policy = linked(GOLDEN.read_text(encoding="utf-8"))
    (values,) = rendering.values(policy, "istio")
    (pod,) = [
        item.body["spec"]["template"]["spec"]
        for item in rendering.objects(policy, "istio")
        if (item.kind, item.name) == ("Deployment", "semantic-router")
    ]
    container = pod["containers"][0]
    assert f"{values.body['image']['repository']}:{values.body['image']['tag']}" == container["image"]
    assert values.body["fullnameOverride"] == "semantic-router"
    assert values.body["args"] == container["args"]
    assert values.body["service"]["grpc"]["port"] == policy.router.grpc.port == 50051
    assert values.body["env"] == [each for each in container["env"] if "valueFrom" in each]
    config = stock_config(policy).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert values.body["configOverride"] == config


def test_the_token_for_gated_models_comes_from_the_secret_that_the_policy_names() -> None:
    """In the pod and in the chart's values alike."""
    text = GOLDEN.read_text(encoding="utf-8").replace("  deadline: 5s", "  deadline: 5s\n  weights: {token: ours}")
    policy = linked(text)
    (values,) = rendering.values(policy, "istio")
    objects = rendering.objects(policy, "istio")
    (pod,) = [item.body for item in objects if item.path.endswith("deployment-semantic-router.yaml")]
    wanted = {
        "name": "HF_TOKEN",
        "valueFrom": {"secretKeyRef": {"name": "ours", "key": "token", "optional": True}},
    }
    assert wanted in values.body["env"]
    assert wanted in pod["spec"]["template"]["spec"]["containers"][0]["env"]


@pytest.mark.subprocess
def test_an_overlay_that_takes_the_router_from_its_chart_deploys_none_of_it(tmp_path: Path) -> None:
    """The component takes out just what the chart brings; the gateway's objects stay."""
    shutil.copytree(output_of("stock-router") / "istio", tmp_path / "istio")
    overlay = tmp_path / "istio" / "overlays" / "helm"
    overlay.mkdir()
    text = "resources: [../../base]\ncomponents: [../../components/router-by-helm]\n"
    (overlay / "kustomization.yaml").write_text(text, encoding="utf-8")
    result = subprocess.run([kubectl(), "kustomize", str(overlay)], capture_output=True, text=True, check=True)
    found = [(body["kind"], body["metadata"]["name"]) for body in YAML(typ="safe").load_all(result.stdout)]
    assert ("EnvoyFilter", "inference-gateway-semantic-router") in found
    assert ("NetworkPolicy", "semantic-router") in found
    gone = {"Deployment", "Service", "ServiceAccount", "ConfigMap", "PersistentVolumeClaim"}
    assert [name for kind, name in found if kind in gone and name.startswith("semantic-router")] == []


def test_the_tests_of_its_policies_say_what_nothing_here_can_decide() -> None:
    """VSR333: what its own models would tell is not guessed, and what needs none of them is decided as ever."""
    policy = linked(GOLDEN.read_text(encoding="utf-8"))
    outcomes = policy_tests.run_tests(policy)
    assert [(each.decided, each.route, each.model) for each in outcomes] == [
        (False, None, None),
        (True, "closed", None),
        (True, None, "large"),
    ]
    notes = list(policy_tests.findings(policy, outcomes))
    assert [item.code for item in notes] == ["VSR333", "VSR333"]
    wrong = linked(GOLDEN.read_text(encoding="utf-8").replace("expect: {route: closed}", "expect: {route: law}"))
    assert "VSR250" in {item.code for item in policy_tests.findings(wrong, policy_tests.run_tests(wrong))}


def older_validated(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What the validator of release 0.3.0 says."""
    required(OLDER.exists() or None, "the stock router's validator of 0.3.0 (make stock-router)")
    command = [str(OLDER), "-c", OLDER_CLI, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.subprocess
def test_release_0_3_0_accepts_every_policy_that_it_can_execute(tmp_path: Path) -> None:
    """Those in policies/ and the golden ones, in its older words."""
    paths = []
    for name, text in stock_configs.configs("0.3.0"):
        paths.append(tmp_path / f"{name}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    assert len(paths) > 15
    found = older_validated(*paths)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.subprocess
def test_the_validator_of_0_3_0_refuses_a_config_of_0_4_0() -> None:
    """Otherwise the test above would show nothing."""
    assert older_validated(CONFIG).returncode == 1


@pytest.mark.parametrize("case", [*stock_configs.GOLDEN, *stock_configs.POLICIES])
def test_what_0_4_0_can_execute_0_3_0_can_too_or_it_names_the_reason(case: str) -> None:
    """Each further refusal names the release, has a place, and says what to do."""
    policy = linked(stock_configs.policy_file(case).read_text(encoding="utf-8"), case)
    newer = {item.message for item in stock_configs.refusals(stock_configs.at(policy, "0.4.0"))}
    for item in stock_configs.refusals(stock_configs.at(policy, "0.3.0")):
        if item.message not in newer:
            assert "semantic-router 0.3.0" in item.message
            assert item.span.line
            assert "gateway.versions" in (item.hint or "")


OLDER_TEXT = (
    GOLDEN.read_text(encoding="utf-8")
    .replace("unreadable: pass}", "unreadable: pass, onError: pass}")
    .replace("gitops:", "gateway: {versions: {semantic-router: 0.3.0}}\ngitops:")
)


def test_release_0_3_0_gets_its_older_words() -> None:
    """Defaults, families, ranges without an end, auto-model names, stores."""
    body = stock_body(linked(OLDER_TEXT))
    assert body["providers"]["defaults"] == {
        "default_model": "llama",
        "reasoning_families": {"qwen3": {"type": "chat_template_kwargs", "parameter": "enable_thinking"}},
    }
    assert [model.get("reasoning_family") for model in body["providers"]["models"]] == [None, "qwen3"]
    assert all("provider" not in ref for model in body["providers"]["models"] for ref in model["backend_refs"])
    assert {rule["max_tokens"] for rule in body["routing"]["signals"]["context"]} == {"2147483647"}
    assert body["global"]["router"]["auto_model_name"] == "MoM"
    assert body["global"]["stores"] == {"semantic_cache": {"enabled": False}}
    assert body["global"]["services"]["router_replay"] == {"enabled": False}
    assert "on_unknown" not in str(body)
    assert "on_error" not in str(body)


CANNOT = {
    "a detector that must block when it fails": ("onError: pass", "onError: block", "if the detector of guard"),
    "images": ("{language: [de]}", "{modality: [image]}", "input modalities"),
    "counted images": ("{language: [de]}", "{conversation: {of: image_content, min: 1}}", "`of: image_content`"),
    "two names": ("deadline: 5s", "deadline: 5s\n  autoModels: [auto, MoM, best]", "not `MoM` and `best`"),
    "a family": ("reasoningFamily: qwen3", "reasoningFamily: glm-5.2", "reasoning of family `glm-5.2`"),
    "efforts of a provider": (
        "providerModel: example-large-2026-01",
        "providerModel: example-large-2026-01, reasoningFamily: gpt",
        "reasoning of family `gpt`",
    ),
}


@pytest.mark.parametrize("case", sorted(CANNOT))
def test_release_0_3_0_refuses_what_it_has_no_words_for(case: str) -> None:
    """VSR330 with the release, where 0.4.0 takes the same."""
    old, new, words = CANNOT[case]
    assert old in OLDER_TEXT
    policy = linked(OLDER_TEXT.replace(old, new, 1))
    assert any(words in item.message for item in stock_configs.refusals(policy))
    assert not stock_configs.refusals(stock_configs.at(policy, "0.4.0"))


def test_release_0_3_0_keeps_what_it_would_do_anyway_visible() -> None:
    """VSR331: `auto` is always an auto-model name, and efforts are not switched off."""
    text = OLDER_TEXT.replace("deadline: 5s", "deadline: 5s\n  autoModels: [MoM]").replace("qwen3", "gpt-oss")
    found = " ".join(item.message for item in stock_router.check(linked(text)) if item.code == "VSR331")
    assert "also chooses the model of requests for `auto`" in found
    assert "does not switch reasoning of model `llama` off" in found


def test_release_0_3_0_gets_no_values_for_its_chart() -> None:
    """Its chart would merge the config with a model and a decision of its own."""
    policy = linked(OLDER_TEXT)
    assert not [values for values in rendering.values(policy, "istio") if values.chart == "semantic-router"]
    assert not [item for item in rendering.components(policy, "istio") if item.name == "router-by-helm"]
    found = [item for item in rendering.notices(policy, "istio") if item.code == "VSR311"]
    assert any("merges the config" in item.message for item in found)
