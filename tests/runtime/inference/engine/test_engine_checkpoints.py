from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from ruamel.yaml import YAML

from support.checkpoints import LABELS, WORDS, save_checkpoint, text

pytest.importorskip("torch", reason="torch is not installed: checkpoints cannot be run")

from vsr_runtime.decision.request.events import Cause, Failure, SignalsReady
from vsr_runtime.errors import UserError
from vsr_runtime.inference.engine.batch_queues import BatchQueues
from vsr_runtime.inference.engine.load import load_models, read_tasks
from vsr_runtime.inference.engine.tasks import TaskEngine
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.server.generation import warm_generation
from vsr_runtime.server.load import load_classifier
from vsr_runtime.settings import load
from vsr_schemas.runtime import CheckpointSettings, ClassifierSettings

REVISION = "a" * 40
TYPES = ["O", "B-PERSON", "I-PERSON"]
CATEGORIES = ["math", "computer science", "other"]


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder of models: an attack detector, a finder of persons, and a classifier of categories."""
    folder = tmp_path / "models"
    save_checkpoint(folder / "org/attacks" / REVISION)
    save_checkpoint(folder / "org/persons" / REVISION, "bert", "token", TYPES, seed=1)
    save_checkpoint(folder / "org/domains" / REVISION, labels=CATEGORIES, seed=2)
    monkeypatch.setenv("VSR_MODELS", str(folder), prepend=os.pathsep)
    return folder


def classifier(task, repo, labels, threshold=0.5, **checkpoint):
    """A classifier as runtime.yaml has it."""
    found = CheckpointSettings(repo=repo, revision=REVISION, **checkpoint)
    return ClassifierSettings(task=task, checkpoint=found, labels=labels, threshold=threshold)


@contextmanager
def engine_of(classifiers, folder):
    """Gives what runs a scenario against an engine in this process."""

    def run(scenario):
        async def whole():
            queues = BatchQueues(load_models(classifiers, folder))
            engine = TaskEngine(read_tasks(classifiers), queues)
            try:
                await queues.warm()
                return await scenario(engine, asyncio.get_running_loop().time() + 60)
            finally:
                engine.close()

        return asyncio.run(whole())

    yield run


def test_a_bad_part_of_a_long_text_is_not_diluted(models):
    """A detector reads all of a long text in windows; what it says is the worst that any of them gave."""
    attacks = classifier("jailbreak", "org/attacks", ["jailbreak"], window=32, overlap=8)
    sequences = [text(30, start) for start in (0, 40, 80)]
    with engine_of({"x": attacks}, models) as run:

        async def scenario(engine, until):
            alone = await engine.classify("x", sequences, until)
            whole = await engine.classify("x", [" ".join(sequences)], until)
            return alone, whole[0]

        alone, whole = run(scenario)
    assert set(whole) == set(LABELS)
    assert whole["jailbreak"] >= max(one["jailbreak"] for one in (alone[0], alone[2])) - 1e-5


def test_truncation_is_the_policys_word(models):
    """A category read from both ends alone does not change with what stands between them."""
    domains = classifier("category", "org/domains", ["math"], window=32, overlap=0, long="truncate")
    with engine_of({"x": domains}, models) as run:

        async def scenario(engine, until):
            return await engine.classify("x", [f"{text(40)} {text(many, 3)} {text(40)}" for many in (300, 500)], until)

        first, second = run(scenario)
    assert first == pytest.approx(second, abs=1e-6)


def test_each_token_of_a_long_text_is_answered_with_its_place(models):
    """Offsets are those of the text, windows leave no gap, and labels keep the order of the outputs."""
    persons = classifier("pii", "org/persons", ["PERSON"], kind="token", window=32, overlap=8)
    given = f"  {text(100)}"
    with engine_of({"x": persons}, models) as run:

        async def scenario(engine, until):
            return (await engine.label_tokens("x", [given], until))[0]

        found = run(scenario)
    assert found.labels == tuple(TYPES)
    assert " ".join(given[a:b] for a, b in found.offsets) == text(100)
    assert found.probabilities.shape == (100, 3)
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_several_encoders_run_side_by_side(models):
    """Each task is answered by its own checkpoint, whatever the others do at the same time."""
    classifiers = {
        "attacks": classifier("jailbreak", "org/attacks", ["jailbreak"]),
        "persons": classifier("pii", "org/persons", ["PERSON"], kind="token"),
        "domains": classifier("category", "org/domains", ["math", "computer science"]),
    }
    with engine_of(classifiers, models) as run:

        async def scenario(engine, until):
            asked = [engine.classify(name, [text(n + 1)], until) for n in range(8) for name in ("attacks", "domains")]
            *words, tokens = await asyncio.gather(*asked, engine.label_tokens("persons", [WORDS[0]], until))
            return words, tokens, engine.waiting, engine.healthy

        words, tokens, waiting, healthy = run(scenario)
    assert {tuple(one[0]) for one in words} == {tuple(LABELS), tuple(CATEGORIES)}
    assert (len(tokens[0].offsets), waiting, healthy) == (1, 0, True)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"labels": ["attack"]}, "does not know 'attack'; its labels are 'benign', 'jailbreak'"),
        ({"repo": "org/none"}, "is not on this machine"),
        ({"window": 400}, "reads 256 tokens at a time, not 400"),
        ({"window": 16, "overlap": 14}, "cannot overlap by 14"),
        ({"kind": "token"}, "ForTokenClassification is needed"),
    ],
)
@pytest.mark.usefixtures("models")
def test_checkpoint_that_does_not_fit_the_policy_is_an_error_at_load(wrong, says):
    """Each fault names the classifier."""
    given = {"repo": "org/attacks", "labels": ["jailbreak"]} | wrong
    with pytest.raises(ModelError, match=says) as error:
        read_tasks({"x": classifier("jailbreak", **given)})
    assert "classifier x" in str(error.value) or "org/attacks" in str(error.value)


@pytest.fixture
def served(models, policy):  # noqa: ARG001 - they must be there
    """The sample policy with its categories from a checkpoint; gives the path of its config."""
    path = policy / "router" / "runtime.yaml"
    yaml = YAML(typ="safe")
    data = yaml.load(path.read_text())
    checkpoint = {"repo": "org/domains", "revision": REVISION, "long": "truncate"}
    data["classifiers"] = {
        "domain": {
            "task": "category",
            "checkpoint": checkpoint,
            "labels": ["math", "computer science"],
            "threshold": 0.0,
        }
    }
    with path.open("w") as file:
        YAML().dump(data, file)
    return policy / "router" / "config.yaml"


async def category(config, words):
    """What the served policy says of a text, after which the generation ends."""
    settings = load(config)
    generation = await warm_generation(settings, await asyncio.to_thread(load_classifier, settings))
    try:
        until = asyncio.get_running_loop().time() + 30
        found = await generation.pool.signals(words, until)
        late = await generation.pool.signals(words + " ab", until - 60)
        return found, late, generation.pool.healthy, generation.waiting
    finally:
        generation.retire()


def expected(models, words):
    """What transformers says of the text."""
    import torch  # noqa: PLC0415 - of an extra
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415 - of an extra

    ids = [2, *(WORDS.index(word) + 4 for word in words.split()), 3]
    model = AutoModelForSequenceClassification.from_pretrained(models / "org/domains" / REVISION).eval()
    with torch.inference_mode():
        shares = model(torch.tensor([ids])).logits[0].softmax(-1).tolist()
    best = max(shares)
    label = CATEGORIES[shares.index(best)]
    return None if label == "other" else label, best


def test_serve_runs_a_category_classifier_from_a_checkpoint(served, models):
    """In one process on a CPU: the answer is the checkpoint's, late ones are refused, and nothing is left waiting."""
    words = text(12, 5)
    found, late, working, waiting = asyncio.run(category(served, words))
    label, share = expected(models, words)
    assert isinstance(found, SignalsReady)
    assert (found.category, found.probability) == (label, pytest.approx(share, abs=1e-5))
    assert late == Failure(Cause.TIMEOUT)
    assert (working, waiting) == (True, 0)


