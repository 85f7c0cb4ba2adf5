"""The lock: which files of an output folder are ours, what they hold, and which compile made them.

A reader tells from it whether the tree is whole: it is whole exactly where every file it lists has the listed sha256.
The writer renames the lock last, so a lock never lists what is not there yet; see ``write.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import strict
from vsr_compiler.manifests.tree import Tree


@dataclass(frozen=True, slots=True)
class Entry:
    """One owned file: the sha256 of its bytes in hex, and the identity of its Kubernetes object or ""."""

    sha256: str
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """What ``vsr-compile.lock`` says.

    Attributes:
        tool: Version of vsr-compile.
        tables: Release of each table that the compile looked up, such as ``{"istio": "1.29.0"}``.
        policy: Name of the policy, and of its output folder.
        policy_sha256: Of the normalised policy, in hex.
        files: Entry by path; the lock itself is not among them.
        overlays: Releases that are others in an overlay, by its folder.
    """

    tool: str
    tables: Mapping[str, str]
    policy: str
    policy_sha256: str
    files: Mapping[str, Entry]
    overlays: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tree: Tree,
        *,
        tool: str,
        tables: Mapping[str, str],
        policy: str,
        policy_sha256: str,
        overlays: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Lock:
        """The lock that belongs to a tree."""
        files = {path: Entry(sha256(file.content), file.identity) for path, file in tree.items()}
        return cls(tool, dict(sorted(tables.items())), policy, policy_sha256, files, overlays or {})

    def releases(self, path: str) -> Mapping[str, str]:
        """The releases for which a file was made."""
        own = [tables for folder, tables in self.overlays.items() if path.startswith(f"{folder}/")]
        return {**self.tables, **own[0]} if own else self.tables

    def render(self) -> bytes:
        """The file: JSON, keys sorted, indented by two, with a final newline."""
        files = {
            path: {"sha256": entry.sha256} | ({"object": entry.identity} if entry.identity else {})
            for path, entry in self.files.items()
        }
        policy = {"name": self.policy, "sha256": self.policy_sha256}
        document: dict[str, object] = {"tool": self.tool, "tables": self.tables, "policy": policy, "files": files}
        if self.overlays:
            document["overlays"] = self.overlays
        return (json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def sha256(content: bytes) -> str:
    """The digest that the lock lists, in hex."""
    return hashlib.sha256(content).hexdigest()


def parse(content: bytes, file: str) -> Lock:
    """Reads a lock strictly.

    Args:
        content: The bytes of the lock.
        file: What messages call it.

    Raises:
        CompileError: VSR501 where it is not what vsr-compile writes; the message says why.
    """
    try:
        return _lock(strict.document(content))
    except strict.BrokenError as reason:
        hint = "Restore it from version control, or pass --force to write a new one."
        raise CompileError([Diagnostic("VSR501", f"the lock is broken: {reason}", Span(file), hint)]) from reason


def _lock(value: object) -> Lock:
    top = strict.fields(value, "it", {"files", "policy", "tables", "tool"}, frozenset({"overlays"}))
    policy = strict.fields(top["policy"], "'policy'", {"name", "sha256"})
    overlays = strict.mapping(top.get("overlays", {}), "'overlays'")
    return Lock(
        tool=strict.text(top["tool"], "'tool'"),
        tables=_tables(top["tables"], "'tables'"),
        policy=strict.text(policy["name"], "the policy's name"),
        policy_sha256=strict.digest(policy["sha256"], "the policy's sha256"),
        files={
            strict.path(path): _entry(path, entry) for path, entry in strict.mapping(top["files"], "'files'").items()
        },
        overlays={strict.path(folder): _tables(each, f"the overlay {folder!r}") for folder, each in overlays.items()},
    )


def _tables(value: object, name: str) -> dict[str, str]:
    found = strict.mapping(value, name)
    return {strict.text(key, "a table"): strict.text(found[key], f"the release of {key!r}") for key in found}


def _entry(path: str, value: object) -> Entry:
    found = strict.fields(value, f"the entry of {path!r}", {"sha256"}, frozenset({"object"}))
    identity = strict.text(found.get("object", ""), f"the object of {path!r}")
    return Entry(strict.digest(found["sha256"], f"the sha256 of {path!r}"), identity)
