"""Measures policies on a table, beside the best model, the cheapest one, chance and the oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsr_compiler.review.local_router import LocalRouter
from vsr_compiler.value import measure
from vsr_compiler.value.choices import chosen
from vsr_compiler.value.records import TableError
from vsr_compiler.value.report import Report, Switched
from vsr_compiler.value.table import Table
from vsr_compiler.value.wordings import WORDINGS, reworded


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy: its name, its router, and the columns of its models."""

    name: str
    router: LocalRouter
    columns: Mapping[str, int]


def compared(
    table: Table, candidates: Sequence[Candidate], seed: int, others: Mapping[str, str] | None = None
) -> Report:
    """Return the report of some policies on a table.

    Args:
        table: The table.
        candidates: The policies.
        seed: The seed of everything that is drawn.
        others: Other wordings by the ids of prompts, such as paraphrases; None for none but our own.

    Raises:
        TableError: A policy cannot decide a prompt, or no wording is of a prompt of the table.
    """
    results, switched, groups = [], {}, {}
    for one in candidates:
        choices = chosen(one.router, [(row.id, row.prompt) for row in table.rows], one.columns)
        results.append(measure.measured(one.name, table, choices))
        switched[one.name] = _switched(table, one, choices, seed, others)
        groups[one.name] = measure.by_group(table, choices)
    best, cheapest = measure.best_model(table), measure.cheapest_model(table)
    results += [
        measure.measured(f"always {table.models[best]} (best)", table, measure.always(table, best)),
        measure.measured(f"always {table.models[cheapest]} (cheapest)", table, measure.always(table, cheapest)),
        measure.random_choice(table, seed),
        measure.measured("oracle", table, measure.oracle(table)),
    ]
    return Report(table, results, len(candidates), switched, groups)


def _switched(
    table: Table, candidate: Candidate, choices: Sequence[int], seed: int, others: Mapping[str, str] | None
) -> Switched:
    """Return what other wordings of the prompts change for a policy."""
    made = {}
    for name in WORDINGS:
        texts = {row.id: reworded(row.prompt, name, f"{seed}/{row.id}") for row in table.rows}
        made[name] = _with(table, candidate, choices, texts)
    if others is not None:
        if not any(row.id in others for row in table.rows):
            raise TableError("no wording has the id of a prompt of the table")
        made["given wordings"] = _with(table, candidate, choices, others)
    return made


def _with(
    table: Table, candidate: Candidate, choices: Sequence[int], texts: Mapping[str, str]
) -> tuple[int, int, float]:
    """Return the number of prompts with another wording, those whose choice switches, and the accuracy then.

    The score is that of the chosen model on the prompt as it is in the table: how answers change is not known.
    """
    found = [(row, choice) for row, choice in zip(table.rows, choices, strict=True) if row.id in texts]
    again = chosen(candidate.router, [(row.id, texts[row.id]) for row, _ in found], candidate.columns)
    scores = [0.0 if new == measure.NONE else row.scores[new] for (row, _), new in zip(found, again, strict=True)]
    changed = sum(old != new for (_, old), new in zip(found, again, strict=True))
    return len(found), changed, sum(scores) / len(found)
