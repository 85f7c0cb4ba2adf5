"""``vsr-compile route``: the decision of one request, without a server."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsr_compiler.cli import console, options
from vsr_compiler.deploy.output.write import read_owned
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import compile_policy, read_policy

if TYPE_CHECKING:
    from vsr_compiler import ir
    from vsr_runtime.decision.identity.client import Client

MAX_BYTES = 32 << 20
"""Size limit of a request file."""


@click.command(name="route", short_help="Show where one request goes, and why.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("prompt", required=False)
@click.option("--request", type=click.File("rb"), help="Route the JSON body in a file; - is standard input.")
@click.option("--path", default="/v1/chat/completions", show_default=True, help="Path of the request's API.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Add a header. May be repeated.")
@click.option("--user", help="User that sends the request. Defaults to `test`. Only with `identity`.")
@click.option("--team", help="Team of the user.")
@click.option("--role", "roles", multiple=True, help="Role of the user. May be repeated.")
@click.option("--tenant", help="Tenant of the user.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=VALUE", help="Another claim. May be repeated.")
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
def command(  # noqa: PLR0913 - one an option
    context: click.Context,
    policy: Path,
    prompt: str | None,
    *,
    request: Any,  # noqa: ANN401 - a binary file, for which click has no type
    path: str,
    headers: tuple[str, ...],
    user: str | None,
    team: str | None,
    roles: tuple[str, ...],
    tenant: str | None,
    claims: tuple[str, ...],
    out: Path,
    output_format: str,
) -> None:
    """Show where one request goes: its ask, category, signals, guards, route and model.

    The decision is made by the decision code of the runtime, in this process. Nothing is sent or written. A prompt is
    the only message of a chat completion to the model `auto`. `--user` to `--claim` say who sends it. Exit status 1 if
    the request cannot be decided here.

    \b
    vsr-compile route policies/quickstart.yaml "What is the derivative of x^2?"
    vsr-compile route policies/quickstart.yaml "What is 2+2?" --format json
    """
    from vsr_compiler.review.local_router import Undecidable, open_router  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.review.route_request import route_request, text  # noqa: PLC0415 - likewise

    if (prompt is None) == (request is None):
        raise click.UsageError("Give either a prompt or --request.")
    sent = [_header(header) for header in headers]
    attributes = {"user": user, "team": team, "tenant": tenant, **dict(map(_claim, claims))}
    try:
        linked = read_policy(policy)
        compiled = compile_policy(linked, partial(read_owned, out, linked.name)).policy
        router = open_router(compiled, debug=True)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    names = compiled.router.auto_models
    body = _body(request) if request is not None else {"model": names[0], "messages": [_message(prompt or "")]}
    client = _client(compiled, {name: value for name, value in attributes.items() if value is not None}, roles)
    report = route_request(router, path, sent, body, client, compiled)
    if isinstance(report, Undecidable):
        console.print_message(f"Not decided: {report.missing or 'a model of the router is not available here'}.")
        context.exit(1)
    console.print_data(report.model_dump_json(indent=2) if output_format == "json" else text(report))


def _message(prompt: str) -> dict[str, str]:
    return {"role": "user", "content": prompt}


def _client(policy: ir.Policy, attributes: dict[str, str], roles: tuple[str, ...]) -> Client:
    """Return who sends the request. What the policy does not know of clients is a mistake in the command line."""
    from vsr_compiler.review.local_router import ANYBODY  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_runtime.decision.identity.client import Client  # noqa: PLC0415 - likewise

    known = () if policy.identity is None else policy.identity.attributes
    unknown = [name for name in (*attributes, *(["role"] if roles else [])) if name not in known]
    if unknown:
        raise click.UsageError(f"The policy's `identity` does not tell the {unknown[0]} of a client.")
    return Client({**ANYBODY.attributes, **attributes}, frozenset(roles))


def _claim(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"--claim {text!r} has no name and value, such as plan=gold.")
    return name.strip(), value


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
