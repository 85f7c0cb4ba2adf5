"""The command line: which commands there are, and how errors end the program.

A command is a module of this package that defines ``command``. It is imported when it is called, so that no command
pays for the imports of another. ``vsr-compile policy.yaml`` is short for ``vsr-compile compile policy.yaml``.
"""

from __future__ import annotations

import gc
import importlib
import keyword
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

from vsr_schemas.version import VERSION

COMMANDS = {
    "compile": "Compile policies into router configuration and Kubernetes manifests.",
    "diff": "Show what a policy changes compared with an earlier output.",
    "upgrade": "Show what other releases of gateways, pickers and servers change for a policy.",
    "explain": "Show which policy line made an output, or what a policy line makes.",
    "check": "Report errors and warnings of policies without compiling them.",
    "test": "Run the tests of policies without a server.",
    "route": "Show where one request goes, and why.",
    "impact": "Show what a change of a policy does to recorded traffic.",
    "report": "Write a policy, its tests and its change as one HTML page.",
    "eval": "Measure how well a policy's classifier separates its categories.",
    "verify": "Report errors in Kubernetes manifests, whoever wrote them.",
    "crds": "Fetch the CustomResourceDefinitions that verify uses.",
    "fetch-encoder": "Fetch the weights of the default encoder.",
    "package": "Write the output of a policy as an OCI artifact, with its provenance.",
    "size": "Show how many replicas of the router a load needs.",
    "status": "Show whether a cluster has and uses the output of a policy.",
    "fmt": "Format policies.",
    "migrate": "Convert policies to today's version of the policy language.",
    "init": "Write a first policy.",
    "import": "Import a configuration of another router or gateway.",
    "graph": "Draw a policy as a Mermaid flowchart.",
    "codes": "Explain the codes of messages.",
    "schema": "Print the JSON Schema of policies, for editors.",
    "lsp": "Serve an editor by the Language Server Protocol.",
    "completion": "Print a completion script for a shell.",
}
"""Commands and their purpose, in the order of the help."""


class CommandGroup(click.Group):
    """A group that imports a command when it is called and takes a path for an argument of ``compile``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = importlib.import_module(f"vsr_compiler.cli.{name}{'_' * keyword.iskeyword(name)}").command
        assert isinstance(command, click.Command)  # noqa: S101 - every module that COMMANDS names defines one
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Add ``compile`` in front of arguments that begin with neither a command nor a flag of the group."""
        group_flags = {"-h", "--help", "--version"}
        if args and args[0] not in COMMANDS and args[0] not in group_flags:
            _reject_unknown_command(args[0], ctx)
            args = ["compile", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands without importing them, and policies to compile."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - `--version` must not pay for it

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        commands = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return commands or [CompletionItem(incomplete, type="file")]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _reject_unknown_command(word: str, context: click.Context) -> None:
    """Reject a word that is no existing file and that looks like a command."""
    if word.startswith("-") or Path(word).exists():
        return
    from vsr_compiler.diagnostics.suggestions import did_you_mean  # noqa: PLC0415 - `--version` must not pay for it

    question = did_you_mean(word, COMMANDS)
    if question or word.isalpha():
        hint = question or f"The commands are {', '.join(COMMANDS)}."
        raise click.UsageError(f"There is no command and no file `{word}`. {hint}", context)


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="vsr-compile")
def command() -> None:
    """Compile routing policies for LLM gateways.

    \b
    vsr-compile policies/quickstart.yaml           write out/quickstart/
    vsr-compile policies/quickstart.yaml --check   fail if out/quickstart/ is outdated

    Exit codes: 0 success, 1 findings or differences, 2 usage error, 70 internal error, 130 interrupted.
    """


def main() -> None:
    """Run the command line. An unexpected exception becomes one finding and exit code 70."""
    # A run makes millions of values and few cycles: with Python's own thresholds the collector takes most of its time.
    gc.set_threshold(200_000, 20, 20)
    # Pydantic would search all installed packages for plugins at every start.
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
            console.print_message(line)
            sys.exit(1)
        console.print_findings([console.internal_error(error)])
        sys.exit(70)
