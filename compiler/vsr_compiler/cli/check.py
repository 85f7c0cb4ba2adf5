"""``vsr-compile check``: everything there is to say about policies, without compiling them."""

from __future__ import annotations

from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.pipeline import findings
from vsr_compiler.review.multi_policy import duplicate_names


@click.command(name="check", short_help="Find what is wrong with policies.")
@options.policies
@options.form
@options.strict
@click.pass_context
def command(context: click.Context, policies: tuple[Path, ...], *, form: str, strict: bool) -> None:
    """Find what is wrong with policies, and what is likely not meant. Writes nothing.

    A comment `# vsr: ignore VSRnnn reason` silences a warning on its line or the next, here, in a compile and in tests.

    \b
    vsr-compile check policies/
    vsr-compile check policies/ --strict --format github
    vsr-compile check policies/ --format sarif > findings.sarif
    """
    report = console.Findings(form, strict=strict)
    files = options.files(policies)
    doubles = duplicate_names(files)
    for policy in files:
        found = [*findings(policy), *([doubles[policy]] if policy in doubles else ())]
        report.add(str(policy), found)
        if not found:
            console.say(f"{policy}: no findings")
    context.exit(report.close())
