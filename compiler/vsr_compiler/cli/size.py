"""``vsr-compile size``: how many replicas of the router a load needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsr_compiler.cli import console, options
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import read_policy

if TYPE_CHECKING:
    from vsr_compiler import ir

MAX_RPS = 1_000_000
MAX_TOKENS = 10_000_000


def _finite(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    """Return a rate; `nan` is within no bounds, and no comparison says so."""
    if not 0 < value <= MAX_RPS:
        raise click.BadParameter(f"expected a number above 0, at most {MAX_RPS}.")
    return value


@click.command(name="size", short_help="Show how many replicas of the router a load needs.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option(
    "--rps", type=float, required=True, metavar="N", callback=_finite, help="Requests per second at the peak."
)
@click.option(
    "--tokens",
    type=click.IntRange(1, MAX_TOKENS),
    default=1000,
    show_default=True,
    metavar="N",
    help="Tokens of a request in the mean, with its whole conversation.",
)
@click.option("--env", "--environment", "environment", metavar="NAME", help="Compare with this environment.")
@click.option("--audit", is_flag=True, help="The router writes the audit log.")
@click.option(
    "--measured",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Measurements of `python benchmarks/size.py` on a machine of yours, instead of the table that is shipped.",
)
@options.report_format
@click.pass_context
def command(
    context: click.Context,
    policy: Path,
    rps: float,
    tokens: int,
    environment: str | None,
    audit: bool,  # noqa: FBT001 - a flag
    measured: Path | None,
    output_format: str,
) -> None:
    """Show how many replicas of the router a load needs, and with which CPU and memory.

    The cost of a request follows from what the policy does (guards, classifiers, similarity, caches) and its size, by a
    table of measurements. Prints what that depends on, and what to write into the policy. A note says where the policy,
    or its environment, has less. Writes nothing.

    \b
    vsr-compile size policies/quickstart.yaml --rps 200
    vsr-compile size policies/quickstart.yaml --rps 200 --tokens 6000 --env dev --format json
    """
    from vsr_compiler.review.sizing.plan import Load, plan  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.review.sizing.report_text import markdown, text  # noqa: PLC0415 - likewise
    from vsr_compiler.review.sizing.table import read_table, shipped  # noqa: PLC0415 - likewise

    try:
        table = shipped() if measured is None else read_table(measured)
        linked = _resolved(read_policy(policy), environment)
        planned = plan(linked, Load(rps, tokens, audit), table, environment)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    if output_format == "json":
        console.print_data(planned.report.model_dump_json(indent=2))
    else:
        console.print_data((markdown if output_format == "markdown" else text)(planned.report).removesuffix("\n"))
    console.print_findings(planned.findings)


def _resolved(policy: ir.Policy, name: str | None) -> ir.Policy:
    """Return the policy of an environment.

    Raises:
        click.UsageError: There is no environment of this name.
    """
    if name is None:
        return policy
    from vsr_compiler.deploy.overlays import resolve  # noqa: PLC0415 - only with --env

    for environment in policy.environments:
        if environment.name == name:
            return resolve(policy, environment)
    known = ", ".join(f"`{environment.name}`" for environment in policy.environments) or "none"
    raise click.UsageError(f"There is no environment `{name}`. Environments on clusters: {known}.")
