"""YAML streams to objects with places, bounded in bytes, depth, values and objects.

As API clients read YAML: several documents, merge keys and the core tags; a `List` stands for its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.verify.manifest import Body, Manifest, Path
from vsr_compiler.verify.scalars import resolved

MAX_BYTES = 32 * 1024 * 1024
MAX_VALUES = 1_000_000
MAX_OBJECTS = 20_000
OWN_GROUP = "vsr.dev/"
"""Policies, settings of the router and of the local stand: written for our own programs, never for a cluster."""
MAX_DEPTH = 100
MAX_PURE = 1024 * 1024

_CORE = "tag:yaml.org,2002:"
_PLACED = Any
"""A scalar's event, or the event of a mapping or list with the places in it: ruamel's events carry no types."""


@dataclass(slots=True)
class Budget:
    """What a whole run may cost; streams draw on it one after another."""

    bytes: int = MAX_BYTES
    values: int = MAX_VALUES
    objects: int = MAX_OBJECTS


@dataclass(slots=True)
class _Open:
    """A mapping or list that is not finished, with the places of what is in it."""

    value: Any
    event: Any
    places: Any
    key: Any = None
    before: int = 0
    merged: list[Any] = field(default_factory=list)


def objects(data: bytes, name: str, budget: Budget, found: list[Diagnostic], *, strict: bool = True) -> list[Manifest]:
    """The objects of a stream, in order.

    Args:
        data: The stream.
        name: How messages call it.
        budget: What may still be spent.
        found: Takes what is wrong with the stream; the objects before a fault are still checked.
        strict: Whether a document that is no Kubernetes object is an error, as in a file that was named, or a note,
            as in one that was come across in a folder.
    """
    manifests: list[Manifest] = []
    try:
        _spend_bytes(data, name, budget)
        for value, places in documents(data, name, budget):
            manifests += _unpacked(value, places, name, budget, found, strict=strict)
    except CompileError as error:
        found += error.diagnostics
    return manifests


def _spend_bytes(data: bytes, name: str, budget: Budget) -> None:
    budget.bytes -= len(data)
    if budget.bytes < 0:
        raise _over(f"more than {MAX_BYTES // 1024 // 1024} MiB of manifests", Span(name))


def _over(message: str, span: Span) -> CompileError:
    return CompileError([Diagnostic("VSR430", message, span, "Check the manifests in several runs.")])


def documents(data: bytes, name: str, budget: Budget) -> Iterator[tuple[Any, _PLACED]]:
    """Each document's value and places."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise CompileError([Diagnostic("VSR004", message, Span(name, line, 1), "Save it as UTF-8.")]) from None
    told, values = 0, budget.values
    for pure in (False, True):
        reader, seen = _Reader(name, budget), 0
        try:
            for event in YAML(typ="safe", pure=pure).parse(text):
                if reader.feed(event):
                    seen += 1
                    if seen > told:
                        told = seen
                        yield reader.result
        except YAMLError as error:
            # The C parser refuses `[http://x]`, which kubectl takes; the other parser is right and slow.
            if pure or "unexpected ':'" not in str(error) or len(text) > MAX_PURE:
                raise CompileError([_syntax(error, text, name)]) from None
            budget.values = values
        else:
            return


def _syntax(error: YAMLError, text: str, name: str) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        before = text[: min(int(getattr(error, "position", 0) or 0), len(text))]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    else:
        line, column = mark.line + 1, mark.column + 1
    problem = error.problem if isinstance(error, MarkedYAMLError) and error.problem else getattr(error, "reason", "")
    hint = "Render templates first; check quotes, brackets and indentation."
    return Diagnostic("VSR002", f"not valid YAML: {problem or 'cannot be read'}", Span(name, line, column), hint)


