"""Rules for guards that use a head trained from examples."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic

MAX_FALSE_ALARMS = 0.01
"""Share of harmless texts that a guard may block by a head."""
FEWEST_HARMLESS = 300
"""Harmless examples without which such a share is not known: if none of 300 is an alarm, it is below 1 % at 95 %."""


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """Report VSR249 for guards that block by a head whose share of false alarms is not known to be small."""
    for guard in policy.guards:
        detector = guard.detector
        if detector is None or not detector.examples or not isinstance(guard.action, ir.Block):
            continue
        hint = "Use `action: flag` or `action: route`, or "
        if detector.harmless < FEWEST_HARMLESS:
            message = (
                f"guard `{guard.name}` blocks by `{detector.name}`, which has {detector.harmless} harmless examples: "
                f"too few to know its false alarms"
            )
            hint += f"add examples under `other`, {FEWEST_HARMLESS} at least, such as `builtin:injection@1/benign`."
            yield Diagnostic("VSR249", message, guard.span, hint)
        elif detector.false_alarms is not None and detector.false_alarms > MAX_FALSE_ALARMS:
            rate = f"{detector.false_alarms:.1%}"
            message = f"guard `{guard.name}` blocks by `{detector.name}`, which allows {rate} false alarms"
            hint += f"lower `falseAlarms` to {MAX_FALSE_ALARMS}."
            yield Diagnostic("VSR249", message, guard.span, hint)
