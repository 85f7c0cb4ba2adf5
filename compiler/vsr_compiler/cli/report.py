"""``vsr-compile report``: a policy, its tests and its change as one HTML page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsr_compiler.cli import console, options
from vsr_compiler.cli.pipeline_options import impact_file, read_impact
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import compile_policy, read_policy

if TYPE_CHECKING:
    from vsr_compiler.pipeline import Compiled
    from vsr_schemas.reports_diff import DiffReport
    from vsr_schemas.reports_eval import EvalReport

COVERAGE = frozenset({"VSR251", "VSR252", "VSR260"})


@click.command(name="report", short_help="Write a policy as one HTML page.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The HTML file to write."
)
@click.option("--against", metavar="DIR|REV", help="Show the change from this output folder or git revision.")
@impact_file
@click.option("--eval/--no-eval", "evaluate", default=True, help="Evaluate the classifier on the policy's examples.")
@options.out
@click.pass_context
def command(
    context: click.Context,
    policy: Path,
    *,
    output: Path,
    against: str | None,
    impact_report: Path | None,
    evaluate: bool,
    out: Path,
) -> None:
    """Write a policy as one HTML page: findings, change, topology, routes, guards, clients, tests, classifier.

    The page needs nothing else: no script, font or network. The same input gives the same bytes.

    \b
    vsr-compile report policies/quickstart.yaml -o report.html
    vsr-compile report policies/quickstart.yaml -o report.html --against origin/main --no-eval
    """
    from vsr_compiler.review.page.content import Material, page  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.review.page.render import render  # noqa: PLC0415 - likewise
    from vsr_compiler.review.policy_tests import findings, run_tests  # noqa: PLC0415 - likewise

    try:
        linked = read_policy(policy)
        compiled = compile_policy(linked, partial(read_owned, out, linked.name))
        outcomes = run_tests(compiled.policy) if compiled.policy.tests else []
        reported = list(findings(compiled.policy, outcomes))
        material = Material(
            policy=compiled.policy,
            findings=compiled.warnings,
            outcomes=outcomes,
            uncovered=[item for item in reported if item.code in COVERAGE],
            change=None if against is None else _change(compiled, against, out),
            impact=None if impact_report is None else read_impact(impact_report),
            evaluation=_evaluation(compiled, out) if evaluate else None,
        )
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    text = render(page(material))
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None
    console.print_message(f"{output}: {len(text.encode()) / 1024:.0f} KiB")


def _change(compiled: Compiled, against: str, out: Path) -> DiffReport:
    from vsr_compiler.review.baseline import read_baseline  # noqa: PLC0415 - only where it is asked for
    from vsr_compiler.review.diff_report import report  # noqa: PLC0415 - likewise

    name = compiled.policy.name
    files = {path: file.content for path, file in compiled.tree.items()}
    return report(name, read_baseline(against, out, name), files)


def _evaluation(compiled: Compiled, out: Path) -> EvalReport | None:
    """Return how well categories are separated; None for a policy without any that can be measured here."""
    from vsr_compiler import ir  # noqa: PLC0415 - only where it is asked for

    policy = compiled.policy
    classifier = policy.classifier
    measurable = classifier is not None and classifier.checkpoint is None and bool(policy.categories)
    if not measurable or isinstance(policy.router.implementation, ir.SemanticRouter):
        return None
    from vsr_compiler.heads.evaluate import evaluate_examples  # noqa: PLC0415 - needs the classify extra

    try:
        return evaluate_examples(policy, partial(read_owned, out, policy.name))
    except CompileError as error:
        if all(item.code == "VSR272" for item in error.diagnostics):
            return None  # no category has two examples
        raise
