"""Texts are skipped by the digits and literals of a recogniser, which every match of its pattern must have."""

from __future__ import annotations

import random

import pytest

from support.number_samples import form
from support.personal_samples import MAKERS
from support.properties import FUZZING
from support.technical_texts import KINDS, texts
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards import finders
from vsr_runtime.decision.guards.finders import credentials, injection, personal, spans
from vsr_runtime.decision.guards.normalise import normalise
from vsr_runtime.decision.guards.recogniser import ByteText, Recogniser, compile_bytes
from vsr_runtime.decision.guards.rules import attacks, companies, contact, dates, national, network, numbers, secrets
from vsr_schemas.pii import PATTERN_TYPES

MODULES = (attacks, companies, contact, dates, national, network, numbers, secrets)
RULES = [rule for module in MODULES for rule in module.RULES if rule.digits or rule.literals]
TRIES = 5_000 if FUZZING else 60


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.type}-{rule.rule}")
def test_every_match_of_a_recogniser_has_its_digits_and_one_of_its_literals(rule: Recogniser) -> None:
    """Texts are made from the pattern, in all cases of letters."""
    chance = random.Random(3)  # noqa: S311 - the same texts in every run
    matched = 0
    for number in range(TRIES):
        written = form(rule.pattern, chance)
        text = ByteText(normalise((written, written.lower(), written.upper())[number % 3]))
        match = compile_bytes(rule.pattern).search(text.data)
        if match is not None:
            matched += 1
            only = ByteText(normalise(match[0].decode("latin-1")))
            assert only.digits >= rule.digits, written
            assert not rule.literals or only.has(rule.literals), written
    assert matched or rule.whole, "no text that the pattern matches was made"


def test_texts_are_searched_for_the_same_findings_as_without_the_prefilter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run without digits and literals finds the same."""
    chance = random.Random(5)  # noqa: S311 - as above
    samples = [maker(chance)[0] for maker in MAKERS.values() for _ in range(5)]
    samples += [text for kind in KINDS for text in texts(kind, 20, seed=5)]
    samples += ["Ten to six, at noon.", "jane [at] example [dot] com", "AT 6 PM", "fe80::abcd:ef01", "[INST] SYSTEM: x"]
    every = [personal(PATTERN_TYPES), credentials(), injection()]
    found = [spans(every, text, never) for text in samples]

    def all_of(rules: list[Recogniser]) -> object:
        plain = [
            Recogniser(r.type, r.rule, r.pattern, r.validate, r.context, r.whole, r.terms, r.near, r.confirm)
            for r in rules
        ]
        return runner(plain)

    runner = finders._runner
    monkeypatch.setattr(finders, "_runner", all_of)
    assert found == [spans([personal(PATTERN_TYPES), credentials(), injection()], text, never) for text in samples]
    assert sum(map(bool, found)) > len(MAKERS)
