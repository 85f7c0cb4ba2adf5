"""Servers that classify text, in a policy: errors, warnings, and the objects that the router needs for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.common import linked
from vsr_compiler import ir
from vsr_compiler.analysis import protections
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.heads.compile import untrained_settings
from vsr_compiler.targets.common import classifier_servers
from vsr_schemas.inference_servers import PROTOCOLS

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: servers}
router: {image: "registry.example/vsr-runtime:0.1.0", namespace: routing}
gitops: {repo: "https://git.example.org/team/routing.git"}
endpoints: {a: {service: "a.models:8000"}}
models: {llama: {endpoints: a}}
default: llama
"""
ATTACKS = "attacks: {detector: it}"


def policy_of(server: str, guard: str = ATTACKS, task: str = "jailbreak", more: str = "") -> ir.Policy:
    """A policy with one classifier at a server."""
    return linked(f"{HEAD}classifiers:\n  it: {{task: {task}, server: {{{server}}}}}\nguards:\n  {guard}\n{more}")


def reported(server: str, guard: str = ATTACKS, task: str = "jailbreak") -> list[tuple[str, str]]:
    """The codes and messages of such a policy."""
    try:
        policy = policy_of(server, guard, task)
    except CompileError as error:
        return [(item.code, item.message) for item in error.diagnostics]
    found = [*policy.warnings, *protections.check(policy)]
    return [(item.code, item.message) for item in found]


@pytest.mark.parametrize(
    ("server", "code", "words"),
    [
        ("protocol: presidio, service: p", "VSR604", "cannot serve `task: jailbreak`"),
        ("protocol: llama-guard, service: g", "VSR605", "needs `model`"),
        ("protocol: vllm-classify, service: v, model: m", "VSR605", "needs `outputs`"),
        ("protocol: tei, service: t, model: m", "VSR605", "has no `model`"),
        ("protocol: tei, service: t, outputs: [a]", "VSR605", "has no `outputs`"),
        ("protocol: tei, service: t, language: de", "VSR605", "has no `language`"),
        ("protocol: tei, service: t, config: c", "VSR605", "has no `config`"),
        ("protocol: llama-guard, service: g, model: m, labels: [S1, S99]", "VSR605", "no label `S99`"),
        ("protocol: nemo-guardrails, service: n, model: m, labels: [bad]", "VSR605", "no label `bad`"),
        ("protocol: kserve-v2, service: k, model: m, outputs: [a, a], labels: [a]", "VSR605", "listed twice"),
        ("protocol: kserve-v2, service: k, model: m, outputs: [safe, attack]", "VSR605", "is `jailbreak`"),
        ("protocol: tei, service: t, timeout: 2s", "VSR606", "within 1000 ms"),
        ('protocol: tei, url: "https://localhost/x"', "VSR104", "full host name"),
        ('protocol: tei, url: "https://t.example.com/x?y=1"', "VSR104", "without a query"),
        ("protocol: tei, service: t, apiKey: {secret: s, key: k, header: host}", "VSR288", "`host`"),
        ('protocol: tei, url: "https://t.example.com"', "VSR607", "t.example.com"),
        ("protocol: tei", "VSR104", "a `service` or a `url`"),
    ],
)
def test_server_that_does_not_fit_is_reported(server, code, words):
    """By its code, in the words of the policy."""
    found = reported(server)
    assert [message for name, message in found if name == code and words in message], found


def test_server_that_fits_is_not_reported():
    """Each protocol with what it needs, in the cluster."""
    for protocol, facts in PROTOCOLS.items():
        words = [f"protocol: {protocol}", 'url: "https://it.models.svc.cluster.local:8443"', "ca: own-ca"]
        words += ["model: m"] if facts.model == "required" else []
        words += ["outputs: [safe, jailbreak]"] if facts.numbered else []
        if "pii" in facts.tasks:
            assert reported(", ".join(words), "names: {types: [PERSON], detector: it}", "pii") == []
        else:
            assert reported(", ".join(words)) == []


