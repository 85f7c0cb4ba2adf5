from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import Counter

import pytest

from support.common import ROOT, reference
from support.example_sets import PAGE, page
from vsr_compiler import examples
from vsr_compiler.examples.composed import PLACE
from vsr_schemas.routerconfig.v0_4_0 import MMLU_CATEGORIES

INJECTION = ("injection@1", "injection@2")
FEEDBACK = ("feedback@1", "feedback@2")
LANGUAGES = ("German", "French", "Spanish", "Portuguese")


@pytest.mark.parametrize("name", examples.names())
def test_a_set_is_clean(name):
    """No text occurs twice, is blank, or is too long for a policy; each label has enough to learn from."""
    shipped = examples.read(name)
    texts = [text for label in shipped.labels for text in shipped.texts(label)]
    assert len(set(texts)) == len(texts)
    assert all(text == text.strip() and 1 <= len(text) <= 4000 for text in texts)
    assert min(len(shipped.texts(label)) for label in shipped.labels) >= 20
    assert shipped.title
    assert shipped.languages


def test_the_subjects_are_those_of_the_stock_router():
    """Labels are spelled as the category mapping of the stock checkpoints spells them."""
    assert sorted(examples.read("mmlu-pro@1").labels) == sorted(MMLU_CATEGORIES)


def test_no_text_is_from_the_prompts_that_measure():
    """The sets are our own writing: no text is one of the reference prompts."""
    folder = reference() / "data" / "prompts"
    prompts = {case["question"].strip() for case in json.loads((folder / "domain_classify_cases.json").read_text())}
    for label in json.loads((folder / "mmlu_labels.json").read_text())["labels"].values():
        prompts |= {text.strip() for text in label["exemplars"]}
    prompts |= {
        case["question"].strip() for case in json.loads((folder / "jailbreak_detection_cases.json").read_text())
    }
    for name in examples.names():
        shipped = examples.read(name)
        assert not prompts & {text for label in shipped.labels for text in shipped.texts(label)}


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("builtin:mmlu-pro@1", ("mmlu-pro", 1, None)),
        ("builtin:mmlu-pro@12/computer science", ("mmlu-pro", 12, "computer science")),
        ("builtin:mmlu-pro", None),
        ("builtin:mmlu-pro@0", None),
        ("builtin:../secret@1", None),
        ("builtin:a@1/", None),
    ],
)
def test_references(entry, wanted):
    """A reference names a set, its version and perhaps a label; anything else is none."""
    found = examples.parse(entry)
    assert (found and (found.name, found.version, found.label)) == wanted


