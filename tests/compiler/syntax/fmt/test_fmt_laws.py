"""The laws of `fmt`, on texts that nobody would write by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from support.common import ROOT, SMALL, linked
from support.properties import examples
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.syntax import Mapping, load
from vsr_compiler.syntax.comments import comments
from vsr_compiler.syntax.data import to_data
from vsr_compiler.syntax.fmt import canonical
from vsr_schemas.scalars import Plain

COMMENTS = st.sampled_from(["# one", "#two", "# three: [x] 'q' \"", "#", "# vsr: ignore VSR221 reason", "# é ☃"])
PLAIN = [
    "no",
    "on",
    "y",
    "1e3",
    "12:30",
    "0o14",
    "null",
    "~",
    "a b",
    "-x",
    "?x",
    "a'b",
    'a"b',
    "x#y",
    "é",
    "1.0",
    "*x"[1:],
]
QUOTED = ["''", '""', "'it''s'", '"it\'s"', "'say \"x\"'", '"say \\"x\\""', '"\\u2028"', "'a # b'", '" x "', "'\\'"]


@st.composite
def spaces(draw: Any, indent: int) -> str:
    """What may stand between two entries: blank lines and comments at any depth."""
    parts = draw(st.lists(st.one_of(st.just(""), COMMENTS), max_size=3))
    return "".join(" " * draw(st.integers(0, indent)) * bool(part) + part + "\n" for part in parts)


@st.composite
def tails(draw: Any) -> str:
    """What may stand behind a value on its line."""
    comment = draw(st.one_of(st.just(""), st.just(""), COMMENTS))
    return (
        f"{' ' * draw(st.integers(1, 4))}{comment}".rstrip() + "\n" if comment else " " * draw(st.integers(0, 2)) + "\n"
    )


@st.composite
def flows(draw: Any, depth: int) -> str:
    """A value that may stand in a flow collection, which may break its lines and carry comments."""
    kind = draw(st.sampled_from(["plain", "quoted", "list", "map"] if depth else ["plain", "quoted"]))
    if kind in {"plain", "quoted"}:
        return draw(st.sampled_from(PLAIN if kind == "plain" else QUOTED))
    items = [draw(flows(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if kind == "map":
        items = [f"k{index}: {item}" for index, item in enumerate(items)]
    glue = [
        draw(st.sampled_from([" ", "", "\n      ", " # in\n      ", "\n      # own\n      "]))
        for _ in range(len(items) + 1)
    ]
    inner = "".join(f"{space}{item}," for space, item in zip(glue, items, strict=False)) + glue[-1]
    return f"{'{' if kind == 'map' else '['}{inner}{'}' if kind == 'map' else ']'}"


@st.composite
def values(draw: Any, indent: int, depth: int) -> str:
    """What may stand behind `key:` or `-`, with its line end."""
    kind = draw(st.sampled_from(["flow", "null", "literal", "folded", "long", *(["map", "list"] * 2 if depth else [])]))
    if kind == "flow":
        return " " + draw(flows(2)) + draw(tails())
    if kind == "null":
        return draw(tails())
    pad = " " * (indent + 2)
    if kind in {"literal", "folded"}:
        head = draw(st.sampled_from(["|", "|-", "|+", "|2", "|2-"] if kind == "literal" else [">", ">-", ">+"]))
        lines = draw(
            st.lists(st.sampled_from(["text", "# no comment", "  deeper", "", "a: b", "- c "]), min_size=1, max_size=5)
        )
        assume("2" in head or not next((line for line in lines if line), "x").startswith(" "))
        return f" {head}{draw(tails())}" + "".join((pad + line if line else "") + "\n" for line in lines)
    if kind == "long":
        quote = draw(st.sampled_from(["", "'", '"']))
        words = draw(st.lists(st.sampled_from(["several", "words", "here,", "it"]), min_size=2, max_size=6))
        breaks = [draw(st.sampled_from([" ", "\n" + pad, "\n\n" + pad])) for _ in words]
        text = "".join(word + gap for word, gap in zip(words, breaks, strict=True)).rstrip()
        return f" {quote}{text}{quote}" + draw(tails())
    return draw(tails()) + draw(maps(indent + 2, depth - 1) if kind == "map" else lists(indent + 2, depth - 1))


@st.composite
def maps(draw: Any, indent: int, depth: int) -> str:
    """A block mapping."""
    keys = draw(st.lists(st.sampled_from(["a", "'b'", '"c d"', "no", "é"]), min_size=1, max_size=3, unique=True))
    return "".join(draw(spaces(indent)) + " " * indent + f"{key}:" + draw(values(indent, depth)) for key in keys)


@st.composite
def lists(draw: Any, indent: int, depth: int) -> str:
    """A block list."""
    count = draw(st.integers(1, 3))
    return "".join(draw(spaces(indent)) + " " * indent + "-" + draw(values(indent, depth)) for _ in range(count))


@st.composite
def texts(draw: Any) -> str:
    """A whole file: some keys of a policy and some others, in any order."""
    keys = draw(st.permutations(["routes", "apiVersion", "mine", "default", "kind", "models", "metadata"]))
    blocks = [draw(spaces(0)) + f"{key}:" + draw(values(0, 2)) for key in keys[: draw(st.integers(1, 7))]]
    return "".join(blocks) + draw(spaces(3))


def typed(value: Any) -> Any:
    """Data with the difference between plain and quoted made visible."""
    if isinstance(value, dict):
        return {key: typed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [typed(child) for child in value]
    return (isinstance(value, Plain), str(value))


def assert_laws(text: str) -> None:
    """A text that parses has a canonical form that says the same, keeps its comments and is its own canonical form."""
    data = typed(to_data(load(text, "p").root))
    once = canonical(text, "p")
    assert typed(to_data(load(once, "p").root)) == data
    assert Counter(c.text for c in comments(once)) == Counter(c.text for c in comments(text))
    assert canonical(once, "p") == once
    assert once.endswith("\n")
    assert not once.endswith("\n\n")


@given(texts())
@examples(150)
def test_the_laws_hold_for_whatever_yaml_allows(text: str) -> None:
    """Styles, comments and blank lines anywhere: same data, same comments, and a fixed point."""
    try:
        load(text, "p")
    except CompileError:
        assume(condition=False)
    assert_laws(text)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("policies/*.yaml")) + sorted(ROOT.glob("tests/golden/*/policy.yaml")), ids=str
)
def test_the_laws_hold_for_the_policies_that_are_here_and_their_meaning_stays(path: Any) -> None:
    """Their fingerprint is what the output's lock names."""
    text = path.read_text(encoding="utf-8")
    assert_laws(text)
    assert linked(canonical(text, "p")).sha256 == linked(text).sha256


