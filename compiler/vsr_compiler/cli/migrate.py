"""``vsr-compile migrate``: policies and fragments in today's version of the policy language."""

from __future__ import annotations

from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.cli.text_diff import print_diff
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.syntax.replace import replace_text


@click.command(name="migrate", short_help="Convert policies to today's version of the policy language.")
@options.policies
@click.option(
    "--write", is_flag=True, help="Write the files. Without it the changes are printed, and the exit code is 1."
)
@click.pass_context
def command(context: click.Context, policies: tuple[Path, ...], *, write: bool) -> None:
    """Convert policies, and the fragments that they import, to today's version of the policy language.

    Words that moved within a version are converted, too. Comments and the order are kept, and sections that do not
    change keep every character. If one file cannot be converted, no file is written.

    \b
    vsr-compile migrate policies/
    vsr-compile migrate policies/ --write
    """
    from vsr_compiler.syntax.migrate import plan  # noqa: PLC0415 - `--help` must not pay for it

    changes, problems = plan(options.policy_files(policies, fragments=True))
    report = console.FindingsPrinter()
    for problem in problems:
        report.add(problem.span.file, [problem])
    for change in changes:
        name = str(change.path)
        if not write:
            print_diff(name, change.before, change.after, "migrated")
        elif not problems:  # a policy and its fragments stay in one version
            try:
                replace_text(change.path, change.after)
                console.print_message(f"{name}: migrated")
            except CompileError as error:
                report.add(name, error.diagnostics)
    context.exit(report.close() or int(bool(changes) and not write))
