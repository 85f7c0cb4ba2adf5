"""``vsr-compile eval``: how well a policy's categories are told apart, by data or by its own examples."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import read_policy


@click.command(name="eval", short_help="Measure how well categories are told apart.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("data", required=False, metavar="[DATA.jsonl]", type=click.Path(path_type=Path))
@options.out
@options.told
@click.pass_context
def command(context: click.Context, policy: Path, data: Path | None, out: Path, form: str) -> None:
    """Measure how well a policy's categories are told apart, by the compiled head and the encoder as they are served.

    The data has a line a prompt: `{"prompt": "What is 2+2?", "category": "math"}`; `other` stands for none of the
    categories. Without data the policy's own examples are judged by heads that are trained without them, a tenth left
    out at a time. Prints accuracy, coverage at thresholds, a table by category, confusions and calibration. Writes
    nothing; a head of the output is used where it is still valid, else one is trained.

    \b
    vsr-compile eval policies/quickstart.yaml
    vsr-compile eval policies/quickstart.yaml prompts.jsonl --format json
    """
    from vsr_compiler.heads.evaluate import evaluate_data, evaluate_examples  # noqa: PLC0415 - needs the classify extra

    try:
        linked = read_policy(policy)
        existing = partial(read_owned, out, linked.name)
        found = evaluate_examples(linked, existing) if data is None else evaluate_data(linked, data, existing)
    except CompileError as error:
        console.findings(error.diagnostics)
        context.exit(1)
    if form == "json":
        console.data(found.model_dump_json(indent=2))
        return
    from vsr_compiler.review.eval_text import markdown, text  # noqa: PLC0415 - `--help` must not pay for it

    console.data((markdown if form == "markdown" else text)(found).removesuffix("\n"))
