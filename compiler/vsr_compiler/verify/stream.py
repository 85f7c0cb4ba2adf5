"""Read Kubernetes objects with their places from YAML, limited in bytes, depth, values and objects.

The YAML is that of API clients: several documents, merge keys and the core tags. A `List` is read as its items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

from ruamel.yaml.error import YAMLError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity, Span
from vsr_compiler.verify import placeholders
from vsr_compiler.verify.documents import DocumentPlaces, PlaceIndex, Places, objects_of_document, skipped
from vsr_compiler.verify.json_documents import with_document_marks
from vsr_compiler.verify.limits import MAX_BYTES, MAX_DEPTH, MAX_OBJECTS, MAX_VALUES, Budget, limit_error, spend_bytes
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.placeholders import Marks, marks_of, may_have_placeholders, without_actions
from vsr_compiler.verify.plain_documents import ExtraordinaryError, PlainDocument, plain_documents
from vsr_compiler.verify.plain_scalars import resolve_plain_scalar
from vsr_compiler.verify.replaced_words import has_braces_in_words
from vsr_compiler.yaml_reader import Composer, Event, Frame, error_position, error_problem, event_span

__all__ = ["MAX_BYTES", "MAX_OBJECTS", "MAX_VALUES", "Budget", "composed_documents", "parse_documents", "read_stream"]

MAX_PURE = 1024 * 1024

_CORE = "tag:yaml.org,2002:"


def read_stream(
    data: bytes,
    name: str,
    budget: Budget,
    diagnostics: list[Diagnostic],
    *,
    strict: bool = True,
    namespace: str = "",
    marks: dict[str, Marks] | None = None,
) -> list[Manifest]:
    """Return the objects of a stream, in order.

    Args:
        data: The stream.
        name: Its name in messages.
        budget: The remaining limits.
        diagnostics: Receives errors of the stream. Objects before an error are returned.
        strict: Whether a document that is not a Kubernetes object is an error, as in a file from the command line, or
            a note, as in a file of a folder.
        namespace: The namespace of objects that do not say in which they are.
        marks: Receives where the stream has placeholders of templates.
    """
    manifests: list[Manifest] = []
    found: list[Diagnostic] = []
    values, objects = budget.values, budget.objects
    try:
        spend_bytes(len(data), name, budget)
        for value, places in parse_documents(data, name, budget):
            manifests += objects_of_document(value, places, budget, found, strict=strict, namespace=namespace)
    except CompileError as error:
        if (
            b"}}" in data[data.find(b"{{") :]
            and b"{{" in data
            and {item.code for item in error.diagnostics} <= _TEMPLATE_ERRORS
        ):
            budget.values, budget.objects = values, objects
            return _read_template(data, name, budget, diagnostics, namespace=namespace, marks=marks)
        if _is_format_string(data, error):
            message = "this is a template, and no valid YAML before its placeholders are replaced"
            found = [item for item in found if item.code != "VSR431"]
            found.append(Diagnostic("VSR480", message, Span(name), "Fill it in first.", Severity.NOTE))
        elif strict or _looks_like_manifests(data) or not {item.code for item in error.diagnostics} <= _TEMPLATE_ERRORS:
            found += error.diagnostics
        else:
            found.append(skipped(Span(name)))
    diagnostics += found
    if manifests and may_have_placeholders(data) and (seen := placeholders.note(manifests, name)):
        diagnostics.append(seen)
        if marks is not None:
            marks[name] = marks_of(data.decode("utf-8-sig", errors="replace"))
    return manifests


_TEMPLATE_ERRORS = frozenset({"VSR002", "VSR003"})
_HEADS = tuple(re.compile(rb"^[ \t]*[\"']?%s[\"']?[ \t]*:" % key, re.MULTILINE) for key in (b"apiVersion", b"kind"))


def _is_format_string(data: bytes, error: CompileError) -> bool:
    """Whether a file is not valid YAML because of placeholders in braces, at or before the place of the error."""
    line = max((item.span.line for item in error.diagnostics if item.code == "VSR002"), default=0)
    lines = data.decode("utf-8-sig", errors="replace").split("\n")[max(line - _BEFORE, 0) : line]
    return has_braces_in_words(lines)


_BEFORE = 3


def _looks_like_manifests(data: bytes) -> bool:
    """Whether a text that is not valid YAML has the fields of a Kubernetes object."""
    return all(head.search(data) for head in _HEADS)


def _read_template(
    data: bytes,
    name: str,
    budget: Budget,
    diagnostics: list[Diagnostic],
    *,
    namespace: str,
    marks: dict[str, Marks] | None,
) -> list[Manifest]:
    """Return the objects of a template, with marks for its actions. One note says that it is a template."""
    manifests: list[Manifest] = []
    text, where = without_actions(data.decode("utf-8-sig", errors="replace"))
    try:
        for value, places in parse_documents(text.encode(), name, budget):
            manifests += objects_of_document(value, places, budget, [], strict=True, namespace=namespace)
    except CompileError as error:
        diagnostics += [item for item in error.diagnostics if item.code == "VSR430"]
        where = Marks(where.lines, ((1, text.count("\n") + 1),))
    diagnostics += [item for item in [placeholders.note((), name, where)] if item]
    if marks is not None:
        marks[name] = where
    return manifests


def parse_documents(data: bytes, name: str, budget: Budget) -> Iterator[tuple[Any, PlaceIndex]]:
    """Return the value and the places of each document.

    Raises:
        CompileError: The text is not valid YAML, or exceeds a limit.
    """
    text = _decoded(data, name)
    yielded, values = 0, budget.values
    try:
        for yielded, (value, places) in enumerate(_plain(text, name, budget), 1):  # noqa: B007 - used below
            yield value, places
    except ExtraordinaryError:
        budget.values = values
    else:
        return
    for number, (value, place) in enumerate(_composed(text, name, budget), 1):
        if number > yielded:
            yield value, PlaceIndex(DocumentPlaces(name, partial(_known, place)))


def composed_documents(data: bytes, name: str, budget: Budget) -> Iterator[tuple[Any, Places]]:
    """Return the value of each document and the places of all of its parts, for a build that changes both.

    Raises:
        CompileError: The text is not valid YAML, or exceeds a limit.
    """
    return _composed(_decoded(data, name), name, budget)


def _decoded(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise CompileError([Diagnostic("VSR004", message, Span(name, line, 1), "Save it as UTF-8.")]) from None
    if text[:1].isspace() or text[:1] == "{":
        text = with_document_marks(text)
    return text


def _known(places: Places) -> Places:
    return places


def _plain(text: str, name: str, budget: Budget) -> Iterator[tuple[Any, PlaceIndex]]:
    """Return the documents with places that are computed when the first of them is asked for."""
    # A document ends where the next one begins, which is known one document later.
    previous: PlainDocument | None = None
    for document in plain_documents(text, budget):
        if previous is not None:
            yield previous.value, _later(text, name, previous, document.start)
        previous = document
    if previous is not None:
        yield previous.value, _later(text, name, previous, len(text))


def _later(text: str, name: str, document: PlainDocument, end: int) -> PlaceIndex:
    def compute() -> Places:
        return next(_composed(text[document.start : end], name, Budget()))[1]

    return PlaceIndex(DocumentPlaces(name, compute, document.line))


def _composed(text: str, name: str, budget: Budget) -> Iterator[tuple[Any, Places]]:
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
        raise limit_error(f"nested deeper than {MAX_DEPTH} levels", event_span(event, self.name))

    def over_budget(self, event: Event) -> NoReturn:
        """Raise VSR430."""
        raise limit_error(f"more than {MAX_VALUES:,} values after aliases are expanded", event_span(event, self.name))

    def _merge(self, frame: _Frame, value: tuple[Any, Places], event: Event) -> None:
        content, places = value
        sources = list(zip(content, places[1], strict=True)) if isinstance(content, list) else [value]
        if not all(isinstance(source, dict) for source, _ in sources):
            hint = "Merge a mapping, or a list of mappings."
            raise CompileError([Diagnostic("VSR002", "a merge key needs a mapping", self.span(event), hint)])
        self._merges.setdefault(id(frame), []).extend(sources)


_Frame = Frame[tuple[Any, Places], tuple[Event, str]]
