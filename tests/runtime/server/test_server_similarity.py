"""Categories and likeness are asked of the engine together, and only as far as somebody wants them."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from vsr_runtime.decision.request.events import Cause, Failure, NeedSignals, SignalsReady
from vsr_runtime.errors import UserError
from vsr_runtime.inference.encoder import SentenceEncoder
from vsr_runtime.inference.engine.batch_queues import BatchQueues
from vsr_runtime.inference.engine.errors import EngineError, OverloadedError
from vsr_runtime.inference.engine.load import load_models, read_tasks
from vsr_runtime.inference.engine.tasks import TaskEngine
from vsr_runtime.inference.head import Head
from vsr_runtime.inference.sentences import Sentences
from vsr_runtime.server.engine import EnginePool
from vsr_runtime.server.generation import Generation
from vsr_schemas.runtime import CheckpointSettings, ClassifierSettings, EncoderSettings
from vsr_schemas.runtime import HeadSettings as HeadFile

INPUTS = "a" * 64
DOMAINS = ClassifierSettings(
    task="category", checkpoint=CheckpointSettings(repo="a/b", revision="0" * 40), labels=["math"], threshold=0.5
)
BOTH, LIKENESS = frozenset({"category", "similarity"}), frozenset({"similarity"})


def likeness(files, *labels: str) -> ClassifierSettings:
    """Sentences of the real encoder."""
    encoder = EncoderSettings(repo=files.repo, sha256=files.sha256, precision="int8")
    head = HeadFile(file="sentences.safetensors", inputs=INPUTS)
    return ClassifierSettings(task="likeness", encoder=encoder, head=head, labels=list(labels), threshold=0)


class Engine:
    """Answers by task, and notes what it was asked."""

    waiting, healthy = 0, True

    def __init__(self, answers) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def classify(self, task, texts, _until):
        """The task's answer for each text."""
        self.asked.append(task)
        found = self.answers[task]
        if isinstance(found, Exception):
            raise found
        return [found for _ in texts]

    def close(self) -> None:
        """Nothing is held."""


SHARES = {"math": 0.9, "law": 0.1}


def pool(files, **answers) -> tuple[Engine, EnginePool]:
    """An engine with a checkpoint of categories and with sentences."""
    engine = Engine({"domain": {"math": 0.9, "law": 0.1}, "sentences": {"Hello.": 0.7}} | answers)
    return engine, EnginePool(engine, {"domain": DOMAINS, "sentences": likeness(files, "Hello.")}, "domain")


@pytest.mark.parametrize(
    ("kinds", "asked", "expected"),
    [
        (BOTH, ["domain", "sentences"], SignalsReady("math", 0.9, similarities={"Hello.": 0.7}, probabilities=SHARES)),
        (LIKENESS, ["sentences"], SignalsReady(similarities={"Hello.": 0.7})),
        (frozenset({"category"}), ["domain"], SignalsReady("math", 0.9, probabilities=SHARES)),
    ],
)
def test_only_what_is_wanted_is_asked(files, settings, kinds, asked, expected):
    """The generation passes on what the decision depends on."""
    engine, made = pool(files)
    found = asyncio.run(Generation(settings, made).signals(NeedSignals("hello", kinds), 1e9))
    assert found == expected
    assert sorted(engine.asked) == asked


@pytest.mark.parametrize(
    ("error", "cause"),
    [(OverloadedError(), Cause.OVERLOADED), (TimeoutError(), Cause.TIMEOUT), (EngineError("x"), Cause.BROKEN)],
)
def test_what_the_encoder_cannot_say_is_a_failure(files, settings, error, cause):
    """Not an answer in which nothing is alike."""
    _, made = pool(files, sentences=error)
    found = asyncio.run(Generation(settings, made).signals(NeedSignals("hello", BOTH), 1e9))
    assert found == SignalsReady(missing=cause)


def test_nobody_who_knows_the_sentences_is_a_failure():
    """A pool that has only categories."""
    made = EnginePool(Engine({}), {"domain": DOMAINS}, "domain")
    assert asyncio.run(made.signals("hello", 1e9, LIKENESS)) == Failure(Cause.BROKEN)


@pytest.mark.parametrize(("cosine", "sound"), [(-0.2, True), (1.0000001, True), (1.2, False), (float("nan"), False)])
def test_a_first_text_shows_broken_vectors(files, cosine, sound):
    """Cosines may be negative, but are no other numbers."""
    _, made = pool(files, sentences={"Hello.": cosine})
    if sound:
        assert asyncio.run(made.warm()).label == "math"
    else:
        with pytest.raises(UserError, match="sentences"):
            asyncio.run(made.warm())


@pytest.mark.usefixtures("_graph_cache")
def test_a_text_is_embedded_once_for_head_and_sentences(files, encoder, tmp_path, monkeypatch):
    """What was compiled over one encoder is one queue of the engine, which knows that it has read the text."""
    rows = encoder.embed(["Solve x + 1 = 2.", "Hello."])
    head = Head(("math",), rows[:1] * 4, np.zeros(1, np.float32), 1.0, INPUTS)
    (tmp_path / "domain.safetensors").write_bytes(head.to_bytes())
    (tmp_path / "sentences.safetensors").write_bytes(Sentences(("Hello.",), rows[1:], INPUTS).to_bytes())
    alike = likeness(files, "Hello.")
    domain = ClassifierSettings(
        task="category",
        encoder=alike.encoder,
        head=HeadFile(file="domain.safetensors", inputs=INPUTS),
        labels=["math"],
        threshold=0.5,
    )
    classifiers = {"domain": domain, "sentences": alike}
    models = load_models(classifiers, tmp_path)
    assert [queue.tasks for queue in models] == [("domain", "sentences")]
    passes = []
    plain = SentenceEncoder.embed_layers
    monkeypatch.setattr(
        SentenceEncoder, "embed_layers", lambda self, ids, *rest: passes.append(len(ids)) or plain(self, ids, *rest)
    )

    async def scenario():
        made = EnginePool(TaskEngine(read_tasks(classifiers), BatchQueues(models)), classifiers, "domain")
        try:
            return await made.signals("Hello.", asyncio.get_running_loop().time() + 60, BOTH)
        finally:
            made.close()

    found = asyncio.run(scenario())
    assert passes == [1]
    assert found.similarities["Hello."] == pytest.approx(1, abs=1e-5)
    assert found.probability < 1
