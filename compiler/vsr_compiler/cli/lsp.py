"""``vsr-compile lsp``: the language server for editors."""

from __future__ import annotations

import click


@click.command(name="lsp", short_help="Serve an editor by the Language Server Protocol.")
def command() -> None:
    """Serve an editor over standard input and output: findings with fixes, names, completion, documentation.

    Definitions, references and renaming work over all fragments of a policy. Hovering shows what a key means and which
    objects its section makes. Nothing is written, and no request leaves this machine. Needs the extra `lsp`.
    """
    from vsr_compiler.editor.server import serve  # noqa: PLC0415 - needs the extra

    serve()
