"""Assertions over fallbacks: broken policies and the counterexamples that name their chains."""

from __future__ import annotations

import pytest

from support.common import linked
from vsr_compiler.analysis import analyse
from vsr_compiler.diagnostics import Diagnostic

HEAD = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: small}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  one: {service: {name: one, port: 8000}}
  two: {service: {name: two, port: 8000}}
  far: {external: {url: "https://api.example.com/v1", apiKey: {secret: far, key: token}}}
models:
  big: {endpoints: one}
  little: {endpoints: two}
  gpt: {endpoints: far}
categories:
  math: {description: Numbers and proofs., examples: ["Solve x + 1 = 2."]}
signals:
  urgent: {keywords: [urgent, asap]}
  vip: {keywords: [gold]}
guards:
  pii: {types: [EMAIL_ADDRESS], action: mask}
  keys: {patterns: builtin, except: {models: [gpt]}}
"""


def violations(rest: str) -> list[Diagnostic]:
    """The assertions that a policy violates."""
    return [item for item in analyse(linked(HEAD + rest), {"istio"}) if item.code == "VSR240"]


BROKEN = {
    "a fallback of a route leaves the cluster": (
        (
            "routes:\n  - {name: a, when: {signal: urgent}, model: big, fallback: [gpt]}\n"
            "default: big\nassertions:\n  - never: {signal: urgent, to: external}\n"
        ),
        "with `urgent` takes route `a` (line 22) to model `big`, and falls back to `gpt` (line 22)",
    ),
    "the second fallback leaves the cluster": (
        (
            "routes:\n  - {name: a, when: {signal: urgent}, model: big, fallback: [little, gpt]}\n"
            "default: big\nassertions:\n  - never: {signal: urgent, to: gpt}\n"
        ),
        "to model `big`, and falls back to `little`, then to `gpt` (line 22)",
    ),
    "a fallback of a split is another model": (
        (
            "routes:\n  - {name: a, when: {category: math}, split: {big: 50, little: 50}, fallback: [gpt]}\n"
            "default: big\nassertions:\n  - always: {category: math, to: [big, little]}\n"
        ),
        "of category `math` takes route `a` (line 22) to model `big`, and falls back to `gpt`",
    ),
    "a fallback of the default leaves the cluster": (
        "default: {model: big, fallback: [gpt]}\nassertions:\n  - never: {signal: vip, to: external}\n",
        "with `vip` matches no route and reaches the default model `big`, and falls back to `gpt` (line 21)",
    ),
    "a guard exempts the fallback": (
        (
            "routes:\n  - {name: a, when: {signal: vip}, model: big, fallback: [gpt]}\n"
            "default: big\nassertions:\n  - never: {signal: vip, to: external, without: keys}\n"
        ),
        "falls back to `gpt` (line 22) without the guard `keys`",
    ),
    "a guard must be on every way": (
        (
            "routes:\n  - {name: a, when: {signal: vip}, model: big, fallback: [gpt]}\n"
            "default: big\nassertions:\n  - always: {signal: vip, through: [pii, keys]}\n"
        ),
        "falls back to `gpt` (line 22) without the guard `keys`",
    ),
}


@pytest.mark.parametrize(("rest", "words"), BROKEN.values(), ids=BROKEN)
def test_the_counterexample_names_the_chain(rest: str, words: str) -> None:
    """The request, its route, and every model before the one that violates the assertion."""
    (violation,) = violations(rest)
    assert words in violation.message


@pytest.mark.parametrize(
    "rest",
    [
        (
            "routes:\n  - {name: a, when: {signal: urgent}, model: big, fallback: [little]}\n"
            "default: big\nassertions:\n  - never: {signal: urgent, to: external}\n"
        ),
        (
            "routes:\n  - {name: a, when: {signal: vip}, model: big, fallback: [gpt]}\n"
            "default: big\nassertions:\n  - always: {signal: vip, through: pii}\n"
        ),
        (
            "routes:\n  - {name: a, when: {signal: vip}, model: big, retry: {attempts: 3}}\n"
            "default: {model: little, fallback: [gpt]}\nassertions:\n  - never: {signal: vip, to: external}\n"
        ),
        (
            "routes:\n  - {name: a, when: {not: {signal: urgent}}, model: big, fallback: [gpt]}\n"
            "default: big\nassertions:\n  - never: {signal: urgent, to: external}\n"
        ),
    ],
)
def test_what_no_fallback_violates_is_proved(rest: str) -> None:
    """Fallbacks of other routes, and within the asserted models, violate nothing."""
    assert not violations(rest)


def test_a_fallback_with_less_context_is_a_warning() -> None:
    """Longer requests would have no fallback."""
    head = HEAD.replace("{endpoints: one}", "{endpoints: one, context: 32768}")
    head = head.replace("{endpoints: two}", "{endpoints: two, context: 8192}")
    found = analyse(linked(head + "default: {model: big, fallback: [little, gpt]}\n"), {"istio"})
    (warning,) = [item for item in found if item.code == "VSR276"]
    assert "`little`" in warning.message
    assert "8192" in warning.message


def test_a_model_that_only_a_fallback_uses_is_used() -> None:
    """The router selects it, when another one fails."""
    found = analyse(linked(HEAD + "default: {model: big, fallback: [little, gpt]}\n"), {"istio"})
    assert not [item for item in found if item.code == "VSR236"]
