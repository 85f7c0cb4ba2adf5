"""``vsr-compile fmt``: format policies and keep their comments."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.cli.text_diff import print_diff
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.syntax.fmt import canonical
from vsr_compiler.syntax.replace import replace_text
from vsr_compiler.syntax.text import MAX_BYTES, decode, read

STDIN = Path("-")


@click.command(name="fmt", short_help="Format policies.")
@options.policies
@click.option("--check", "check_only", is_flag=True, help="Write nothing; exit 1 if a policy is not in canonical form.")
@click.option(
    "--diff", "show_diff", is_flag=True, help="Write nothing; print the changes, and exit 1 if there are any."
)
@click.pass_context
def command(context: click.Context, policies: tuple[Path, ...], *, check_only: bool, show_diff: bool) -> None:
    """Format policies: two spaces, a fixed order of the top-level sections, one style of quotes.

    Comments are kept, and the policy still compiles to the same output. `-` reads stdin and writes stdout. A file that
    cannot be formatted safely is rejected and not changed.

    \b
    vsr-compile fmt policies/
    vsr-compile fmt policies/ --check --diff
    """
    report = console.FindingsPrinter()
    differs = False
    for policy in options.policy_files(policies, fragments=True):
        try:
            before = _text(policy)
            after = canonical(before, _name(policy))
            differs |= before != after
            if show_diff:
                print_diff(_name(policy), before, after, "canonical")
            if check_only and before != after:
                console.print_message(f"{_name(policy)}: not in canonical form")
            if not check_only and not show_diff:
                _write(policy, before, after)
        except CompileError as error:
            report.add(_name(policy), error.diagnostics)
    context.exit(report.close() or int(differs and (check_only or show_diff)))


def _name(policy: Path) -> str:
    return "<stdin>" if policy == STDIN else str(policy)


def _text(policy: Path) -> str:
    """Return the text of a policy.

    Raises:
        CompileError: VSR001, VSR004 or VSR005.
    """
    if policy == STDIN:
        return decode(sys.stdin.buffer.read(MAX_BYTES + 1), _name(policy))
    return read(policy, str(policy))


def _write(policy: Path, before: str, after: str) -> None:
    if policy == STDIN:
        console.print_data(after)
    elif before != after:
        replace_text(policy, after)
        console.print_message(f"{policy}: formatted")
