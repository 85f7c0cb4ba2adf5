"""``vsr-compile eval``: the accuracy of a policy's classifier, and the threshold that separates pairs of texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.pipeline import read_policy

if TYPE_CHECKING:
    from vsr_compiler import ir
    from vsr_schemas.reports_eval import EvalReport


@click.command(name="eval", short_help="Measure how well categories are separated.")
@click.argument("policy", required=False, type=click.Path(path_type=Path))
@click.argument("data", required=False, metavar="[DATA.jsonl]", type=click.Path(path_type=Path))
@click.option("--classifier", metavar="NAME", help="Evaluate this head with `examples` of its own, not the categories.")
@click.option(
    "--pairs",
    metavar="FILE",
    help="Choose a threshold of similarity from pairs of texts: a file, `builtin:signals@1` or `builtin:cache@1`.",
)
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["signal", "cache"]),
    help="With --pairs: what the threshold is for. By default `signal`; `cache` for `builtin:cache@1`.",
)
@click.option(
    "--encoder",
    metavar="REPOSITORY|FOLDER",
    help="With --pairs: another encoder of the table, on this machine.",
)
@click.option(
    "--precision", type=click.Choice(["int8", "fp32"]), default="int8", show_default=True, help="With --pairs."
)
@options.out
@options.report_format
@click.pass_context
def command(  # noqa: PLR0913, PLR0917 - one parameter for each flag
    context: click.Context,
    policy: Path | None,
    data: Path | None,
    classifier: str | None,
    pairs: str | None,
    purpose: Literal["signal", "cache"] | None,
    encoder: str | None,
    precision: Literal["int8", "fp32"],
    out: Path,
    output_format: str,
) -> None:
    """Measure how well a policy's classifier separates its categories, with the encoder and head that are served.

    Each line of the data is a prompt: `{"prompt": "What is 2+2?", "category": "math"}`; `other` means none of the
    categories. Without data, the policy's own examples are evaluated by tenfold cross-validation. Prints accuracy,
    coverage by threshold, results by category, confusions and calibration. Writes nothing. A head of the output is
    used if it is still valid; otherwise one is trained.

    With `--classifier` a head for another task is evaluated: its examples by heads that have not seen their topic, or
    data whose lines have a `label`. The share of texts without a label that get one is printed, too.

    With `--pairs`, no policy is read. Each line is a request, what it is compared with, and whether they belong
    together: `{"a": "Where is my parcel?", "b": "Has my order been shipped?", "same": true}`; `b` can be a list, of
    which the most similar sentence counts. Prints the smallest threshold that at most 2 % of the other pairs reach
    (`--for signal`), or none of them (`--for cache`), and what to write into the policy.

    \b
    vsr-compile eval policies/quickstart.yaml
    vsr-compile eval policies/quickstart.yaml prompts.jsonl --format json
    vsr-compile eval policies/p.yaml --classifier facts
    vsr-compile eval --pairs pairs.jsonl --encoder /models/bge-small-en-v1.5
    """
    if pairs is not None:
        if policy is not None or classifier is not None:
            raise click.UsageError("--pairs is used without a policy")
        chosen = purpose or ("cache" if pairs.startswith("builtin:cache@") else "signal")
        _print_pairs(context, pairs, chosen, (encoder, precision), output_format)
        return
    if policy is None:
        raise click.UsageError("name a policy, or give --pairs FILE")
    if encoder is not None or purpose is not None:
        raise click.UsageError("--encoder and --for are used with --pairs")
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


def _print_pairs(
    context: click.Context,
    pairs: str,
    purpose: Literal["signal", "cache"],
    model: tuple[str | None, Literal["int8", "fp32"]],
    output_format: str,
) -> None:
    """Print the report about pairs; exit with 1 if it cannot be made, or if no threshold separates them."""
    from vsr_compiler.heads.pairs import evaluate_pairs, read_pairs  # noqa: PLC0415 - needs the classify extra
    from vsr_compiler.review.pairs_text import markdown, text  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 - as above
    from vsr_runtime.inference.encoder_files import DEFAULT_ENCODER, KNOWN, find_encoder, local_encoder  # noqa: PLC0415
    from vsr_runtime.inference.errors import ModelError  # noqa: PLC0415 - as above

    name, precision = model
    try:
        read = read_pairs(pairs)
        files = find_encoder(DEFAULT_ENCODER, KNOWN[DEFAULT_ENCODER].weights) if name is None else local_encoder(name)
        report = evaluate_pairs(read, purpose, SentenceEncoder.load(files, precision), files, precision)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    except ModelError as error:
        console.print_findings([Diagnostic("VSR615", str(error), Span(pairs))])
        context.exit(1)
    if output_format == "json":
        console.print_data(report.model_dump_json(indent=2))
    else:
        console.print_data((markdown if output_format == "markdown" else text)(report).removesuffix("\n"))
    if report.threshold is None:
        context.exit(1)
