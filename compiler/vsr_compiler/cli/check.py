"""``vsr-compile check``: errors and warnings of policies, without compiling them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from vsr_compiler.cache.answers import Question
from vsr_compiler.cli import console, options
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.review.multi_policy import duplicate_names


@click.command(name="check", short_help="Report errors and warnings of policies.")
@options.policies
@options.findings_format
@options.today
@options.strict
@click.pass_context
def command(
    context: click.Context, policies: tuple[Path, ...], *, output_format: str, today: dt.date, strict: bool
) -> None:
    """Report errors and warnings of policies. Writes nothing.

    Releases past their end of life, and those with vulnerabilities that concern the output, are warnings.

    A comment `# vsr: ignore VSRnnn reason` silences a warning on its line or the next one, in every command.

    \b
    vsr-compile check policies/
    vsr-compile check policies/ --strict --format github
    vsr-compile check policies/ --format sarif > findings.sarif
    """
    printer = console.FindingsPrinter(output_format, strict=strict)
    files = options.policy_files(policies)
    duplicates = duplicate_names(files)
    for file in files:
        diagnostics = [*_findings(file, today), *([duplicates[file]] if file in duplicates else ())]
        printer.add(str(file), diagnostics)
        if not diagnostics:
            console.print_message(f"{file}: no findings")
    context.exit(printer.close())


def _findings(policy: Path, today: dt.date) -> tuple[Diagnostic, ...]:
    """Return the findings about a policy: those of an earlier run if nothing changed since."""
    question = Question("check", policy, (today.isoformat(),))
    if (known := question.answer()) is not None:
        return known.findings[0]
    from vsr_compiler.pipeline import findings  # noqa: PLC0415 - not needed for a known answer
    from vsr_compiler.syntax.text import read  # noqa: PLC0415 - as above

    found = tuple(findings(policy, today, texts=question.texts(read)))
    question.remember([found])
    return found
