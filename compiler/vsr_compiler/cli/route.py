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
from vsr_schemas.apis import RESPONSES

if TYPE_CHECKING:
    from vsr_compiler import ir
    from vsr_compiler.manifests.objects import Object
    from vsr_compiler.pipeline import Compiled
    from vsr_runtime.decision.identity.client import Client

MAX_BYTES = 32 << 20
"""Size limit of a request file."""
MAX_TURNS = 200
"""Turns of a conversation that are routed."""


@click.command(name="route", short_help="Show where one request goes, and why.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.argument("prompt", required=False)
@click.option("--request", type=click.File("rb"), help="Route the JSON body in a file; - is standard input.")
@click.option("--conversation", type=click.File("rb"), help="Route each turn of the messages in a JSON file.")
@click.option("--path", default="/v1/chat/completions", show_default=True, help="Path of the request's API.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Add a header. May be repeated.")
@click.option("--user", help="User that sends the request. Defaults to `test`. Only with `identity`.")
@click.option("--team", help="Team of the user.")
@click.option("--role", "roles", multiple=True, help="Role of the user. May be repeated.")
@click.option("--tenant", help="Tenant of the user.")
@click.option("--claim", "claims", multiple=True, metavar="NAME=VALUE", help="Another claim. May be repeated.")
@click.option("--target", metavar="TARGET", help="Show the objects of this target that carry the request.")
@options.out
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "mermaid"]),
    default="text",
    show_default=True,
    help="Format of the report: text for a terminal, json for a program, mermaid for a drawing.",
)
@click.pass_context
def command(  # noqa: PLR0913 - one an option
    context: click.Context,
    policy: Path,
    prompt: str | None,
    *,
    request: Any,  # noqa: ANN401 - a binary file, for which click has no type
    conversation: Any,  # noqa: ANN401 - likewise
    path: str,
    headers: tuple[str, ...],
    user: str | None,
    team: str | None,
    roles: tuple[str, ...],
    tenant: str | None,
    claims: tuple[str, ...],
    target: str | None,
    out: Path,
    output_format: str,
) -> None:
    """Show where one request goes, and why: its ask, scores, signals, guards, rules, route, model, effects and cost.

    The decision is made by the decision code of the runtime, in this process. Nothing is sent or written. A prompt is
    the only message of a chat completion to the model `auto`. `--conversation` takes a list of messages, or a body with
    them, and reports each turn of the person as the request that it ends. `--user` to `--claim` say who sends it. Exit
    status 1 if the request cannot be decided here.

    \b
    vsr-compile route policies/quickstart.yaml "What is the derivative of x^2?"
    vsr-compile route policies/quickstart.yaml "What is 2+2?" --target istio
    vsr-compile route policies/quickstart.yaml "What is 2+2?" --format mermaid
    """
    from vsr_compiler.review.decision.route_request import Sent, route_request  # noqa: PLC0415 - `--help` must not pay
    from vsr_compiler.review.decision.route_text import mermaid, text  # noqa: PLC0415 - likewise
    from vsr_compiler.review.local_router import Undecidable, open_router  # noqa: PLC0415 - likewise
    from vsr_schemas.reports_route import ConversationRoutes  # noqa: PLC0415 - likewise

    if sum(given is not None for given in (prompt, request, conversation)) != 1:
        raise click.UsageError("Give either a prompt or --request or --conversation.")
    sent = [_header(header) for header in headers]
    attributes = {"user": user, "team": team, "tenant": tenant, **dict(map(_claim, claims))}
    try:
        linked = read_policy(policy)
        compiled = compile_policy(linked, partial(read_owned, out, linked.name))
        router = open_router(compiled.policy, debug=True)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    objects = _objects(compiled, target)
    client = _client(compiled.policy, {name: value for name, value in attributes.items() if value is not None}, roles)
    reports = []
    for body in _bodies(prompt, request, conversation, path, compiled.policy.router.auto_models[0]):
        report = route_request(router, compiled.policy, Sent(path, sent, body, client), objects)
        if isinstance(report, Undecidable):
            console.print_message(f"Not decided: {report.missing or 'a model of the router is not available here'}.")
            context.exit(1)
        reports.append(report)
    if output_format == "json":
        shown = ConversationRoutes(turns=reports) if conversation is not None else reports[0]
        console.print_data(shown.model_dump_json(indent=2))
    elif output_format == "mermaid":
        console.print_data(mermaid(reports[-1]).removesuffix("\n"))
    else:
        console.print_data("\n\n".join(map(text, reports)))


def _objects(compiled: Compiled, target: str | None) -> list[Object]:
    """Return the objects of a target that the policy uses."""
    if target is None:
        return []
    found = [item for path, item in compiled.objects.items() if path.startswith(f"{target}/base/")]
    if not found:
        known = sorted({path.partition("/")[0] for path in compiled.objects if "/base/" in path})
        raise click.UsageError(f"The policy has no target `{target}`. It has: {', '.join(known) or 'none'}.")
    return found


def _bodies(prompt: str | None, request: Any, conversation: Any, path: str, model: str) -> list[dict[str, Any]]:  # noqa: ANN401 - binary files
    """Return the requests to route."""
    if conversation is not None:
        return _turns(_json(conversation), path, model)
    if request is None:
        return [{"model": model, "messages": [_message(prompt or "")]}]
    body = _json(request)
    if not isinstance(body, dict):
        raise click.ClickException("The request must be a JSON object.")
    return [body]


def _turns(value: object, path: str, model: str) -> list[dict[str, Any]]:
    """Return the request that each turn of the person ends."""
    field = "input" if path == RESPONSES else "messages"
    body = value if isinstance(value, dict) else {field: value}
    messages = body.get(field)
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise click.ClickException(f"The conversation must be a list of messages, or an object with `{field}`.")
    ends = [number for number, message in enumerate(messages, 1) if message.get("role") == "user"]
    if not ends:
        raise click.ClickException("The conversation has no message with the role `user`.")
    return [{"model": model, **body, field: messages[:end]} for end in ends[:MAX_TURNS]]


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


def _json(file: Any) -> Any:  # noqa: ANN401 - a binary file, and any JSON
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise click.ClickException(f"The request is larger than {MAX_BYTES >> 20} MiB.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"The request is not JSON: {error}.") from None
