"""Virtual models: names for which agentgateway chooses a model by weight, by health or by an expression."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import Severity, Span
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.model import Correspondence
from vsr_compiler.importer.values import Fields, child, text
from vsr_compiler.syntax.nodes import Node

MAX_FALLBACKS = 4


@dataclass(frozen=True, slots=True)
class Virtual:
    """A virtual model.

    Attributes:
        name: The name that clients use.
        routing: The mapping with ``weighted``, ``failover`` or ``conditional``.
        span: Its place.
    """

    name: str
    routing: Fields
    span: Span


def write_virtual(found: list[Virtual], models: dict[str, str], job: Job) -> str:
    """Write the first virtual model as the policy's own choice. Return the default; empty without one.

    Args:
        found: The virtual models.
        models: The models of the policy by their names in the source.
        job: The import.
    """
    default = ""
    for number, item in enumerate(found):
        if number:
            hint = "Import it to a policy of its own: a policy decides in one way for all its names."
            message = f"`{item.name}` is a second virtual model: it is left out"
            job.losses.add("VSR550", message, item.span, hint, Severity.ERROR)
            continue
        default = _one(item, models, job)
        if default:
            job.draft.mapping("router")["autoModels"] = [job.names.new("model", item.name, item.span)]
    return default


def _model(node: Node, models: dict[str, str]) -> str:
    return models.get(text(child(node, "model")) or text(child(node, "modelRef", "name")), "")


def _one(item: Virtual, models: dict[str, str], job: Job) -> str:
    weighted = item.routing.fields("weighted").items("targets")
    failover = item.routing.fields("failover").items("targets")
    conditional = item.routing.fields("conditional").items("targets")
    missing = [node for node in (*weighted, *failover, *conditional) if not _model(node, models)]
    for node in missing:
        message = f"`{item.name}` names a model that the file does not have"
        job.losses.add("VSR550", message, node.span, "Correct the name.", Severity.ERROR)
    if weighted:
        return _weighted(item, [node for node in weighted if _model(node, models)], models, job)
    if failover:
        ranked = sorted(failover, key=_priority)
        chain = list(dict.fromkeys(name for node in ranked if (name := _model(node, models))))
        if chain:
            job.draft.sections["default"] = {"model": chain[0]}
            if chain[1:]:
                job.draft.sections["default"]["fallback"] = chain[1 : MAX_FALLBACKS + 1]
        return chain[0] if chain else ""
    otherwise = ""
    for node in conditional:
        if expression := text(child(node, "when")):
            hint = "Write a signal and a route for it."
            message = f"`{item.name}` chooses `{_model(node, models)}` by an expression, which no signal is: lost"
            job.losses.add("VSR550", message, node.span, hint, Severity.ERROR)
            shown = " ".join(expression.split())[:160]
            job.draft.comment((), f"LOST: {item.name} chose {_model(node, models)} when: {shown}")
            job.correspondences.append(Correspondence(item.name, "lost", (), node.span, "VSR550"))
        else:
            otherwise = otherwise or _model(node, models)
    return otherwise or next((name for node in conditional if (name := _model(node, models))), "")


def _priority(node: Node) -> float:
    found = text(child(node, "priority"))
    return int(found) if found.lstrip("-").isdigit() else 0


def _weighted(item: Virtual, targets: list[Node], models: dict[str, str], job: Job) -> str:
    """Write a route with the shares in per cent, which add up to 100."""
    weights: dict[str, int] = {}
    for node in targets:
        found = text(child(node, "weight"))
        name = _model(node, models)
        weights[name] = weights.get(name, 0) + (int(found) if found.isdigit() else 1)
    total = sum(weights.values())
    if not total:
        return next(iter(weights), "")
    shares = {name: weight * 100 // total for name, weight in weights.items()}
    largest = max(shares, key=lambda name: shares[name])
    shares[largest] += 100 - sum(shares.values())
    if len(shares) > 1:
        name = job.names.new("route", item.name, item.span)
        job.draft.append("routes", {"name": name, "when": "always", "split": shares})
        job.correspondences.append(Correspondence(item.name, "route", (name,), item.span))
    return largest
