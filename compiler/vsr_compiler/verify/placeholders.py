"""Placeholders in manifests: `{{ }}` of Helm, `${NAME}` of envsubst and Flux, `<PLACEHOLDER>`, and `REPLACE_ME`.

A file with placeholders gets one note. What depends on a placeholder is not checked, and the rest is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.verify.manifest import Manifest, Path
from vsr_compiler.verify.replaced_words import is_about_replaced, is_variable, is_variable_line

MARK = "\ue000"
"""Replaces each character of a template action, so that places remain where they are."""
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,100}"
_VARIABLE = re.compile(rf"\$\{{{_NAME}(?::?[-=?+][^{{}}]{{0,200}})?\}}")
_ACTION = re.compile(r"\{\{[^{}]{0,300}\}\}")
_ANGLE = re.compile(r"<[A-Za-z*][A-Za-z0-9 _.,:;/*'()-]{0,100}>")
_BRACES = re.compile(r"(?<![^\s\"'/:@.-])\{[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*\}(?![^\s\"',/:@.-])")
_ENCRYPTED = re.compile(r"ENC\[AES256_GCM,")
_FORMS = "|".join(each.pattern for each in (_VARIABLE, _ACTION, _ANGLE, _BRACES))
_ANY = re.compile(f"{MARK}|{_ENCRYPTED.pattern}|{_FORMS}")
_WHOLE = re.compile(f"(?:{_ENCRYPTED.pattern}.*|{_FORMS})")
_MAY = re.compile(rb"ENC\[|\$[A-Za-z_({$]|\{\{|\{[A-Z]|__[A-Z]|[%@][A-Z_]")
_NAMES = frozenset({"image", "name", "namespace", "externalName", "host", "hostname", "url"})
"""Fields in whose values a placeholder may be a part."""
_MAY_BE = re.compile(r"[{<$@]|__|ENC\[")
_FREE_TEXT = frozenset({"data", "stringData", "binaryData", "args", "command", "annotations", "description", "script"})
"""Fields whose texts are for other programs, which have placeholders of their own."""
_HINTS = (
    ("{{", "Render it first: helm template CHART | vsr-compile verify -"),
    ("ENC[", "Decrypt it first: sops decrypt FILE | vsr-compile verify -"),
    (MARK, "Render it first: helm template CHART | vsr-compile verify -"),
    ("${", "Fill them in first: envsubst < FILE | vsr-compile verify -"),
    ("", "Replace them before you apply the file."),
)


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a file has placeholders.

    Attributes:
        lines: Numbers of the lines with a placeholder.
        hidden: First and last lines of documents with template blocks, which may be anything once rendered.
    """

    lines: frozenset[int] = frozenset()
    hidden: tuple[tuple[int, int], ...] = ()

    def cover(self, span: Span) -> bool:
        """Whether a finding at a place depends on a placeholder."""
        last = max(span.end_line, span.line)
        if span.line == 0 or any(start <= span.line <= end for start, end in self.hidden):
            return True
        return any(number in self.lines for number in range(span.line, min(last, span.line + 20) + 1))


def without_actions(text: str) -> tuple[str, Marks]:
    """Return a template as text in which marks stand for its actions, and where they are.

    Lines that consist of one action become empty, since they are conditions, loops or inserted blocks.
    """
    parts, position = [], 0
    while (start := text.find("{{", position)) >= 0 and (end := text.find("}}", start)) >= 0:
        end += 2
        parts.append(text[position:start])
        parts.append("".join("\n" if char == "\n" else MARK for char in text[start:end]))
        position = end
    lines = "".join([*parts, text[position:]]).split("\n")
    marked = frozenset(number for number, line in enumerate(lines, 1) if MARK in line)
    blocks = {number for number in marked if not lines[number - 1].strip(f" \t\r{MARK}")}
    hidden = tuple((start, end) for start, end in _documents(lines) if any(start <= b <= end for b in blocks))
    shown = [" " * len(line) if number in blocks else line for number, line in enumerate(lines, 1)]
    return "\n".join(shown), Marks(marked, hidden)


