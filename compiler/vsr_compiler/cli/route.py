"""``vsr-compile route``: the decision of one request, without a server."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import compile_policy, read_policy

MAX_BYTES = 32 << 20
"""Size limit of a request file."""


@click.command(name="route", short_help="Show where one request goes, and why.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("prompt", required=False)
@click.option("--request", type=click.File("rb"), help="Route the JSON body in a file; - is standard input.")
@click.option("--path", default="/v1/chat/completions", show_default=True, help="Path of the request's API.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Add a header. May be repeated.")
@options.out
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the report: text for a terminal, json for a program.",
)
@click.pass_context
def command(
    context: click.Context,
    policy: Path,
    prompt: str | None,
    *,
    request: Any,  # noqa: ANN401 - a binary file, for which click has no type
    path: str,
    headers: tuple[str, ...],
    out: Path,
    output_format: str,
) -> None:
    """Show where one request goes: its ask, category, signals, guards, route and model.

    The decision is made by the decision code of the runtime, in this process. Nothing is sent or written. A prompt is
    the only message of a chat completion to the model `auto`. Exit status 1 if the request cannot be decided here.

    \b
    vsr-compile route policies/quickstart.yaml "What is the derivative of x^2?"
    vsr-compile route policies/quickstart.yaml "What is 2+2?" --format json
    """
    from vsr_compiler.review.local_router import Undecidable, open_router  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.review.route_request import route_request, text  # noqa: PLC0415 - likewise

    if (prompt is None) == (request is None):
        raise click.UsageError("Give either a prompt or --request.")
    sent = [_header(header) for header in headers]
    try:
        linked = read_policy(policy)
        compiled = compile_policy(linked, partial(read_owned, out, linked.name)).policy
        router = open_router(compiled, debug=True)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    names = compiled.router.auto_models
    body = _body(request) if request is not None else {"model": names[0], "messages": [_message(prompt or "")]}
    report = route_request(router, path, sent, body)
    if isinstance(report, Undecidable):
        console.print_message(f"Not decided: {report.missing or 'a model of the router is not available here'}.")
        context.exit(1)
    console.print_data(report.model_dump_json(indent=2) if output_format == "json" else text(report))


def _message(prompt: str) -> dict[str, str]:
    return {"role": "user", "content": prompt}


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.UsageError(f"--header {text!r} has no name and value, such as x-session-id:42.")
    return name.strip().lower(), value.strip()


def _body(request: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    data = request.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise click.ClickException(f"The request is larger than {MAX_BYTES >> 20} MiB.")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"The request is not JSON: {error}.") from None
    if not isinstance(body, dict):
        raise click.ClickException("The request must be a JSON object.")
    return body
