"""The command line: which verbs there are, and what happens when something goes wrong.

A verb is a file of this folder that defines ``command``, imported when it is called, so that none pays for another.
``vsr-compile policy.yaml`` is short for ``vsr-compile compile policy.yaml``.
"""

from __future__ import annotations

import difflib
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

from vsr_schemas.version import VERSION

VERBS = {
    "compile": "Compile policies into router config and gateway manifests.",
    "diff": "Show what a policy changes against an earlier output.",
    "explain": "Show where an output came from, or what a policy line makes.",
    "check": "Find what is wrong with policies, without compiling them.",
    "test": "Run the tests of policies, without a server.",
    "eval": "Measure how well a policy tells categories apart.",
    "verify": "Find what is wrong with manifests, ours or anybody's.",
    "crds": "Fetch the CustomResourceDefinitions that verify checks by.",
    "fetch-encoder": "Fetch the default encoder's weights.",
    "fmt": "Bring policies into canonical form.",
    "init": "Write a first policy.",
    "graph": "Draw a policy as a Mermaid flowchart.",
    "codes": "Explain the codes of messages.",
    "schema": "Print the JSON Schema of policies, for editors.",
    "completion": "Print a shell's completion script.",
}
"""Verbs and what they are for, in the order of the help."""


class Verbs(click.Group):
    """A group that loads a verb when it is called and takes a path as the verb ``compile``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of a name."""
        del ctx
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"vsr_compiler.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 - every file of this folder that VERBS names has one
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What is no verb and no flag of the group is for ``compile``."""
        own = {"-h", "--help", "--version"}
        if args and args[0] not in VERBS and args[0] not in own:
            _refuse_misspelt(args[0], ctx)
            args = ["compile", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs, without loading them, and policies to compile."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - `--version` must not pay for it

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        verbs = [CompletionItem(name, help=text) for name, text in VERBS.items() if name.startswith(incomplete)]
        return verbs or [CompletionItem(incomplete, type="file")]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help, without loading a verb."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


def _refuse_misspelt(word: str, context: click.Context) -> None:
    """A word that is near a verb, or that no file would be called, and that names no file was meant as a verb."""
    if word.startswith("-") or Path(word).exists():
        return
    near = difflib.get_close_matches(word, VERBS, n=1, cutoff=0.7)
    if near or word.isalpha():
        hint = f"Did you mean `{near[0]}`?" if near else f"The verbs are {', '.join(VERBS)}."
        raise click.UsageError(f"There is no verb and no file `{word}`. {hint}", context)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="vsr-compile")
def command() -> None:
    """Compile routing policies for LLM gateways.

    \b
    vsr-compile policies/quickstart.yaml           write out/quickstart/
    vsr-compile policies/quickstart.yaml --check   is it up to date?

    Exit codes of every verb: 0 fine, 1 findings or a difference, 2 usage, 70 our own fault, 130 interrupted.
    """


def main() -> None:
    """Run the command line; a fault of ours becomes one line and exit code 70, and Ctrl-C is no finding but 130."""
    # Plugins that other packages register would look into our models, and looking for them costs every start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        sys.exit(command(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.stderr.write("Interrupted.\n")
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        if os.environ.get("VSR_TRACEBACK"):
            raise
        from vsr_compiler.cli import console  # noqa: PLC0415 - `--version` must not pay for it
        from vsr_compiler.cli.extras import remedy  # noqa: PLC0415 - only for an error

        if (line := remedy(error)) is not None:
            console.say(line)
            sys.exit(1)
        console.findings([console.internal(error)])
        sys.exit(70)
