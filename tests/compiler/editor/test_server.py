from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

T = TypeVar("T")
TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata:   {name: edited}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {one: {service: "one:8000"}}
models: {big: {endpoints: one}}
signals: {joy: {keywords: ["\U0001f600"]}}
routes: [{name: joy, when: {signal: joy}, model: big}]
default: bigg
"""
PROGRAM = "from vsr_compiler.cli import main; main()"


def session(tmp_path: Path, talk: Callable[[LanguageClient, str, list[lsp.Diagnostic]], Awaitable[T]]) -> T:
    """Talk to a server over standard input and output, as an editor does, with one policy open."""
    path = tmp_path / "policy.yaml"
    path.write_text(TEXT, encoding="utf-8")

    async def whole() -> T:
        client = LanguageClient("test", "1")
        published: asyncio.Queue[list[lsp.Diagnostic]] = asyncio.Queue()

        @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def publish(params: lsp.PublishDiagnosticsParams) -> None:
            published.put_nowait(list(params.diagnostics))

        await client.start_io(sys.executable, "-c", PROGRAM, "lsp")
        await client.initialize_async(
            lsp.InitializeParams(capabilities=lsp.ClientCapabilities(), root_uri=tmp_path.as_uri())
        )
        client.initialized(lsp.InitializedParams())
        document = lsp.TextDocumentItem(path.as_uri(), lsp.LanguageKind.Yaml, 1, TEXT)
        client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        found = await asyncio.wait_for(published.get(), 120)
        result = await talk(client, path.as_uri(), found)
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()
        return result

    return asyncio.run(whole())


@pytest.mark.subprocess
def test_an_editor_is_served(tmp_path: Path) -> None:
    """Findings with a fix, definition, references, renaming, completion, hovering, lenses, formatting."""

    async def talk(client: LanguageClient, uri: str, found: list[lsp.Diagnostic]) -> None:
        (finding,) = found
        assert (finding.code, finding.range) == ("VSR201", lsp.Range(lsp.Position(8, 9), lsp.Position(8, 13)))
        document = lsp.TextDocumentIdentifier(uri)
        context = lsp.CodeActionContext(diagnostics=found)
        (action,) = (
            await client.text_document_code_action_async(lsp.CodeActionParams(document, finding.range, context)) or []
        )
        assert isinstance(action, lsp.CodeAction)
        assert action.edit is not None
        assert {key: list(edits) for key, edits in (action.edit.changes or {}).items()} == {
            uri: [lsp.TextEdit(finding.range, "big")]
        }
        used = lsp.Position(7, 51)
        place = await client.text_document_definition_async(lsp.DefinitionParams(document, used))
        assert list(place or []) == [lsp.Location(uri, lsp.Range(lsp.Position(5, 9), lsp.Position(5, 12)))]
        every = await client.text_document_references_async(
            lsp.ReferenceParams(lsp.ReferenceContext(include_declaration=True), document, used)
        )
        assert [one.range.start.line for one in every or []] == [5, 7]
        edit = await client.text_document_rename_async(lsp.RenameParams(document, lsp.Position(7, 36), "glee"))
        assert edit is not None
        assert edit.changes is not None
        assert [(one.range.start.line, one.new_text) for one in edit.changes[uri]] == [(6, "glee"), (7, "glee")]
        offered = await client.text_document_completion_async(lsp.CompletionParams(document, lsp.Position(8, 10)))
        assert not isinstance(offered, lsp.CompletionList)
        assert [one.label for one in offered or []] == ["big"]
        shown = await client.text_document_hover_async(lsp.HoverParams(document, lsp.Position(8, 2)))
        assert shown is not None
        assert isinstance(shown.contents, lsp.MarkupContent)
        assert shown.contents.value.startswith("**default**")
        (lens,) = await client.text_document_code_lens_async(lsp.CodeLensParams(document)) or []
        assert lens.command is not None
        assert lens.command.title == "0 tests expect this route"
        options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
        (whole,) = await client.text_document_formatting_async(lsp.DocumentFormattingParams(document, options)) or []
        assert "default: bigg\n" in whole.new_text

    session(tmp_path, talk)
