"""Compiles the heads of tasks of their own: their files, their settings for the runtime, and what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

from vsr_compiler import ir
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.heads.artifact import alike, made_from, recommended_threshold
from vsr_compiler.heads.held_out import Measurement, measurement_of
from vsr_compiler.heads.label_inputs import label_inputs
from vsr_compiler.ir.labels import FALSE_ALARMS, OTHER
from vsr_compiler.ir.signals import JailbreakSignal
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head_file import head_metadata
from vsr_runtime.shipped_heads import path_of
from vsr_schemas import runtime as settings

if TYPE_CHECKING:
    from vsr_runtime.inference.head import Head

UNTRAINED = 0.5
WINDOW, OVERLAP = 256, 64
"""Tokens of a window of a detector, special ones included, and those that two windows share.

A text that fits is one window, which is the sequence that other heads of the encoder read, so they share its pass.
"""


def own_heads(policy: ir.Policy) -> list[ir.Classifier]:
    """Return the classifiers in use that are heads of a task of their own, sorted by name."""
    return sorted((one for one in policy.used_classifiers if one.examples), key=lambda one: one.name)


def compile_label_heads(
    policy: ir.Policy, existing: Callable[[str], bytes | None], *, rebuild: bool
) -> tuple[dict[str, bytes], dict[str, settings.ClassifierSettings]]:
    """Return the files of heads, and the settings of their classifiers by name.

    Args:
        policy: The linked policy.
        existing: Reads an existing head by its file name.
        rebuild: Train even if the inputs are unchanged.

    Raises:
        CompileError: VSR506 if a head must be trained and cannot be.
    """
    files, classifiers = {}, {}
    for classifier in own_heads(policy):
        file = head_file(classifier)
        try:
            head = _compile(classifier, existing(file), rebuild=rebuild)
            inputs = head_metadata(head)["inputs"]
            threshold = _threshold(classifier, head)
        except ModelError as error:
            raise CompileError([Diagnostic("VSR506", str(error), classifier.span)]) from None
        files[file] = head
        classifiers[classifier.name] = _settings(classifier, inputs, threshold)
    return files, classifiers


def untrained_label_heads(policy: ir.Policy) -> dict[str, settings.ClassifierSettings]:
    """Return the settings of the same classifiers, but for what only training finds out."""
    return {
        one.name: _settings(one, "0" * 64, UNTRAINED if one.threshold is None else one.threshold)
        for one in own_heads(policy)
    }


def measurements(policy: ir.Policy, files: Mapping[str, bytes]) -> dict[str, Measurement]:
    """Return what heads were measured to find, by classifier.

    Raises:
        ModelError: a file is damaged.
    """
    return {one.name: measurement_of(files[head_file(one)]) for one in own_heads(policy)}


def with_head_thresholds(policy: ir.Policy, known: Mapping[str, settings.ClassifierSettings]) -> ir.Policy:
    """Return the policy with the thresholds of trained heads where nothing else is stated."""
    if not any(one.examples for one in policy.classifiers):
        return policy
    guards = tuple(
        replace(guard, threshold=known[guard.detector.name].threshold) if guard.by_head and guard.detector else guard
        for guard in policy.guards
    )
    return replace(policy, guards=guards, signals=tuple(_with_threshold(signal, known) for signal in policy.signals))


def _with_threshold(signal: ir.Signal, known: Mapping[str, settings.ClassifierSettings]) -> ir.Signal:
    kind = signal.kind
    if not isinstance(kind, JailbreakSignal) or not kind.by_head:
        return signal
    return replace(signal, kind=replace(kind, threshold=known[kind.detector.name].threshold))


def head_file(classifier: ir.Classifier) -> str:
    """Return the name of the file of a classifier's head."""
    return f"{classifier.object_name}.safetensors"


def encoder_settings(classifier: ir.Classifier) -> settings.EncoderSettings:
    """Return the encoder of a classifier that is a head."""
    encoder = classifier.encoder or ir.Encoder()
    precision = cast("Literal['int8', 'fp32']", classifier.precision)
    return settings.EncoderSettings(repo=encoder.repo, sha256=encoder.sha256, precision=precision)


def _settings(classifier: ir.Classifier, inputs: str, threshold: float) -> settings.ClassifierSettings:
    detects = classifier.task == "jailbreak"
    return settings.ClassifierSettings(
        task=cast("Literal['jailbreak', 'labels']", classifier.task),
        encoder=encoder_settings(classifier),
        head=settings.HeadSettings(
            file=head_file(classifier),
            inputs=inputs,
            window=WINDOW if detects else None,
            overlap=OVERLAP if detects else None,
        ),
        labels=list(classifier.labels),
        fallback=None if detects else OTHER,
        threshold=threshold,
    )


def _threshold(classifier: ir.Classifier, head: bytes) -> float:
    """Return the threshold that the policy states, or that of its share of false alarms.

    A head that ships was trained for another share, but knows the thresholds of the usual ones.
    """
    if classifier.threshold is not None:
        return classifier.threshold
    recommended = recommended_threshold(head)
    if classifier.false_alarms in (None, FALSE_ALARMS):
        return recommended
    return measurement_of(head).threshold_for(classifier.false_alarms)


def _compile(classifier: ir.Classifier, existing: bytes | None, *, rebuild: bool) -> bytes:
    encoder = encoder_settings(classifier)
    inputs = label_inputs(classifier.examples, encoder.repo, encoder.sha256, encoder.precision, classifier.false_alarms)
    current = existing if existing is not None and made_from(existing) == inputs else None
    if current is not None and not rebuild:
        return current
    if (shipped := _shipped(classifier, encoder)) is not None and not rebuild:
        return shipped
    fresh = train_head(classifier, encoder, inputs)
    return current if current is not None and alike(current, fresh) else fresh.to_bytes()


def _shipped(classifier: ir.Classifier, encoder: settings.EncoderSettings) -> bytes | None:
    """Return the head that ships with the runtime, if it is trained from the same examples.

    It is trained for the default share of false alarms, which sets nothing but its threshold; see ``_threshold``.
    """
    path = path_of(label_inputs(classifier.examples, encoder.repo, encoder.sha256, encoder.precision, FALSE_ALARMS))
    head = None if path is None else path.read_bytes()
    return None if head is None or _threshold(classifier, head) >= 1 else head


def train_head(classifier: ir.Classifier, encoder: settings.EncoderSettings, inputs: str) -> Head:
    """Train the head of a classifier.

    Raises:
        ModelError: the encoder or a package of the ``classify`` extra is missing.
    """
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 I001 - needs the extra; says so where it lacks

    from vsr_compiler.heads.train_labels import train_labels  # noqa: PLC0415 - as above
    from vsr_runtime.inference.encoder_files import find_encoder  # noqa: PLC0415 - as above

    loaded = SentenceEncoder.load(find_encoder(encoder.repo, encoder.sha256), encoder.precision)
    return train_labels(classifier.examples, loaded, inputs, classifier.false_alarms)
