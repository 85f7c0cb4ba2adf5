"""The page of the command line."""

from __future__ import annotations

import click
import pytest

from support.common import ROOT
from vsr_compiler.cli.main import VERBS, command
from vsr_compiler.cli.page import markdown


def test_the_page_is_in_step_with_the_commands() -> None:
    """docs/cli.md is what the commands say; `python -m vsr_compiler.cli.page > docs/cli.md` writes it anew."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_is_there_with_all_its_flags_and_an_example(name: str) -> None:
    """A verb says what it does, and every flag of it has a line of help."""
    verb = command.get_command(click.Context(command), name)
    assert verb is not None
    section = markdown().split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert verb.short_help
    assert "\n    " in section
    for parameter in verb.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help
            assert all(f"`{flag}`" in section for flag in parameter.opts)
    assert "\b" not in section
