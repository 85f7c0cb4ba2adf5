"""The remote-classifier contract: what the stock router checks of an answer before it believes any of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.played_api import ALL, CATEGORY, JUDGE, NAMES, Engine, ask, checkpoint
from support.runtime_fakes import Classification
from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.inference.engine.interface import TokenLabels
from vsr_runtime.server.api.contract import distribution, spans
from vsr_runtime.server.classify import ClassifierPool

WORDS = st.text(st.sampled_from("Ab 中\u00e9\U0001f600 \n"), max_size=40)


def distributed(answer) -> dict[str, float]:
    """Read an answer as the stock router does: every label once, finite, in [0, 1], adding up to 1."""
    found = {one["label"]: one["score"] for one in answer}
    assert len(found) == len(answer) > 0
    assert all(set(one) == {"label", "score"} for one in answer)
    assert all(math.isfinite(score) and 0 <= score <= 1 for score in found.values())
    assert abs(sum(found.values()) - 1) <= 0.02
    return found


def spotted(answer, text: str) -> list[tuple[str, str]]:
    """Read spans as the stock router does: in bounds, by code points, none twice, each with the text that it says."""
    seen = [(span["label"], span["start"], span["end"]) for span in answer["spans"]]
    assert len(set(seen)) == len(seen)
    end = answer.get("truncated_at", len(text))
    assert 0 <= end <= len(text)
    for span in answer["spans"]:
        assert 0 <= span["start"] < span["end"] <= end
        assert text[span["start"] : span["end"]] == span["text"]
        assert 0 <= span["score"] <= 1
        assert span["label"] not in ("", "O")
        assert not span["label"].startswith(("B-", "I-"))
    return [(span["label"], span["text"]) for span in answer["spans"]]


def test_label_distribution_has_every_label_of_the_checkpoint(settings):
    """Those that the policy does not speak of, too: the router's mapping is the checkpoint's."""
    status, answer, _ = ask(settings, "/classify", {"inputs": "2+2"}, classifiers={"domain": CATEGORY})
    assert status == 200
    assert distributed(answer) == pytest.approx({"math": 0.7, "computer science": 0.2, "law": 0.1})
    assert answer[0]["label"] == "math"


def test_head_gives_what_is_like_none_of_its_labels_to_the_fallback(settings):
    """A compiled head's labels add up to less than one; the rest has a label, or the router would drop the answer."""

    class Head:
        def classify(self, _):
            return Classification("math", 0.6, {"math": 0.6, "computer science": 0.1})

    (name, head) = next(iter(settings.loaded.items()))
    pool = ClassifierPool(Head())
    status, answer, _ = ask(settings, "/classify", {"inputs": "x"}, classifiers={}, pool=pool)
    assert status == 200
    assert distributed(answer) == pytest.approx({"math": 0.6, "computer science": 0.1, "other": 0.3})
    named = replace(settings, classifiers={name: head.model_copy(update={"fallback": "misc"})})
    named = replace(named, classifier=named.classifiers[name])
    _, answer, _ = ask(named, "/classify", {"inputs": "x"}, classifiers={}, pool=ClassifierPool(Head()))
    assert distributed(answer)["misc"] == pytest.approx(0.3)


def test_attack_in_one_window_of_a_long_text_stays_one(settings):
    """Each label has its highest probability over the windows, 1.7 together; an attack is not made half of one."""
    status, answer, _ = ask(settings, "/classify", {"inputs": "long evil"}, classifiers={"judge": JUDGE})
    assert status == 200
    assert distributed(answer) == pytest.approx({"attack": 0.9, "benign": 0.1})


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1, width=32), min_size=1),
    st.sets(st.sampled_from("abcdef")),
    st.sampled_from(["category", "jailbreak"]),
)
def test_distribution_is_one_whatever_a_model_says(result, spoken, task):
    """All labels, adding up to 1, the policy's own never lowered, unless they alone exceed 1."""
    classifier = checkpoint(task, sorted(spoken & result.keys()))
    found = distributed([one.model_dump() for one in distribution(result, classifier)])
    assert found.keys() == result.keys()
    own = sum(result[label] for label in classifier.labels)
    if task == "jailbreak" and own <= 1 and len(classifier.labels) < len(result):
        assert all(found[label] >= result[label] - 1e-6 for label in classifier.labels)


