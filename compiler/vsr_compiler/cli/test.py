"""``vsr-compile test``: the tests of policies, without a server."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import compile_policy, read_policy
from vsr_compiler.syntax.ignores import unsilenced


@click.command(name="test", short_help="Run the tests of policies.")
@options.policies
@options.out
@options.findings_format
@options.strict
@click.pass_context
def command(context: click.Context, policies: tuple[Path, ...], *, out: Path, output_format: str, strict: bool) -> None:
    """Run the tests of policies with the decision code of the runtime, in this process. Writes nothing.

    A classifier head of the output is used if it is still valid; otherwise one is trained.

    \b
    vsr-compile test policies/quickstart.yaml
    vsr-compile test policies/ --format junit > tests.xml
    """
    from vsr_compiler.review.policy_tests import findings, run_tests  # noqa: PLC0415 - `--help` must not load the runtime

    report = console.FindingsPrinter(output_format, strict=strict)
    for path in options.policy_files(policies):
        try:
            linked = read_policy(path)
            compiled = compile_policy(linked, partial(read_owned, out, linked.name))
            outcomes = run_tests(compiled.policy)
        except CompileError as error:
            report.add(str(path), error.diagnostics)
            continue
        report.add(str(path), unsilenced(findings(compiled.policy, outcomes), linked.ignores))
        tests = {id(outcome.test) for outcome in outcomes}
        undecided = {id(outcome.test) for outcome in outcomes if not outcome.decided}
        failed = len({id(outcome.test) for outcome in outcomes if outcome.misses} - undecided)
        unknown = len(undecided)
        left = f", {unknown} not decided" if unknown else "" if outcomes else "; it has no `tests`"
        console.print_message(f"{path}: {len(tests) - failed - unknown} passed, {failed} failed{left}")
    context.exit(report.close())
