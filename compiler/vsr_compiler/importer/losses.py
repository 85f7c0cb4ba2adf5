"""Collection of findings, and of what no output may show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar

MAX_SHOWN = 6
"""Names in the message of a group."""
HIDDEN = "***"
_SECRET_KEY = re.compile(
    r"(?:^|[_-]|(?-i:[a-z](?=[A-Z])))(?:api[_-]?keys?|access[_-]?key(?:[_-]?id)?|secret[_-]?access[_-]?key|password|passwd|auth[_-]?token|"
    r"bearer[_-]?token|session[_-]?token|client[_-]?secret|secret[_-]?key|api[_-]?secret|authorization|private[_-]?key|master[_-]?key|salt[_-]?key|"
    r"x-api-key|vertex_credentials|credentials|token)$",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bhf_[A-Za-z0-9]{20,}|\bgh[posu]_[A-Za-z0-9_]{20,}|"
    r"\bgithub_pat_[A-Za-z0-9_]{20,}|\bAIza[0-9A-Za-z_-]{30,}|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----|"
    r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|(?<=://)[^\s/@]{1,400}(?=@)|"
    r"(?<=[?&])(?i:key|api[_-]?key|token|access_token|sig|signature|code)=[^&\s\"'#]{1,400}"
)
_REFERENCE = re.compile(r"\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|os\.environ/.+|\$\(.+\)|\{\{.*\}\}", re.DOTALL)
MIN_SECRET = 8
"""Shorter texts are hidden in their place, but not searched for elsewhere."""


def is_reference(text: str) -> bool:
    """Return whether a text names an environment variable or a value of a template instead of containing it."""
    return _REFERENCE.fullmatch(text.strip()) is not None


def names_secret(key: str) -> bool:
    """Return whether a key or a header has the name of a credential."""
    return _SECRET_KEY.search(key) is not None


@dataclass(slots=True)
class Secrets:
    """Where secrets are, and what they are, so that no output shows them."""

    spans: list[Span] = field(default_factory=list)
    values: set[str] = field(default_factory=set)

    def add(self, node: Node | None) -> None:
        """Hide the scalars of a node."""
        if isinstance(node, Scalar):
            if node.text.strip() and not is_reference(node.text):
                self.spans.append(node.span)
                if len(node.text) >= MIN_SECRET:
                    self.values.add(node.text)
        elif isinstance(node, Mapping):
            for _, child in node.entries.values():
                self.add(child)
        elif node is not None:
            for child in node.items:
                self.add(child)

    def scan(self, node: Node) -> None:
        """Hide the values of keys that have the names of credentials, and texts that look like credentials."""
        stack, seen = [node], set()
        while stack:
            item = stack.pop()
            if id(item) in seen:
                continue
            seen.add(id(item))
            if isinstance(item, Scalar):
                for found in _SECRET_TEXT.finditer(item.text):
                    self.spans.append(item.span)
                    self.values.add(found[0])
            elif isinstance(item, Mapping):
                self._pair(item)
                for key, (_, child) in item.entries.items():
                    if _SECRET_KEY.search(key) and isinstance(child, Scalar):
                        self.add(child)
                    stack.append(child)
            else:
                stack += item.items

    def _pair(self, item: Mapping) -> None:
        """Hide the value of a pair such as a header or a variable, whose name is that of a credential."""
        names = [item.entries[key][1] for key in ("name", "key", "header") if key in item.entries]
        if "value" in item.entries and any(isinstance(name, Scalar) and names_secret(name.text) for name in names):
            self.add(item.entries["value"][1])

    def scrub(self, text: str) -> str:
        """Return a text without the secrets."""
        for value in sorted(self.values, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        return _SECRET_TEXT.sub(HIDDEN, text)

    def masked(self, name: str, text: str) -> str:
        """Return the text of a source with asterisks in place of secrets. Lines and columns stay."""
        lines = text.split("\n")
        for span in self.spans:
            if span.file != name:
                continue
            for number in range(span.line, min(max(span.end_line, span.line), len(lines)) + 1):
                row = lines[number - 1]
                start = span.column - 1 if number == span.line else 0
                end = span.end_column - 1 if number == span.end_line else len(row)
                lines[number - 1] = row[:start] + "*" * len(row[start:end]) + row[end:]
        return _SECRET_TEXT.sub(lambda match: "*" * len(match[0]), "\n".join(lines))


@dataclass(slots=True)
class Losses:
    """The findings of an import, each once. Findings of a group are one at the end."""

    secrets: Secrets = field(default_factory=Secrets)
    _found: dict[Diagnostic, None] = field(default_factory=dict)
    _groups: dict[tuple[str, str, str], dict[str, Span]] = field(default_factory=dict)

    def add(self, code: str, message: str, span: Span, hint: str = "", severity: Severity | None = None) -> None:
        """Add a finding."""
        self._found[Diagnostic(code, self.secrets.scrub(message), span, self.secrets.scrub(hint), severity)] = None

    def group(self, code: str, what: str, item: str, span: Span, hint: str = "") -> None:
        """Add a place to a finding that names all of them: "WHAT: ``a``, ``b`` and 3 more", at the first one."""
        self._groups.setdefault((code, what, hint), {}).setdefault(item, span)

    def forget(self, code: str, span: Span) -> None:
        """Remove the findings of a code at a place, because another source has what was missing."""
        for item in [item for item in self._found if item.code == code and item.span == span]:
            del self._found[item]

    def all(self) -> list[Diagnostic]:
        """Return all findings, sorted by place."""
        grouped = [self._grouped(*key, items) for key, items in self._groups.items()]
        return sorted([*self._found, *grouped], key=lambda item: item.order)

    def places(self) -> set[tuple[str, int, int]]:
        """Return where findings are: file, line and column."""
        spans = [item.span for item in self._found] + [
            span for group in self._groups.values() for span in group.values()
        ]
        return {(span.file, span.line, span.column) for span in spans}

    @property
    def number(self) -> int:
        """The number of findings and of places in groups so far."""
        return len(self._found) + sum(len(items) for items in self._groups.values())

    @property
    def failed(self) -> bool:
        """Whether a finding is an error."""
        return any(item.level is Severity.ERROR for item in self._found)

    def _grouped(self, code: str, what: str, hint: str, items: dict[str, Span]) -> Diagnostic:
        return Diagnostic(code, self.secrets.scrub(f"{what}: {_listed(items)}"), next(iter(items.values())), hint)


def _listed(items: dict[str, Span]) -> str:
    return ", ".join(_shown(items))


def _shown(items: dict[str, Span]) -> Iterator[str]:
    names = list(items)
    yield from (f"`{name}`" for name in names[:MAX_SHOWN])
    if len(names) > MAX_SHOWN:
        yield f"and {len(names) - MAX_SHOWN} more"