@given(texts(), st.integers(0, 18))
@examples(50)
def test_a_policy_with_comments_anywhere_keeps_its_fingerprint(text: str, line: int) -> None:
    """Comments and blank lines between the lines of a policy change nothing of what it compiles to."""
    remarks = [f"  {each.text}\n" for each in comments(text)] if parses(text) else ["# x\n"]
    lines = SMALL.splitlines(keepends=True)
    changed = "".join([*lines[:line], "\n", *remarks, *lines[line:]])
    assert_laws(changed)
    assert linked(canonical(changed, "p")).sha256 == linked().sha256


@given(
    st.integers(0, len(SMALL)), st.integers(0, 3), st.text(alphabet=" \t\n#:-,[]{}'\"|>&*?!%@`xé\u2028\x85", max_size=4)
)
@examples(400)
def test_a_damaged_policy_is_refused_or_formatted_and_never_a_fault_of_ours(at: int, cut: int, put: str) -> None:
    """Only the two outcomes that a user can understand."""
    text = SMALL[:at] + put + SMALL[at + cut :]
    if not parses(text):
        with pytest.raises(CompileError):
            canonical(text, "p")
        return
    if isinstance(load(text, "p").root, Mapping):
        assert_laws(text)


ANCHORED = """\
# head
a: &x [b, {c: &y d}] # t
e: *x
"f": &z
  g: *y # c
  &k h: |
    text
"""
PIECES = [
    "&x [",
    "&x:[",
    "&x {",
    "&x ",
    "&x?",
    "*x",
    "&x",
    "? ",
    "&x\n",
    "&x:",
    "&x # c\n",
    ": ",
    "# c\n",
    "&x |\n",
    "&y >-\n",
]


@given(
    st.sampled_from([SMALL, ANCHORED]),
    st.lists(st.tuples(st.integers(0, len(SMALL)), st.integers(0, 3), st.sampled_from(PIECES)), min_size=1, max_size=3),
)
@example(SMALL, [(0, 0, "&x:[")])
@example(SMALL, [(0, 0, "&x\n"), (0, 0, "# c\n")])
@example(ANCHORED, [(32, 1, "&x:")])
def test_misplaced_anchors_and_comments_are_rejected_or_formatted(
    text: str, damages: list[tuple[int, int, str]]
) -> None:
    """A finding is about the input, never about the output of `fmt`."""
    for at, cut, piece in damages:
        text = text[: at % len(text)] + piece + text[at % len(text) + cut :]
    if not parses(text) or not isinstance(load(text, "p").root, Mapping):
        with pytest.raises(CompileError):
            canonical(text, "p")
        return
    try:
        canonical(text, "p")
    except CompileError as error:
        assert [item.code for item in error.diagnostics] in (["VSR012"], ["VSR005"])  # noqa: PT017 - either outcome is fine
        return
    assert_laws(text)


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("&x:[apiVersion: vsr.dev/v1alpha1\n", "&x :[apiVersion: vsr.dev/v1alpha1\n"),
        ("a: &x:y b\n", "a: &x :y b\n"),
        ("&x # c\nkind: a\napiVersion: b\n", "apiVersion: b\n\n# c\nkind: a\n"),
    ],
)
def test_what_follows_an_anchor_belongs_to_the_value(text: str, formatted: str) -> None:
    """As the parser reads it, not as it looks."""
    assert canonical(text, "p") == formatted


def test_a_text_whose_meaning_would_change_is_rejected() -> None:
    """The message is about the input; the file is not changed."""
    with pytest.raises(CompileError) as caught:
        canonical("a: &x b\n&x: *x\n", "p")
    (item,) = caught.value.diagnostics
    assert (item.code, item.span.file, item.span.line) == ("VSR012", "p", 0)


def parses(text: str) -> bool:
    """Whether it is YAML that policies may be written in."""
    try:
        load(text, "p")
    except CompileError:
        return False
    return True