@pytest.mark.subprocess
def test_serve_asks_an_engine_process(served, models, tmp_path, monkeypatch):
    """`vsr-runtime engine` answers what the same policy answers alone; one with other classifiers is refused."""
    words, socket = text(12, 5), tmp_path / "s"
    command = [sys.executable, "-m", "vsr_runtime.cli", "engine", "--config", str(served), "--socket", str(socket)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            ready = json.loads(next(line for line in process.stderr if line.startswith("{")))
            assert ready["event"] == "engine_ready"
            monkeypatch.setenv("VSR_ENGINE_SOCKET", str(socket))
            found, late, working, _ = asyncio.run(category(served, words))
            monkeypatch.setattr("vsr_runtime.server.engine.START", 5.0)
            path = served.parent / "runtime.yaml"
            path.write_text(path.read_text().replace("threshold: 0.0", "threshold: 0.1"))
            with pytest.raises(UserError, match="runs the classifiers of another policy"):
                asyncio.run(category(served, words))
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
    label, share = expected(models, words)
    assert (found.category, found.probability) == (label, pytest.approx(share, abs=1e-5))
    assert late == Failure(Cause.TIMEOUT)
    assert working
    assert not socket.exists()


@pytest.mark.parametrize("change", ["labels", "missing"])
def test_serve_says_why_a_checkpoint_will_not_do(served, models, change):
    """One line for the user, before the server becomes ready."""
    if change == "labels":
        path = served.parent / "runtime.yaml"
        path.write_text(path.read_text().replace("labels:", "labels:\n    - law"))
    else:
        (models / "org/domains" / REVISION / "config.json").unlink()
    with pytest.raises(UserError, match=r"does not know 'law'|is not on this machine"):
        load_classifier(load(served))