def test_token_spans_are_places_in_code_points(settings):
    """Beyond the first plane, too; neighbours of one name are one span, without the blanks around it."""
    text = "\U0001f600 ask Ada Lovelace or 中文 Bob"
    status, answer, _ = ask(settings, "/classify", {"inputs": text}, classifiers={"names": NAMES})
    assert status == 200
    assert spotted(answer, text) == [("PERSON", "Ada Lovelace"), ("PERSON", "Bob")]
    assert "truncated_at" not in answer
    assert answer["spans"][0] == {
        "start": 6,
        "end": 18,
        "label": "PERSON",
        "score": pytest.approx(0.8),
        "text": "Ada Lovelace",
    }


def test_clean_text_is_an_empty_list_and_no_lack_of_one(settings):
    """The router takes an answer without spans for a broken server."""
    _, answer, _ = ask(settings, "/classify", {"inputs": "nobody"}, classifiers={"names": NAMES})
    assert answer == {"spans": []}


@given(WORDS, st.integers(0, 6), st.booleans())
def test_spans_hold_the_contract_whatever_a_model_says(text, read, truncate):
    """Bounds, slices and the end of what was read."""
    offsets = [(i, i + 1) for i in range(len(text))][: max(0, len(text) - read)]
    rows = np.array([[0.2, 0.8] if text[i].isupper() else [0.8, 0.2] for i, _ in offsets], np.float32).reshape(-1, 2)
    classifier = checkpoint("pii", ["PERSON"], kind="token", long="truncate" if truncate else "windows")
    result = spans(TokenLabels(("O", "B-PERSON"), offsets, rows), text, "names", classifier)
    answer = json.loads(result.model_dump_json(exclude_none=True))
    spotted(answer, text)
    unread = text[len(offsets) :].strip()
    assert ("truncated_at" in answer) is (truncate and bool(unread))


def test_one_of_several_classifiers_is_selected_by_name(settings):
    """By the request, else by what the server was started with; the stock router cannot name one."""
    engine = Engine()
    named = {"inputs": "evil", "parameters": {"classifier": "judge"}}
    status, answer, _ = ask(settings, "/classify", named, engine=engine)
    assert (status, distributed(answer)["attack"]) == (200, pytest.approx(0.9))
    status, answer, _ = ask(settings, "/classify", {"inputs": "Ada"}, engine=engine, chosen="names")
    assert (status, spotted(answer, "Ada")) == (200, [("PERSON", "Ada")])
    status, answer, _ = ask(settings, "/classify", {"inputs": "x"})
    assert (status, answer["error"]["code"]) == (404, "classifier_required")
    assert "domain, judge, names" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("classifiers", "more"),
    [(ALL, {"chosen": "gone"}), ({}, {}), ({}, {"chosen": "domain"})],
    ids=["gone", "none", "no"],
)
def test_classifier_that_is_not_loaded_is_not_found(settings, classifiers, more):
    """By its name, whether the request or the server's option gave it."""
    status, answer, _ = ask(settings, "/classify", {"inputs": "x"}, classifiers=classifiers, **more)
    assert (status, answer["error"]["code"]) == (404, "no_classifier")


@pytest.mark.parametrize("path", ["/classify", "/api/v1/classify/security"])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OverloadedError(), 429, "classifier_overloaded"),
        (TimeoutError(), 503, "classifier_timeout"),
        (RuntimeError("a SECRET"), 503, "classifier_failed"),
    ],
    ids=["overloaded", "late", "broken"],
)
def test_classifier_that_fails_is_an_error_and_no_verdict(settings, capfd, path, error, status, code):
    """A client gets a `retry-after`, and no detail of the fault."""
    body = {"inputs": "SECRET"} if path == "/classify" else {"text": "SECRET"}
    found, answer, headers = ask(settings, path, body, engine=Engine(error), classifiers={"judge": JUDGE})
    assert (found, answer["error"]["code"]) == (status, code)
    assert headers["retry-after"] == "1"
    assert "SECRET" not in json.dumps(answer) + capfd.readouterr().err


def test_classifier_that_hangs_is_given_up_at_the_deadline(settings):
    """The policy's own, as for a gateway's request."""
    more = {"engine": Engine("hang"), "classifiers": {"judge": JUDGE}, "budget": 0.2}
    status, answer, _ = ask(settings, "/classify", {"inputs": "x"}, **more)
    assert (status, answer["error"]["code"]) == (503, "classifier_timeout")
