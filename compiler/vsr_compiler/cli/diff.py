"""``vsr-compile diff``: what a policy changes against an earlier output, for the person who reviews it."""

from __future__ import annotations

from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.review.baseline import read_baseline
from vsr_compiler.review.diff_markdown import markdown
from vsr_compiler.review.diff_report import report
from vsr_compiler.review.diff_text import summary, text
from vsr_schemas.reports_diff import DiffReport

CANNOT_COMPARE = frozenset({"VSR305", "VSR306"})


@click.command(name="diff", short_help="What a policy changes.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option("--against", required=True, metavar="DIR|REV", help="An output folder, or a git revision with one in it.")
@options.out
@options.told
@click.option("--breaking", is_flag=True, help="Exit 1 only where something breaks somebody who relies on what was.")
@click.pass_context
def command(context: click.Context, policy: Path, against: str, out: Path, form: str, *, breaking: bool) -> None:
    """Show what a policy changes: first for traffic, in words, then object by object.

    The policy is compiled in memory; what it is compared with is read as it is, never compiled.

    \b
    vsr-compile diff policies/quickstart.yaml --against out/quickstart
    vsr-compile diff policies/quickstart.yaml --against origin/main --format markdown

    Exit codes: 0 nothing changes, 1 something does, 2 there is nothing to compare with.
    """
    try:
        linked = read_policy(policy)
        earlier = read_baseline(against, out, linked.name)
        compiled = compile_policy(linked, lambda path: read_owned(out, linked.name, path))
        found = report(linked.name, earlier, {path: file.content for path, file in compiled.tree.items()})
    except CompileError as error:
        console.findings(error.diagnostics)
        context.exit(2 if all(each.code in CANNOT_COMPARE for each in error.diagnostics) else 1)
    _print(found, form)
    console.say(f"{policy}: {summary(found) if found.different else 'nothing changes'}")
    context.exit(int(found.breaking if breaking else found.different))


def _print(found: DiffReport, form: str) -> None:
    if form == "json":
        console.data(found.model_dump_json(indent=2))
    elif printed := (markdown(found) if form == "markdown" else text(found)):
        console.data(printed.removesuffix("\n"))
