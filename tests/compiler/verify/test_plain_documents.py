"""The fast reader of ordinary documents gives the values and places that the composer gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import ROOT
from support.properties import examples
from vsr_compiler.verify import stream
from vsr_compiler.verify.documents import DocumentPlaces, PlaceIndex
from vsr_compiler.verify.limits import Budget
from vsr_compiler.verify.plain_documents import ExtraordinaryError, plain_documents

ORDINARY = {
    "comments": "# first\n\n# second\na: 1 # last\n---\n# third\nb: [x, 'y']\n",
    "no mark": "a: {b: c}\n",
    "text behind the mark": "--- text\n--- {a: 1}\n--- >\n  folded\n  text\n",
    "end marks": "a: 1\n...\n---\nb: 2\n...\n",
    "windows": "a: 1\r\nb:\r\n- c\r\n---\r\nd: e\r\n",
    "other breaks of lines": 'a: "x\u2028y\u0085z"\nb: 2\n---\nc: 3\n',
    "marks in a text": "a: |\n  ---\n  b\n---\nc: |-\n  ...\nd: e\n",
    "indented": "   a: 1\n   b: 2\n---\n  c: 3\n",
    "wide characters": "a: \U0001f600\U0001f600\n---\nb: é\nc: d\n",
    "empty documents": "---\n---\na: 1\n---\n---\nnull\n---\n",
    "quoted keys": "'a b': 1\n\"c\\n\": 2\n? d\n: 3\n1: one\ntrue: yes\n",
    "scalars": "a: [0x10, 010, 1_000, .5, 1e3, ~, no, 'no', \"1\", -, 2024-01-01]\n",
    "nested lists": "- - - a\n    - b\n  - {c: [d, {e: f}]}\n- []\n- {}\n",
}
EXTRAORDINARY = {
    "anchor": "a: &x 1\nb: *x\n",
    "tag": "a: !!str 1\n",
    "merge key": "a: {<<: {b: 1}}\n",
    "directive": "%YAML 1.2\n---\na: 1\n",
    "duplicate key": "a: 1\na: 2\n",
    "key that is no text": "[a]: 1\n",
    "error": "a: [1\n",
}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every part of a value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from places(item, (*path, step))


def assert_equal(text: str) -> None:
    """Assert that both readers give the same documents."""
    fast = list(stream._plain(text, "a.yaml", Budget()))
    slow = list(stream._composed(text, "a.yaml", Budget()))
    assert [repr(value) for value, _ in fast] == [repr(value) for value, _ in slow]
    for (value, found), (_, known) in zip(fast, slow, strict=True):
        expected = PlaceIndex(DocumentPlaces("a.yaml", lambda known=known: known))
        for path in places(value):
            for key in (False, True):
                assert found.span(path, key) == expected.span(path, key), path


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_documents_are_read_alike(text):
    """Values, and the place of each part, are those of the composer."""
    assert_equal(text)


@pytest.mark.parametrize("text", EXTRAORDINARY.values(), ids=EXTRAORDINARY)
def test_what_is_not_ordinary_is_left_to_the_composer(text):
    """Its meaning and its errors are known in one place only."""
    with pytest.raises(ExtraordinaryError):
        list(plain_documents(text, Budget()))


def test_compiled_output_is_ordinary():
    """What the compiler writes is read in the fast way."""
    paths = sorted((ROOT / "out" / "quickstart").rglob("*.yaml"))
    assert len(paths) > 30
    assert_equal("---\n".join(path.read_text(encoding="utf-8") for path in paths))


@pytest.mark.parametrize("limit", [3, 7])
def test_a_limit_is_reported_by_the_composer(limit):
    """A text that exceeds the budget gets the composer's message with its place."""
    with pytest.raises(ExtraordinaryError):
        list(plain_documents("a: [b, c, d, e, f, g]\n", Budget(values=limit)))
    nested = "[" * 200 + "]" * 200
    with pytest.raises(ExtraordinaryError):
        list(plain_documents(nested, Budget()))


@given(st.lists(st.sampled_from([*ORDINARY.values(), *EXTRAORDINARY.values()]), max_size=4))
@examples(60)
def test_streams_are_read_alike(texts):
    """Any sequence of documents is read alike, or left to the composer."""
    text = "\n---\n".join(texts)
    try:
        list(plain_documents(text, Budget()))
    except ExtraordinaryError:
        return
    assert_equal(text)
