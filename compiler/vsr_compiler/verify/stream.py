"""YAML streams to objects with places, bounded in bytes, depth, values and objects.

As API clients read YAML: several documents, merge keys and the core tags; a `List` stands for its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml.error import YAMLError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.verify.manifest import Body, Manifest, Path
from vsr_compiler.verify.scalars import resolved
from vsr_compiler.yaml_reader import Composer, Event, Frame, error_position, error_problem, event_span

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
    read, values = 0, budget.values
    for pure in (False, True):
        composer = _ValueComposer(name, budget, MAX_DEPTH)
        try:
            for number, document in enumerate(composer.documents(text, pure=pure), 1):
                if number > read and document is not None:
                    read = number
                    yield document
        except YAMLError as error:
            # The C parser refuses `[http://x]`, which kubectl takes; the other parser is right and slow.
            if pure or "unexpected ':'" not in str(error) or len(text) > MAX_PURE:
                raise CompileError([_syntax(error, text, name)]) from None
            budget.values = values
        else:
            return


def _syntax(error: YAMLError, text: str, name: str) -> Diagnostic:
    hint = "Render templates first; check quotes, brackets and indentation."
    place = Span(name, *error_position(error, text))
    return Diagnostic("VSR002", f"not valid YAML: {error_problem(error)}", place, hint)


class _ValueComposer(Composer[tuple[Any, _PLACED], tuple[Event, str]]):
    """Composes plain values with their places, merge keys applied. A key is its event and its text."""

    def __init__(self, name: str, budget: Budget, max_depth: int) -> None:
        super().__init__(name, budget, max_depth)
        self._merges: dict[int, list[tuple[Any, _PLACED]]] = {}

    def scalar(self, event: Event) -> tuple[Any, _PLACED]:
        """Return a scalar as an API server resolves it."""
        tag = str(event.tag or "")
        if tag and tag != "!" and not tag.startswith((_CORE, "!!")):
            message = f"the tag `{tag}` means nothing to an API server"
            raise CompileError([Diagnostic("VSR002", message, self.span(event), "Remove the tag.")])
        if event.style or tag.endswith(("str", "binary")) or tag == "!":
            return event.value, event
        return resolved(event.value), event

    def collection(self, event: Event, *, mapping: bool) -> tuple[Any, _PLACED]:
        """Return an empty mapping or list, and one for the places in it."""
        return ({}, (event, {})) if mapping else ([], (event, []))

    def close(self, frame: _Frame, event: Event) -> None:  # noqa: ARG002
        """Apply the merge keys of a mapping: its own keys, and earlier merges, take precedence."""
        value, places = frame.value
        for source, source_places in self._merges.pop(id(frame), ()):
            for key, item in source.items():
                if key not in value:
                    self.spend(1, frame.event)
                    value[key], places[1][key] = item, source_places[1][key]

    def key(self, value: tuple[Any, _PLACED], event: Event) -> tuple[Event, str]:
        """Return a key as text."""
        content, place = value
        if isinstance(content, dict | list):
            raise CompileError([Diagnostic("VSR002", "a key must be text", self.span(event), "Quote it.")])
        return event, content if isinstance(content, str) else str(place.value)

    def item(self, frame: _Frame, value: tuple[Any, _PLACED]) -> None:
        """Append an item."""
        items, places = frame.value
        items.append(value[0])
        places[1].append(value[1])

    def entry(self, frame: _Frame, key: tuple[Event, str], value: tuple[Any, _PLACED], event: Event) -> None:
        """Add an entry, or remember a merge."""
        (place, name), (entries, places) = key, frame.value
        if name == "<<" and not place.style:
            self._merge(frame, value, event)
        elif name in entries:
            first = places[1][name][0].start_mark.line + 1
            hint = f"It stands in line {first} already; keep one of the two."
            raise CompileError([Diagnostic("VSR003", f"the key `{name}` is given twice", self.span(place), hint)])
        else:
            entries[name], places[1][name] = value[0], (place, value[1])

    def over_depth(self, event: Event) -> NoReturn:
        """Raise VSR430."""
        raise _over(f"nested deeper than {MAX_DEPTH} levels", span(event, self.name))

    def over_budget(self, event: Event) -> NoReturn:
        """Raise VSR430."""
        raise _over(f"more than {MAX_VALUES:,} values after aliases are expanded", span(event, self.name))

    def _merge(self, frame: _Frame, value: tuple[Any, _PLACED], event: Event) -> None:
        content, places = value
        sources = list(zip(content, places[1], strict=True)) if isinstance(content, list) else [value]
        if not all(isinstance(source, dict) for source, _ in sources):
            hint = "Merge a mapping, or a list of mappings."
            raise CompileError([Diagnostic("VSR002", "a merge key takes mappings only", self.span(event), hint)])
        self._merges.setdefault(id(frame), []).extend(sources)


_Frame = Frame[tuple[Any, _PLACED], tuple[Event, str]]


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
    return event_span(place, name)


def of(body: Body, origin: Span) -> Manifest:
    """An object that we made ourselves: every part of it stands where its origin in the policy does."""
    return Manifest(body, lambda _path, _key: origin)
