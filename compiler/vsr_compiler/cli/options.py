"""Arguments and flags that several commands share."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterable
from pathlib import Path

import click

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.diagnostics.formats import NAMES

policies = click.argument("policies", nargs=-1, required=True, metavar="POLICY...", type=click.Path(path_type=Path))
"""Policy files, and folders whose ``*.yaml`` are all policies."""

out = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Root of the output. Each policy is written to the folder of its name below it.",
)

findings_format = click.option(
    "--format",
    "output_format",
    type=click.Choice(NAMES),
    default="text",
    show_default=True,
    help="Format of the findings: text on stderr for people, all others on stdout for programs.",
)
report_format = click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Format of the report: text for a terminal, markdown for a pull request, json for a program.",
)


def _today(_context: click.Context, _parameter: click.Parameter, value: dt.datetime | None) -> dt.date:
    """Return the given day; else that of `SOURCE_DATE_EPOCH`, else the present one, both in UTC.

    Raises:
        click.BadParameter: `SOURCE_DATE_EPOCH` is not a number of seconds.
    """
    if value is not None:
        return value.date()
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.datetime.fromtimestamp(int(epoch), dt.UTC).date()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter("`SOURCE_DATE_EPOCH` is not a number of seconds since 1970.") from None


today = click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_today,
    metavar="YYYY-MM-DD",
    help="The day on which ends of life of releases are judged.  [default: SOURCE_DATE_EPOCH, else today]",
)
strict = click.option("--strict", is_flag=True, help="Treat warnings as errors.")


def policy_files(paths: Iterable[Path], *, fragments: bool = False) -> list[Path]:
    """Return the policy files; a folder contributes its ``*.yaml`` and ``*.yml``, sorted.

    Args:
        paths: Files and folders.
        fragments: Whether a folder also contributes the fragments that policies import.

    Raises:
        click.UsageError: A folder contains none.
    """
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(file for file in path.iterdir() if file.suffix in {".yaml", ".yml"} and file.is_file())
        inside = [file for file in inside if fragments or not _is_fragment(file)]
        if not inside:
            raise click.UsageError(f"There is no policy in `{path}`.")
        files += inside
    return files


def _is_fragment(file: Path) -> bool:
    """Return whether a file says that it is a fragment. One that cannot be read is left to the command."""
    from vsr_compiler.syntax.text import is_fragment, read  # noqa: PLC0415 - only for folders

    with contextlib.suppress(CompileError):
        return is_fragment(read(file, str(file)))
    return False