def test_types_that_presidio_does_not_find_are_warned_about():
    """It would find nothing and report no error."""
    guard = "names: {types: [PERSON, STREET_ADDRESS], detector: it}"
    ((code, message),) = reported("protocol: presidio, service: p", guard, "pii")
    assert code == "VSR608"
    assert "`STREET_ADDRESS`" in message


def test_settings_of_the_runtime_are_those_of_the_policy():
    """The address, the bounds, and the files of the key and the authority."""
    policy = policy_of(
        'protocol: openai-moderation, url: "https://api.example.com/v1", labels: [hate], timeout: 300ms, ca: own, '
        "apiKey: {secret: s, key: k, header: x-key}"
    )
    known = untrained_settings(policy)["it"]
    assert known.labels == ["hate"]
    assert known.server is not None
    assert known.server.model_dump(exclude_none=True) == {
        "protocol": "openai-moderation",
        "url": "https://api.example.com:443/v1",
        "timeout": 300,
        "concurrency": 16,
        "window": 8000,
        "keyFile": "it/api-key",
        "header": "x-key",
        "prefix": "",
        "caFile": "it/ca.crt",
    }


def test_router_may_connect_to_servers_and_little_else():
    """To the namespace of a Service, to the port of an API, to name servers and collectors."""
    inside, outside = (
        policy_of("protocol: tei, service: t.serving"),
        policy_of('protocol: tei, url: "https://t.example.com:8443"'),
    )
    (one,), (other,) = map(list, map(classifier_servers.egress, (inside, outside)))
    assert one.body["spec"]["policyTypes"] == ["Egress"]
    namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "serving"}}}
    assert one.body["spec"]["egress"][2:] == [{"to": [namespace]}]
    assert [rule["ports"][0]["port"] for rule in other.body["spec"]["egress"]] == [53, 4317, 8443]


def test_policy_without_servers_gets_no_egress_policy():
    """Its router connects as before."""
    policy = linked(HEAD)
    assert list(classifier_servers.egress(policy)) == []
    assert classifier_servers.volume(policy) == []


def test_patterns_alone_are_explained_with_known_checkpoints():
    """A note names what could be added, until a detector looks for attacks."""
    policy = linked(f"{HEAD}guards:\n  orders: {{patterns: injection, action: flag}}\n")
    (note,) = protections.check(policy)
    assert note.code == "VSR609"
    assert "jailbreak-detector-merged" in note.hint
    with_detector = policy_of(
        "protocol: tei, service: t", f"{ATTACKS}\n  orders: {{patterns: injection, action: flag}}"
    )
    assert list(protections.check(with_detector)) == []


@pytest.mark.parametrize(
    ("task", "repo", "words"),
    [
        ("jailbreak", "iiiorg/piiranha-v1-detect-personal-information", "for `task: pii`"),
        ("jailbreak", "protectai/deberta-v3-base-prompt-injection-v2", "has the label `INJECTION`"),
        ("pii", "iiiorg/piiranha-v1-detect-personal-information", None),
        ("pii", "example/own", None),
    ],
)
def test_checkpoint_of_another_task_is_reported(task, repo, words):
    """And one whose labels the router does not look for."""
    guard = ATTACKS if task == "jailbreak" else "names: {types: [PERSON], detector: it}"
    checkpoint = f"{{task: {task}, checkpoint: {{repo: {repo}, revision: {'0' * 40}}}}}"
    policy = linked(f"{HEAD}classifiers:\n  it: {checkpoint}\nguards:\n  {guard}\n")
    found = [item.message for item in protections.check(policy) if item.code == "VSR610"]
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_stock_router_gets_no_advice_about_our_protections():
    """Its models are its own."""
    policy = linked(f"{HEAD}guards:\n  orders: {{patterns: injection, action: flag}}\n")
    stock = replace(policy.router, implementation=ir.SemanticRouter())
    assert list(protections.check(replace(policy, router=stock))) == []
