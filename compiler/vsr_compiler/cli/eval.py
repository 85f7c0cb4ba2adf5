"""``vsr-compile eval``: the accuracy of a policy's classifier, on given data or on its own examples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import read_policy

if TYPE_CHECKING:
    from vsr_compiler import ir
    from vsr_schemas.reports_eval import EvalReport


@click.command(name="eval", short_help="Measure how well categories are separated.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("data", required=False, metavar="[DATA.jsonl]", type=click.Path(path_type=Path))
@click.option("--classifier", metavar="NAME", help="Evaluate this head with `examples` of its own, not the categories.")
@options.out
@options.report_format
@click.pass_context
def command(
    context: click.Context, policy: Path, data: Path | None, classifier: str | None, out: Path, output_format: str
) -> None:
    """Measure how well a policy's classifier separates its categories, with the encoder and head that are served.

    Each line of the data is a prompt: `{"prompt": "What is 2+2?", "category": "math"}`; `other` means none of the
    categories. Without data, the policy's own examples are evaluated by tenfold cross-validation. Prints accuracy,
    coverage by threshold, results by category, confusions and calibration. Writes nothing. A head of the output is
    used if it is still valid; otherwise one is trained.

    With `--classifier` a head for another task is evaluated: its examples by heads that have not seen their topic, or
    data whose lines have a `label`. The share of texts without a label that get one is printed, too.

    \b
    vsr-compile eval policies/quickstart.yaml
    vsr-compile eval policies/quickstart.yaml prompts.jsonl --format json
    vsr-compile eval policies/p.yaml --classifier facts
    """
    from vsr_compiler.heads.evaluate import evaluate_data, evaluate_examples  # noqa: PLC0415 - needs the classify extra

    try:
        linked = read_policy(policy)
        existing = partial(read_owned, out, linked.name)
        if classifier is not None:
            report = _of_labels(linked, classifier, data, existing)
        else:
            report = evaluate_examples(linked, existing) if data is None else evaluate_data(linked, data, existing)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    if output_format == "json":
        console.print_data(report.model_dump_json(indent=2))
        return
    from vsr_compiler.review.eval_text import markdown, text  # noqa: PLC0415 - `--help` must not pay for it

    console.print_data((markdown if output_format == "markdown" else text)(report).removesuffix("\n"))


def _of_labels(policy: ir.Policy, name: str, data: Path | None, existing: Callable[[str], bytes | None]) -> EvalReport:
    """Evaluate a head for a task of its own."""
    from vsr_compiler.heads.evaluate_labels import (  # noqa: PLC0415 - needs the classify extra
        evaluate_label_data,
        evaluate_label_examples,
    )

    if data is None:
        return evaluate_label_examples(policy, name, existing)
    return evaluate_label_data(policy, name, data, existing)
