"""Arguments and flags that several verbs share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from vsr_compiler.diagnostics.formats import NAMES

policies = click.argument("policies", nargs=-1, required=True, metavar="POLICY...", type=click.Path(path_type=Path))
"""Policy files, and folders whose ``*.yaml`` are all policies."""

out = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Root of the output; each policy gets the folder of its name below it.",
)

form = click.option(
    "--format",
    "form",
    type=click.Choice(NAMES),
    default="text",
    show_default=True,
    help="How findings are printed: text on stderr for people, the others on stdout for programs.",
)
told = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="For a terminal, for a pull-request comment, for a program.",
)
"""The form of a result that is more than findings."""
strict = click.option("--strict", is_flag=True, help="Take warnings for errors.")


def files(given: Iterable[Path]) -> list[Path]:
    """The policy files that are meant: a folder stands for its ``*.yaml`` and ``*.yml``, sorted.

    Raises:
        click.UsageError: A folder holds none.
    """
    found: list[Path] = []
    for path in given:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(each for each in path.iterdir() if each.suffix in {".yaml", ".yml"} and each.is_file())
        if not inside:
            raise click.UsageError(f"There is no policy in `{path}`.")
        found += inside
    return found
