"""The lock: the generated files of an output folder with their digests, and the compile that produced them.

The tree is complete if and only if every listed file has the listed sha256. The writer renames the lock last, so that a
lock never lists a file that does not exist yet; see ``deploy/output/write.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests import json_input
from vsr_compiler.manifests.tree import Tree


@dataclass(frozen=True, slots=True)
class Entry:
    """One generated file: its sha256 in hex, and the identity of its Kubernetes object or ""."""

    sha256: str
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """The content of ``vsr-compile.lock``.

    Attributes:
        tool: Version of vsr-compile.
        tables: Release of each project, such as ``{"istio": "1.29.0"}``.
        policy: Name of the policy, and of its output folder.
        policy_sha256: Of the normalised policy, in hex.
        files: Entry by path, without the lock itself.
        overlays: Releases that differ in an overlay, by its folder.
        imports: Owner and sha256 of each fragment, by its path.
    """

    tool: str
    tables: Mapping[str, str]
    policy: str
    policy_sha256: str
    files: Mapping[str, Entry]
    overlays: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    imports: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

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
        imports: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Lock:
        """Return the lock of a tree."""
        files = {path: Entry(sha256(file.content), file.identity) for path, file in tree.items()}
        return cls(tool, dict(sorted(tables.items())), policy, policy_sha256, files, overlays or {}, imports or {})

    def releases(self, path: str) -> Mapping[str, str]:
        """Return the releases for which a file was compiled."""
        own = [tables for folder, tables in self.overlays.items() if path.startswith(f"{folder}/")]
        return {**self.tables, **own[0]} if own else self.tables

    def render(self) -> bytes:
        """Return the file: JSON, keys sorted, indented by two, with a final newline."""
        files = {
            path: {"sha256": entry.sha256} | ({"object": entry.identity} if entry.identity else {})
            for path, entry in self.files.items()
        }
        policy = {"name": self.policy, "sha256": self.policy_sha256}
        document: dict[str, object] = {"tool": self.tool, "tables": self.tables, "policy": policy, "files": files}
        if self.overlays:
            document["overlays"] = self.overlays
        if self.imports:
            document["imports"] = self.imports
        return (json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def sha256(content: bytes) -> str:
    """Return the digest that the lock lists, in hex."""
    return hashlib.sha256(content).hexdigest()


def parse(content: bytes, file: str) -> Lock:
    """Parse a lock strictly.

    Args:
        content: The bytes of the lock.
        file: The name of the file for messages.

    Raises:
        CompileError: VSR501 if the file is not what vsr-compile writes; the message says why.
    """
    try:
        return _lock(json_input.document(content))
    except json_input.BrokenError as reason:
        hint = "Restore it from version control, or pass --force to write a new one."
        raise CompileError([Diagnostic("VSR501", f"the lock is broken: {reason}", Span(file), hint)]) from reason


def _lock(value: object) -> Lock:
    top = json_input.fields(value, "it", {"files", "policy", "tables", "tool"}, frozenset({"imports", "overlays"}))
    policy = json_input.fields(top["policy"], "'policy'", {"name", "sha256"})
    files = json_input.mapping(top["files"], "'files'")
    overlays = json_input.mapping(top.get("overlays", {}), "'overlays'")
    imports = json_input.mapping(top.get("imports", {}), "'imports'")
    return Lock(
        tool=json_input.text(top["tool"], "'tool'"),
        tables=_tables(top["tables"], "'tables'"),
        policy=json_input.text(policy["name"], "the policy's name"),
        policy_sha256=json_input.digest(policy["sha256"], "the policy's sha256"),
        files={json_input.path(path): _entry(path, entry) for path, entry in files.items()},
        overlays={
            json_input.path(folder): _tables(releases, f"the overlay {folder!r}")
            for folder, releases in overlays.items()
        },
        imports={json_input.text(path, "a fragment"): _import(path, entry) for path, entry in imports.items()},
    )


def _import(path: str, value: object) -> dict[str, str]:
    entry = json_input.fields(value, f"the fragment {path!r}", {"owner", "sha256"}, frozenset())
    owner = json_input.text(entry["owner"], f"the owner of {path!r}")
    return {"owner": owner, "sha256": json_input.digest(entry["sha256"], f"the sha256 of {path!r}")}


def _tables(value: object, name: str) -> dict[str, str]:
    entries = json_input.mapping(value, name)
    return {
        json_input.text(key, "a table"): json_input.text(entries[key], f"the release of {key!r}") for key in entries
    }


def _entry(path: str, value: object) -> Entry:
    entries = json_input.fields(value, f"the entry of {path!r}", {"sha256"}, frozenset({"object"}))
    identity = json_input.text(entries.get("object", ""), f"the object of {path!r}")
    return Entry(json_input.digest(entries["sha256"], f"the sha256 of {path!r}"), identity)
