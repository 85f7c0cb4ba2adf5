"""Our own harmless prompts, and attacks that no choice was made on: what the measurement of guards reads."""

from __future__ import annotations

import tomllib

from support.benign_prompts import KINDS, benign_prompts
from support.common import ROOT
from vsr_compiler import examples
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.finders import injection, spans


def test_the_generators_give_a_thousand_different_prompts_of_each_kind():
    """The same seed gives the same ones; none is a text of a set that ships."""
    prompts = benign_prompts(1000)
    assert list(prompts) == ["code", "operations", "fiction", "security", "multilingual"] == list(KINDS)
    assert {len(set(own)) for own in prompts.values()} == {1000}
    assert prompts == benign_prompts(1000)
    assert prompts != benign_prompts(1000, seed=27)
    assert not {text for own in prompts.values() for text in own} & shipped()


def test_attacks_that_are_measured_blindly_are_in_no_set():
    """Four families of at least ten, and as many look-alikes."""
    families = tomllib.loads((ROOT / "benchmarks" / "blind_attacks.toml").read_text(encoding="utf-8"))
    assert list(families) == ["attack", "benign"]
    assert all(len(own) == 4 and min(map(len, own.values())) >= 10 for own in families.values())
    assert not {text for own in families.values() for texts in own.values() for text in texts} & shipped()


def test_patterns_of_attacks_find_little_in_harmless_prompts():
    """At most 1 % of 1,000 prompts: "override the firewall rule" and its like."""
    prompts = [text for own in benign_prompts(200).values() for text in own]
    assert sum(bool(spans([injection()], text, never)) for text in prompts) <= 10


def shipped() -> set[str]:
    """All texts of sets that ship."""
    sets = [examples.read(name) for name in examples.names()]
    return {text for own in sets for label in own.labels for text in own.texts(label)}
