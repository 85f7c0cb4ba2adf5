"""The reference page of commands, ``docs/reference/commands.md``, generated from the commands themselves.

Run ``python -m vsr_compiler.cli.commands_page > docs/reference/commands.md``.
"""

from __future__ import annotations

import inspect

import click

from vsr_compiler.cli import console
from vsr_compiler.cli.main import COMMANDS, command

HEAD = """\
# Commands

Exit codes of every command: 0 success, 1 findings or differences, 2 usage error, 70 internal error, 130 interrupted.
Data goes to stdout, messages to stderr. Colour appears only on a terminal, and not if `NO_COLOR` is set.

This page is generated: `python -m vsr_compiler.cli.commands_page > docs/reference/commands.md`.

| command | purpose |
|---|---|
"""


ANSWERS = """
## Answers of earlier runs

`check` and `compile` keep what they found in `answers/` of the user's cache (`VSR_CACHE_DIR`, else
`$XDG_CACHE_HOME/vsr-compile`, else `~/.cache/vsr-compile`), and do not work it out again while nothing changed:
the texts of the policy and its fragments, their places, the day, this program, the installed packages, the working
folder, and the environment variables that begin with `VSR_`. `compile` also compares every output file with
the lock, and does the whole work if one differs, and with `--rebuild` or `--schema`. At most 128 answers of up to
1 MiB are kept. Files that another user could have written are ignored, and a cache that cannot be
written changes nothing. Set `VSR_NO_CACHE=1` to switch it off.
"""


def markdown() -> str:
    """Return the page."""
    context = click.Context(command, info_name="vsr-compile")
    commands = {name: command.get_command(context, name) for name in COMMANDS}
    table = "".join(f"| [{name}](#{name}) | {purpose} |\n" for name, purpose in COMMANDS.items())
    return HEAD + table + "".join(_section(one, name) for name, one in commands.items() if one is not None) + ANSWERS


def _section(one: click.Command, name: str) -> str:
    context = click.Context(one, info_name=name)
    arguments = [parameter for parameter in one.params if isinstance(parameter, click.Argument)]
    usage = " ".join(["vsr-compile", name, *(_argument(argument, context) for argument in arguments)])
    options = [parameter for parameter in one.params if isinstance(parameter, click.Option) and not parameter.hidden]
    rows = "".join(f"| {_flags(option)} | {_default(option)} | {_cell(option.help or '')} |\n" for option in options)
    table = f"\n| flag | default | meaning |\n|---|---|---|\n{rows}" if rows else ""
    return f"\n## {name}\n\n    {usage}{' [FLAGS]' if rows else ''}\n\n{_prose(one.help or '')}{table}"


def _argument(argument: click.Argument, context: click.Context) -> str:
    shown = argument.make_metavar(context)
    return shown if argument.required or shown.startswith("[") else f"[{shown}]"


def _prose(text: str) -> str:
    """Return a docstring as Markdown; a paragraph that begins with click's control character is an example."""
    parts = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = paragraph.splitlines()
        if lines and lines[0].strip() == "\b":
            parts.append("\n".join(f"    {line}" for line in lines[1:]))
        else:
            parts.append(" ".join(lines))
    return "\n\n".join(parts) + "\n"


def _flags(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    if option.is_flag:
        return names
    kind = option.type
    values = " \\| ".join(map(str, kind.choices)) if isinstance(kind, click.Choice) else kind.name.upper()
    return f"{names} {values}"


def _default(option: click.Option) -> str:
    return f"`{option.default}`" if option.show_default and option.default is not None else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    console.print_data(markdown())
