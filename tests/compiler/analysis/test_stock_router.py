"""What the stock router cannot do or does otherwise: each said with its code, at the line that asked for it."""

from __future__ import annotations

import pytest

from support import rendering
from support.common import linked
from vsr_compiler import targets
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: engine}
router: {engine: semantic-router, unguarded: explicit-models}
endpoints: {one: {service: one}, out: {external: {url: "https://api.example.com/v1"}}}
models: {big: {endpoints: one}, far: {endpoints: out}}
classifiers:
  attacks: {task: jailbreak, checkpoint: {repo: REPO, revision: 0123456789abcdef0123456789abcdef01234567}}
categories:
  math: {description: Numbers., examples: ["1 + 1 =", "Integrate x."]}
  cooking: {description: Food., examples: ["Boil an egg.", "Bake bread."]}
signals: {urgent: {keywords: [urgent]}}
guards:
  attacks: {detector: attacks}
routes:
  - {name: math, when: {category: math}, model: big}
  - {name: cooking, when: {category: cooking}, model: big}
  - {name: urgent, when: {signal: urgent}, model: far}
default: big
""".replace("REPO", "llm-semantic-router/mmbert32k-jailbreak-detector-merged")


def found(text: str, code: str) -> list[Diagnostic]:
    """The findings of one code."""
    return [item for item in analyse(linked(text), targets.TARGETS) if item.code == code]


def test_supported_policy_has_no_errors() -> None:
    """Otherwise the tests below would show nothing."""
    text = TEXT.replace("{detector: attacks}", "{detector: attacks, unreadable: pass}")
    errors = {item.code for item in analyse(linked(text), targets.TARGETS) if item.level is Severity.ERROR}
    assert errors == set()


UNSUPPORTED = {
    "split": ("model: far}", "split: {big: 50, far: 50}}", "ignores the `split` of route `urgent`"),
    "mask": ("{detector: attacks}", "{types: [US_SSN], action: mask}", "action: mask"),
    "flag": ("{detector: attacks}", "{detector: attacks, action: flag}", "action: flag"),
    "response": ("{detector: attacks}", "{detector: attacks, on: both}", "on: both"),
    "except": ("{detector: attacks}", "{detector: attacks, except: {models: [big]}}", "`except`"),
    "builtin": ("{detector: attacks}", "{patterns: builtin}", "patterns: builtin"),
    "two at once": ("{detector: attacks}", "{detector: attacks, patterns: [x]}", "`patterns` with `detector`"),
    "types": ("{detector: attacks}", "{types: [CRYPTO]}", "does not detect CRYPTO"),
    "registry": ("llm-semantic-router/mmbert32k", "someone/else", "its own registry"),
    "gpu": ("{task: jailbreak,", "{task: jailbreak, device: cuda,", "runs on the CPU"),
    "role": ("{keywords: [urgent]}", "{role: {users: [ann]}}", "needs the identity of the client"),
    "headers": ("router: {", "router: {responseHeaders: always, ", "responseHeaders: always"),
    "metadata": ("router: {", "router: {accessLogMetadata: true, ", "accessLogMetadata"),
    "cache": ("model: far}", "model: far, cache: {}}", "by headers that the gateway removes"),
    "name": ("name: urgent,", "name: guard/attacks,", "reserved for a guard"),
}


@pytest.mark.parametrize("case", sorted(UNSUPPORTED))
def test_unsupported_field_is_an_error_at_its_line(case: str) -> None:
    """VSR330, with a way out."""
    old, new, words = UNSUPPORTED[case]
    assert old in TEXT
    text = TEXT.replace(old, new)
    matching = [item for item in found(text, "VSR330") if words in item.message]
    assert len(matching) == 1, found(text, "VSR330")
    assert matching[0].hint
    assert matching[0].span.line >= 4


def test_policy_must_accept_that_explicit_models_bypass_guards() -> None:
    """VSR332 at the router, which names the guards and the words by which the policy accepts it."""
    (item,) = found(TEXT.replace(", unguarded: explicit-models", ""), "VSR332")
    assert item.span.line == 4
    assert "`attacks`" in item.message
    assert "unguarded: explicit-models" in (item.hint or "")
    assert found(TEXT, "VSR332") == []


def test_assertion_about_guards_is_violated_by_requests_that_name_a_model() -> None:
    """VSR240: what the policy accepts in words is still not proved away."""
    text = TEXT + "assertions:\n  - never: {to: external, without: [attacks]}\n"
    (item,) = found(text, "VSR240")
    assert "names the model `far` reaches it" in item.message


def test_different_behaviour_is_a_warning() -> None:
    """VSR331: categories by its own classifier or by likeness, refusals with 200, revisions of its registry."""
    words = " ".join(item.message for item in found(TEXT, "VSR331"))
    for part in ("`math` with its own model", "`cooking` by similarity", "with HTTP 200", "not at 0123456"):
        assert part in words


def test_proof_about_categories_states_its_assumption() -> None:
    """VSR331: categories of the policy's own do not exclude each other in this engine."""
    text = TEXT + "assertions:\n  - never: {category: math, to: external}\n"
    assert any("can find several" in item.message for item in found(text, "VSR331"))


def test_unsupported_release_is_an_error() -> None:
    """VSR313, and nothing is said about what nobody has read."""
    text = TEXT.replace("endpoints: {one: {s", "gateway: {versions: {semantic-router: 0.2.0}}\nendpoints: {one: {s")
    assert len(found(text, "VSR313")) == 1
    assert found(text, "VSR331") == []


@pytest.mark.parametrize("router", ["{}", '{image: "r:1", unguarded: explicit-models}'])
def test_unguarded_is_only_for_semantic_router(router: str) -> None:
    """Our runtime needs an image, and guards requests that name a model anyway."""
    with pytest.raises(CompileError):
        linked(TEXT.replace("{engine: semantic-router, unguarded: explicit-models}", router))


def test_image_is_that_of_the_release_or_of_the_policy() -> None:
    """A mirror is named as for any other image."""

    def image(text: str) -> str:
        (deployment,) = [item for item in rendering.objects(linked(text), "istio") if item.kind == "Deployment"]
        return str(deployment.body["spec"]["template"]["spec"]["containers"][0]["image"])

    assert image(TEXT) == "ghcr.io/vllm-project/semantic-router/extproc:v0.4.0"
    assert image(TEXT.replace("{engine", '{image: "mirror.example/extproc:v0.4.0", engine')) == (
        "mirror.example/extproc:v0.4.0"
    )
