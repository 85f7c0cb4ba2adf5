"""`vsr-compile test`: the policy's tests, decided as a server would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.cases import output_of, policy_file
from support.common import ROOT, SMALL, call, required
from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder
from vsr_runtime.inference.errors import ModelError

KEYWORDS = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: words}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gitops: {repo: "https://git.example.com/team/routing.git"}
endpoints:
  one: {vllm: {}}
  two: {service: "two:8000"}
models:
  big: {checkpoint: example/big, endpoints: one, loras: {law: {path: /a}}}
  little: {endpoints: two}
signals:
  urgent: {keywords: [urgent]}
  rude: {keywords: [idiot]}
  code: {structure: {pattern: "\\\\bdef\\\\b", min: 1}}
routes:
  - {name: no, when: {signal: rude}, respond: Please be kind.}
  - {name: hurry, when: {all: [{signal: urgent}, {not: {signal: code}}]}, model: little}
  - {name: code, when: {signal: code}, model: law}
default: big
tests:
  - {prompt: "this is urgent", expect: {route: hurry, model: little}}
  - {prompt: "urgent: def f()", expect: {route: code, model: law}}
  - {prompt: "hello", expect: {route: default, model: big}}
  - {prompt: "you idiot", expect: {route: no}}
  - {prompt: "urgent", model: big, expect: {model: big}}
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy that needs no model to decide."""
    path = tmp_path / "words.yaml"
    path.write_text(KEYWORDS, encoding="utf-8")
    return path


def test_tests_that_hold_are_counted(policy: Path, tmp_path: Path) -> None:
    """Signals, fixed answers, adapters, defaults and named models; nothing is written."""
    result = call("test", str(policy))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{policy}: 5 passed, 0 failed\n"
    assert [path.name for path in tmp_path.iterdir()] == ["words.yaml"]


def test_a_test_that_fails_says_what_happened_instead(policy: Path) -> None:
    """At the test's own line, with exit code 1."""
    text = KEYWORDS.replace("expect: {route: hurry, model: little}", "expect: {route: code, model: big}")
    policy.write_text(text, encoding="utf-8")
    result = call("test", str(policy), "--format", "json")
    assert result.exit_code == 1
    failed = [item for item in json.loads(result.stdout)["findings"] if item["code"] == "VSR250"]
    assert [item["message"] for item in failed] == [
        "test failed: route `hurry` instead of `code`, model `little` instead of `big`"
    ]
    assert "4 passed, 1 failed" in result.stderr


def test_a_route_that_no_test_reaches_is_noted(policy: Path) -> None:
    """A note, so that the exit code stays 0."""
    text = KEYWORDS.replace('  - {prompt: "you idiot", expect: {route: no}}\n', "")
    policy.write_text(text, encoding="utf-8")
    result = call("test", str(policy))
    assert result.exit_code == 0
    assert "no test reaches the route `no`" in result.stderr
    codes = [item["code"] for item in json.loads(call("test", str(policy), "--format", "json").stdout)["findings"]]
    assert codes == ["VSR252", "VSR251"]


GUARDED = """
guards:
  keys: {patterns: ["sk-[0-9]{8}"]}
  pii: {types: [EMAIL_ADDRESS], action: mask}
  answers: {types: [URL], on: response}
"""


def test_guards_are_expected_by_name_no_more_and_no_less(policy: Path) -> None:
    """What is blocked reaches no guard behind the one that blocks it; a guard of responses needs no test."""
    tests = """  - {prompt: "sk-12345678 of a@b.org", expect: {guards: [keys]}}
  - {prompt: "of a@b.org", expect: {guards: []}}
"""
    policy.write_text(KEYWORDS + tests + GUARDED, encoding="utf-8")
    result = call("test", str(policy), "--format", "json")
    found = {item["code"]: item["message"] for item in json.loads(result.stdout)["findings"]}
    assert found["VSR250"] == "test failed: guards `pii` instead of none"
    assert "VSR260" not in found


def test_personal_data_chooses_a_route(policy: Path) -> None:
    """A `pii` signal, through the stock router's contract, in the whole conversation."""
    text = KEYWORDS.replace("signals:\n", "signals:\n  private: {pii: {types: [EMAIL_ADDRESS]}}\n")
    text = text.replace("routes:\n", "routes:\n  - {name: private, when: {signal: private}, model: little}\n")
    policy.write_text(text + '  - {prompt: "of a@b.org", expect: {route: private, model: little}}\n', encoding="utf-8")
    result = call("test", str(policy))
    assert "6 passed, 0 failed" in result.stderr


def test_a_guard_that_no_test_reaches_is_noted(policy: Path) -> None:
    """A guard that nobody has seen act may not act."""
    policy.write_text(KEYWORDS + '  - {prompt: "of a@b.org", expect: {guards: [pii]}}\n' + GUARDED, encoding="utf-8")
    result = call("test", str(policy), "--format", "json")
    assert result.exit_code == 0
    found = [(item["code"], item["message"]) for item in json.loads(result.stdout)["findings"]]
    assert ("VSR260", "no test reaches the guard `keys`") in found


def test_a_broken_policy_is_not_tested(tmp_path: Path) -> None:
    """Its findings are those of check."""
    path = tmp_path / "p.yaml"
    path.write_text(SMALL.replace("default: big", "default: bgi"), encoding="utf-8")
    result = call("test", str(path))
    assert result.exit_code == 1
    assert "VSR201" in result.stderr
    assert "passed" not in result.stderr


def test_the_quickstart_decides_by_its_committed_head() -> None:
    """The guide's requests, through the real encoder."""
    try:
        find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights)
    except ModelError as error:
        required(None, str(error))
    result = call("test", ROOT / "policies" / "quickstart.yaml", "--out", ROOT / "out")
    assert result.exit_code == 0
    assert "quickstart.yaml: 6 passed, 0 failed" in result.stderr


def test_a_provider_is_decided_on_without_its_key(tmp_path: Path) -> None:
    """The key is in a cluster, and a test asks where a request would go without going there."""
    provider = '{external: {url: "https://api.example.com/v1", apiKey: {secret: far, key: token}}}'
    path = tmp_path / "far.yaml"
    path.write_text(KEYWORDS.replace('{service: "two:8000"}', provider), encoding="utf-8")
    assert call("test", path).exit_code == 0


@pytest.mark.usefixtures("_graph_cache", "files")
def test_every_kind_of_signal_is_decided() -> None:
    """The golden policy's own tests, by the real encoder; the one that takes a detector says that it is not here."""
    result = call("test", policy_file("signals"), "--out", output_of("signals").parent)
    assert result.exit_code == 0
    assert "passed, 0 failed" in result.stderr
    if "not decided" in result.stderr:
        assert "11 passed, 0 failed, 1 not decided" in result.stderr
        assert "needs a detector" in result.stderr
