"""The policies that are open in an editor, and the answers about each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.editor.place import place_at
from vsr_compiler.editor.symbols import Symbol, Symbols, symbols
from vsr_compiler.editor.words import Word, docs_of, words_at
from vsr_compiler.pipeline import findings, preview, read_policy
from vsr_compiler.review.yaml_paths import path_at_line
from vsr_compiler.syntax.document import load
from vsr_compiler.syntax.text import decode, read

_POLICY = re.compile(r"^[\"']?kind[\"']?:[ \t]*[\"']?RoutingPolicy\b(?!Fragment)", re.MULTILINE)
_NAMED = re.compile(r"`([^`\n]+)`")
MOST_OBJECTS, MOST_FIXES = 12, 6
_ASKS, _CHOICE = "Did you mean ", "Use one of: "


@dataclass(frozen=True, slots=True)
class Edit:
    """Another text for a place."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that may repair a finding."""

    title: str
    finding: Diagnostic
    edit: Edit


@dataclass(frozen=True, slots=True)
class Lens:
    """A line of text above a place."""

    span: Span
    text: str


@dataclass(slots=True)
class Workspace:
    """Texts as an editor has them, by file; every other file is as it is on the disk."""

    texts: dict[str, str] = field(default_factory=dict)
    _symbols: dict[str, Symbols] = field(default_factory=dict)
    _findings: dict[str, list[Diagnostic]] = field(default_factory=dict)

    def set(self, file: str, text: str) -> None:
        """Take over the text of a file."""
        self.texts[file] = text

    def close(self, file: str) -> None:
        """Forget the text of a file."""
        self.texts.pop(file, None)
        self._symbols.pop(file, None)
        self._findings.pop(file, None)

    def policies(self) -> list[str]:
        """Return the open files that are policies; fragments belong to the policies that import them."""
        return sorted(file for file, text in self.texts.items() if _POLICY.search(text))

    def text(self, path: Path, name: str) -> str:
        """Return the text of a file, as a policy is read.

        Raises:
            CompileError: VSR001, VSR004 or VSR005.
        """
        open_text = self.texts.get(str(path))
        return read(path, name) if open_text is None else decode(open_text.encode(errors="surrogatepass"), name)

    def findings(self, policy: str) -> list[Diagnostic]:
        """Return the findings of a policy and its fragments, and look at its names."""
        found = findings(Path(policy), texts=self.text)
        self._findings[policy] = found
        known = symbols(Path(policy), self.text)
        if known is not None:
            self._symbols[policy] = known
        return found

    def known(self, file: str) -> Symbols | None:
        """Return the names of the policy of a file, or of a fragment, as of its last text that could be read."""
        if file in self._symbols:
            return self._symbols[file]
        found = (known for known in self._symbols.values() if any(item.span.file == file for item in known.items))
        return next(found, None)

    def places(self, file: str, line: int, column: int) -> list[Symbol]:
        """Return the places of the name at a place, that of its definition first; none if no name is there."""
        known = self.known(file)
        symbol = None if known is None else known.at(file, line, column)
        return [] if known is None or symbol is None else known.same(symbol)

    def rename(self, file: str, line: int, column: int, name: str) -> list[Edit]:
        """Return the edits that give the name at a place another name.

        Raises:
            ValueError: Nothing there can be renamed, or the new name exists. The message says why.
        """
        places = self.places(file, line, column)
        if not places or not places[0].defines:
            raise ValueError("There is no name here that this policy defines.")
        known = self.known(file)
        if known is not None and name in known.names(places[0].kind):
            raise ValueError(f"There is a {places[0].kind} `{name}` already.")
        return [Edit(place.span, _spelled(self.text(Path(place.span.file), ""), place, name)) for place in places]

    def words(self, file: str, line: int, column: int) -> tuple[str, list[Word]]:
        """Return what is written before a place, and what can be written there."""
        place = place_at(self.texts.get(file, ""), line, column)
        return place.word, words_at(place, self.known(file))

    def docs(self, file: str, line: int, column: int) -> str:
        """Return the documentation of the key at a place, and the objects that its section makes, as Markdown."""
        text = self.texts.get(file, "")
        lines = text.split("\n")
        row = lines[line - 1] if 0 < line <= len(lines) else ""
        key = re.match(r"[\w./-]*", row[column - 1 :])
        before = re.search(r"[\w./-]*$", row[: column - 1])
        word = (before[0] if before else "") + (key[0] if key else "")
        place = place_at(text, line, column)
        parts = []
        written = docs_of((*place.path, word)) or (docs_of((*place.path, place.key)) if place.key else "")
        if written:
            parts.append(f"**{word if docs_of((*place.path, word)) else place.key}**: {written}")
        objects = self._objects(file, line)
        if objects:
            shown = [f"- `{item}`" for item in objects[:MOST_OBJECTS]]
            more = [f"- and {len(objects) - MOST_OBJECTS} more"] if len(objects) > MOST_OBJECTS else []
            parts.append("\n".join(["This makes:", *shown, *more]))
        return "\n\n".join(parts)

    def _objects(self, file: str, line: int) -> list[str]:
        """Return the objects that the section of a line makes."""
        try:
            document = load(self.text(Path(file), file), file)
            path = path_at_line(document, line)
            if path is None or file not in self.policies():
                return []
            spans = {document.span(path[:2]), document.span(path[:2], key=True)}
            made = preview(read_policy(Path(file), texts=self.text))
        except CompileError:
            return []
        names = [f"{item.kind} {item.namespace or '(cluster)'}/{item.name}" for item in made if item.origin in spans]
        return list(dict.fromkeys(names))

    def fixes(self, file: str, first: int, last: int) -> list[Fix]:
        """Return changes that may repair the findings between two lines of a file."""
        found = (item for findings in self._findings.values() for item in findings)
        near = (item for item in found if item.span.file == file and first <= item.span.line <= last and not item.hides)
        return [fix for item in near for fix in _fixes(item)][: 4 * MOST_FIXES]

    def lenses(self, file: str) -> list[Lens]:
        """Return for each route how many tests expect it."""
        known = self.known(file)
        if known is None:
            return []
        used = [item for item in known.items if item.kind == "route" and not item.defines]
        return [
            Lens(route.span, _tests(sum(item.name == route.name for item in used)))
            for route in known.items
            if route.kind == "route" and route.defines and route.span.file == file
        ]


def _fixes(finding: Diagnostic) -> list[Fix]:
    """Return what the hint of a finding offers in place of the text at its place."""
    if finding.span.end_line != finding.span.line or not finding.hint.startswith((_ASKS, _CHOICE)):
        return []
    names = _NAMED.findall(finding.hint)[:MOST_FIXES]
    return [Fix(f"Change to `{name}`", finding, Edit(finding.span, name)) for name in names]


def _spelled(text: str, symbol: Symbol, name: str) -> str:
    """Return a name as it is written at a place: with the quotes that are there, or that it needs."""
    line = text.split("\n")[symbol.span.line - 1]
    mark = line[symbol.span.column - 1 : symbol.span.column]
    quote = mark if mark in {'"', "'"} else "" if re.fullmatch(r"[A-Za-z][\w./-]*", name) else '"'
    return f"{quote}{name}{quote}"


def _tests(count: int) -> str:
    return f"{count} test{'' if count == 1 else 's'} expect{'s' if count == 1 else ''} this route"
