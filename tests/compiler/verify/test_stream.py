"""Reading: what kubectl would make of a stream, and an end in a diagnostic for whatever is hostile."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import support.verify_support as m
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify import check_links, stream
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.plain_scalars import resolve_plain_scalar
from vsr_compiler.verify.stream import Budget

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def read(text: str | bytes, *, strict: bool = True) -> tuple[list[Manifest], list[Diagnostic]]:
    """The objects of a stream and what is wrong with it."""
    found: list[Diagnostic] = []
    data = text.encode() if isinstance(text, str) else text
    return stream.read_stream(data, "s.yaml", Budget(), found, strict=strict), found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("Off", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-12", -12),
        ("0x1F", 31),
        ("0420", 272),
        ("0o17", 15),
        ("0b11", 3),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("12:30", "12:30"),
        ("1.2.3", "1.2.3"),
        ("v1", "v1"),
        ("08", 8),
        ("-", "-"),
    ],
)
def test_plain_scalars_are_what_kubectl_makes_of_them(text: str, value: object) -> None:
    """The type and the value."""
    assert (type(resolve_plain_scalar(text)), resolve_plain_scalar(text)) == (type(value), value)


def test_documents_lists_anchors_and_merge_keys() -> None:
    """Empty documents count for nothing, a List for its items, a merge key for what it merges."""
    text = f"""\
---
{HEAD}data: &d {{a: "1", b: "2"}}
---
---
apiVersion: v1
kind: List
items:
- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: b}}, data: {{<<: &x {{a: "3"}}, c: "4"}}}}
"""
    objects, found = read(text)
    assert found == []
    assert [(each.name, each.body["data"]) for each in objects] == [
        ("a", {"a": "1", "b": "2"}),
        ("b", {"a": "3", "c": "4"}),
    ]


def test_places_are_those_of_the_file() -> None:
    """A value, a key, an item, and what is not there."""
    (each,), _ = read("---\n" + HEAD + "spec:\n  ports:\n  - port: 80\n")
    place = each.span("spec", "ports", 0, "port")
    assert (place.file, place.line, place.column, place.end_column) == ("s.yaml", 7, 11, 13)
    assert (each.span("spec", "ports", 0, "port", key=True).column, each.span("spec", "ports", 0).line) == (5, 7)
    assert each.span("spec", "ports", 0, "gone").line == 7
    assert each.span("gone").line == 2


def test_a_colon_inside_brackets_is_text_as_for_kubectl() -> None:
    """Each document is told once, with its place, and a key twice is still seen."""
    text = HEAD + "---\n" + HEAD.replace("a}", "b}") + "data: {url: http://x:80}\nlist: [http://x, a:b]\n"
    objects, found = read(text)
    assert ([each.name for each in objects], found) == (["a", "b"], [])
    assert objects[1].body["list"] == ["http://x", "a:b"]
    assert objects[1].span("list", 1).line == 9
    assert [item.code for item in read("a: [http://x]\nb: 1\nb: 2\n")[1]] == ["VSR003"]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"b{n}: &b{n} {{<<: [*a{f', *b{n - 1}' if n else ''}], y{n}: 1}}\n" for n in range(9)
)
HOSTILE = {
    "a bomb of aliases": (BOMB, "VSR430", "values"),
    "deep brackets": ("[" * 100_000, "VSR430", "nested deeper"),
    "deep mappings": ("{a: " * 100_000, "VSR430", "nested deeper"),
    "an anchor within itself": ("a: &a [*a]", "VSR002", "no anchor"),
    "a tag of some language": ("!!python/object:os.system {}", "VSR431", "apiVersion"),
    "a tag of somebody": ("a: !secret x", "VSR002", "the tag"),
    "a key twice": ("a: 1\na: 2\n", "VSR003", "given twice"),
    "a template": (HEAD + "data: {{ .Values.x }}\n", "VSR002", "key must be text"),
    "no UTF-8": (b"\xff\xfe", "VSR004", "not UTF-8"),
    "a control character": ("a: \x01", "VSR002", "not valid YAML"),
    "a list": ("[1, 2]", "VSR431", "no mapping"),
    "a scalar": ("text", "VSR431", "no mapping"),
    "no apiVersion": ("kind: Pod\nmetadata: {name: a}", "VSR431", "`apiVersion`"),
    "a kind that is a number": ("apiVersion: v1\nkind: 5\nmetadata: {name: a}", "VSR431", "`kind`"),
    "no metadata": ("apiVersion: v1\nkind: Pod", "VSR431", "no metadata"),
    "no name": ("apiVersion: v1\nkind: Pod\nmetadata: {}", "VSR431", "no name"),
    "a name that is a number": ("apiVersion: v1\nkind: Pod\nmetadata: {name: 5}", "VSR431", "no name"),
    "a namespace that is a list": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: []}",
        "VSR431",
        "namespace",
    ),
    "a merge of text": ("a: {<<: text}", "VSR002", "merge key"),
    "an endless number": (f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {'9' * 100_000}}}", "VSR431", "no name"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_stream_ends_in_a_diagnostic(name: str) -> None:
    """With its place, and without a traceback."""
    text, code, part = HOSTILE[name]
    _, found = read(text)
    assert [item for item in found if item.code == code and part in item.message], found
    assert all(item.span.line for item in found)


def test_a_stream_of_100_mb_is_refused_unread() -> None:
    """By its size."""
    objects, (item,) = read(b"a" * (stream.MAX_BYTES + 1))
    assert (objects, item.code) == ([], "VSR430")


def test_more_objects_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is one of a whole run."""
    monkeypatch.setattr(stream, "MAX_OBJECTS", 3)
    found: list[Diagnostic] = []
    budget = Budget(objects=3)
    stream.read_stream((HEAD + "---\n" + HEAD).encode(), "a", budget, found)
    stream.read_stream((HEAD + "---\n" + HEAD).encode(), "b", budget, found)
    assert [item.code for item in found] == ["VSR430"]


def test_merges_of_merges_are_counted() -> None:
    """What they expand to is on the budget."""
    found: list[Diagnostic] = []
    budget = Budget()
    stream.read_stream(MERGES.encode(), "m", budget, found)
    assert stream.MAX_VALUES - budget.values > MERGES.count("y")


def test_a_document_without_kind_is_a_note_where_it_was_only_come_across() -> None:
    """A folder may hold other YAML."""
    assert [item.code for item in read("a: 1", strict=False)[1]] == ["VSR432"]
    assert [item.code for item in read("a: 1")[1]] == ["VSR431"]


WRONG: list[object] = [None, 5, "x", {"a": [5]}, ["x", [{}]]]


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path of a body."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inside for found in paths(item, (*path, key)))]


@pytest.mark.parametrize("name", ["ISTIO", "POOLED", "ENVOY", "AI"])
def test_no_wrong_shape_makes_a_rule_fail(name: str) -> None:
    """Whatever stands where something else should, the rules go on: the shape is a schema's finding."""
    manifests, _ = read(m.joined(*getattr(m, name)))
    for each in manifests:
        for path in paths(each.body):
            if not path or path[0] in {"apiVersion", "kind", "metadata"}:
                continue
            for wrong in WRONG:
                broken = copy.deepcopy(each.body)
                *way, last = path
                node: Any = broken
                for step in way:
                    node = node[step]
                node[last] = copy.deepcopy(wrong)
                check_links(
                    [Manifest.generated(broken if other is each else other.body, each.span()) for other in manifests]
                )