class _Reader:
    """Turns parser events into values and places, one document after another. Its stack cannot overflow."""

    def __init__(self, name: str, budget: Budget) -> None:
        self.name = name
        self.budget = budget
        self.result: tuple[Any, _PLACED] = (None, None)
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, _PLACED, int]] = {}

    def feed(self, event: Any) -> bool:  # noqa: ANN401 - ruamel's events carry no types
        """Take the next event. Returns whether a document is complete."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._spend(1, event)
            value = self._scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = (value, event, 1)
            self._place(value, event, event)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._begin(event, mapping=kind[0] == "M")
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self._finish()
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self.result, self._anchors = (None, event), {}
        return kind == "DocumentEndEvent"

    def _spend(self, number: int, event: Any) -> None:  # noqa: ANN401 - as above
        self.budget.values -= number
        if self.budget.values < 0:
            raise _over(f"more than {MAX_VALUES:,} values after aliases are expanded", span(event, self.name))

    def _scalar(self, event: Any) -> Any:  # noqa: ANN401 - as above
        tag = str(event.tag or "")
        if tag and tag != "!" and not tag.startswith((_CORE, "!!")):
            message = f"the tag `{tag}` means nothing to an API server"
            raise CompileError([Diagnostic("VSR002", message, span(event, self.name), "Remove the tag.")])
        if event.style or tag.endswith(("str", "binary")) or tag == "!":
            return event.value
        return resolved(event.value)

    def _begin(self, event: Any, *, mapping: bool) -> None:  # noqa: ANN401 - as above
        self._spend(1, event)
        if len(self._stack) >= MAX_DEPTH:
            raise _over(f"nested deeper than {MAX_DEPTH} levels", span(event, self.name))
        value: Any = {} if mapping else []
        opened = _Open(value, event, (event, {} if mapping else []), before=self.budget.values)
        self._place(value, opened.places, event)
        self._stack.append(opened)

    def _finish(self) -> None:
        done = self._stack.pop()
        for source, places in done.merged:
            for key, item in source.items():
                if key not in done.value:
                    self._spend(1, done.event)
                    done.value[key], done.places[1][key] = item, places[1][key]
        if done.event.anchor:
            self._anchors[done.event.anchor] = (done.value, done.places, done.before - self.budget.values + 1)

    def _alias(self, event: Any) -> None:  # noqa: ANN401 - as above
        if event.anchor not in self._anchors:
            message = f"`*{event.anchor}` refers to no anchor that ends before it"
            raise CompileError([Diagnostic("VSR002", message, span(event, self.name), "Define the anchor first.")])
        value, places, weight = self._anchors[event.anchor]
        self._spend(weight, event)
        self._place(value, places, event)

    def _place(self, value: Any, places: _PLACED, event: Any) -> None:  # noqa: ANN401 - as above
        if not self._stack:
            self.result = (value, places)
            return
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            top.places[1].append(places)
        elif top.key is None:
            top.key = event, self._key(value, event)
        else:
            (at, key), top.key = top.key, None
            if key == "<<" and not at.style:
                self._merge(top, value, places, event)
            elif key in top.value:
                first = top.places[1][key][0].start_mark.line + 1
                hint = f"It stands in line {first} already; keep one of the two."
                raise CompileError([Diagnostic("VSR003", f"the key `{key}` is given twice", span(at, self.name), hint)])
            else:
                top.value[key], top.places[1][key] = value, (at, places)

    def _key(self, value: Any, event: Any) -> str:  # noqa: ANN401 - as above
        if isinstance(value, dict | list):
            raise CompileError([Diagnostic("VSR002", "a key must be text", span(event, self.name), "Quote it.")])
        return value if isinstance(value, str) else str(event.value)

    def _merge(self, top: _Open, value: Any, places: _PLACED, event: Any) -> None:  # noqa: ANN401 - as above
        sources = list(zip(value, places[1], strict=True)) if isinstance(value, list) else [(value, places)]
        if not all(isinstance(source, dict) for source, _ in sources):
            hint = "Merge a mapping, or a list of mappings."
            raise CompileError([Diagnostic("VSR002", "a merge key takes mappings only", span(event, self.name), hint)])
        top.merged += sources


def _unpacked(
    value: Any,  # noqa: ANN401 - JSON of any form
    places: _PLACED,
    name: str,
    budget: Budget,
    found: list[Diagnostic],
    *,
    strict: bool,
) -> Iterator[Manifest]:
    """The objects of a document: itself, or the items of a list of objects."""
    if value is None:
        return
    body = value if isinstance(value, dict) else {}
    if str(body.get("kind", "")).endswith("List") and isinstance(body.get("items"), list):
        for item, place in zip(body["items"], places[1]["items"][1][1], strict=True):
            yield from _unpacked(item, place, name, budget, found, strict=strict)
        return
    budget.objects -= 1
    if budget.objects < 0:
        raise _over(f"more than {MAX_OBJECTS:,} objects", span(places, name))
    own = str(body.get("apiVersion", "")).startswith(OWN_GROUP)
    if not strict and (own or not {"apiVersion", "kind"} & set(body)):
        message = "this document is no Kubernetes object and was left out"
        found.append(Diagnostic("VSR432", message, span(places, name), "Nothing, if it is read by something else."))
        return
    if own:
        message = f"this is a {body.get('kind')} of ours, and no Kubernetes object"
        hint = "Name manifests; policies are checked by `vsr-compile check`."
        found.append(Diagnostic("VSR431", message, span(places, name), hint))
        return
    manifest = Manifest(body, _Places(places, name).span)
    if problem := _shapeless(value):
        found.append(Diagnostic("VSR431", problem, span(places, name), "Give it apiVersion, kind and metadata.name."))
    else:
        yield manifest


def _shapeless(value: object) -> str:
    """Why a document is no object that could be applied; empty where it is one."""
    if not isinstance(value, dict):
        return "this document is no mapping, so no Kubernetes object"
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str) or not value[key]:
            return f"`{key}` is missing or no text, so nobody knows what this is"
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return f"this {value['kind']} has no metadata"
    name = metadata.get("name", metadata.get("generateName"))
    if not isinstance(name, str) or not name:
        return f"this {value['kind']} has no name, or one that is no text"
    if not isinstance(metadata.get("namespace", ""), str):
        return f"the namespace of {value['kind']} `{name}` is no text"
    return ""


@dataclass(frozen=True, slots=True)
class _Places:
    """The places of a document's parts."""

    root: _PLACED
    name: str

    def span(self, path: Path, key: bool) -> Span:  # noqa: FBT001 - the signature of ``Manifest.where``
        """Where a path stands, or its nearest ancestor that is there."""
        place, at = self.root, self.root
        for number, step in enumerate(path):
            inside = place[1] if isinstance(place, tuple) else None
            if isinstance(inside, dict) and step in inside:
                at, place = inside[step]
                last = number == len(path) - 1
                at = at if key and last else place
            elif isinstance(inside, list) and isinstance(step, int) and 0 <= step < len(inside):
                at = place = inside[step]
            else:
                return span(at if number == 0 else place, self.name)
        return span(at, self.name)


def span(place: _PLACED, name: str) -> Span:
    """The place of an event: a scalar's whole extent, the first character of a mapping or list."""
    if isinstance(place, tuple):
        mark = place[0].start_mark
        return Span(name, mark.line + 1, mark.column + 1)
    start, end = place.start_mark, place.end_mark
    return Span(name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
