"""Tables of prompts and models: what each model's answer scores, and what it costs.

Two forms are read. A wide one has a row for each prompt, and two columns for each model: its score, in a column with
its name, and its cost, in ``NAME|total_cost``, as RouterBench publishes them. A long one has a row for each prompt and
model, as RouterArena's files of predictions do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vsr_compiler.value.records import Record, TableError

COSTS = ("|total_cost", "|cost", "_cost", ":cost")
"""Ends of the names of columns with the cost of a model. RouterBench: the first (withmartian/routerbench, 2026-12)."""
IDS = ("sample_id", "global index", "global_index", "prompt_id", "query_id", "id")
PROMPTS = ("prompt", "prompt_formatted", "question", "query")
GROUPS = ("eval_name", "dataset", "domain", "category", "group")
MODELS = ("model", "model_name", "prediction")
SCORES = ("score", "accuracy", "correct", "performance")
PRICES = ("cost", "total_cost", "inference_cost")
"""Names of columns, the first that a table has. RouterArena: ``global index``, ``prompt``, ``prediction``,
``accuracy``, ``cost`` (RouteWorks/RouterArena, router_inference/generate_prediction_file.py, 2026-12)."""
MAX_ROWS, MAX_MODELS, MAX_PROMPT = 500_000, 200, 1 << 20
MAX_CELLS = 20_000_000
WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt, the scores of all models' answers, and their costs."""

    id: str
    prompt: str
    group: str
    scores: tuple[float, ...]
    costs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        models: The names of the models, in the order of scores and costs.
        rows: The prompts.
        incomplete: The number of prompts that are left out, since a model has no score or cost for them.
    """

    models: tuple[str, ...]
    rows: tuple[Row, ...]
    incomplete: int = 0


def table(found: Iterable[tuple[str, Record]], source: str) -> Table:
    """Return the table of some records, of whichever form they are.

    Args:
        found: The records with their places.
        source: What the records are from, for messages.

    Raises:
        TableError: A record has another form, or there is nothing to compare.
    """
    records = iter(found)
    first = next(records, None)
    if first is None:
        raise TableError(f"{source}: it has no record")
    place, record = first
    if _first(record, PROMPTS) is None:
        raise TableError(f"{place}: there is no prompt: none of the fields {', '.join(PROMPTS)}")
    every = _chained(first, records)
    suffix = next((end for end in COSTS if _wide_models(record, end)), None)
    made = _wide(every, _wide_models(record, suffix), suffix) if suffix else _long(every, record, place)
    if len(made.models) < 2:  # noqa: PLR2004 - a choice takes two
        raise TableError(f"{source}: it has {len(made.models)} model; a choice takes two")
    if not made.rows:
        raise TableError(f"{source}: no prompt has a score and a cost of each model")
    return made


def prompts(found: Iterable[tuple[str, Record]]) -> dict[str, str]:
    """Return prompts by their ids, such as other wordings of those of a table.

    Raises:
        TableError: A record has no id or no prompt.
    """
    made: dict[str, str] = {}
    for place, record in found:
        name = _first(record, IDS)
        if name is None:
            raise TableError(f"{place}: there is no id: none of the fields {', '.join(IDS)}")
        made[str(record[name])] = _prompt(place, record)
        if len(made) > MAX_ROWS:
            raise TableError(f"{place}: more than {MAX_ROWS:,} prompts")
    return made


def _chained(first: tuple[str, Record], others: Iterator[tuple[str, Record]]) -> Iterator[tuple[str, Record]]:
    yield first
    yield from others


def _wide_models(record: Record, end: str | None) -> tuple[str, ...]:
    """Return the models of which a record has a column with the score and one with the cost."""
    known = (name.removesuffix(end) for name in record if end and name.endswith(end))
    return tuple(name for name in known if name and name in record)


def _wide(found: Iterator[tuple[str, Record]], models: tuple[str, ...], end: str) -> Table:
    if len(models) > MAX_MODELS:
        raise TableError(f"the table has more than {MAX_MODELS} models")
    rows, incomplete = [], 0
    for number, (place, record) in enumerate(found):
        _bounded(place, number + 1, len(models))
        scores = [_number(place, name, record.get(name)) for name in models]
        costs = [_number(place, name + end, record.get(name + end)) for name in models]
        if None in scores or None in costs:
            incomplete += 1
            continue
        rows.append(_row(place, record, number, scores, costs))
    return Table(models, tuple(rows), incomplete)


def _long(found: Iterator[tuple[str, Record]], first: Record, place: str) -> Table:
    fields = [_first(first, names) for names in (MODELS, SCORES, PRICES)]
    if None in fields:
        raise TableError(
            f"{place}: it is neither a wide table (columns MODEL and MODEL{COSTS[0]}) nor a long one (a field of "
            f"{', '.join(MODELS)}; one of {', '.join(SCORES)}; one of {', '.join(PRICES)})"
        )
    model_field, score_field, cost_field = (str(field) for field in fields)
    cells: dict[str, dict[str, tuple[float | None, float | None]]] = {}
    known: dict[str, tuple[str, Record]] = {}
    models: dict[str, None] = {}
    for number, (where, record) in enumerate(found, 1):
        model = record.get(model_field)
        if not isinstance(model, str) or not model:
            raise TableError(f"{where}: {model_field} is not a name")
        models.setdefault(model)
        if len(models) > MAX_MODELS:
            raise TableError(f"{where}: more than {MAX_MODELS} models")
        name = _first(record, IDS)
        key = str(record[name]) if name is not None else _prompt(where, record)
        own = cells.setdefault(key, {})
        if model in own:
            raise TableError(f"{where}: a second row of {model} for the same prompt")
        own[model] = (
            _number(where, score_field, record.get(score_field)),
            _number(where, cost_field, record.get(cost_field)),
        )
        known.setdefault(key, (where, {field: record[field] for field in record if field in _KEPT}))
        _bounded(where, len(known), 1)
        if number > MAX_CELLS:
            raise TableError(f"{where}: more than {MAX_CELLS:,} rows")
    names, rows, incomplete = tuple(models), [], 0
    for number, (key, own) in enumerate(cells.items()):
        pairs = [own.get(name, (None, None)) for name in names]
        if any(None in pair for pair in pairs):
            incomplete += 1
            continue
        where, record = known[key]
        rows.append(_row(where, record, number, [pair[0] for pair in pairs], [pair[1] for pair in pairs]))
    return Table(names, tuple(rows), incomplete)


_KEPT = frozenset({*IDS, *PROMPTS, *GROUPS})


def _row(place: str, record: Record, number: int, scores: list[float | None], costs: list[float | None]) -> Row:
    name, group = _first(record, IDS), _first(record, GROUPS)
    if any(cost is not None and cost < 0 for cost in costs):
        raise TableError(f"{place}: a cost is negative")
    return Row(
        str(record[name]) if name is not None else str(number),
        _prompt(place, record),
        str(record[group])[:MAX_GROUP] if group is not None else "",
        tuple(score or 0.0 for score in scores),
        tuple(cost or 0.0 for cost in costs),
    )


MAX_GROUP = 100


def _prompt(place: str, record: Record) -> str:
    """Return the prompt of a record. A list of one text, as RouterBench has it, is that text."""
    name = _first(record, PROMPTS)
    value = record.get(name) if name is not None else None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise TableError(f"{place}: the prompt is not a text")
    if len(value) > MAX_PROMPT:
        raise TableError(f"{place}: the prompt has more than {MAX_PROMPT:,} characters")
    one = _ONE_IN_A_LIST.fullmatch(value)
    return (one[1] or one[2] or "") if one else value


_ONE_IN_A_LIST = re.compile(r"\[(?:'([^']*)'|\"([^\"]*)\")\]", re.DOTALL)
"""A list of one text in Python's own form, as RouterBench writes prompts to CSV."""


def _number(place: str, name: str, value: Any) -> float | None:  # noqa: ANN401 - whatever a file has
    """Return a number; None for one that is missing."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().lower() in WORDS:
        return WORDS[value.strip().lower()]
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise TableError(f"{place}: {name} is not a number") from None
    if math.isnan(number):
        return None
    if math.isinf(number) or abs(number) > LARGEST:
        raise TableError(f"{place}: {name} is not a finite number")
    return number


LARGEST = 1e12


def _first(record: Record, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in record), None)


def _bounded(place: str, rows: int, models: int) -> None:
    if rows > MAX_ROWS or rows * models > MAX_CELLS:
        raise TableError(f"{place}: the table has too many rows")
