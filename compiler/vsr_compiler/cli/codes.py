"""``vsr-compile codes``: what the codes of messages stand for."""

from __future__ import annotations

import difflib

import click

from vsr_compiler.cli import console
from vsr_compiler.diagnostics import CODES, page


@click.command(name="codes", short_help="Explain the codes of messages.")
@click.argument("code", required=False, metavar="[VSRnnn]")
@click.option("--markdown", "as_page", is_flag=True, help="Print the page docs/reference/codes.md.")
def command(code: str | None, *, as_page: bool) -> None:
    """List the codes of messages, or explain one.

    \b
    vsr-compile codes
    vsr-compile codes VSR201
    """
    if as_page:
        if code is not None:
            raise click.UsageError("The page holds every code; leave the code out, or --markdown.")
        console.data(page.markdown())
    elif code is None:
        console.data("\n".join(f"{name}  {entry.severity:<7}  {entry.title}" for name, entry in sorted(CODES.items())))
    else:
        console.data(page.text(_known(code)))


def _known(code: str) -> str:
    """The code that is meant: `vsr201` and `201` will do.

    Raises:
        click.UsageError: There is no such code.
    """
    name = code.strip().upper()
    name = name if name.startswith("VSR") else f"VSR{name}"
    if name in CODES:
        return name
    # A code's first digit is its subject, so a near code of another one was not meant.
    alike = [each for each in CODES if each.startswith(name[:4])]
    near = difflib.get_close_matches(name, alike, n=1, cutoff=0.6)
    advice = f"Did you mean `{near[0]}`?" if near else "`vsr-compile codes` lists them."
    raise click.UsageError(f"There is no code `{code}`. {advice}")
