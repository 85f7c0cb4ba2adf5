"""Reading of sources: text to YAML documents with positions, within limits. Nothing is looked up or executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ruamel.yaml.error import YAMLError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence
from vsr_compiler.syntax.text import BOM, MAX_BYTES, decode
from vsr_compiler.yaml_reader import Composer, Event, Frame, Values, error_position, error_problem

MAX_DEPTH = 60
MAX_NODES = 300_000
"""Values of all sources together, with aliases expanded."""
MAX_FILES = 500
MAX_PURE = 512 * 1024
"""Characters that are read again by the slow parser for YAML 1.2."""
MAX_TOTAL = 32 * 1024 * 1024
SUFFIXES = (".yaml", ".yml", ".json", ".dsl")
"""Files that a folder contributes."""
STDIN = Path("-")
_BREAKS = re.compile("[\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a source, or a text that is not YAML.

    Attributes:
        file: The name of the file.
        text: The text of the whole file.
        node: The root of the document; None if the file is not YAML.
        span: Where the document begins.
        named: Whether the user named the file itself, and not a folder.
    """

    file: str
    text: str
    node: Node | None
    span: Span
    named: bool = True


def decoded(data: bytes, name: str) -> str:
    """Return bytes as text, with or without a byte order mark.

    Raises:
        CompileError: VSR004 or VSR005.
    """
    return decode(data.removeprefix(BOM), name).replace("\r\n", "\n").replace("\r", "\n")


def files(paths: tuple[Path, ...]) -> Iterator[tuple[Path, bool]]:
    """Yield files, and whether each was named itself. A folder contributes those with a suffix of ``SUFFIXES``.

    Raises:
        CompileError: VSR005: there are too many.
    """
    count = 0
    for path in paths:
        inside = path != STDIN and path.is_dir()
        for file in _inside(path) if inside else [path]:
            count += 1
            if count > MAX_FILES:
                hint = "Name the files that belong together."
                raise CompileError([Diagnostic("VSR005", f"more than {MAX_FILES} files", Span(str(path)), hint)])
            yield file, not inside


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.is_dir():
            yield from _inside(path)
        elif path.suffix in SUFFIXES and path.is_file():
            yield path


def documents(text: str, name: str, budget: Values) -> list[tuple[Node, Span]]:
    """Return the documents of a YAML text that are not empty, each with its position.

    Raises:
        CompileError: VSR002, VSR005: the text is not YAML, or exceeds a limit.
    """
    if (match := _BREAKS.search(text)) is not None:
        text = _BREAKS.sub(" ", text[: match.start()]) + _BREAKS.sub(" ", text[match.start() :])
    before = budget.values
    try:
        try:
            return _composed(text, name, budget, pure=False)
        except YAMLError as error:
            # libyaml reads `[role:worker]` as YAML 1.1 does, and most tools as YAML 1.2 does.
            if len(text) > MAX_PURE or "unexpected ':'" not in error_problem(error):
                raise
            budget.values = before
            return _composed(text, name, budget, pure=True)
    except YAMLError as error:
        line, column = error_position(error, text)
        message = f"not readable as YAML: {error_problem(error)}"
        hint = "Render templates first, such as with `helm template`." if "{{" in text else ""
        raise CompileError([Diagnostic("VSR002", message, Span(name, line, column), hint)]) from None


def _composed(text: str, name: str, budget: Values, *, pure: bool) -> list[tuple[Node, Span]]:
    composer = _SourceComposer(name, budget, MAX_DEPTH)
    return [
        (root, root.span)
        for root in composer.documents(text, pure=pure)
        if root is not None and not (isinstance(root, Scalar) and not root.text)
    ]


class _SourceComposer(Composer[Node, Scalar]):
    """Composes nodes as other tools read YAML: several documents, aliases, merge keys, and tags without meaning.

    Of a repeated key the last value counts, as for most tools.
    """

    def scalar(self, event: Event) -> Scalar:
        """Return a scalar node."""
        return Scalar(event.value, not event.style, self.span(event))

    def collection(self, event: Event, *, mapping: bool) -> Mapping | Sequence:
        """Return an empty node."""
        return Mapping(self.span(event)) if mapping else Sequence(self.span(event))

    def close(self, frame: Frame[Node, Scalar], event: Event) -> None:
        """Extend the node's span to its end, and put merged entries before its own."""
        node, end = frame.value, event.end_mark
        if isinstance(node, Scalar):
            return
        node.span = Span(self.name, node.span.line, node.span.column, end.line + 1, end.column + 1)
        if isinstance(node, Mapping) and "<<" in node.entries:
            _, merged = node.entries.pop("<<")
            for part in merged.items if isinstance(merged, Sequence) else [merged]:
                if isinstance(part, Mapping):
                    self.spend(len(part.entries), event)
                    for key, entry in part.entries.items():
                        node.entries.setdefault(key, entry)

    def item(self, frame: Frame[Node, Scalar], value: Node) -> None:
        """Append an item."""
        if isinstance(frame.value, Sequence):
            frame.value.items.append(value)

    def entry(self, frame: Frame[Node, Scalar], key: Scalar, value: Node, event: Event) -> None:  # noqa: ARG002
        """Add an entry."""
        if isinstance(frame.value, Mapping):
            frame.value.entries[key.text] = (key.span, value)

    def key(self, value: Node, event: Event) -> Scalar:
        """Return a key; one that is not a scalar is an error."""
        if not isinstance(value, Scalar):
            raise CompileError([Diagnostic("VSR002", "a key is not a scalar", self.span(event), "Write it as text.")])
        return Scalar(value.text, value.plain, self.span(event))

    def over_depth(self, event: Event) -> NoReturn:
        """Raise VSR005."""
        message = f"nested deeper than {self.max_depth} levels"
        raise CompileError([Diagnostic("VSR005", message, self.span(event))])

    def over_budget(self, event: Event) -> NoReturn:
        """Raise VSR005."""
        message = f"more than {MAX_NODES} values after aliases are expanded"
        raise CompileError([Diagnostic("VSR005", message, self.span(event))])


def parts(data: bytes, name: str, budget: Values, *, named: bool, yaml: bool = True) -> list[Part]:
    """Return the documents of a file.

    Args:
        data: The bytes of the file.
        name: Its name in messages.
        budget: The number of values that may still be read.
        named: Whether the user named the file itself.
        yaml: Whether it is YAML.

    Raises:
        CompileError: VSR002, VSR004 or VSR005.
    """
    text = decoded(data, name)
    if not yaml:
        return [Part(name, text, None, Span(name, 1, 1), named)]
    return [Part(name, text, node, span, named) for node, span in documents(text, name, budget)]


def read_bytes(path: Path, name: str) -> bytes:
    """Return the bytes of a file.

    Raises:
        CompileError: VSR001 or VSR005.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        hint = "Check the path, and that you may read the file."
        raise CompileError([Diagnostic("VSR001", f"cannot read the file: {reason}", Span(name), hint)]) from None
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
        raise CompileError([Diagnostic("VSR005", message, Span(name), "Pass the part with the configuration.")])
    return data
