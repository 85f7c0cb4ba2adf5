"""``vsr-compile upgrade``: what other releases of gateways, pickers and servers change for a policy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import Existing, read_policy
from vsr_compiler.review.upgrade import Wanted, upgrade_report, wanted_releases
from vsr_compiler.review.upgrade.markdown import markdown
from vsr_compiler.review.upgrade.text import summary, text


@click.command(name="upgrade", short_help="Show what other releases change for a policy.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "wanted",
    required=True,
    multiple=True,
    metavar="PROFILE|PROJECT=RELEASE",
    help="The releases: a profile, such as `current`, and releases of projects that differ from it or from today's.",
)
@click.option("--environment", metavar="NAME", help="Change the releases of one environment only.")
@options.out
@options.today
@options.report_format
@click.option("--exit-code", is_flag=True, help="Exit 1 if a release changes.")
@click.pass_context
def command(
    context: click.Context,
    policy: Path,
    *,
    wanted: tuple[str, ...],
    environment: str | None,
    out: Path,
    today: dt.date,
    output_format: str,
    exit_code: bool,
) -> None:
    """Show what other releases change for a policy, before anything is upgraded. Nothing is written.

    The policy is compiled for today's and for the new releases. The report has what must be changed in the policy by
    hand, what the new releases break in today's objects, what today's releases do not take of the new objects, other
    changes of the projects, the steps in order with their commands, the change of requests and objects, and the change
    of `versions` in the policy.

    \b
    vsr-compile upgrade policies/quickstart.yaml --to current
    vsr-compile upgrade policies/quickstart.yaml --to istio=1.30.3 --environment dev --format markdown

    Exit codes: 0 the report is complete, 1 the policy does not compile, or with `--exit-code` a release changes.
    """
    try:
        asked = _wanted(policy, wanted, environment)
        report = upgrade_report(policy, asked, lambda name: _existing(out, name), out, today)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    if output_format == "json":
        console.print_data(report.model_dump_json(indent=2, by_alias=True))
    elif printed := (markdown(report) if output_format == "markdown" else text(report)):
        console.print_data(printed.removesuffix("\n"))
    console.print_message(f"{policy}: {summary(report)}")
    context.exit(int(bool(report.by_hand) or (exit_code and report.different)))


def _existing(out: Path, name: str) -> Existing:
    return lambda path: read_owned(out, name, path)


def _wanted(policy: Path, wanted: tuple[str, ...], environment: str | None) -> Wanted:
    if environment is not None:
        names = [item.name for item in read_policy(policy).environments]
        if environment not in names:
            known = f"Use one of: {', '.join(names)}." if names else "The policy has none."
            raise click.BadParameter(f"There is no environment `{environment}`. {known}", param_hint="--environment")
    try:
        return wanted_releases(wanted, environment)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from None
