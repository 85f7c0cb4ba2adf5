"""The reference page of commands."""

from __future__ import annotations

import click
import pytest

from support.common import ROOT
from vsr_compiler.cli.commands_page import markdown
from vsr_compiler.cli.main import COMMANDS, command
from vsr_compiler.diagnostics.page import COMMANDS_PAGE


def test_page_is_what_the_commands_generate(*, update_golden: bool) -> None:
    """`python -m vsr_compiler.cli.commands_page > docs/reference/commands.md` writes it."""
    if update_golden:
        (ROOT / COMMANDS_PAGE).write_text(markdown(), encoding="utf-8")
    assert (ROOT / COMMANDS_PAGE).read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_listed_with_all_its_flags_and_an_example(name: str) -> None:
    """A command states what it does, and every flag has a line of help."""
    one = command.get_command(click.Context(command), name)
    assert one is not None
    section = markdown().split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert one.short_help
    assert "\n    " in section
    for parameter in one.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help
            assert all(f"`{flag}`" in section for flag in parameter.opts)
    assert "\b" not in section
