"""The table of measurements: reading it, and the cost between measured sizes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_schemas.measurements import Measurements, Row, Work

MAX_BYTES = 1 << 20
SHIPPED = "measured.json"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request costs: microseconds of CPU of the runtime and of Envoy, and MiB of the process."""

    cpu: float
    envoy: float
    memory: float


def shipped() -> Measurements:
    """Return the table that ships with the compiler."""
    return Measurements.model_validate_json(files(__package__).joinpath(SHIPPED).read_bytes())


def read_table(path: Path) -> Measurements:
    """Read a table that somebody measured.

    Raises:
        CompileError: VSR583, the file is no such table.
    """
    hint = "Write one with `python benchmarks/size.py --into FILE`."
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CompileError([Diagnostic("VSR583", f"cannot be read: {error.strerror}", Span(str(path)), hint)]) from None
    if len(data) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES >> 20} MiB"
        raise CompileError([Diagnostic("VSR583", message, Span(str(path)), hint)])
    try:
        return Measurements.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = f"{place}: {first['msg']}" if place else str(first["msg"])
        raise CompileError([Diagnostic("VSR583", message[:300], Span(str(path)), hint)]) from None


def rows_of(table: Measurements, work: Work) -> list[Row]:
    """Return the runs of one kind of work, by size."""
    return sorted((row for row in table.rows if row.work == work), key=lambda row: row.body)


def cost(table: Measurements, work: Work, body: float) -> Cost | None:
    """Return the cost of a size, linear between measured sizes and beyond the largest; None if it was not measured."""
    rows = rows_of(table, work)
    if not rows:
        return None
    if len(rows) == 1 or body <= rows[0].body:
        return Cost(rows[0].cpu, rows[0].envoy, rows[0].memory)
    after = next((number for number, row in enumerate(rows) if row.body >= body), len(rows) - 1)
    low, high = rows[after - 1], rows[after]
    share = (body - low.body) / (high.body - low.body)

    def between(first: float, second: float) -> float:
        return max(first, first + (second - first) * share)

    return Cost(between(low.cpu, high.cpu), between(low.envoy, high.envoy), between(low.memory, high.memory))


def largest(table: Measurements, work: Work) -> int:
    """Return the largest size that was measured; 0 for none."""
    return max((row.body for row in rows_of(table, work)), default=0)
