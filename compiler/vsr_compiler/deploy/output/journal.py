"""What a write is about to do, noted before it begins: the next compile recognises what an interrupted one left.

A journal does not replay anything: it lists, by path, the contents that a file of ours may have from here on (the one
before and the one after). The next write takes these for its own, makes its own tree of them and drops the journal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import strict

Owned = dict[str, frozenset[str]]


def render(owned: Mapping[str, frozenset[str]]) -> bytes:
    """The file: JSON, digests by path."""
    return json.dumps({"files": {path: sorted(owned[path]) for path in sorted(owned)}}, ensure_ascii=False).encode()


def parse(content: bytes, file: str) -> Owned:
    """Reads a journal strictly.

    Raises:
        CompileError: VSR501 where it is not what vsr-compile writes; the message says why.
    """
    try:
        files = strict.mapping(strict.fields(strict.document(content), "it", {"files"})["files"], "'files'")
        return {strict.path(path): _digests(path, digests) for path, digests in files.items()}
    except strict.BrokenError as reason:
        hint = "Remove it, or pass --force to write all files anew."
        message = f"the journal of an interrupted compile is broken: {reason}"
        raise CompileError([Diagnostic("VSR501", message, Span(file), hint)]) from reason


def merged(*owners: Mapping[str, frozenset[str]]) -> Owned:
    """All contents by path that any of them knows."""
    everything: Owned = {}
    for owner in owners:
        for path, digests in owner.items():
            everything[path] = everything.get(path, frozenset()) | digests
    return everything


def _digests(path: str, value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise strict.BrokenError(f"the entry of {path!r} is no list")
    return frozenset(strict.digest(one, f"a sha256 of {path!r}") for one in value)
