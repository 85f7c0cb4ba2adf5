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
@click.option("--target", metavar="TARGET", default="", help="The gateway stack, such as agentgateway.")
@click.pass_context
def command(context: click.Context, file: Path, template: str, target: str) -> None:
    """Write a first policy. An existing file is never overwritten.

    \b
    vsr-compile init
    vsr-compile init policies/team-a.yaml --template quickstart --target agentgateway
    """
    stem = file.stem.lower()
    text = render(template, stem if re.fullmatch(DNS_LABEL, stem) else "policy", _checked(target))
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


def _checked(target: str) -> str:
    """Return a target that a template can have: an existing Gateway needs more than its name."""
    if not target:
        return target
    from vsr_compiler.targets import TARGETS, attach  # noqa: PLC0415 - loads much, and most calls name none

    known = [name for name in TARGETS if name != attach.TARGET.name]
    if target not in known:
        raise click.BadParameter(f"`{target}` is none of {', '.join(known)}.", param_hint="--target")
    return target
