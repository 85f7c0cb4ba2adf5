"""A server with the workspace of an editor, and the words of the Language Server Protocol for what it tells.

Columns of the protocol count UTF-16 units.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from vsr_compiler.diagnostics import CompileError, Diagnostic, Severity, Span
from vsr_compiler.diagnostics.codes import BASE
from vsr_compiler.editor.workspace import Edit, Workspace
from vsr_schemas.version import VERSION

T = TypeVar("T")
DELAY = 0.2
"""Seconds without typing after which a policy is checked."""
SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.NOTE: lsp.DiagnosticSeverity.Information,
}


class PolicyServer(LanguageServer):
    """A server with one workspace. Work on policies is done by one thread, in order."""

    def __init__(self) -> None:
        super().__init__("vsr-compile", VERSION, text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)
        self.policies = Workspace()
        self.versions: dict[str, int] = {}
        self.reported: dict[str, set[str]] = {}
        self.lock = asyncio.Lock()

    async def work(self, task: Callable[[], T]) -> T:
        """Do something with the workspace, off the event loop, and never two things at once."""
        async with self.lock:
            return await asyncio.to_thread(task)

    def take(self, uri: str) -> str:
        """Take the text of an open document over. Return its file."""
        file = path_of(uri)
        self.policies.set(file, self.workspace.get_text_document(uri).source)
        return file

    async def check(self, uri: str, version: int) -> None:
        """Check all open policies, unless somebody types on, and publish what is found."""
        await asyncio.sleep(DELAY)
        if self.versions.get(uri) != version:
            return
        for policy in self.policies.policies():
            found = await self.work(lambda policy=policy: self.policies.findings(policy))  # type: ignore[misc]
            if self.versions.get(uri) != version:
                return
            self.publish(policy, found)

    def publish(self, policy: str, found: list[Diagnostic]) -> None:
        """Publish the findings of a policy and its fragments; an empty list where there were some before."""
        by_file: dict[str, list[Diagnostic]] = {policy: []}
        for item in found:
            by_file.setdefault(item.span.file, []).append(item)
        for file in self.reported.get(policy, set()) - by_file.keys():
            by_file[file] = []
        self.reported[policy] = {file for file, items in by_file.items() if items}
        for file, items in by_file.items():
            diagnostics = [self.diagnostic(item) for item in items]
            uri = address(file)
            self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics))

    def diagnostic(self, item: Diagnostic) -> lsp.Diagnostic:
        """Return a finding in the words of the protocol."""
        message = item.message if not item.hint else f"{item.message}\n{item.hint}"
        return lsp.Diagnostic(
            self.range(item.span),
            message,
            SEVERITIES[item.level],
            item.code,
            lsp.CodeDescription(f"{BASE}{item.code.lower()}"),
            "vsr-compile",
        )

    def range(self, span: Span) -> lsp.Range:
        """Return a place in the units of the protocol. That of a whole file is its first line."""
        lines = self.lines(span.file)
        first, last = max(span.line, 1), max(span.end_line, span.line, 1)
        start = units(lines, first, max(span.column, 1))
        end = units(lines, last, span.end_column) if span.end_column else units(lines, last, 10**6)
        return lsp.Range(
            lsp.Position(first - 1, start), lsp.Position(last - 1, max(end, start if last == first else 0))
        )

    def lines(self, file: str) -> list[str]:
        """Return the lines of a file as the editor has it; of one that cannot be read there are none."""
        try:
            return self.policies.text(Path(file), file).split("\n")
        except CompileError:
            return []

    def column(self, file: str, position: lsp.Position) -> int:
        """Return the column of a position in characters, from 1."""
        lines = self.lines(file)
        line = lines[position.line] if position.line < len(lines) else ""
        data = line.encode("utf-16-le", "surrogatepass")[: 2 * position.character]
        return len(data.decode("utf-16-le", "ignore")) + 1

    def location(self, span: Span) -> lsp.Location:
        """Return a place with its file."""
        return lsp.Location(address(span.file), self.range(span))

    def edits(self, edits: list[Edit]) -> lsp.WorkspaceEdit:
        """Return edits by file."""
        changes: dict[str, list[lsp.TextEdit]] = {}
        for edit in edits:
            uri = address(edit.span.file)
            changes.setdefault(uri, []).append(lsp.TextEdit(self.range(edit.span), edit.text))
        return lsp.WorkspaceEdit(changes=changes)


def units(lines: list[str], line: int, column: int) -> int:
    """Return the UTF-16 units before a column of a line; both count from 1."""
    text = lines[line - 1][: column - 1] if line <= len(lines) else ""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def address(file: str) -> str:
    """Return the ``file:`` address of a file."""
    return Path(file).absolute().as_uri()


def path_of(uri: str) -> str:
    """Return the file of a ``file:`` address."""
    return unquote(urlsplit(uri).path)
