"""``vsr-compile completion``: completion scripts for shells."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from vsr_compiler.cli import console

PROGRAM = "vsr-compile"
VARIABLE = "_VSR_COMPILE_COMPLETE"
SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(name="completion", short_help="Print a completion script for a shell.")
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script that lets a shell complete commands, flags and files.

    \b
    bash  eval "$(vsr-compile completion bash)"                            in ~/.bashrc
    zsh   eval "$(vsr-compile completion zsh)"                             in ~/.zshrc
    fish  vsr-compile completion fish > ~/.config/fish/completions/vsr-compile.fish
    """
    completer = SHELLS[shell](context.find_root().command, {}, PROGRAM, VARIABLE)
    # `source()` would run bash to ask for its version; the script is the same for every version.
    console.print_data(completer.source_template % completer.source_vars())
