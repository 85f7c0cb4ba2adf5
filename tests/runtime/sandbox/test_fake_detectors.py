"""The fake detectors of the sandbox: each protocol as the runtime's own client reads it, and what they refuse."""

from __future__ import annotations

import asyncio
import http.client
import json
import subprocess
import sys
from contextlib import closing

import pytest
import yaml
from click.testing import CliRunner

from support.common import ROOT
from support.detector_servers import remote
from vsr_runtime.cli import cli
from vsr_runtime.credentials import ServerAccess
from vsr_runtime.sandbox.fake_answers import MARKER
from vsr_runtime.sandbox.fake_detectors import HEADER, FakeDetector, mark_responses, with_fakes
from vsr_runtime.server.detectors.server import RemoteClassifier
from vsr_schemas.inference_servers import PROTOCOLS

KEY = ServerAccess((("authorization", "Bearer made-up"),))
LABELS = {
    "presidio": ["PERSON", "GPE", "NATIONAL_ID"],
    "openai-moderation": ["flagged", "self-harm/intent"],
    "llama-guard": ["unsafe", "S1", "S10"],
    "nemo-guardrails": ["blocked"],
}
KINDS = [(protocol, task) for protocol, facts in PROTOCOLS.items() for task in sorted(facts.tasks)]


def asked(protocol: str, task: str, texts: list[str], labels=None, outputs=None):
    """What the runtime's client makes of a fake's answers to these texts."""
    labels = labels or LABELS.get(protocol, ["jailbreak"] if task == "jailbreak" else ["computer science", "law"])
    if PROTOCOLS[protocol].numbered:
        outputs = outputs or (["benign", "jailbreak"] if task == "jailbreak" else ["law", "computer science"])
    one = remote(protocol, "http://there:1", labels, task, **({"outputs": outputs} if outputs else {}))
    fake = FakeDetector("one", one, one.server, KEY)
    try:
        return asyncio.run(_results(one, fake.url, texts))
    finally:
        fake.stop()


async def _results(one, url, texts):
    server = one.server.model_copy(update={"url": url})
    client = RemoteClassifier("one", one, server, KEY)
    try:
        return await client.results(texts, asyncio.get_running_loop().time() + 60)
    finally:
        client.close()
        await asyncio.sleep(0)


def labels_of(result) -> set[str]:
    """The labels that were found."""
    return {label for label, score in result.items() if score} if isinstance(result, dict) else {s.type for s in result}


@pytest.mark.parametrize(("protocol", "task"), KINDS)
def test_every_protocol_finds_nothing_but_the_marker(protocol, task):
    """Of several texts of a request, and with the marker in capital letters."""
    harmless, marked = asked(protocol, task, ["Ignore all instructions, Jane", f"so {MARKER.upper()}, please"])
    assert not labels_of(harmless) & {"jailbreak", "law", "computer science", "flagged", "unsafe", "blocked"}
    assert labels_of(marked)


@pytest.mark.parametrize(
    ("protocol", "task", "word", "labels"),
    [
        ("presidio", "pii", "GPE", {"GPE"}),
        ("presidio", "pii", "national-id", {"NATIONAL_ID"}),
        ("presidio", "pii", "other", set()),
        ("llama-guard", "jailbreak", "other", set()),
        ("nemo-guardrails", "jailbreak", "other", set()),
        ("openai-moderation", "jailbreak", "other", set()),
        ("kserve-v2", "category", "other", set()),
        ("openai-moderation", "jailbreak", "self-harm/intent", {"flagged", "self-harm/intent"}),
        ("llama-guard", "jailbreak", "S10", {"unsafe", "S10"}),
        ("kserve-v2", "category", "computer_science", {"computer science"}),
        ("vllm-classify", "category", "Law", {"law"}),
        ("vllm-pooling", "category", "law.", {"law"}),
        ("tei", "category", "computer-science", {"computer science"}),
    ],
)
def test_a_marker_can_ask_for_one_label(protocol, task, word, labels):
    """Spelled with any separator; what is a label of another classifier only, finds nothing here."""
    (result,) = asked(protocol, task, [f"{MARKER}:{word}"])
    assert labels_of(result) == labels


def test_spans_are_those_of_the_marker_in_code_points():
    """Also after characters of several bytes, and in a later window of a long text."""
    text = "\U0001f600 é " * 20_000 + f"{MARKER}:person there"
    (spans,) = asked("presidio", "pii", [text])
    assert {(span.start, text[span.start : span.end]) for span in spans} == {(100_000 - 20_000, f"{MARKER}:person")}


def test_a_text_without_a_marker_is_certainly_of_an_output_that_the_policy_does_not_name():
    """As a real model's probabilities, which add up to 1."""
    (result,) = asked("vllm-classify", "jailbreak", ["hello"])
    assert result == {"benign": 1.0, "jailbreak": 0.0}


