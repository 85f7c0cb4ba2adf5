"""Token classifiers in the engine: packed, windowed, and decoded, whatever stands beside them."""

from __future__ import annotations

import asyncio
import os
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.checkpoints import WORDS, plant, save_checkpoint
from support.properties import examples

pytest.importorskip("torch", reason="torch is not installed: checkpoints cannot be run")

from vsr_runtime.inference.checkpoint_classifier import CheckpointClassifier
from vsr_runtime.inference.engine.batch_queues import BatchQueues
from vsr_runtime.inference.engine.load import load_models, read_tasks
from vsr_runtime.inference.engine.tasks import TaskEngine
from vsr_runtime.inference.token_spans import TokenDetection
from vsr_runtime.server.engine import EnginePool
from vsr_schemas.runtime import CheckpointSettings, ClassifierSettings

REVISION = "b" * 40
TYPES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
PLANTED = {"aa": "B-PER", "ab": "I-PER", "ac": "B-LOC"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random checkpoint of each family, and one that knows some words."""
    found = tmp_path_factory.mktemp("models")
    for family in ("modernbert", "bert"):
        save_checkpoint(found / "org" / family / REVISION, family, "token", TYPES, seed=3)
    plant(found / "org/planted" / REVISION, "token", TYPES, PLANTED)
    return found


@pytest.fixture(autouse=True)
def models(folder, monkeypatch):
    """Where they lie."""
    monkeypatch.setenv("VSR_MODELS", str(folder), prepend=os.pathsep)


def classifier(name: str, **checkpoint) -> ClassifierSettings:
    """A finder of persons."""
    given = CheckpointSettings(repo=f"org/{name}", revision=REVISION, kind="token", **checkpoint)
    return ClassifierSettings(task="pii", checkpoint=given, labels=["PERSON"], threshold=0.5)


@cache
def loaded(folder, name, window):
    """How texts are read, and the model; loaded once."""
    classifiers = {"x": classifier(name, window=window, overlap=8)}
    return classifiers, read_tasks(classifiers), load_models(classifiers, folder)


def ask(folder, name, texts, window=None, *, apart=False):
    """The labels of each token of each text: of all in one question, or of each by itself."""
    _, tasks, models = loaded(folder, name, window)

    async def whole():
        engine = TaskEngine(tasks, BatchQueues(models))
        until = asyncio.get_running_loop().time() + 60
        try:
            if apart:
                return [(await engine.label_tokens("x", [text], until))[0] for text in texts]
            return await engine.label_tokens("x", texts, until)
        finally:
            engine.close()

    return asyncio.run(whole())


def spans(text, found, threshold=0.5):
    """The findings of a text."""
    return TokenDetection(text, "x", found.labels, found.offsets, found.probabilities).spans(None, threshold)


TEXTS = st.lists(st.lists(st.sampled_from(WORDS[:40]), max_size=28).map(" ".join), min_size=1, max_size=6)


@pytest.mark.parametrize("family", ["modernbert", "bert"])
@examples(10)
@given(texts=TEXTS)
def test_packed_tokens_equal_those_of_each_text_alone(folder, family, texts):
    """Neighbours in a batch change no token's probabilities, and no place."""
    for one, other in zip(ask(folder, family, texts), ask(folder, family, texts, apart=True), strict=True):
        assert one.offsets == other.offsets
        assert np.allclose(one.probabilities, other.probabilities, atol=1e-5)


@pytest.mark.parametrize("family", ["modernbert", "bert"])
@examples(10)
@given(texts=TEXTS)
def test_short_texts_are_decoded_the_same_with_windows(folder, family, texts):
    """What fits a window is read as without any: 28 words and two special tokens into 32."""
    for text, one, other in zip(texts, ask(folder, family, texts, 32), ask(folder, family, texts), strict=True):
        assert np.allclose(one.probabilities, other.probabilities, atol=1e-5)
        assert [span.start for span in spans(text, one, 0.3)] == [span.start for span in spans(text, other, 0.3)]


@examples(10)
@given(words=st.lists(st.sampled_from(WORDS[:12]), min_size=40, max_size=160))
def test_long_texts_are_found_whole_wherever_a_window_ends(folder, words):
    """A name across the edge of a window is one finding, and none is reported twice."""
    text = " ".join(words)
    (found,) = ask(folder, "planted", [text], 32)
    kinds = ["PERSON" if word in {"aa", "ab"} else "GPE" if word == "ac" else None for word in words]
    begins = [
        number
        for number, kind in enumerate(kinds)
        if kind and (number == 0 or kinds[number - 1] != kind or words[number] in {"aa", "ac"})
    ]
    assert len(found.offsets) == len(words)
    wanted = sorted(found.offsets[number][0] for number in begins)
    assert sorted(span.start for span in spans(text, found)) == wanted
    covered = sum(len(text[span.start : span.end].split()) for span in spans(text, found))
    assert covered == sum(kind is not None for kind in kinds)


def test_a_pool_s_look_is_one_question_for_all_texts(folder):
    """The pool of guards asks the engine once, and gives for each text what was seen in it."""
    classifiers, tasks, models = loaded(folder, "planted", None)

    async def whole():
        pool = EnginePool(TaskEngine(tasks, BatchQueues(models)), classifiers, None)
        try:
            await pool.warm()
            return await pool.looks({"x": ("hello aa ab", "nobody", "")}, asyncio.get_running_loop().time() + 60)
        finally:
            pool.close()

    seen = asyncio.run(whole())["x"]
    assert [[(span.start, span.end, span.type) for span in each.spans(None, 0.9)] for each in seen] == [
        [(6, 11, "PERSON")],
        [],
        [],
    ]


def test_a_policy_s_tests_ask_the_same_detector(folder):
    """Without an engine, one text at a time: what a served guard would see, windows and all."""
    assert folder.is_dir()
    model = CheckpointClassifier.load("x", classifier("planted", window=32, overlap=8))
    text = f"{' '.join(WORDS[40:80])} aa ab {' '.join(WORDS[40:60])}"
    assert [text[span.start : span.end] for span in model.detect(text).spans(frozenset({"PERSON"}), 0.9)] == ["aa ab"]
