"""``vsr-compile impact``: what a change of a policy does to recorded traffic."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsr_compiler.cli import console, options
from vsr_compiler.cli.pipeline_options import fail_on
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.impact.conditions import BREAKING, Condition
from vsr_compiler.pipeline import compile_policy, read_policy

if TYPE_CHECKING:
    from vsr_compiler import ir
    from vsr_compiler.impact.decide import Side
    from vsr_compiler.impact.replay import Engine, Options, Step
    from vsr_compiler.impact.sources import Source
    from vsr_compiler.impact.tally import Tally

ROUTER = "router/"
SAVE_EVERY = 5.0
"""Seconds between two states that are written."""


class TrafficName(click.Path):
    """A file that exists, or a URI."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, exists=True, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's signature
        """Return the name."""
        return value if isinstance(value, str) and "://" in value else super().convert(value, param, ctx)


@click.command(name="impact", short_help="Replay traffic through two policies.")
@click.argument("old", metavar="OLD")
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--traffic",
    multiple=True,
    required=True,
    metavar="FILE",
    type=TrafficName(),
    help="A file of recorded requests; - is standard input. May be repeated. With the extra `ray` also a URI such as "
    "s3://bucket/key, or a folder in a store that ends with /.",
)
@options.out
@options.report_format
@click.option("--model", metavar="NAME", help="Ask for this model in every request, such as `auto`.")
@click.option("--no-text", is_flag=True, help="Keep texts of requests out of the report and the state.")
@click.option("--jobs", type=click.IntRange(1, 4096), help="Number of processes. Defaults to the number of cores.")
@click.option(
    "--engine",
    type=click.Choice(["processes", "ray"]),
    default="processes",
    show_default=True,
    help="Decide on this machine, or on the Ray cluster that RAY_ADDRESS names (by default a local one). Ray "
    "needs the extra `ray`.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File in which an interrupted replay remembers where it was. It has texts unless --no-text is set.",
)
@fail_on
@click.pass_context
def command(  # noqa: PLR0913 - one an option
    context: click.Context,
    old: str,
    new: Path,
    *,
    traffic: tuple[str, ...],
    out: Path,
    output_format: str,
    model: str | None,
    no_text: bool,
    jobs: int | None,
    engine: str,
    state: Path | None,
    fail_on: list[Condition],
) -> None:
    """Show what a change of a policy does to recorded traffic: each request is decided by the policies OLD and NEW.

    OLD is a policy, an output folder, or a git revision that contains the output; NEW is a policy. Traffic is JSON
    Lines, gzipped or not, or one JSON document: bodies of requests, replay records of the stock router, OpenTelemetry
    spans, access logs of Envoy, spend logs of LiteLLM. The decisions are those of the runtime. Nothing is sent.

    \b
    vsr-compile impact out/quickstart policies/quickstart.yaml --traffic requests.jsonl
    vsr-compile impact origin/main policies/quickstart.yaml --traffic day.jsonl.gz --model auto --fail-on 'unblocked>0'
    RAY_ADDRESS=auto vsr-compile impact OLD NEW --traffic s3://logs/day/ --engine ray --no-text

    Exit codes: 0 done, 1 a condition of --fail-on holds, 130 interrupted (with --state, the same command goes on).
    """
    from vsr_compiler.impact.replay import Options, default_jobs  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.impact.report import report  # noqa: PLC0415 - likewise
    from vsr_compiler.impact.sources import TrafficError, sources  # noqa: PLC0415 - likewise
    from vsr_compiler.impact.text import markdown, text  # noqa: PLC0415 - likewise

    if any(condition.name == BREAKING for condition in fail_on):
        raise click.UsageError(f"`{BREAKING}` is what `vsr-compile diff --fail-on` knows.")
    if "-" in traffic and (state is not None or engine == "ray"):
        flag = "--engine ray" if state is None else "--state"
        raise click.UsageError(f"{flag} needs files: standard input can be read once, and here only.")
    try:
        files = sources(traffic)
        old_side, new_side = _sides(old, new, out)
        decided = Options(model, texts=not no_text)
        plan = _Plan(files, old_side, new_side, decided, jobs or default_jobs(), state, _engine(engine, jobs))
        tally, complete = _replayed(plan)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    except TrafficError as error:
        raise click.ClickException(str(error)) from None
    found = report(tally, old_side.label, new_side.label, complete=complete)
    if output_format == "json":
        console.print_data(found.model_dump_json(indent=2))
    else:
        console.print_data((markdown if output_format == "markdown" else text)(found).removesuffix("\n"))
    if not complete:
        context.exit(130)
    held = [condition.words for condition in fail_on if condition.holds(found)]
    if held:
        console.print_message(f"error: {', '.join(held)}")
    context.exit(int(bool(held)))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is replayed, and how."""

    traffic: list[Source]
    old: Side
    new: Side
    options: Options
    jobs: int
    state: Path | None
    engine: Engine | None


def _engine(name: str, jobs: int | None) -> Engine | None:
    """Return the engine of a name; None for processes of this machine.

    Raises:
        ModuleNotFoundError: The extra ``ray`` is not installed.
    """
    if name != "ray":
        return None
    from vsr_compiler.impact.ray_engine import on_ray  # noqa: PLC0415 - needs the extra

    return partial(on_ray, jobs=jobs)


def _replayed(plan: _Plan) -> tuple[Tally, bool]:
    """Replay the traffic, and keep the state.

    Returns:
        The tally, and whether it is of all traffic.

    Raises:
        CompileError: A classifier cannot be loaded.
        TrafficError: A file cannot be read, or the state cannot be used.
        KeyboardInterrupt: The user ends the replay, and there is no file for its state.
    """
    from vsr_compiler.impact.replay import Step, replay  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.impact.state import fingerprint, read_state, write_state  # noqa: PLC0415 - likewise
    from vsr_compiler.impact.tally import Tally  # noqa: PLC0415 - likewise

    known = fingerprint(plan.traffic, plan.old, plan.new, plan.options)
    last = (read_state(plan.state, known) if plan.state is not None else None) or Step(0, 0, Tally(), 0)
    saved, complete = time.monotonic(), True
    try:
        with _progress(plan.traffic, last) as show:
            known_as = (plan.traffic, plan.old, plan.new, plan.options)
            for step in replay(*known_as, jobs=plan.jobs, done=last, engine=plan.engine):
                last = step
                show(step)
                if plan.state is not None and time.monotonic() - saved > SAVE_EVERY:
                    write_state(plan.state, known, step)
                    saved = time.monotonic()
    except KeyboardInterrupt:
        if plan.state is None:
            raise
        complete = False
        console.print_message(f"Interrupted; the same command goes on from {plan.state}.")
    if plan.state is not None:
        write_state(plan.state, known, last)
    return last.tally, complete


def _sides(old: str, new: Path, out: Path) -> tuple[Side, Side]:
    """Return both policies.

    Raises:
        CompileError: One of them does not compile, or there is no such output.
    """
    from vsr_compiler.impact.decide import Side  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.review.baseline import read_baseline  # noqa: PLC0415 - likewise

    after = _compiled(new, out)
    later = Side(str(new), after.router.files, _prices(after))
    if Path(old).is_file():
        before = _compiled(Path(old), out)
        return Side(old, before.router.files, _prices(before)), later
    baseline = read_baseline(old, out, after.name)
    files = {path.removeprefix(ROUTER): data for path, data in baseline.files.items() if path.startswith(ROUTER)}
    return Side(old, files, later.prices), later


def _compiled(path: Path, out: Path) -> ir.Policy:
    from vsr_compiler import ir  # noqa: PLC0415 - `--help` must not pay for it

    linked = read_policy(path)
    if isinstance(linked.router.implementation, ir.SemanticRouter):
        raise click.UsageError(f"{path} is for the stock router, whose classifiers are not available here.")
    return compile_policy(linked, partial(read_owned, out, linked.name)).policy


def _prices(policy: ir.Policy) -> dict[str, tuple[float, float, float]]:
    """Return the prices of a policy's models: prompt, completion, cached prompt."""
    return {
        model.name: (*model.price, model.price[0] if model.cached_price is None else model.cached_price)
        for model in policy.models
        if model.price is not None
    }


@contextmanager
def _progress(traffic: list[Source], begun: Step) -> Iterator[Callable[[Step], None]]:
    """Show progress on a terminal: the share that is read, the remaining time, and requests per second."""
    from vsr_compiler.impact.reader import total_bytes  # noqa: PLC0415 - `--help` must not pay for it

    total = total_bytes(traffic)
    if not sys.stderr.isatty() or not total:
        yield lambda _: None
        return
    start, before = time.monotonic(), begun.tally.counts["requests",]

    def rate(_: object) -> str:
        return f"{(shown[0] - before) / max(time.monotonic() - start, 1e-3):,.0f} requests/s"

    shown = [before]
    with click.progressbar(length=total, label="replay", file=sys.stderr, item_show_func=rate) as bar:
        bar.update(begun.end)

        def show(step: Step) -> None:
            shown[0] = step.tally.counts["requests",]
            bar.update(max(0, step.end - bar.pos), step)

        yield show
