from __future__ import annotations

import pytest

from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.signals import language
from vsr_runtime.decision.signals.language import MAX_CHARACTERS, THRESHOLD, build_language, load_detector, most_likely
from vsr_runtime.decision.view import RequestView
from vsr_schemas.languages import KNOWN, LANGUAGES
from vsr_schemas.routerconfig import v0_4_0 as contract


def holds(code: str, text: str) -> bool:
    """Whether a text is in a language."""
    return build_language(contract.LanguageRule(name=code, description="")).holds(RequestView(text), never)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("de", "Wie spät ist es in Tokio?"),
        ("fr", "Quelle est la capitale de l'Australie ?"),
        ("es", "Necesito ayuda con mi factura, por favor."),
        ("en", "Write a Python function that sorts a list."),
        ("zh", "中国的首都在哪里"),
        ("ja", "日本の首都はどこですか。"),
        ("ru", "Какая столица России?"),
        ("nb", "Kan du forklare hvordan dette fungerer?"),
        ("de", "BITTE ERKLÄRE DEN SATZ DES PYTHAGORAS."),
    ],
)
def test_the_language_of_a_question(code, text):
    """One sentence is enough, in whatever script; exactly one language holds."""
    assert [each for each in ("de", "fr", "es", "en", "zh", "ja", "ru", "nb") if holds(each, text)] == [code]


@pytest.mark.parametrize("text", ["", "2+2 =", "😀", "ok", "hello", "12:30", "\ud800"])
def test_a_text_too_short_to_tell_is_in_no_language(text):
    """So no signal for a language holds, not even for English."""
    assert most_likely(text, load_detector())[1] < THRESHOLD


def test_long_text_is_detected_by_its_beginning():
    """Time is bounded, however long the text is."""
    seen = []

    class Spy:
        def rank(self, text):
            seen.append(text)
            return [("en", 1.0)]

    assert most_likely("word " * 100_000, Spy()) == ("en", 1.0)
    assert [len(text) for text in seen] == [MAX_CHARACTERS]


def test_a_request_is_read_once_for_all_languages(monkeypatch):
    """Several signals share what was found."""
    calls = []
    found = language.most_likely
    monkeypatch.setattr(language, "most_likely", lambda text, by: calls.append(text) or found(text, by))
    view = RequestView("Wie spät ist es in Tokio?")
    rules = [build_language(contract.LanguageRule(name=code, description="")) for code in ("en", "fr", "de")]
    assert [rule.holds(view, never) for rule in rules] == [False, False, True]
    assert len(calls) == 1


def test_all_languages_of_the_table_are_supported_and_others_rejected():
    """What the policy may ask for is what the detector has."""
    labels = {language.ALIASES.get(label, label) for label in load_detector().labels}
    assert labels >= KNOWN
    for code in LANGUAGES - KNOWN:
        assert code not in labels
        with pytest.raises(ValueError, match="does not know"):
            build_language(contract.LanguageRule(name=code, description=""))


@pytest.mark.parametrize(("threshold", "expected"), [(None, True), (0, True), (0.6, True), (0.61, False), (1, False)])
def test_a_language_may_demand_its_own_probability(monkeypatch, threshold, expected):
    """Nothing and 0 mean the default."""
    monkeypatch.setattr(language, "most_likely", lambda *_: ("de", 0.6))
    rule = build_language(contract.LanguageRule(name="de", threshold=threshold))
    assert rule.holds(RequestView("Wie spät ist es?"), never) is expected


def test_a_threshold_that_is_no_probability_is_refused():
    """A percentage is no probability."""
    with pytest.raises(ValueError, match="from 0 to 1"):
        build_language(contract.LanguageRule(name="de", threshold=60))
