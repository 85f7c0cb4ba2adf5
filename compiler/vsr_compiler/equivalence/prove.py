"""Compares the decisions of a source and of a policy over one space of requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_compiler.equivalence import decide
from vsr_compiler.equivalence.compare import compare, decisions_of, sentences, shown
from vsr_compiler.equivalence.decide import formulas
from vsr_compiler.equivalence.declared import Declared
from vsr_compiler.equivalence.diagram import Diagrams, TooHardError
from vsr_compiler.equivalence.outcome import shortened
from vsr_compiler.equivalence.request import Request, request
from vsr_compiler.equivalence.side import Side
from vsr_compiler.equivalence.variables import Variables

SECONDS = 20.0
Verdict = Literal["equal", "different", "undecided"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that both decide differently. ``decisions`` are those of the source and of the policy."""

    request: Request
    source: str
    policy: str
    decisions: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Proof:
    """The result.

    Attributes:
        verdict: Whether all requests are decided alike.
        differences: Some requests that are not, each of another pair of decisions.
        names: What clients can name in one and not in the other, as sentences.
        declared: The declared differences that there are, as sentences.
        reason: Why it could not be decided.
        variables: The number of variables.
    """

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    names: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    reason: str = ""
    variables: int = 0


def prove(source: Side, policy: Side, declared: Declared | None = None, *, seconds: float = SECONDS) -> Proof:
    """Prove that two sides decide every request alike, but for declared differences, or show where they do not.

    Args:
        source: The source of an import.
        policy: What the policy compiles to.
        declared: Differences that are listed instead of shown.
        seconds: How long it may take. Then nothing is decided.
    """
    declared = declared or Declared()
    diagrams = Diagrams(seconds)
    names, occurring = _names(source, policy, declared)
    try:
        variables = Variables((*formulas(source), *formulas(policy)), diagrams)
        with diagrams.deep(len(variables.units)):
            compared = compare(
                decide.listed(source, diagrams, variables, lengths=True, overflow=True),
                decide.listed(
                    policy, diagrams, variables, lengths=not declared.lengths, overflow=not declared.overflow
                ),
                diagrams,
                variables,
                declared,
            )
    except TooHardError:
        reason = f"{len(source.decisions)} and {len(policy.decisions)} decisions depend on too many combinations"
        return Proof("different" if names else "undecided", names=names, reason=reason)
    differences = tuple(
        Difference(
            request(assignment, variables),
            shown(pair.source),
            shown(pair.policy),
            (decisions_of(pair.source), decisions_of(pair.policy)),
        )
        for assignment, pair in compared.differences
    )
    occurring += sentences(compared.declared, declared)
    verdict: Verdict = "different" if differences or names else "equal"
    return Proof(verdict, differences, names, tuple(dict.fromkeys(occurring)), variables=len(variables.units))


def _names(source: Side, policy: Side, declared: Declared) -> tuple[tuple[str, ...], list[str]]:
    """Compare what clients can name, and guards of such requests and of responses."""
    found: list[str] = []
    known: list[str] = []
    for what, ours, theirs in (
        ("the model", source.models, policy.models - (declared.more_models - source.models)),
        ("the auto-model name", source.auto, policy.auto),
    ):
        found += [f"only the source has {what} `{name}`" for name in sorted(ours - theirs)]
        found += [f"only the policy has {what} `{name}`" for name in sorted(theirs - ours)]
    blocking = [guard.name for guard in policy.guards]
    if blocking and not source.guards:
        names = ", ".join(f"`{name}`" for name in blocking)
        sentence = f"requests that name a model bypass all decisions in the source; in the policy {names} read them"
        (known if declared.named_models else found).append(sentence)
    found += [f"only the source has `{shortened(what)}`" for what in sorted(source.others - policy.others)]
    found += [f"only the policy has `{shortened(what)}`" for what in sorted(policy.others - source.others)]
    if source.on_responses != policy.on_responses:
        found.append("guards of responses differ")
    return tuple(found), known
