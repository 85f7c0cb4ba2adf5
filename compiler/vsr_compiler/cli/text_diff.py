"""Printing of the changes of a file, as `patch` reads them."""

from __future__ import annotations

import difflib

from vsr_compiler.cli import console


def print_diff(name: str, before: str, after: str, state: str) -> None:
    """Print a unified diff; nothing if the texts are equal. ``state`` says what the new text is."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, name, f"{name} ({state})")
    shown = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    if shown:
        console.print_data(shown)
