"""Read Kubernetes objects with their places from YAML, limited in bytes, depth, values and objects.

The YAML is that of API clients: several documents, merge keys and the core tags. A `List` is read as its items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from ruamel.yaml.error import YAMLError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.verify.manifest import Manifest, Path
from vsr_compiler.verify.plain_scalars import resolve_plain_scalar
from vsr_compiler.yaml_reader import Composer, Event, Frame, error_position, error_problem, event_span

MAX_BYTES = 32 * 1024 * 1024
MAX_VALUES = 1_000_000
MAX_OBJECTS = 20_000
OWN_GROUP = "vsr.dev/"
"""API group of policies and settings, which are read by vsr-compile and vsr-runtime, never by a cluster."""
MAX_DEPTH = 100
MAX_PURE = 1024 * 1024

_CORE = "tag:yaml.org,2002:"
Places = Any
"""The event of a scalar; for a mapping or list, its event and the places of its entries."""


@dataclass(slots=True)
class Budget:
    """The remaining limits of a run, shared by all of its streams."""

    bytes: int = MAX_BYTES
    values: int = MAX_VALUES
    objects: int = MAX_OBJECTS


def read_stream(
    data: bytes, name: str, budget: Budget, diagnostics: list[Diagnostic], *, strict: bool = True
) -> list[Manifest]:
    """Return the objects of a stream, in order.

    Args:
        data: The stream.
        name: Its name in messages.
        budget: The remaining limits.
        diagnostics: Receives errors of the stream. Objects before an error are returned.
        strict: Whether a document that is not a Kubernetes object is an error, as in a file from the command line, or
            a note, as in a file of a folder.
    """
    manifests: list[Manifest] = []
    try:
        _spend_bytes(data, name, budget)
        for value, places in parse_documents(data, name, budget):
            manifests += _objects_of_document(value, places, name, budget, diagnostics, strict=strict)
    except CompileError as error:
        diagnostics += error.diagnostics
    return manifests


def _spend_bytes(data: bytes, name: str, budget: Budget) -> None:
    budget.bytes -= len(data)
    if budget.bytes < 0:
        raise _limit_error(f"more than {MAX_BYTES // 1024 // 1024} MiB of manifests", Span(name))


def _limit_error(message: str, span_of: Span) -> CompileError:
    return CompileError([Diagnostic("VSR430", message, span_of, "Check the manifests in several runs.")])


def parse_documents(data: bytes, name: str, budget: Budget) -> Iterator[tuple[Any, Places]]:
    """Return the value and the places of each document.

    Raises:
        CompileError: The text is not valid YAML, or exceeds a limit.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise CompileError([Diagnostic("VSR004", message, Span(name, line, 1), "Save it as UTF-8.")]) from None
    yielded, values = 0, budget.values
    for pure in (False, True):
        composer = _ValueComposer(name, budget, MAX_DEPTH)
        try:
            for number, document in enumerate(composer.documents(text, pure=pure), 1):
                if number > yielded and document is not None:
                    yielded = number
                    yield document
        except YAMLError as error:
            # The C parser rejects `[http://x]`, which kubectl accepts; the Python parser accepts it and is slow.
            if pure or "unexpected ':'" not in str(error) or len(text) > MAX_PURE:
                raise CompileError([_syntax_error(error, text, name)]) from None
            budget.values = values
        else:
            return


def _syntax_error(error: YAMLError, text: str, name: str) -> Diagnostic:
    hint = "Render templates first; check quotes, brackets and indentation."
    place = Span(name, *error_position(error, text))
    return Diagnostic("VSR002", f"not valid YAML: {error_problem(error)}", place, hint)


