"""Reports what the heads of detectors are worth: too many false alarms of a guard that blocks, and missed attacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.analysis.heads import MAX_FALSE_ALARMS
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.heads.held_out import Measurement

FEW = 0.5


def check_heads(policy: ir.Policy, measured: Mapping[str, Measurement]) -> Iterator[Diagnostic]:
    """Report VSR595 for guards that block too much, and VSR596 for guards that find too little.

    Args:
        policy: The policy with the thresholds of its heads.
        measured: What each head was measured to find, by classifier.
    """
    for guard in policy.guards:
        if guard.detector is None or guard.detector.name not in measured:
            continue
        measurement = measured[guard.detector.name]
        at = measurement.at(guard.threshold)
        where = (
            f"on topics that it has not seen ({measurement.labelled} attacks, {measurement.harmless} harmless texts)"
        )
        if isinstance(guard.action, ir.Block) and at.false_alarms > MAX_FALSE_ALARMS:
            message = (
                f"guard `{guard.name}` would block {at.false_alarms:.1%} of harmless texts: at {guard.threshold:g}, "
                f"`{guard.detector.name}` gives false alarms {where}"
            )
            hint = "Remove `threshold`, so that `falseAlarms` of the classifier chooses it, or use `action: flag`."
            yield Diagnostic("VSR595", message, guard.span, hint)
        elif at.recall < FEW:
            shares = f"{at.recall:.0%} of attacks, with {at.false_alarms:.1%} false alarms,"
            hint = "Use a checkpoint as detector, or add a guard with `patterns: injection`."
            message = f"`{guard.detector.name}` finds {shares} {where}"
            yield Diagnostic("VSR596", message, guard.span, hint)
