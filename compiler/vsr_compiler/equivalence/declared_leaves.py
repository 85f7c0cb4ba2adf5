"""The leaves of a source of which an import has declared some to be the same as signals of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vsr_compiler.equivalence.bodies import dict_of, texts
from vsr_compiler.equivalence.declared import Declared
from vsr_compiler.equivalence.formula import FALSE, TRUE, All, Formula, Not, Some
from vsr_compiler.equivalence.leaves import Leaves
from vsr_compiler.equivalence.reads import Reads
from vsr_compiler.equivalence.rules import labelled, personal
from vsr_schemas.pii import MODEL_TYPES, NAMED_TYPES, denied_types, type_of
from vsr_schemas.routerconfig.engine_0_4_0 import PII_TYPES

DETECTED = frozenset({"pii", "jailbreak"})


LABELLED = frozenset({"fact_check", "user_feedback"})
"""Types of leaves whose name is a label, which a classifier of the policy gives, too."""


class DeclaredLeaves(Leaves):
    """Leaves of a source, of which some are declared to be the same as leaves of the policy."""

    def __init__(
        self,
        signals: Mapping[str, Any],
        projections: Mapping[str, Any],
        reads: Reads,
        declared: Declared,
        counterpart: Leaves | None,
    ) -> None:
        super().__init__(signals, projections, reads)
        self._declared, self._counterpart = declared, counterpart

    def leaf(self, kind: str, name: str, inside: int = 0) -> Formula:
        """Return the formula of a leaf, or that of the leaf of the policy that is declared to be the same."""
        same = self._declared.same.get(f"{kind}:{name}")
        if same is not None and kind in LABELLED:
            return labelled([name])
        if same is not None and self._counterpart is not None:
            means = _meaning(same, self._counterpart)
            if means is not None:
                return means
        rule = self._rules.get((kind, name))
        if rule is not None and kind in DETECTED and self._declared.history:
            whole = {**rule, "include_history": True}
            if kind == "pii":
                allowed = {type_of(item) for item in texts(rule.get("pii_types_allowed"))}
                denied = [item for item in PII_TYPES if type_of(item) not in allowed]
                denied += sorted(denied_types(allowed) & NAMED_TYPES)
                detector = "model" if any(type_of(item) in MODEL_TYPES for item in denied) else "patterns"
                return personal(denied, self._threshold(kind, rule), detector=detector, history=True)
            return self._special[kind](name, whole)
        return super().leaf(kind, name, inside)

    def rules(self, node: Mapping[str, Any], inside: int = 0, *, negated: bool = False) -> Formula:
        """Return the formula of a tree of conditions. A lost leaf makes it hold less often."""
        if node.get("type") and not node.get("operator"):
            kind, name = str(node["type"]).strip().lower(), str(node.get("name"))
            if f"{kind}:{name}" in self._declared.leaves:
                return TRUE if negated else FALSE
        return super().rules(node, inside, negated=negated)


def _meaning(condition: object, leaves: Leaves) -> Formula | None:
    """Return the formula of a condition of the policy; None if the policy does not have its signals."""
    if isinstance(condition, bool):
        return TRUE if condition else FALSE
    for key, value in dict_of(condition).items():
        if key in {"signal", "category"}:
            return leaves.named(str(value), category=key == "category")
        parts = [_meaning(part, leaves) for part in (value if isinstance(value, list) else [value])]
        known = tuple(part for part in parts if part is not None)
        if len(known) < len(parts):
            return None
        return All(known) if key == "all" else Some(known) if key == "any" else Not(known[0])
    return None