class _ValueComposer(Composer[tuple[Any, Places], tuple[Event, str]]):
    """Composes plain values with their places, merge keys applied. A key is its event and its text."""

    def __init__(self, name: str, budget: Budget, max_depth: int) -> None:
        super().__init__(name, budget, max_depth)
        self._merges: dict[int, list[tuple[Any, Places]]] = {}

    def scalar(self, event: Event) -> tuple[Any, Places]:
        """Return a scalar as an API server resolves it."""
        tag = str(event.tag or "")
        if tag and tag != "!" and not tag.startswith((_CORE, "!!")):
            message = f"unknown tag `{tag}`: an API server does not support it"
            raise CompileError([Diagnostic("VSR002", message, self.span(event), "Remove the tag.")])
        if event.style or tag.endswith(("str", "binary")) or tag == "!":
            return event.value, event
        return resolve_plain_scalar(event.value), event

    def collection(self, event: Event, *, mapping: bool) -> tuple[Any, Places]:
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

    def key(self, value: tuple[Any, Places], event: Event) -> tuple[Event, str]:
        """Return a key as text."""
        content, place = value
        if isinstance(content, dict | list):
            raise CompileError([Diagnostic("VSR002", "a key must be text", self.span(event), "Quote it.")])
        return event, content if isinstance(content, str) else str(place.value)

    def item(self, frame: _Frame, value: tuple[Any, Places]) -> None:
        """Append an item."""
        items, places = frame.value
        items.append(value[0])
        places[1].append(value[1])

    def entry(self, frame: _Frame, key: tuple[Event, str], value: tuple[Any, Places], event: Event) -> None:
        """Add an entry, or remember a merge."""
        (place, name), (entries, places) = key, frame.value
        if name == "<<" and not place.style:
            self._merge(frame, value, event)
        elif name in entries:
            first = places[1][name][0].start_mark.line + 1
            hint = f"Remove one of the two; the other is in line {first}."
            raise CompileError([Diagnostic("VSR003", f"duplicate key `{name}`", self.span(place), hint)])
        else:
            entries[name], places[1][name] = value[0], (place, value[1])

    def over_depth(self, event: Event) -> NoReturn:
        """Raise VSR430."""
        raise _limit_error(f"nested deeper than {MAX_DEPTH} levels", span_of(event, self.name))

    def over_budget(self, event: Event) -> NoReturn:
        """Raise VSR430."""
        raise _limit_error(f"more than {MAX_VALUES:,} values after aliases are expanded", span_of(event, self.name))

    def _merge(self, frame: _Frame, value: tuple[Any, Places], event: Event) -> None:
        content, places = value
        sources = list(zip(content, places[1], strict=True)) if isinstance(content, list) else [value]
        if not all(isinstance(source, dict) for source, _ in sources):
            hint = "Merge a mapping, or a list of mappings."
            raise CompileError([Diagnostic("VSR002", "a merge key needs a mapping", self.span(event), hint)])
        self._merges.setdefault(id(frame), []).extend(sources)


_Frame = Frame[tuple[Any, Places], tuple[Event, str]]


def _objects_of_document(
    value: Any,  # noqa: ANN401 - JSON of any form
    places: Places,
    name: str,
    budget: Budget,
    diagnostics: list[Diagnostic],
    *,
    strict: bool,
) -> Iterator[Manifest]:
    """Return the objects of a document: the document itself, or the items of a `List`."""
    if value is None:
        return
    body = value if isinstance(value, dict) else {}
    if str(body.get("kind", "")).endswith("List") and isinstance(body.get("items"), list):
        for item, place in zip(body["items"], places[1]["items"][1][1], strict=True):
            yield from _objects_of_document(item, place, name, budget, diagnostics, strict=strict)
        return
    budget.objects -= 1
    if budget.objects < 0:
        raise _limit_error(f"more than {MAX_OBJECTS:,} objects", span_of(places, name))
    is_ours = str(body.get("apiVersion", "")).startswith(OWN_GROUP)
    if not strict and (is_ours or not {"apiVersion", "kind"} & set(body)):
        message = "skipped document: it is not a Kubernetes object"
        diagnostics.append(
            Diagnostic("VSR432", message, span_of(places, name), "Ignore this note if another program reads the file.")
        )
        return
    if is_ours:
        message = f"this {body.get('kind')} is not a Kubernetes object"
        hint = "Pass manifests; check policies by `vsr-compile check`."
        diagnostics.append(Diagnostic("VSR431", message, span_of(places, name), hint))
        return
    manifest = Manifest(body, _PlaceIndex(places, name).span)
    if problem := _shape_error(value):
        diagnostics.append(
            Diagnostic("VSR431", problem, span_of(places, name), "Set apiVersion, kind and metadata.name.")
        )
    else:
        yield manifest


def _shape_error(value: object) -> str:
    """Return why a document is not a Kubernetes object; empty if it is one."""
    if not isinstance(value, dict):
        return "this document is not a mapping, so not a Kubernetes object"
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str) or not value[key]:
            return f"`{key}` is missing or not a string, so this is not a Kubernetes object"
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return f"this {value['kind']} has no metadata"
    name = metadata.get("name", metadata.get("generateName"))
    if not isinstance(name, str) or not name:
        return f"this {value['kind']} has no name, or one that is not a string"
    if not isinstance(metadata.get("namespace", ""), str):
        return f"the namespace of {value['kind']} `{name}` is not a string"
    return ""


@dataclass(frozen=True, slots=True)
class _PlaceIndex:
    """Locates the parts of a document."""

    root: Places
    name: str

    def span(self, path: Path, key: bool) -> Span:  # noqa: FBT001 - the signature of ``Manifest.locate``
        """Return the place of a path, or of its nearest existing ancestor."""
        place, at = self.root, self.root
        for number, step in enumerate(path):
            children = place[1] if isinstance(place, tuple) else None
            if isinstance(children, dict) and step in children:
                at, place = children[step]
                last = number == len(path) - 1
                at = at if key and last else place
            elif isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
                at = place = children[step]
            else:
                return span_of(at if number == 0 else place, self.name)
        return span_of(at, self.name)


def span_of(place: Places, name: str) -> Span:
    """Return the place of a value: the whole extent of a scalar, the first character of a mapping or list."""
    if isinstance(place, tuple):
        mark = place[0].start_mark
        return Span(name, mark.line + 1, mark.column + 1)
    return event_span(place, name)
