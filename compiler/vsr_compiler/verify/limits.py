"""The limits of a run: bytes, depth, values and objects that manifests may have."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span

MAX_BYTES = 128 * 1024 * 1024
MAX_VALUES = 5_000_000
MAX_OBJECTS = 20_000
MAX_DEPTH = 100
REMEDY = "Check folders in several runs, or list what you do not apply under `exclude` in .vsr-verify.yaml."


@dataclass(slots=True)
class Budget:
    """The remaining limits of a run, shared by all of its streams."""

    bytes: int = MAX_BYTES
    values: int = MAX_VALUES
    objects: int = MAX_OBJECTS


def spend_bytes(count: int, name: str, budget: Budget) -> None:
    """Take bytes from the budget."""
    budget.bytes -= count
    if budget.bytes < 0:
        raise limit_error(f"more than {MAX_BYTES // 1024 // 1024} MiB of manifests", Span(name))


def limit_error(message: str, span: Span) -> CompileError:
    """Return the error for manifests that exceed a limit."""
    return CompileError([Diagnostic("VSR430", message, span, REMEDY)])
