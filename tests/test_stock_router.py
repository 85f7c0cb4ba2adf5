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

from support import rendering
from support.cases import output_of
from support.common import ROOT, kubectl, linked, required
from vsr_compiler.review import policy_tests
from vsr_compiler.routerconfig.semantic_router import stock_config
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
