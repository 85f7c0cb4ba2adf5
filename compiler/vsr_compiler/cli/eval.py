"""``vsr-compile eval``: the accuracy of a policy's classifier, on given data or on its own examples."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import read_policy


@click.command(name="eval", short_help="Measure how well categories are separated.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("data", required=False, metavar="[DATA.jsonl]", type=click.Path(path_type=Path))
@options.out
@options.report_format
@click.pass_context
def command(context: click.Context, policy: Path, data: Path | None, out: Path, output_format: str) -> None:
    """Measure how well a policy's classifier separates its categories, with the encoder and head that are served.

    Each line of the data is a prompt: `{"prompt": "What is 2+2?", "category": "math"}`; `other` means none of the
    categories. Without data, the policy's own examples are evaluated by tenfold cross-validation. Prints accuracy,
    coverage by threshold, results by category, confusions and calibration. Writes nothing. A head of the output is
    used if it is still valid; otherwise one is trained.

    \b
    vsr-compile eval policies/quickstart.yaml
    vsr-compile eval policies/quickstart.yaml prompts.jsonl --format json
    """
    from vsr_compiler.heads.evaluate import evaluate_data, evaluate_examples  # noqa: PLC0415 - needs the classify extra

    try:
        linked = read_policy(policy)
        existing = partial(read_owned, out, linked.name)
        report = evaluate_examples(linked, existing) if data is None else evaluate_data(linked, data, existing)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    if output_format == "json":
        console.print_data(report.model_dump_json(indent=2))
        return
    from vsr_compiler.review.eval_text import markdown, text  # noqa: PLC0415 - `--help` must not pay for it

    console.print_data((markdown if output_format == "markdown" else text)(report).removesuffix("\n"))
