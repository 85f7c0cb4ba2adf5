"""The command line: verbs, flags, exit codes. Everything heavy is imported inside the verb that needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from schemas.version import VERSION


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="vsr-compile")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Root of the output; the policy gets the folder of its name below it.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the output differs from a fresh compile.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand or are not ours.")
@click.option("--rebuild", is_flag=True, help="Train classifier heads anew; those equal within the tolerance stay.")
@click.pass_context
def command(context: click.Context, policy: Path, out: Path, *, check: bool, force: bool, rebuild: bool) -> None:
    r"""Compile a routing policy into router config and gateway manifests.

    \b
    vsr-compile policies/quickstart.yaml
    vsr-compile policies/quickstart.yaml --check

    Exit codes: 0 fine, 1 findings or a difference, 2 usage, 70 our own fault.
    """
    from compiler.cli import compile as verb  # noqa: PLC0415 - `--version` must not pay for the compiler

    context.exit(verb.run(policy, out, check_only=check, force=force, rebuild=rebuild))


def main() -> None:
    """Run the command line; a fault of ours becomes one line and exit code 70."""
    try:
        command()
    except Exception as error:
        if os.environ.get("VSR_TRACEBACK"):
            raise
        from compiler.cli import console  # noqa: PLC0415 - as above
        from compiler.cli.compile import internal  # noqa: PLC0415 - as above

        console.findings([internal(error)], {})
        sys.exit(70)
