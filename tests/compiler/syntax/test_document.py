"""YAML text to nodes with places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_compiler.diagnostics import CODES, CompileError, Diagnostic
from vsr_compiler.syntax import Mapping, Scalar, load
from vsr_compiler.syntax.document import MAX_DEPTH, MAX_NODES
from vsr_compiler.syntax.text import MAX_BYTES, decode, read


def problems(text: str) -> list[Diagnostic]:
    """What a text is refused for."""
    with pytest.raises(CompileError) as caught:
        load(text, "p.yaml")
    return caught.value.diagnostics


def test_scalars_keep_their_text_and_whether_they_were_quoted() -> None:
    """A plain `no` and a quoted one are both the text no, and differ in `plain`."""
    root = load("a: no\nb: 'no'\nc: 1e3\n", "p.yaml").root
    assert isinstance(root, Mapping)
    found = {key: (node.text, node.plain) for key, (_, node) in root.entries.items() if isinstance(node, Scalar)}
    assert found == {"a": ("no", True), "b": ("no", False), "c": ("1e3", True)}


def test_every_value_has_its_place() -> None:
    """Line and column count from 1, and point at the first character of the value or of its key."""
    document = load("models:\n  a:\n    endpoints: [x, yy]\n", "p.yaml")
    span = document.span(("models", "a", "endpoints", 1))
    assert (span.line, span.column, span.end_column) == (3, 20, 22)
    key = document.span(("models", "a"), key=True)
    assert (key.line, key.column, key.end_column) == (2, 3, 4)


def test_a_path_that_leads_nowhere_gets_its_nearest_ancestor() -> None:
    """A missing key is reported at the key that should hold it."""
    span = load("a:\n  b: 1\n", "p.yaml").span(("a", "c", 0))
    assert (span.line, span.column) == (1, 1)


def test_columns_count_characters_not_bytes() -> None:
    """Text before the value may be of any script."""
    span = load("k: {日本: x}\n", "p.yaml").span(("k", "日本"))
    assert (span.line, span.column) == (1, 9)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: 1\na: 2\n", "VSR003", 2, 1),
        ("a: [1\nb: 2\n", "VSR002", 2, 2),
        ("a: b: c\n", "VSR002", 1, 5),
        ("a: 'x\nb: 1\n", "VSR002", 3, 1),
        ("a: \x01b\n", "VSR002", 1, 4),
        ("a:\n\tb: 1\n", "VSR007", 2, 1),
        ("a: 1\nb: x\u2028y\n", "VSR002", 2, 5),
        ("a: 1\rb: 2\n", "VSR002", 1, 5),
        ("a: 1\n---\nb: 1\n", "VSR006", 2, 1),
        ("# only a comment\n", "VSR006", 1, 1),
        ("a: !!python/object:os.system x\n", "VSR008", 1, 4),
        ("<<: {a: 1}\n", "VSR008", 1, 1),
        ("a: *x\n", "VSR002", 1, 4),
        ("a: &x [*x]\n", "VSR002", 1, 8),
        ("? [a]\n: b\n", "VSR002", 1, 3),
        ("[" * (MAX_DEPTH + 1), "VSR005", 1, MAX_DEPTH + 1),
    ],
)
def test_what_is_refused_names_its_code_and_place(text: str, code: str, line: int, column: int) -> None:
    """Each fault of the text has a code and points at where it is."""
    (found,) = problems(text)
    assert (found.code, found.span.line, found.span.column) == (code, line, column)


def test_all_duplicate_keys_are_reported_at_once() -> None:
    """One run shows each of them, with the line of the first."""
    found = problems("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n")
    assert [(item.span.line, item.hint) for item in found] == [
        (2, "The first is in line 1. Remove one of them."),
        (5, "The first is in line 4. Remove one of them."),
    ]


@pytest.mark.parametrize("text", ["a:\n  b: {c: 1}}\n", "a: [b, {c: 1]\nd: 1\n", "a:\n- [1]]\n"])
def test_a_bracket_too_many_is_named(text: str) -> None:
    """The line where its mapping begins, far above, is not what is wrong."""
    (found,) = problems(text)
    assert (found.code, "does not match the last open bracket" in str(found.hint)) == ("VSR002", True)


def test_aliases_stand_for_their_values() -> None:
    """An anchor that is finished may be used again."""
    document = load("a: &x [1, 2]\nb: *x\n", "p.yaml")
    node = document.node(("b", 1))
    assert isinstance(node, Scalar)
    assert node.text == "2"


def test_aliases_that_explode_are_refused() -> None:
    """Ten lines that stand for a million values cost nothing and are named."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdef", "bcdefg", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    (found,) = problems("\n".join(lines))
    assert (found.code, found.message) == ("VSR005", f"more than {MAX_NODES} values after its aliases are expanded")


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [(b"\xef\xbb\xbfa: 1\n", 1, 1), (b"a: 1\nb: \xff\n", 2, 4), ("a: é".encode() + b"\xc3", 1, 5)],
)
def test_bytes_that_are_not_plain_utf8_are_refused_with_their_place(data: bytes, line: int, column: int) -> None:
    """A byte order mark and a broken sequence are both found where they are."""
    with pytest.raises(CompileError) as caught:
        decode(data, "p.yaml")
    (found,) = caught.value.diagnostics
    assert (found.code, found.span.line, found.span.column) == ("VSR004", line, column)


def test_a_file_over_the_limit_is_refused() -> None:
    """Size is bounded before anything is parsed."""
    with pytest.raises(CompileError) as caught:
        decode(b"a" * (MAX_BYTES + 1), "p.yaml")
    assert caught.value.diagnostics[0].code == "VSR005"


def test_a_missing_file_and_a_folder_are_one_finding_each(tmp_path) -> None:
    """What cannot be read is said in the system's own words."""
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(CompileError) as caught:
            read(path, "p.yaml")
        assert caught.value.diagnostics[0].code == "VSR001"


@examples(300)
@given(st.binary(max_size=400) | st.text(alphabet="ab:-[]{}&*!|>'\"#%@` \n\t,?", max_size=200).map(str.encode))
def test_no_bytes_end_in_anything_but_nodes_or_findings(data: bytes) -> None:
    """Whatever stands in the file, the outcome is a document or known codes with a place inside the file."""
    try:
        load(decode(data, "p.yaml"), "p.yaml")
    except CompileError as error:
        lines = data.count(b"\n") + data.count(b"\r") + data.count(b"\xc2\x85") + data.count(b"\xe2\x80") + 2
        for item in error.diagnostics:
            assert item.code in CODES
            assert 1 <= item.span.line <= lines
            assert item.span.column >= 1
