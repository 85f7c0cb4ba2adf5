"""The proof of ``vsr-compile import``: what it may assume, and how it is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsr_compiler.cli import console
from vsr_compiler.diagnostics import CompileError, Severity
from vsr_schemas import reports

if TYPE_CHECKING:
    from vsr_compiler.equivalence import Declared, Proof, Side
    from vsr_compiler.importer import Imported

UNDECIDED = 3
MAX_REASONS = 3
CLASSIFIED = frozenset({"domain", "projection", "fact_check", "user_feedback"})
"""Types of leaves that a policy finds by other means, which the report says."""
EXITS = {"equal": 0, "different": 1, "undecided": UNDECIDED}
IGNORED = frozenset({"candidate_requirements", "data_policy", "model_bindings", "fallback"})
"""Fields of ``routing`` that an import reports as lost."""


def proved(imported: Imported, policy: Path, text: str | None) -> Proof:
    """Prove that a policy decides as the source of an import does.

    Args:
        imported: The import.
        policy: The file of the policy.
        text: Its text; None to read the file.
    """
    from vsr_compiler.equivalence import IncomparableError, Proof, policy_side, prove, read_side  # noqa: PLC0415
    from vsr_compiler.pipeline import read_policy  # noqa: PLC0415 - both of one option
    from vsr_compiler.syntax.text import read  # noqa: PLC0415

    if imported.config is None:
        return Proof("undecided", reason="no source is a configuration of the semantic-router")
    try:
        linked = read_policy(policy) if text is None else read_policy(policy, texts=_texts(policy, text, read))
    except CompileError as error:
        first = next(item for item in error.diagnostics if item.level is Severity.ERROR)
        return Proof("undecided", reason=f"the policy does not compile: {first.code}: {first.message}")
    side = None
    try:
        kept = [item for item in imported.correspondences if item.lost and item.names]
        routes = {item.names[0 if item.outcome == "route" else -1]: frozenset(item.lost) for item in kept}
        side = policy_side(linked, routes)
        declared = declared_by(imported, side)
        return prove(read_side(imported.config, declared=declared, counterpart=side), side, declared)
    except IncomparableError as error:
        return Proof("undecided", reason=f"{'the policy' if side is None else 'the source'} is not compared: {error}")


def qualified(proof: Proof, imported: Imported) -> Proof:
    """Return a proof about a policy that the import did not write: not decided if the import lost a part of the source.

    That the imported policy does not compile (VSR537) says nothing about another policy.
    """
    lost = [item for item in imported.findings if item.level is Severity.ERROR and item.code != "VSR537"]
    if proof.verdict != "equal" or not lost:
        return proof
    first = "; ".join(f"{item.span.file}:{item.span.line}: {item.code}: {item.message}" for item in lost[:MAX_REASONS])
    more = f"; and {len(lost) - MAX_REASONS} more" if len(lost) > MAX_REASONS else ""
    return replace(proof, verdict="undecided", reason=f"the import has lost parts of the source: {first}{more}")


def _texts(policy: Path, text: str, read: Any) -> Any:  # noqa: ANN401 - readers of texts
    return lambda path, name: text if path == policy else read(path, name)


def declared_by(imported: Imported, policy: Side) -> Declared:
    """Return the differences that an import has reported."""
    from vsr_compiler.equivalence import Declared  # noqa: PLC0415 - of one option

    codes = {item.code for item in imported.findings}
    blocked = {item.decision for item in imported.correspondences if item.outcome == "guard" and item.decision}
    everywhere = {
        name
        for item in imported.correspondences
        if item.differs == "VSR523" and (item.outcome == "route" or not item.decision)
        for name in (item.names[1:] if item.decision else item.names)
    }
    detected = {leaf.partition(":")[0] for leaf in imported.leaves} & {"pii", "jailbreak"}
    return Declared(
        blocked=frozenset(blocked),
        ties=frozenset(item.decision for item in imported.correspondences) if "VSR532" in codes else frozenset(),
        lost={item.decision: frozenset(item.lost) for item in imported.correspondences if item.lost},
        leaves=frozenset(leaf for leaf, condition in imported.leaves.items() if isinstance(condition, str)),
        models={item.decision: item.models for item in imported.correspondences if item.models},
        names={
            item.old: item.new for item in imported.renames if item.kind == "model" and item.old not in policy.models
        },
        more_models=frozenset(
            item.new for item in imported.renames if item.kind == "model" and item.old in policy.models
        ),
        guards=frozenset(everywhere),
        named_models="VSR533" in codes,
        history=bool(detected),
        lengths=bool(blocked or everywhere),
        overflow=any(decision.too_long is not None for decision in policy.decisions),
        routing=IGNORED | ({"model_catalog"} if _catalog(imported) else set()),
        same={
            leaf: condition
            for leaf, condition in imported.leaves.items()
            if leaf.partition(":")[0] in CLASSIFIED and not isinstance(condition, str)
        },
    )


def _catalog(imported: Imported) -> bool:
    shared = imported.config.get("global") if imported.config else None
    return isinstance(shared, dict) and bool(shared.get("model_catalog"))


def report_of(proof: Proof, imported: Imported) -> reports.Proof:
    """Return a proof as data, without secrets."""
    hide = imported.hide
    return reports.Proof(
        verdict=proof.verdict,
        reason=hide(proof.reason) or None,
        differences=[
            reports.Difference(
                facts=[hide(fact) for fact in item.request.facts],
                text=None if item.request.text is None else hide(item.request.text),
                complete=item.request.complete,
                source=hide(item.source),
                policy=hide(item.policy),
            )
            for item in proof.differences
        ],
        names=[hide(sentence) for sentence in proof.names],
        declared=[hide(sentence) for sentence in proof.declared],
    )


def show(proof: reports.Proof) -> None:
    """Print a proof on standard error."""
    lines = {
        "equal": ["Proof: equal. Source and policy decide every request alike, except for what is declared."],
        "different": ["Proof: different."],
        "undecided": [f"Proof: not decided, because {proof.reason}."],
    }[proof.verdict]
    for number, item in enumerate(proof.differences, 1):
        lines.append(f"  {number}. a request of which this is known: {'; '.join(item.facts) or 'nothing'}")
        if item.text is not None:
            others = "" if item.complete else ", with the rest of these facts"
            lines.append(f"     such as {item.text[:SHOWN]!r}{others}")
        lines += [f"     source: {item.source}", f"     policy: {item.policy}"]
    lines += [f"  {sentence}" for sentence in proof.names]
    lines += [f"  declared: {sentence}" for sentence in proof.declared]
    for line in lines:
        console.print_message(line)


SHOWN = 200
"""Characters of a text that are shown."""
