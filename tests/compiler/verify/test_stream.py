"""Streams are read as by kubectl, and hostile ones end in a diagnostic."""

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
    """Return the objects of a stream, and its errors."""
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
def test_plain_scalars_are_resolved_as_by_kubectl(text: str, value: object) -> None:
    """In type and value."""
    assert (type(resolve_plain_scalar(text)), resolve_plain_scalar(text)) == (type(value), value)


def test_documents_lists_anchors_and_merge_keys_are_read() -> None:
    """Empty documents are ignored, a List is read as its items, merge keys are applied."""
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


def test_places_are_lines_and_columns_of_the_file() -> None:
    """Of a value, a key, an item, and the parent of a missing field."""
    (each,), _ = read("---\n" + HEAD + "spec:\n  ports:\n  - port: 80\n")
    place = each.span("spec", "ports", 0, "port")
    assert (place.file, place.line, place.column, place.end_column) == ("s.yaml", 7, 11, 13)
    assert (each.span("spec", "ports", 0, "port", key=True).column, each.span("spec", "ports", 0).line) == (5, 7)
    assert each.span("spec", "ports", 0, "gone").line == 7
    assert each.span("gone").line == 2


def test_colon_inside_brackets_is_part_of_a_string_as_in_kubectl() -> None:
    """Each document is read once, with its places, and duplicate keys are reported."""
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
    "an anchor that contains itself": ("a: &a [*a]", "VSR002", "no anchor"),
    "a tag of a programming language": ("!!python/object:os.system {}", "VSR431", "apiVersion"),
    "a custom tag": ("a: !secret x", "VSR002", "unknown tag"),
    "a duplicate key": ("a: 1\na: 2\n", "VSR003", "duplicate key"),
    "a template": (HEAD + "data: {{ .Values.x }}\n", "VSR480", "this is a template"),
    "no UTF-8": (b"\xff\xfe", "VSR004", "not UTF-8"),
    "a control character": ("a: \x01", "VSR002", "not valid YAML"),
    "a list": ("[1, 2]", "VSR431", "not a mapping"),
    "a scalar": ("text", "VSR431", "not a mapping"),
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
def test_hostile_stream_is_a_finding_with_a_place(name: str) -> None:
    """Nothing is raised."""
    text, code, part = HOSTILE[name]
    _, found = read(text)
    assert [item for item in found if item.code == code and part in item.message], found
    assert all(item.span.line for item in found)


def test_stream_over_the_limit_of_bytes_is_not_parsed() -> None:
    """The limit is one of the whole run."""
    objects, (item,) = read(b"a" * (stream.MAX_BYTES + 1))
    assert (objects, item.code) == ([], "VSR430")


def test_objects_over_the_limit_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of one run share the limit."""
    monkeypatch.setattr(stream, "MAX_OBJECTS", 3)
    found: list[Diagnostic] = []
    budget = Budget(objects=3)
    stream.read_stream((HEAD + "---\n" + HEAD).encode(), "a", budget, found)
    stream.read_stream((HEAD + "---\n" + HEAD).encode(), "b", budget, found)
    assert [item.code for item in found] == ["VSR430"]


def test_nested_merge_keys_spend_the_budget() -> None:
    """Each merged entry counts."""
    found: list[Diagnostic] = []
    budget = Budget()
    stream.read_stream(MERGES.encode(), "m", budget, found)
    assert stream.MAX_VALUES - budget.values > MERGES.count("y")


def test_document_without_kind_is_a_note_in_a_folder_and_an_error_by_name() -> None:
    """A folder may contain other YAML files."""
    assert [item.code for item in read("a: 1", strict=False)[1]] == ["VSR432"]
    assert [item.code for item in read("a: 1")[1]] == ["VSR431"]


POLICIES = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gateway, namespace: prod, labels: {app: gateway}}
spec:
  gatewayClassName: eg
  listeners:
    - name: https
      port: 443
      protocol: HTTPS
      hostname: "*.example.com"
      allowedRoutes:
        kinds: [{kind: HTTPRoute}]
        namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: In, values: [b]}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: arrival, namespace: prod}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gateway, namespace: prod, sectionName: https}]
  hostnames: [a.example.com]
  rules:
    - name: all
      matches: [{path: {type: PathPrefix, value: /}}]
    - name: some
      matches: [{headers: [{type: Exact, name: x-selected-model, value: m}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: by-rule, namespace: prod}
spec:
  mergeType: StrategicMerge
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: arrival, sectionName: some}]
  jwt: {providers: [{name: a}]}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: by-label, namespace: prod}
spec:
  targetSelectors: [{kind: Gateway, matchLabels: {app: gateway}}]
  extAuth: {http: {backendRefs: [{name: auth, port: 80}]}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: buffer, namespace: prod}
spec:
  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: gateway}
  requestBuffer: {limit: 8Mi}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: client, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gateway, sectionName: https}]
  http3: {}
  connection: {bufferLimit: 8Mi}
  headers: {earlyRequestHeaders: {remove: [x-a], removeOnMatch: [{type: Prefix, value: x-vsr-}]}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: router, namespace: prod}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gateway}]
  extProc:
    - backendRefs: [{name: router, port: 50051}]
      processingMode: {request: {body: Buffered}}
"""
"""Objects whose fields decide which routes, policies and filters a listener of Envoy Gateway gets."""
SHAPED = {name: m.joined(*getattr(m, name)) for name in ("ISTIO", "POOLED", "ENVOY", "AI")} | {"POLICIES": POLICIES}
WRONG: list[object] = [None, 5, float("nan"), "x", {"a": [5]}, ["x", [{}]]]


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return every path of a body."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inside for found in paths(item, (*path, key)))]


@pytest.mark.parametrize("name", SHAPED)
def test_link_rules_accept_values_of_any_shape(name: str) -> None:
    """Wrong shapes are reported by schemas; link rules never raise."""
    manifests, _ = read(SHAPED[name])
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
