"""The journal of a write, so that the next compile recognises the files of an interrupted one.

A journal is not replayed. It lists, by path, the contents that a generated file can have during the write: the old one
and the new one. The next write treats both as its own, writes its own tree and removes the journal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import json_input

Owned = dict[str, frozenset[str]]


def render(owned: Mapping[str, frozenset[str]]) -> bytes:
    """Return the file: JSON with digests by path."""
    return json.dumps({"files": {path: sorted(owned[path]) for path in sorted(owned)}}, ensure_ascii=False).encode()


def parse(content: bytes, file: str) -> Owned:
    """Parse a journal strictly.

    Raises:
        CompileError: VSR501 if the file is not what vsr-compile writes; the message says why.
    """
    try:
        files = json_input.mapping(json_input.fields(json_input.document(content), "it", {"files"})["files"], "'files'")
        return {json_input.path(path): _digests(path, digests) for path, digests in files.items()}
    except json_input.BrokenError as reason:
        hint = "Remove it, or pass --force to write all files again."
        message = f"the journal of an interrupted compile is broken: {reason}"
        raise CompileError([Diagnostic("VSR501", message, Span(file), hint)]) from reason


def merged(*owners: Mapping[str, frozenset[str]]) -> Owned:
    """Return, by path, the contents that any of the journals or locks lists."""
    everything: Owned = {}
    for owner in owners:
        for path, digests in owner.items():
            everything[path] = everything.get(path, frozenset()) | digests
    return everything


def _digests(path: str, value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise json_input.BrokenError(f"the entry of {path!r} is not a list")
    return frozenset(json_input.digest(one, f"a sha256 of {path!r}") for one in value)