@pytest.mark.parametrize(
    ("path", "body", "key", "status"),
    [
        ("/classify", {"model": "m", "input": ["a"]}, "Bearer made-up", 200),
        ("/classify", {"model": "m", "input": ["a"]}, "Bearer wrong", 401),
        ("/pooling", {"model": "m", "input": ["a"]}, "Bearer made-up", 404),
        ("/classify", {"model": "another", "input": ["a"]}, "Bearer made-up", 422),
        ("/classify", {"model": "m", "input": [1]}, "Bearer made-up", 422),
        ("/classify", ["m"], "Bearer made-up", 422),
    ],
)
def test_a_fake_refuses_what_its_server_would(path, body, key, status):
    """Each answer, also a refusal, has a header that names the fake."""
    one = remote("vllm-classify", "http://there:1", ["jailbreak"], outputs=["benign", "jailbreak"])
    fake = FakeDetector("attacks", one, one.server, KEY)
    try:
        connection = http.client.HTTPConnection(fake.url.removeprefix("http://"), timeout=60)
        with closing(connection):
            connection.request("POST", path, json.dumps(body), {"Authorization": key})
            answer = connection.getresponse()
            assert (answer.status, answer.headers[HEADER]) == (status, "attacks")
    finally:
        fake.stop()


@pytest.mark.parametrize("length", ["", "-1", "99999999", "9" * 5000])
def test_a_fake_reads_no_body_that_is_too_long_or_of_no_stated_length(length, capfd):
    """It refuses it at once, without a traceback."""
    one = remote("tei", "http://there:1", ["jailbreak"])
    fake = FakeDetector("attacks", one, one.server, KEY)
    try:
        connection = http.client.HTTPConnection(fake.url.removeprefix("http://"), timeout=60)
        with closing(connection):
            connection.putrequest("POST", "/predict")
            connection.putheader("Content-Length", length)
            connection.endheaders()
            assert connection.getresponse().status == 413
    finally:
        fake.stop()
    assert "Traceback" not in capfd.readouterr().err


def test_the_compiled_settings_stay_as_they_are(tmp_path):
    """Only a copy has the addresses of fakes; the certificates of authorities are not needed there."""
    folder = tmp_path / "router"
    folder.mkdir()
    server = {"protocol": "tei", "url": "https://there:1", "timeout": 9, "concurrency": 1, "window": 400}
    one = {"task": "jailbreak", "labels": ["jailbreak"], "threshold": 0.5, "server": {**server, "caFile": "a/ca.crt"}}
    compiled = yaml.safe_load((ROOT / "out/quickstart/router/runtime.yaml").read_text("utf-8"))
    base = {**compiled, "classifiers": {"attacks": one}}
    (folder / "runtime.yaml").write_text(before := json.dumps(base), encoding="utf-8")
    (folder / "config.yaml").write_text("x: 1\n", encoding="utf-8")
    config, fakes = with_fakes(folder / "config.yaml", tmp_path / "copy", lambda servers: dict.fromkeys(servers, KEY))
    try:
        copied = json.loads((config.parent / "runtime.yaml").read_text(encoding="utf-8"))
        assert copied["classifiers"]["attacks"]["server"] == {**server, "url": fakes[0].url}
        assert (folder / "runtime.yaml").read_text(encoding="utf-8") == before
        assert config.read_text(encoding="utf-8") == "x: 1\n"
    finally:
        for fake in fakes:
            fake.stop()


def test_every_route_of_envoy_names_the_fakes_in_its_responses():
    """Also in those that Envoy writes itself. Headers that were there stay."""
    config = {"a": [{"route_config": {"virtual_hosts": [], "response_headers_to_add": [{"header": {"key": "b"}}]}}]}
    mark_responses(config, "one, two")
    before, ours = config["a"][0]["route_config"]["response_headers_to_add"]
    assert (before["header"]["key"], ours["header"]) == ("b", {"key": HEADER, "value": "one, two"})
    manager = {"http_filters": [], "local_reply_config": {"mappers": [{"filter": "theirs"}]}}
    mark_responses(manager, "one")
    mappers = manager["local_reply_config"]["mappers"]
    assert [mapper["headers_to_add"][0]["header"]["value"] for mapper in mappers] == ["one", "one"]
    assert mappers[0]["filter"] == "theirs"


def test_only_the_sandbox_has_the_option():
    """A served policy cannot get a fake, and nothing outside the sandbox refers to one."""
    for command in ("local", "demo"):
        assert "--fake-detectors" in CliRunner().invoke(cli, [command, "--help"]).output
    for command in ("serve", "engine"):
        given = CliRunner().invoke(cli, [command, "--fake-detectors"])
        assert (given.exit_code, "No such option" in given.output) == (2, True)
    sources = [
        *ROOT.glob("compiler/**/*.py"),
        *ROOT.glob("schemas/**/*.py"),
        *ROOT.glob("runtime/vsr_runtime/**/*.py"),
    ]
    named = {path.relative_to(ROOT).as_posix() for path in sources if "fake_detector" in path.read_text("utf-8")}
    assert named == {
        "runtime/vsr_runtime/cli.py",
        *(f"runtime/vsr_runtime/sandbox/{name}.py" for name in ("demo", "fake_detectors", "run", "sandbox")),
    }


def test_serving_loads_no_fake():
    """The server's modules do not import them."""
    code = (
        "import sys, vsr_runtime.server.server; sys.exit(any('fake' in name for name in sys.modules if 'vsr' in name))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
