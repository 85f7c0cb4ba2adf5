"""``vsr-compile diff``: what a policy changes compared with an earlier output."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.cli.pipeline_options import fail_on, impact_file, read_impact
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.impact import text as impact_text
from vsr_compiler.impact.conditions import Condition
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.review.baseline import read_baseline
from vsr_compiler.review.diff_markdown import markdown
from vsr_compiler.review.diff_report import report
from vsr_compiler.review.diff_text import summary, text
from vsr_compiler.review.upgrade.hints import release_hints
from vsr_schemas.reports_diff import DiffReport
from vsr_schemas.reports_impact import ImpactReport

MOST = 65_000
"""Maximum bytes of a comment with both. GitHub accepts 65,536 characters."""
CANNOT_COMPARE = frozenset({"VSR305", "VSR306"})


@click.command(name="diff", short_help="Show what a policy changes.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option(
    "--against",
    required=True,
    metavar="DIR|REV",
    help="The output folder to compare with, or a git revision that contains it.",
)
@options.out
@options.report_format
@click.option("--breaking", is_flag=True, help="Exit 1 only for breaking changes.")
@impact_file
@fail_on
@click.pass_context
def command(
    context: click.Context,
    policy: Path,
    against: str,
    out: Path,
    output_format: str,
    *,
    breaking: bool,
    impact_report: Path | None,
    fail_on: list[Condition],
) -> None:
    """Show what a policy changes: first the effect on requests, then the objects.

    The policy is compiled in memory. The earlier output is read as it is and not compiled again.

    \b
    vsr-compile diff policies/quickstart.yaml --against out/quickstart
    vsr-compile diff policies/quickstart.yaml --against origin/main --format markdown
    vsr-compile diff policies/quickstart.yaml --against origin/main --fail-on breaking

    Exit codes: 0 no change, 1 changes, 2 no output to compare with. With --fail-on: 0 unless a condition holds.
    """
    effect = None if impact_report is None else read_impact(impact_report)
    try:
        linked = read_policy(policy)
        earlier = read_baseline(against, out, linked.name)
        compiled = compile_policy(linked, lambda path: read_owned(out, linked.name, path))
        changes = report(linked.name, earlier, {path: file.content for path, file in compiled.tree.items()})
        hints = release_hints(policy, earlier, compiled, out)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(2 if all(item.code in CANNOT_COMPARE for item in error.diagnostics) else 1)
    changes = changes.model_copy(update={"rollout": [*hints, *changes.rollout]})
    _print(changes, effect, output_format)
    console.print_message(f"{policy}: {summary(changes) if changes.different else 'nothing changes'}")
    held = [condition.words for condition in fail_on if condition.holds(effect, breaking=changes.breaking)]
    if held:
        console.print_message(f"error: {', '.join(held)}")
    context.exit(int(bool(held) if fail_on else changes.breaking if breaking else changes.different))


def _print(changes: DiffReport, effect: ImpactReport | None, output_format: str) -> None:
    """Print the change, and its effect on traffic behind it: in one comment, or below `impact`."""
    if output_format == "json":
        more = {} if effect is None else {"impact": effect.model_dump(mode="json")}
        console.print_data(json.dumps({**changes.model_dump(mode="json"), **more}, indent=2, ensure_ascii=False))
        return
    printed = markdown(changes) if output_format == "markdown" else text(changes)
    if effect is not None and output_format == "markdown":
        printed += "\n" + impact_text.part(effect, MOST - len(printed.encode()))
    elif effect is not None:
        printed += "\n" + impact_text.text(effect)
    if printed:
        console.print_data(printed.removesuffix("\n"))
