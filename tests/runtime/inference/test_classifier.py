from __future__ import annotations

import numpy as np
import pytest

from vsr_runtime.inference.classifier import CategoryClassifier
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head import Head
from vsr_schemas.runtime import ClassifierSettings

INPUTS = "a" * 64


@pytest.fixture(scope="module")
def head(encoder) -> Head:
    """Two labels that point where their prompts lie."""
    rows = encoder.embed(["Solve the equation for x.", "Is this contract binding in court?"])
    return Head(("law", "math"), rows[::-1] * 4, np.full(2, -1, np.float32), 0.5, INPUTS)


@pytest.fixture
def settings(files) -> ClassifierSettings:
    """The part of runtime.yaml that describes the head."""
    return ClassifierSettings.model_validate(
        {
            "task": "category",
            "encoder": {"repo": files.repo, "sha256": files.sha256, "precision": "int8"},
            "head": {"file": "domain.safetensors", "inputs": INPUTS},
            "labels": ["law", "math"],
            "threshold": 0.5,
        }
    )


@pytest.fixture
def router(tmp_path, head):
    """A router folder with the head in it."""
    (tmp_path / "domain.safetensors").write_bytes(head.to_bytes())
    return tmp_path


def test_loads_and_classifies(settings, router):
    """A classifier loaded from its folder puts a prompt into its category."""
    found = CategoryClassifier.load(settings, router).classify("Solve 3x + 1 = 7 for x.")
    assert found.label == "math"
    assert found.probability == found.probabilities["math"] > 0.5
    assert list(found.probabilities) == ["law", "math"]
    assert sum(found.probabilities.values()) < 1


def test_below_the_threshold(encoder, head):
    """What resembles no category has no label; its probabilities are still returned."""
    found = CategoryClassifier.from_parts(encoder, head, 0.5).classify("Which wine goes with grilled fish?")
    assert found.label is None
    assert found.probability == max(found.probabilities.values()) < 0.5


def test_threshold_is_inclusive(encoder, head):
    """A probability equal to the threshold is enough."""
    text = "Solve 3x + 1 = 7 for x."
    exact = CategoryClassifier.from_parts(encoder, head, 0.0).classify(text).probability
    assert CategoryClassifier.from_parts(encoder, head, exact).classify(text).label == "math"
    assert CategoryClassifier.from_parts(encoder, head, float(np.nextafter(exact, 1))).classify(text).label is None


def test_same_answer_each_time(encoder, head):
    """Classifying the same text again gives the same numbers."""
    classifier = CategoryClassifier.from_parts(encoder, head, 0.5)
    assert classifier.classify("Sue the landlord?") == classifier.classify("Sue the landlord?")


def test_other_encoder_refused(encoder):
    """A head for embeddings of another size is refused when joined, not at the first request."""
    small = Head(("math",), np.ones((1, 3), np.float32), np.zeros(1, np.float32), 1.0, INPUTS)
    with pytest.raises(ModelError, match="takes embeddings of 3 numbers"):
        CategoryClassifier.from_parts(encoder, small, 0.5)


def test_missing_head(settings, tmp_path):
    """A head that is not there is named."""
    with pytest.raises(ModelError, match=r"domain\.safetensors cannot be read .*compile the policy again"):
        CategoryClassifier.load(settings, tmp_path)


def test_damaged_head(settings, router):
    """A damaged head is named."""
    (router / "domain.safetensors").write_bytes(b"{}")
    with pytest.raises(ModelError, match=r"domain\.safetensors: the classifier head is cut off"):
        CategoryClassifier.load(settings, router)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head": {"file": "domain.safetensors", "inputs": "b" * 64}}, "trained from other examples"),
        ({"labels": ["math", "law"]}, "other categories"),
        ({"labels": ["law", "math", "physics"]}, "other categories"),
        ({"encoder": {"repo": "example/none", "sha256": "c" * 64, "precision": "int8"}}, "not on this machine"),
    ],
    ids=["inputs", "order", "labels", "encoder"],
)
@pytest.mark.usefixtures("empty_machine")
def test_settings_and_head_must_agree(settings, router, change, message):
    """A head that is not the one of the settings is refused before anything is served."""
    with pytest.raises(ModelError, match=message):
        CategoryClassifier.load(ClassifierSettings.model_validate(settings.model_dump() | change), router)
