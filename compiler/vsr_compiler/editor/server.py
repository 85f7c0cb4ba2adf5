"""The language server: what an editor asks of it, over standard input and output.

Everything is read on this machine; no request leaves it.
"""

from __future__ import annotations

from lsprotocol import types as lsp

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.editor.protocol import PolicyServer, path_of
from vsr_compiler.syntax.fmt import canonical

KINDS = {"key": lsp.CompletionItemKind.Property, "target": lsp.CompletionItemKind.EnumMember}
server = PolicyServer()
"""The server of this process."""


def serve() -> None:
    """Serve one editor, until it ends."""
    server.start_io()


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
async def opened(ls: PolicyServer, params: lsp.DidOpenTextDocumentParams) -> None:
    """Check the policy."""
    ls.take(params.text_document.uri)
    ls.versions[params.text_document.uri] = params.text_document.version
    await ls.check(params.text_document.uri, params.text_document.version)


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
async def changed(ls: PolicyServer, params: lsp.DidChangeTextDocumentParams) -> None:
    """Check the policy once nobody types."""
    ls.take(params.text_document.uri)
    ls.versions[params.text_document.uri] = params.text_document.version
    await ls.check(params.text_document.uri, params.text_document.version)


@server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
async def closed(ls: PolicyServer, params: lsp.DidCloseTextDocumentParams) -> None:
    """Forget the text, and what was found in it."""
    file = path_of(params.text_document.uri)
    ls.versions.pop(params.text_document.uri, None)
    ls.policies.close(file)
    ls.publish(file, [])


@server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
async def definition(ls: PolicyServer, params: lsp.DefinitionParams) -> list[lsp.Location]:
    """Where a name is defined."""
    return [place for defines, place in await places(ls, params) if defines][:1]


async def places(
    ls: PolicyServer, params: lsp.DefinitionParams | lsp.ReferenceParams
) -> list[tuple[bool, lsp.Location]]:
    """All places of a name, and whether it is defined there."""
    file = ls.take(params.text_document.uri)
    column = ls.column(file, params.position)
    found = await ls.work(lambda: ls.policies.places(file, params.position.line + 1, column))
    return [(item.defines, ls.location(item.span)) for item in found]


@server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
async def references(ls: PolicyServer, params: lsp.ReferenceParams) -> list[lsp.Location]:
    """Where a name is used."""
    found = await places(ls, params)
    return [place for defines, place in found if params.context.include_declaration or not defines]


@server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
async def prepare(ls: PolicyServer, params: lsp.PrepareRenameParams) -> lsp.Range | None:
    """The name that would be renamed."""
    file = ls.take(params.text_document.uri)
    column, line = ls.column(file, params.position), params.position.line + 1
    known = ls.policies.known(file)
    symbol = None if known is None else known.at(file, line, column)
    return None if symbol is None else ls.range(symbol.span)


@server.feature(lsp.TEXT_DOCUMENT_RENAME)
async def rename(ls: PolicyServer, params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
    """All edits that give a name another name."""
    file = ls.take(params.text_document.uri)
    column = ls.column(file, params.position)
    try:
        edits = await ls.work(lambda: ls.policies.rename(file, params.position.line + 1, column, params.new_name))
    except ValueError as error:
        ls.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, str(error)))
        return None
    return ls.edits(edits)


@server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[" ", "{", "[", ","]))
async def complete(ls: PolicyServer, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
    """Keys with their documentation, and names of the policy."""
    file = ls.take(params.text_document.uri)
    column = ls.column(file, params.position)
    word, found = await ls.work(lambda: ls.policies.words(file, params.position.line + 1, column))
    start = lsp.Position(params.position.line, params.position.character - len(word))
    return [
        lsp.CompletionItem(
            item.text,
            kind=KINDS.get(item.detail, lsp.CompletionItemKind.Reference),
            detail=item.detail,
            documentation=item.docs or None,
            text_edit=lsp.TextEdit(lsp.Range(start, params.position), item.text),
            sort_text=f"{number:04}",
        )
        for number, item in enumerate(found)
    ]


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
async def hover(ls: PolicyServer, params: lsp.HoverParams) -> lsp.Hover | None:
    """What a key means, and the objects that its section makes."""
    file = ls.take(params.text_document.uri)
    column = ls.column(file, params.position)
    text = await ls.work(lambda: ls.policies.docs(file, params.position.line + 1, column))
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, text)) if text else None


@server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION)
async def actions(ls: PolicyServer, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """Changes that may repair what was found."""
    file = ls.take(params.text_document.uri)
    first, last = params.range.start.line + 1, params.range.end.line + 1
    fixes = await ls.work(lambda: ls.policies.fixes(file, first, last))
    return [
        lsp.CodeAction(
            fix.title,
            kind=lsp.CodeActionKind.QuickFix,
            diagnostics=[ls.diagnostic(fix.finding)],
            edit=ls.edits([fix.edit]),
            is_preferred=len(fixes) == 1,
        )
        for fix in fixes
    ]


@server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
async def lenses(ls: PolicyServer, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
    """How many tests expect each route."""
    file = ls.take(params.text_document.uri)
    found = await ls.work(lambda: ls.policies.lenses(file))
    return [lsp.CodeLens(ls.range(lens.span), lsp.Command(lens.text, "")) for lens in found]


@server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
async def formatting(ls: PolicyServer, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
    """The text as `fmt` writes it."""
    file = ls.take(params.text_document.uri)
    text = ls.policies.texts[file]
    try:
        formatted = await ls.work(lambda: canonical(text, file))
    except CompileError:
        return None  # the findings say why
    whole = lsp.Range(lsp.Position(0, 0), lsp.Position(text.count("\n") + 1, 0))
    return [] if formatted == text else [lsp.TextEdit(whole, formatted)]
