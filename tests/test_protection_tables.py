"""The tables of protocols and known checkpoints."""

from __future__ import annotations

import re

from support.protection_tables import PAGE, tables, written
from vsr_compiler.releases.checkpoints import CHECKPOINTS


def test_tables_of_the_page_are_what_the_data_say() -> None:
    """`python tests/support/protection_tables.py` writes them."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == written(text, tables())


def test_every_known_checkpoint_has_its_facts_or_is_marked() -> None:
    """A revision is a whole commit; what was not confirmed is marked."""
    for one in CHECKPOINTS:
        assert re.fullmatch(r"[0-9a-f]{40}|", one.revision), one.repo
        assert one.source
        assert one.labels
        assert not one.confirmed or (one.revision and one.licence), one.repo
