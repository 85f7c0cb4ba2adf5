"""The models for a policy's tests, loaded in this process. Without a model, tests that need it are undecided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from vsr_compiler.heads.shared_encoders import SharedEncoders
from vsr_runtime.decision.guards.detection import Detection
from vsr_runtime.decision.program.conditions import SignalKind
from vsr_runtime.decision.request.events import DetectorResult, NeedSignals, SignalsReady, TextSignals
from vsr_runtime.inference.classifier import Classification
from vsr_runtime.inference.compiled_classifier import NOTHING
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.settings import Settings

_REMOTE = "a server computes it, and tests ask no server"


class TextClassifier(Protocol):
    """A classifier of single texts."""

    def classify(self, text: str) -> Classification:
        """Classify one text."""


class Detector(Protocol):
    """A detector on single texts."""

    def detect(self, text: str) -> Detection:
        """Classify one text."""


@dataclass(frozen=True, slots=True)
class LocalClassifiers:
    """The available models.

    Attributes:
        classifier: The classifier for categories and sentence similarity; None if the policy has neither.
        likeness: Another that knows the sentences, where categories are a checkpoint's.
        detectors: The detectors of attacks and personal data, by name.
        missing: Why a detector is not available, by name.
    """

    classifier: TextClassifier | None = None
    likeness: TextClassifier | None = None
    detectors: Mapping[str, Detector] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def answer(self, question: NeedSignals) -> SignalsReady | None:
        """What the runtime's engine would say; None where it takes a model that is not here."""
        if (question.kinds and self.classifier is None) or question.detector_texts.keys() - self.detectors.keys():
            return None
        known = SignalsReady()
        for text, kinds, whole in question.texts():
            known = known.also(self._signals(kinds, text), kinds, whole=whole)
        earlier = [self._signals(question.of_ask, text) for text in question.earlier]
        looks = {name: self._look(name, tuple(texts)) for name, texts in question.detector_texts.items()}
        return replace(known, detections=looks, earlier=earlier)

    def _signals(self, kinds: frozenset[SignalKind], text: str) -> TextSignals:
        by_kind = {kind: self._of(kind) for kind in kinds}
        results = {id(one): one.classify(text) for one in by_kind.values() if one is not None}
        answers = {kind: results[id(one)] for kind, one in by_kind.items() if one is not None}
        category, alike = answers.get("category", NOTHING), answers.get("similarity", NOTHING)
        return TextSignals(category.label, category.probability, category.probabilities, alike.likeness)

    def _of(self, kind: SignalKind) -> TextClassifier | None:
        """Return the classifier of a kind. If both are one compiled classifier, it reads the text once."""
        return self.likeness or self.classifier if kind == "similarity" else self.classifier

    def _look(self, name: str, texts: tuple[str, ...]) -> DetectorResult:
        return [self.detectors[name].detect(text) for text in texts]


def load_local_classifiers(
    settings: Settings, folder: Path, encoders: SharedEncoders | None = None
) -> LocalClassifiers:
    """What the settings name, as far as it is on this machine.

    Args:
        settings: The settings of the policy, as the runtime reads them.
        folder: The router folder.
        encoders: Encoders that several policies share; None to load one for this policy.

    Raises:
        ModelError: What tells categories apart, or knows the sentences, cannot be loaded.
    """
    detectors, missing = _detectors(settings.local, folder, encoders)
    missing |= dict.fromkeys(settings.remote, _REMOTE)
    settings = settings.local
    category = settings.classifier
    if category is not None and category.checkpoint is not None:
        from vsr_runtime.inference.checkpoint_classifier import CheckpointClassifier  # noqa: PLC0415 - needs an extra

        named = CheckpointClassifier.load(settings.category or "", category)
        return LocalClassifiers(named, _compiled(settings, folder, encoders, category=False), detectors, missing)
    return LocalClassifiers(_compiled(settings, folder, encoders, category=True), None, detectors, missing)


def _compiled(
    settings: Settings, folder: Path, encoders: SharedEncoders | None, *, category: bool
) -> TextClassifier | None:
    from vsr_runtime.inference.compiled_classifier import CompiledClassifier  # noqa: PLC0415 - as above

    category_settings = settings.classifier if category else None
    if category_settings is None and settings.similarity_classifier is None:
        return None
    opened = None if encoders is None else encoders.opened
    return CompiledClassifier.load(category_settings, settings.similarity_classifier, folder, opened)


def _detectors(
    settings: Settings, folder: Path, encoders: SharedEncoders | None
) -> tuple[dict[str, Detector], dict[str, str]]:
    from vsr_runtime.inference.checkpoint_classifier import CheckpointClassifier  # noqa: PLC0415 - needs an extra
    from vsr_runtime.inference.compiled_detector import CompiledDetector  # noqa: PLC0415 - as above

    detectors: dict[str, Detector] = {}
    missing: dict[str, str] = {}
    for name, one in settings.engine.items():
        if one.task in {"category", "likeness"}:
            continue
        try:
            detectors[name] = (
                CompiledDetector.load(name, one, folder, None if encoders is None else encoders.opened)
                if one.checkpoint is None
                else CheckpointClassifier.load(name, one)
            )
        except ModelError as error:
            missing[name] = str(error)
    return detectors, missing
