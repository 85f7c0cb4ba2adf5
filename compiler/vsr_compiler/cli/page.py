"""The command line as a page for people: ``docs/cli.md`` is made here, and a test keeps it in step.

Run: ``python -m vsr_compiler.cli.page > docs/cli.md``.
"""

from __future__ import annotations

import inspect

import click

from vsr_compiler.cli import console
from vsr_compiler.cli.main import VERBS, command

HEAD = """\
# Command line

Exit codes of every verb: 0 fine, 1 findings or a difference, 2 usage, 70 our own fault, 130 interrupted. Data goes
to stdout, talk to stderr. Colour appears only on a terminal, and not where `NO_COLOR` is set. This page is made from
the commands themselves: `python -m vsr_compiler.cli.page > docs/cli.md`.

| verb | what it does |
|---|---|
"""


def markdown() -> str:
    """The page."""
    context = click.Context(command, info_name="vsr-compile")
    verbs = {name: command.get_command(context, name) for name in VERBS}
    table = "".join(f"| [{name}](#{name}) | {purpose} |\n" for name, purpose in VERBS.items())
    return HEAD + table + "".join(_verb(verb, name) for name, verb in verbs.items() if verb is not None)


def _verb(verb: click.Command, name: str) -> str:
    context = click.Context(verb, info_name=name)
    arguments = [each for each in verb.params if isinstance(each, click.Argument)]
    usage = " ".join(["vsr-compile", name, *(_argument(each, context) for each in arguments)])
    options = [each for each in verb.params if isinstance(each, click.Option) and not each.hidden]
    rows = "".join(f"| {_flags(each)} | {_default(each)} | {_cell(each.help or '')} |\n" for each in options)
    table = f"\n| flag | default | meaning |\n|---|---|---|\n{rows}" if rows else ""
    return f"\n## {name}\n\n    {usage}{' [FLAGS]' if rows else ''}\n\n{_prose(verb.help or '')}{table}"


def _argument(argument: click.Argument, context: click.Context) -> str:
    shown = argument.make_metavar(context)
    return shown if argument.required or shown.startswith("[") else f"[{shown}]"


def _prose(text: str) -> str:
    """A docstring; what stands behind click's control character is an example."""
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
    console.data(markdown())
