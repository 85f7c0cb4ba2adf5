"""Comments and values that look like comments."""

from __future__ import annotations

import pytest

from vsr_compiler.syntax.comments import comments

CASES = {
    "own line": ("# a\nk: v\n", [("# a", 1, 1, True)]),
    "behind a value": ("k: v  # a  \n", [("# a", 1, 7, False)]),
    "in double quotes": ('k: "v # no" # a\n', [("# a", 1, 13, False)]),
    "in single quotes": ("k: 'it''s # no' # a\n", [("# a", 1, 17, False)]),
    "without a blank before it": ("k: v#no # a\n", [("# a", 1, 9, False)]),
    "in a quoted value over lines": ('k: "v\n  # no\n  w" # a\n', [("# a", 3, 6, False)]),
    "in a literal": ("k: | # a\n  # no\n  x # no\n# b\n", [("# a", 1, 6, False), ("# b", 4, 1, True)]),
    "in a folded value at the end": ("k: >-\n  # no\n", []),
    "in a flow": ("k: [a, # a\n  b] # b\n", [("# a", 1, 8, False), ("# b", 2, 6, False)]),
    "behind a key": ("k: # a\n  j: v\n", [("# a", 1, 4, False)]),
    "behind an anchor": (
        "k: &x # a\n  v # b\nl: *x # c\n",
        [("# a", 1, 7, False), ("# b", 2, 5, False), ("# c", 3, 7, False)],
    ),
    "in a key": ('"k # no": v # a\n', [("# a", 1, 13, False)]),
    "windows lines": ("# a\r\nk: v # b\r\n", [("# a", 1, 1, True), ("# b", 2, 6, False)]),
    "behind other letters": ("k: ü☃ # a\n", [("# a", 1, 7, False)]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_comment_is_what_the_scanner_takes_for_one(name: str) -> None:
    """Text, line, column, and whether it has the line for itself."""
    text, expected = CASES[name]
    assert [(each.text, each.line, each.column, each.alone) for each in comments(text)] == expected