def _documents(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Return the first and last line of each document."""
    start = 1
    for number, line in enumerate(lines, 1):
        if line.startswith("---"):
            yield start, number - 1
            start = number
    yield start, len(lines)


def marks_of(text: str) -> Marks:
    """Return where a file has placeholders."""
    lines = enumerate(text.split("\n"), 1)
    return Marks(frozenset(number for number, line in lines if _ANY.search(line) or is_variable_line(line)))


def may_have_placeholders(data: bytes) -> bool:
    """Whether it is worth to look for placeholders in the values of a file."""
    return _MAY.search(data) is not None or (b"<" in data and b">" in data)


def note(manifests: Iterable[Manifest], name: str, marks: Marks | None = None) -> Diagnostic | None:
    """Return the note about the placeholders of a file; None if it has none where Kubernetes reads them.

    Args:
        manifests: The objects of the file.
        name: Its name.
        marks: Where its template actions are, if it could not be read without replacing them.
    """
    found = [(manifest, path, text) for manifest in manifests for path, text in _placeholders(manifest)]
    if marks is not None:
        actions = min(marks.lines, default=0)
        message = "this is a template: what depends on its actions is not checked"
        return Diagnostic("VSR480", message, Span(name, actions, 1 if actions else 0), _HINTS[0][1], Severity.NOTE)
    if not found:
        return None
    manifest, path, text = found[0]
    others = len({shown for _, _, shown in found}) - 1
    more = f" and {others} more" if others else ""
    message = f"`{text}`{more} are placeholders: what depends on them is not checked"
    if not others:
        message = f"`{text}` is a placeholder: what depends on it is not checked"
    hint = next(hint for start, hint in _HINTS if text.startswith(start)).replace("FILE", name)
    return Diagnostic("VSR480", message, manifest.span(*path), hint, Severity.NOTE)


def _placeholders(manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Return the placeholders in values that Kubernetes or a controller reads: whole values, and parts of metadata."""
    stack: list[tuple[Path, object]] = [((), manifest.body)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            stack += [((*path, key), item) for key, item in reversed(value.items()) if key not in _FREE_TEXT]
        elif isinstance(value, list):
            stack += [((*path, number), item) for number, item in reversed(list(enumerate(value)))]
        elif isinstance(value, str) and _MAY_BE.search(value) and "\n" not in value:
            pattern = _ANY if path[0] == "metadata" or path[-1] in _NAMES else None
            found = pattern.search(value) if pattern else _WHOLE.fullmatch(value)
            if found:
                yield path, found.group()
            elif "env" not in path and is_variable(value):
                yield path, value


def has_placeholder(text: str) -> bool:
    """Whether a text contains a placeholder."""
    return bool(_ANY.search(text))


def without_dependent(findings: Iterable[Diagnostic], marks: Mapping[str, Marks]) -> list[Diagnostic]:
    """Return the findings without those that depend on a placeholder, by their place or the names in their message.

    A file from which a finding was left out has a note.
    """
    every = list(findings)
    noted = {item.span.file for item in every if item.code == "VSR480"}
    kept = []
    for item in every:
        if item.code in _ALWAYS or not _depends(item, marks):
            kept.append(item)
        elif item.span.file not in noted:
            noted.add(item.span.file)
            message = "this depends on a placeholder, so it is not checked"
            kept.append(
                Diagnostic("VSR480", message, item.span, "Fill it in before you check the file.", Severity.NOTE)
            )
    return kept


def _depends(item: Diagnostic, marks: Mapping[str, Marks]) -> bool:
    if item.span.file in marks and marks[item.span.file].cover(item.span):
        return True
    return bool(marks and has_placeholder(item.message)) or is_about_replaced(item)


_ALWAYS = frozenset({"VSR480", "VSR430"})
