"""Reports what heads for tasks of their own are worth: false alarms of a guard that blocks, and missed texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.analysis.heads import MAX_FALSE_ALARMS
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.heads.held_out import Measurement
from vsr_compiler.ir.signals import JailbreakSignal

FEW = 0.5


def check_heads(
    policy: ir.Policy, measured: Mapping[str, Measurement], thresholds: Mapping[str, float]
) -> Iterator[Diagnostic]:
    """Report VSR595 for guards that block too much, and VSR596 for guards, signals and labels that find too little.

    Args:
        policy: The policy with the thresholds of its heads.
        measured: What each head was measured to find, by classifier.
        thresholds: The thresholds of the heads, by classifier.
    """
    for guard in policy.guards:
        if guard.detector is None or guard.detector.name not in measured:
            continue
        measurement = measured[guard.detector.name]
        at = measurement.at(guard.threshold)
        if isinstance(guard.action, ir.Block) and at.false_alarms > MAX_FALSE_ALARMS:
            message = (
                f"guard `{guard.name}` would block {at.false_alarms:.1%} of harmless texts: at {guard.threshold:g}, "
                f"`{guard.detector.name}` gives false alarms {_where(measurement)}"
            )
            hint = "Remove `threshold`, so that `falseAlarms` of the classifier chooses it, or use `action: flag`."
            yield Diagnostic("VSR595", message, guard.span, hint)
        else:
            yield from _missed(guard.detector, measurement, guard.threshold, guard.span)
    for signal in policy.signals:
        if isinstance(signal.kind, JailbreakSignal) and signal.kind.detector.name in measured:
            detector = signal.kind.detector
            yield from _missed(detector, measured[detector.name], signal.kind.threshold, signal.span)
    for classifier in policy.classifiers:
        if classifier.task == "labels" and classifier.name in measured:
            yield from _missed(classifier, measured[classifier.name], thresholds[classifier.name], classifier.span)


def _missed(
    classifier: ir.Classifier, measurement: Measurement, threshold: float, span: ir.Span
) -> Iterator[Diagnostic]:
    at = measurement.at(threshold)
    if at.recall >= FEW:
        return
    of_attacks = classifier.task == "jailbreak"
    found = f"finds {at.recall:.0%} of attacks" if of_attacks else f"gives {at.recall:.0%} of texts their label"
    hint = (
        "Use a checkpoint as detector, or add a guard with `patterns: injection`."
        if of_attacks
        else "Add examples of more kinds, or allow more false alarms by `falseAlarms`."
    )
    message = f"`{classifier.name}` {found}, with {at.false_alarms:.1%} false alarms, {_where(measurement)}"
    yield Diagnostic("VSR596", message, span, hint)


def _where(measurement: Measurement) -> str:
    return f"on topics that it has not seen ({measurement.labelled} texts with a label, {measurement.harmless} without)"
