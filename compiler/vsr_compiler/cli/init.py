"""``vsr-compile init``: a first policy."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from vsr_compiler.cli import console
from vsr_compiler.cli.templates import TEMPLATES, render
from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_schemas.scalars import DNS_LABEL


@click.command(name="init", short_help="Write a first policy.")
@click.argument("file", type=click.Path(path_type=Path), default=Path("policy.yaml"))
@click.option(
    "--template",
    type=click.Choice(list(TEMPLATES)),
    default="minimal",
    show_default=True,
    help="The policy to start from.",
)
@click.pass_context
def command(context: click.Context, file: Path, template: str) -> None:
    """Write a first policy. An existing file is never overwritten.

    \b
    vsr-compile init
    vsr-compile init policies/team-a.yaml --template quickstart
    """
    stem = file.stem.lower()
    text = render(template, stem if re.fullmatch(DNS_LABEL, stem) else "policy")
    try:
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
    except FileExistsError:
        raise click.UsageError(f"`{file}` already exists. Name another file.") from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        problem = Diagnostic("VSR500", f"cannot write the file: {reason}", Span(str(file)), "Check the path.")
        console.print_findings([problem])
        context.exit(1)
    console.print_message(
        f"{file}: written. Replace its endpoints and models by yours, then run: vsr-compile {shlex.quote(str(file))}"
    )
