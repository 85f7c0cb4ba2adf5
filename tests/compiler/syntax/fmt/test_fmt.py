"""The canonical form, case by case."""

from __future__ import annotations

import pytest

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.syntax.fmt import canonical
from vsr_compiler.syntax.fmt import canonical as form

CASES = {
    "keys of the top level get their order, with their comments": (
        "default: a # why\n# the models\nmodels:\n  a: 1\nkind: K\napiVersion: v\nmine: 1\n",
        "apiVersion: v\nkind: K\n\n# the models\nmodels:\n  a: 1\n\ndefault: a # why\nmine: 1\n",
    ),
    "the head of an object stays together": (
        "apiVersion: v\n\nkind: K\n\n\nmetadata:\n  name: n\nrouter: {}\n",
        "apiVersion: v\nkind: K\nmetadata:\n  name: n\n\nrouter: {}\n",
    ),
    "what speaks of the whole file stays above it": (
        "# yaml-language-server: $schema=x\n# the models\nmodels: {}\nkind: K\n",
        "# yaml-language-server: $schema=x\nkind: K\n\n# the models\nmodels: {}\n",
    ),
    "a heading above a blank line stays above": (
        "# heading\n\nmodels: {}\nkind: K\n# end\n",
        "# heading\n\nkind: K\nmodels: {}\n# end\n",
    ),
    "lists are indented by two, as are mappings": (
        "a:\n- b:\n      c: 1\n # of the list\n# of what follows\nd:\n    e: 2\n",
        "a:\n  - b:\n      c: 1\n  # of the list\n\n# of what follows\nd:\n  e: 2\n",
    ),
    "order inside mappings is the writer's": ("a:\n  z: 1\n  b: 2\n", "a:\n  z: 1\n  b: 2\n"),
    "one way to quote": (
        "a: ['it''s', 'x', \"say \\\"x\\\"\", 'say \"x\"', 'a\\b', \"\\u00e9\", plain]\n",
        'a: ["it\'s", "x", \'say "x"\', \'say "x"\', \'a\\b\', "\\u00e9", plain]\n',
    ),
    "plain stays plain and quoted stays quoted": (
        "a: {no: on, y: '1e3', 'n': 12:30, b: \"\", c: , d: ~}\n".replace("12:30", "1230"),
        'a: {no: on, y: "1e3", "n": 1230, b: "", c, d: ~}\n',
    ),
    "a short flow over lines becomes one line": ("a: [b,\n  c ,\n  {d:  e}  ]\n", "a: [b, c, {d: e}]\n"),
    "a flow with comments becomes a block": (
        "a: [ # one\n  b, # two\n  # three\n  {c: d}, # four\n  ] # five\n",
        "a: # five\n  # one\n  - b # two\n  # three\n  - {c: d} # four\n",
    ),
    "blanks behind and between go, one blank line stays": (
        "a:   \n\n\n  b:   1\n\n\n\n  c: 2   # x\n\n\n",
        "a:\n  b: 1\n\n  c: 2 # x\n",
    ),
    "text over lines keeps its lines": (
        "a: one\n      two\n\n      three\nb: |-\n       x\n         y\nc: >\n       x\n       y\n\n",
        "a: one\n  two\n\n  three\n\nb: |-\n  x\n    y\n\nc: >\n  x\n  y\n",
    ),
    "a literal keeps its leading blanks and its comment": (
        "a: |1- # why\n   x\n  y\n",
        "a: |2- # why\n    x\n   y\n",
    ),
    "anchors and aliases stay": (
        "a: &x  [1]\nb: *x\nc: &y\n    d: 1\ne: {f: *y , *x : 2}\n".replace(", *x : 2", ""),
        "a: &x [1]\nb: *x\n\nc: &y\n  d: 1\n\ne: {f: *y}\n",
    ),
    "an alias keeps the order that it needs": (
        "models: &x {a: 1}\nendpoints: *x\nkind: K\n",
        "models: &x {a: 1}\nendpoints: *x\nkind: K\n",
    ),
    "windows lines, markers and a missing end": ("---\r\na: 1\r\nb: 'x\r\n  y'", "a: 1\n\nb: 'x\n  y'\n"),
    "a dash and its comment": ("a:\n  - # why\n    b: 1\n  -\n    - c\n", "a:\n  # why\n  - b: 1\n  - - c\n"),
    "an empty document in braces": ("{ } # nothing\n", "# nothing\n{}\n"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_canonical_form(name: str) -> None:
    """What comes out, and that it is its own canonical form."""
    before, after = CASES[name]
    assert canonical(before, "p") == after
    assert canonical(after, "p") == after


def test_a_flow_that_is_too_long_becomes_a_block() -> None:
    """120 columns are the limit, counted with the key."""
    items = ", ".join(["twelve chars"] * 8)
    assert canonical(f"key: [{items}]\n", "p") == f"key: [{items}]\n"
    assert canonical(f"{'k' * 20}: [{items}]\n", "p").splitlines()[1] == "  - twelve chars"


@pytest.mark.parametrize(
    ("text", "code"),
    [("a: [\n", "VSR002"), ("a: 1\na: 2\n", "VSR003"), ("\ta: 1\n", "VSR007"), ("- a\n", "VSR103"), ("", "VSR006")],
)
def test_what_does_not_parse_is_refused_with_the_usual_findings(text: str, code: str) -> None:
    """Formatting guesses nothing."""
    with pytest.raises(CompileError) as caught:
        canonical(text, "p")
    assert [item.code for item in caught.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("text", "result"),
    [("a: 1\n", "a: 2"), ("a: 1 # x\n", "a: 1"), ("a: 1\n", "a: '1'"), ("a: 1\n", "a: [")],
    ids=["another value", "a lost comment", "another type", "invalid YAML"],
)
def test_a_result_with_another_meaning_is_not_returned(text: str, result: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding is about the input, whatever the formatter did."""
    module = __import__("vsr_compiler.syntax.fmt.canonical", fromlist=["_whole"])
    monkeypatch.setattr(module, "_whole", lambda _: [result])
    with pytest.raises(CompileError) as caught:
        form(text, "p")
    assert [(item.code, item.span.file) for item in caught.value.diagnostics] == [("VSR012", "p")]
