"""``vsr-compile codes``: what the codes of messages mean."""

from __future__ import annotations

import click

from vsr_compiler.cli import console
from vsr_compiler.diagnostics import CODES, page
from vsr_compiler.diagnostics.suggestions import did_you_mean


@click.command(name="codes", short_help="Explain the codes of messages.")
@click.argument("code", required=False, metavar="[VSRnnn]")
@click.option("--markdown", "as_page", is_flag=True, help=f"Print the page {page.PAGE}.")
def command(code: str | None, *, as_page: bool) -> None:
    """List the codes of messages, or explain one with an example.

    \b
    vsr-compile codes
    vsr-compile codes VSR201
    """
    if as_page:
        if code is not None:
            raise click.UsageError("Omit either the code or --markdown: the page contains every code.")
        console.print_data(page.markdown())
    elif code is None:
        lines = (f"{name}  {entry.severity:<7}  {entry.title}" for name, entry in sorted(CODES.items()))
        console.print_data("\n".join(lines))
    else:
        console.print_data(page.text(_resolve(code)))


def _resolve(code: str) -> str:
    """Return the full code; the prefix is optional, and upper and lower case do not matter.

    Raises:
        click.UsageError: There is no such code.
    """
    name = code.strip().upper()
    name = name if name.startswith("VSR") else f"VSR{name}"
    if name in CODES:
        return name
    # The first digit is the subject, so a suggestion must share it.
    question = did_you_mean(name, (candidate for candidate in sorted(CODES) if candidate.startswith(name[:4])))
    raise click.UsageError(f"There is no code `{code}`. {question or '`vsr-compile codes` lists them.'}")