def test_the_page_lists_the_sets():
    """`python tests/support/example_sets.py` rewrites it."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("complexity@1", ["easy", "medium", "hard"]),
        ("fact-check@1", ["needs_fact_check", "no_fact_check_needed"]),
        ("feedback@1", ["satisfied", "need_clarification", "wrong_answer", "want_different"]),
        ("feedback@2", ["satisfied", "need_clarification", "wrong_answer", "want_different", "other"]),
        ("injection@1", ["attack", "benign"]),
        ("injection@2", ["attack", "benign"]),
        ("modality@1", ["AR", "DIFFUSION", "BOTH"]),
        ("reask@1", ["reask", "new_question"]),
        ("reask@2", ["reask", "new_question"]),
    ],
)
def test_sets_for_other_tasks_have_their_labels(name, labels):
    """Each has at least 60 texts a label, in topics that can be held out."""
    shipped = examples.read(name)
    assert list(shipped.labels) == labels
    assert min(len(shipped.texts(label)) for label in labels) >= 60
    assert min(len(topics) for topics in shipped.labels.values()) >= 4


@pytest.mark.parametrize("name", ["complexity@1", "feedback@2", "modality@1"])
def test_a_set_has_many_ways_of_saying_it_in_five_languages(name):
    """At least 120 English texts a label, in at least 8 topics, and each label has topics in each other language."""
    shipped = examples.read(name)
    assert set(shipped.languages) == {"en", "de", "fr", "es", "pt"}
    for label, topics in shipped.labels.items():
        english = {topic: texts for topic, texts in topics.items() if not topic.startswith(LANGUAGES)}
        assert len(english) >= 8, label
        assert sum(map(len, english.values())) >= 120, label
        assert all(any(topic.startswith(language) for topic in topics) for language in LANGUAGES), label


@pytest.mark.parametrize("versions", [FEEDBACK, ("reask@1", "reask@2")])
def test_versions_share_no_text(versions):
    """So a head of one can be measured on the other."""
    old, new = (
        {fold(text) for label in own.labels for text in own.texts(label)} for own in map(examples.read, versions)
    )
    assert not old & new


def test_complexity_is_not_decided_by_the_length():
    """The best limit of words separates easy from hard for fewer than 80 % of the texts."""
    shipped = examples.read("complexity@1")
    easy, hard = ([len(text.split()) for text in shipped.texts(label)] for label in ("easy", "hard"))
    right = [sum(n <= limit for n in easy) + sum(n > limit for n in hard) for limit in range(60)]
    assert max(right) < 0.8 * (len(easy) + len(hard))


@pytest.mark.parametrize("name", ["complexity@1", "feedback@2", "modality@1", "reask@1", "reask@2"])
def test_no_text_repeats_another_but_for_case_and_punctuation(name):
    """Otherwise a topic that is held out would still be in the training set."""
    shipped = examples.read(name)
    texts = Counter(fold(text) for label in shipped.labels for text in shipped.texts(label))
    assert [text for text, count in texts.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "foreign"),
    [
        ("injection@1", ["other languages"]),
        ("injection@2", ["German", "French", "Spanish", "Portuguese", "Chinese", "Japanese"]),
    ],
)
def test_attacks_have_as_many_look_alikes(name, foreign):
    """Neither side outweighs the other by more than a fifth, and both have texts in other languages."""
    shipped = examples.read(name)
    attacks, harmless = (len(shipped.texts(label)) for label in ("attack", "benign"))
    assert 0.8 <= attacks / harmless <= 1.25
    for topics in shipped.labels.values():
        assert set(foreign) <= set(topics)


def test_each_family_of_attacks_has_its_look_alikes():
    """A family and its look-alikes have one name, so that both are held out together."""
    shipped = examples.read("injection@2").labels
    assert set(shipped["attack"]) <= set(shipped["benign"])
    assert all(len(texts) <= 2 * len(shipped["benign"][name]) for name, texts in shipped["attack"].items())


def test_a_carrier_says_nothing_about_the_label():
    """Of `injection@2`, each mail, page or tool result carries attacks and harmless payloads equally often."""
    shipped = examples.read("injection@2")
    attack, benign = (
        Counter(shipped.composed[text].carrier for text in shipped.texts(label) if text in shipped.composed)
        for label in ("attack", "benign")
    )
    assert attack == benign
    assert len(attack) >= 90


def test_a_composed_text_is_its_carrier_with_the_payload():
    """No placeholder is left, and each carrier has one place; what follows the payload is kept."""
    shipped = examples.read("injection@2")
    assert len(shipped.composed) >= 1000
    for text, parts in shipped.composed.items():
        before, after = parts.carrier.split(PLACE)
        assert text == before + parts.payload + after
        assert parts.payload
        assert PLACE not in text


def test_a_new_version_leaves_the_old_one_as_it_was():
    """Heads name `injection@1` by its version: its texts are those of its release, and none of them is in `@2`."""
    old, new = ({text for label in own.labels for text in own.texts(label)} for own in map(examples.read, INJECTION))
    digest = hashlib.sha256("\n".join(sorted(old)).encode()).hexdigest()
    assert digest == "b64eaca863b1ceb1f66c9fbf81061c2b3d847a23e488513817de3d4243553e39"
    assert not old & new
    assert len(new) >= 2000


@pytest.mark.parametrize(
    "name", ["blind_attacks.toml", "blind_attacks_2.toml", "blind_attacks_3.toml", "fresh_domains.toml"]
)
def test_no_text_that_measures_is_in_a_set(name):
    """What benchmarks measure on is in no set that a head learns from, and no text of it occurs twice."""
    measuring = texts_of(tomllib.loads((ROOT / "benchmarks" / name).read_text(encoding="utf-8")))
    assert len(set(measuring)) == len(measuring) >= 60
    for shipped in map(examples.read, examples.names()):
        assert not set(measuring) & {text for label in shipped.labels for text in shipped.texts(label)}


def test_each_subject_has_fresh_questions():
    """`benchmarks/fresh_domains.py` measures all 14 subjects of the shipped head."""
    questions = tomllib.loads((ROOT / "benchmarks" / "fresh_domains.toml").read_text(encoding="utf-8"))
    assert sorted(questions) == sorted(MMLU_CATEGORIES)
    assert min(len(texts) for texts in questions.values()) >= 5


def fold(text):
    """Return the words of a text in lower case."""
    return " ".join(re.findall(r"\w+", text.lower()))


def texts_of(value):
    """Return all texts below a value."""
    if isinstance(value, str):
        return [value]
    return [text for one in (value.values() if isinstance(value, dict) else value) for text in texts_of(one)]


@pytest.fixture
def own_sets(tmp_path, monkeypatch):
    """A folder of sets in place of the shipped ones: writes a set by its name."""
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    examples.read.cache_clear()

    def write(name: str, body: str) -> None:
        (tmp_path / f"{name}.toml").write_text(f'title = "t"\nlanguages = ["en"]\n{body}', encoding="utf-8")

    yield write
    examples.read.cache_clear()


EARLIER = """
[labels.attack]
leak = ["old leak"]
other = ["old other"]
[labels.benign]
leak = ["old question"]
[composed.en]
carriers = ["A mail: {payload}"]
each = 1
[composed.en.payloads.attack]
leak = ["payload"]
"""
LATER = """
[[include]]
set = "one@1"
[include.topics]
leak = "prompt leak"
[labels.attack]
"prompt leak" = ["new leak"]
[labels.benign]
fresh = ["new question"]
"""
OF_A_LABEL = """
[[include]]
set = "one@1"
label = "harmless"
[labels.harmless]
attack = ["own"]
"""


def test_a_set_includes_an_earlier_one_under_new_topics(own_sets):
    """Its own texts come first; a topic without a new name keeps its own; composed texts stay in their parts."""
    own_sets("one@1", EARLIER)
    own_sets("one@2", LATER)
    found = examples.read("one@2")
    assert {label: dict(topics) for label, topics in found.labels.items()} == {
        "attack": {"prompt leak": ("new leak", "old leak", "A mail: payload"), "other": ("old other",)},
        "benign": {"fresh": ("new question",), "prompt leak": ("old question",)},
    }
    assert found.texts("attack") == ("new leak", "old leak", "A mail: payload", "old other")
    assert found.composed == examples.read("one@1").composed
    assert found.composed["A mail: payload"].payload == "payload"
    assert dict(examples.read("one@1").labels["attack"]) == {
        "leak": ("old leak", "A mail: payload"),
        "other": ("old other",),
    }


def test_a_set_includes_another_one_as_texts_of_one_label(own_sets):
    """Its labels are topics of that label."""
    own_sets("one@1", EARLIER)
    own_sets("two@1", OF_A_LABEL)
    assert {label: dict(topics) for label, topics in examples.read("two@1").labels.items()} == {
        "harmless": {
            "attack": ("own", "old leak", "A mail: payload", "old other"),
            "benign": ("old question",),
        }
    }


def test_a_set_includes_what_an_included_one_includes(own_sets):
    """Under the names that each gives."""
    own_sets("one@1", EARLIER)
    own_sets("one@2", LATER)
    later = LATER.replace("one@1", "one@2").replace('leak = "prompt leak"', '"prompt leak" = "final"')
    own_sets("one@3", later.replace('"new ', '"third '))
    assert dict(examples.read("one@3").labels["attack"]) == {
        "prompt leak": ("third leak",),
        "final": ("new leak", "old leak", "A mail: payload"),
        "other": ("old other",),
    }


def test_renamed_topics_of_included_sets_are_there():
    """A misspelled topic would keep its old name, and its family would be held out in two parts."""
    renamed = 0
    for name in examples.names():
        data = tomllib.loads((examples.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        for entry in data.get("include", []):
            assert set(entry) <= {"set", "label", "topics"}
            known = {topic for topics in examples.read(entry["set"]).labels.values() for topic in topics}
            assert set(entry.get("topics", {})) <= known, (name, entry["set"])
            renamed += len(entry.get("topics", {}))
    assert renamed
