"""Policies in several files: reading of fragments, and their union with the policy that imports them.

A name belongs to one file, so a fragment can neither replace nor weaken what another one defines. The union has the
nodes of all files with their positions, so every later finding points into the file that it is about.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.syntax.document import MAX_NODES, Document, load
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence
from vsr_compiler.syntax.text import MAX_BYTES, read
from vsr_compiler.syntax.versions import judge
from vsr_schemas.policy.v1alpha1 import API_VERSION, PolicySpec
from vsr_schemas.policy.v1alpha1.imports import FRAGMENT_KIND, LISTS, MAPPINGS, MAX_FRAGMENTS, ImportSpec

MAX_DEPTH = 8
"""Imports within imports."""
SECTIONS = (*MAPPINGS, *LISTS)
HEAD = ("apiVersion", "kind", "imports")
Texts = Callable[[Path, str], str]
"""Returns the text of a file, given its path and its name in messages."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A file of a policy. ``span`` is the import; ``sha256`` is that of its text."""

    document: Document
    owner: str
    span: Span

    @property
    def sha256(self) -> str:
        """The digest of the text, in hex."""
        return hashlib.sha256(self.document.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """A policy with its fragments. ``union`` is the document of all of them."""

    policy: Document
    fragments: tuple[Fragment, ...]
    union: Document

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every file."""
        return (self.policy, *(fragment.document for fragment in self.fragments))


def read_files(path: Path, texts: Texts = read) -> PolicyFiles:
    """Read a policy and its fragments.

    Args:
        path: The policy.
        texts: Returns the text of a file: from the disk, or as an editor has it.

    Raises:
        CompileError: VSR001 to VSR008 about one of the files, VSR101 or VSR106 to VSR109 about the imports.
    """
    name = str(path)
    policy = load(texts(path, name), name)
    if _text(policy.node(("kind",))) == FRAGMENT_KIND:
        message = "this is a fragment, which is part of the policies that import it"
        hint = "Give the policy in its place."
        raise CompileError([Diagnostic("VSR106", message, policy.span(("kind",)), hint)])
    if not isinstance(policy.root, Mapping) or "imports" not in policy.root.entries:
        return PolicyFiles(policy, (), policy)
    reader = _Reader(repository_of(path), len(policy.text.encode()), texts)
    reader.seen[path.resolve()] = policy.root.span
    reader.follow(policy, path, 1)
    problems = list(reader.problems)
    union = Document(policy.name, policy.text, _union(policy, reader.fragments, problems))
    if problems:
        raise CompileError(list(dict.fromkeys(problems)))
    return PolicyFiles(policy, tuple(reader.fragments), union)


def imported(path: Path, document: Document, texts: Texts = read) -> tuple[list[Document], list[Diagnostic]]:
    """Return the fragments below a policy or a fragment, and the problems with them."""
    reader = _Reader(repository_of(path), len(document.text.encode()), texts)
    reader.seen[path.resolve()] = document.root.span
    reader.follow(document, path, 1)
    return [fragment.document for fragment in reader.fragments], list(dict.fromkeys(reader.problems))


def repository_of(path: Path) -> Path:
    """Return the folder in which further files may be: the repository of the policy, or the policy's folder."""
    folder = path.resolve().parent
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)


@dataclass(slots=True)
class _Reader:
    """Reads fragments depth first: after each fragment those that it imports."""

    root: Path
    size: int
    texts: Texts
    fragments: list[Fragment] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    seen: dict[Path, Span] = field(default_factory=dict)

    def follow(self, document: Document, path: Path, depth: int) -> None:
        """Read the imports of a file. Malformed ones in the policy are left to the schema."""
        for span, file, owner in self._entries(document):
            if len(self.fragments) >= MAX_FRAGMENTS or depth > MAX_DEPTH:
                limit = f"{MAX_FRAGMENTS} fragments" if depth <= MAX_DEPTH else f"{MAX_DEPTH} levels of imports"
                self._report("VSR107", f"more than {limit}", span, "Import fewer files, or fewer levels.")
                return
            target = Path(os.path.normpath(path.parent / file))
            if self._is_allowed(target, span):
                self._read(target, owner, span, depth)

    def _entries(self, document: Document) -> Iterator[tuple[Span, str, str]]:
        node = document.node(("imports",))
        if node is None:
            return
        if not isinstance(node, Sequence):
            self._report("VSR103", "expected a list", node.span, "Write `- {file: ./models.yaml, owner: TEAM}`.")
            return
        for item in node.items:
            entries = item.entries if isinstance(item, Mapping) else {}
            values = {key: _text(value) for key, (_, value) in entries.items()}
            try:
                spec = ImportSpec.model_validate(values)
            except ValueError:
                hint = "Write `{file: ./models.yaml, owner: TEAM}`, with a relative path below the repository."
                self._report("VSR106", "this is no import of a fragment", item.span, hint)
                continue
            yield item.span, spec.file, spec.owner

    def _is_allowed(self, target: Path, span: Span) -> bool:
        """Report a file outside the repository, one that is no file, and one that is there already."""
        try:
            real = target.resolve(strict=True)
            mode = real.stat().st_mode
        except (OSError, RuntimeError):
            self._report("VSR106", f"there is no file `{target}`", span, "Correct the path, which is relative.")
            return False
        if not real.is_relative_to(self.root):
            message = f"`{target}` is outside the repository `{self.root.name}`"
            self._report(
                "VSR106", message, span, "Move the fragment into the repository. Links out of it do not count."
            )
            return False
        if not stat.S_ISREG(mode):
            self._report("VSR106", f"`{target}` is not a regular file", span, "Name the file of a fragment.")
            return False
        if real in self.seen:
            message = f"`{target}` is imported already, in {_place(self.seen[real])}"
            self._report("VSR107", message, span, "Import each fragment once; fragments must not import each other.")
            return False
        self.seen[real] = span
        return True

    def _read(self, target: Path, owner: str, span: Span, depth: int) -> None:
        try:
            document = load(self.texts(target, str(target)), str(target))
        except CompileError as error:
            self.problems += error.diagnostics
            return
        self.size += len(document.text.encode())
        if self.size > MAX_BYTES:
            message = f"the files of the policy are larger than {MAX_BYTES // 1024 // 1024} MiB together"
            self._report("VSR107", message, span, "Split the policy.")
            return
        self.fragments.append(Fragment(document, owner, span))
        self.problems += _wrong(document)
        if _text(document.node(("kind",))) == FRAGMENT_KIND:
            self.follow(document, target, depth + 1)

    def _report(self, code: str, message: str, span: Span, hint: str) -> None:
        self.problems.append(Diagnostic(code, message, span, hint))


def _wrong(document: Document) -> Iterator[Diagnostic]:
    """Yield what a fragment must not contain."""
    root = document.root
    if not isinstance(root, Mapping) or _text(document.node(("kind",))) != FRAGMENT_KIND:
        hint = f"Begin it with `apiVersion: {API_VERSION}` and `kind: {FRAGMENT_KIND}`."
        yield Diagnostic("VSR106", "this is no fragment of a policy", document.span(("kind",), key=True), hint)
        return
    if _text(document.node(("apiVersion",))) != API_VERSION:
        span = document.span(("apiVersion",))
        judged = judge(_text(document.node(("apiVersion",))), span)
        yield judged or Diagnostic(
            "VSR106", "the fragment has another apiVersion", span, f"Write `apiVersion: {API_VERSION}`."
        )
    whole = {model.alias or name for name, model in PolicySpec.model_fields.items()}
    for key, (span, _) in root.entries.items():
        if key in (*HEAD, *SECTIONS):
            continue
        if key in whole:
            hint = f"Move it to the policy. A fragment can have {', '.join(f'`{name}`' for name in SECTIONS)}."
            yield Diagnostic("VSR109", f"`{key}` belongs in the policy, not in a fragment", span, hint)
        else:
            hint = suggest(key, [*HEAD, *SECTIONS], limit=20)
            yield Diagnostic("VSR101", f"unknown key `{key}`", span, hint)
    routes = document.node(("routes",))
    for route in routes.items if isinstance(routes, Sequence) else ():
        if isinstance(route, Mapping) and "priority" in route.entries:
            message = "a route of a fragment cannot have a `priority`: it would go ahead of routes of other owners"
            hint = "Remove it, or move the route to the policy, whose routes come first."
            yield Diagnostic("VSR109", message, route.entries["priority"][0], hint)


def _union(policy: Document, fragments: list[Fragment], problems: list[Diagnostic]) -> Node:
    """Return the nodes of all files as one mapping. Report names that two files define (VSR108)."""
    if not isinstance(policy.root, Mapping):
        return policy.root
    root = Mapping(policy.root.span, dict(policy.root.entries))
    owners = {fragment.document.name: fragment.owner for fragment in fragments}
    for section in SECTIONS:
        parts = [
            (document, *document.root.entries[section])
            for document in (policy, *(fragment.document for fragment in fragments))
            if isinstance(document.root, Mapping) and section in document.root.entries
        ]
        kind: type[Mapping | Sequence] = Mapping if section in MAPPINGS else Sequence
        if len(parts) == 0 or (len(parts) == 1 and parts[0][0] is policy):
            continue
        wrong = next((node for _, _, node in parts if not isinstance(node, kind)), None)
        if wrong is not None:  # the schema reports it
            root.entries[section] = (wrong.span, wrong)
            continue
        span = parts[0][1]
        merged = kind(parts[0][2].span)
        for _, _, node in parts:
            if isinstance(merged, Mapping) and isinstance(node, Mapping):
                problems += _added(section, merged, node, owners)
            elif isinstance(merged, Sequence) and isinstance(node, Sequence):
                merged.items += node.items
        if isinstance(merged, Sequence):
            problems += _same_names(section, merged, owners)
        root.entries[section] = (span, merged)
    if sum(_count(node) for _, node in root.entries.values()) > MAX_NODES:
        message = f"the files of the policy have more than {MAX_NODES} values together"
        problems.append(Diagnostic("VSR107", message, policy.span(("imports",), key=True), "Split the policy."))
    return root


def _added(section: str, merged: Mapping, node: Mapping, owners: dict[str, str]) -> Iterator[Diagnostic]:
    for key, (span, value) in node.entries.items():
        if key in merged.entries:
            yield _conflict(section, key, span, merged.entries[key][0], owners)
        else:
            merged.entries[key] = (span, value)


def _same_names(section: str, merged: Sequence, owners: dict[str, str]) -> Iterator[Diagnostic]:
    """Yield the entries of a list that have the name of one in another file."""
    first: dict[str, Span] = {}
    for item in merged.items:
        entry = item.entries.get("name") if isinstance(item, Mapping) else None
        name = _text(entry[1]) if entry is not None else ""
        if entry is None or not name:
            continue
        span = entry[1].span
        other = first.setdefault(name, span)
        if other.file != span.file:
            yield _conflict(section, name, span, other, owners)


def _conflict(section: str, name: str, span: Span, other: Span, owners: dict[str, str]) -> Diagnostic:
    owner = owners.get(other.file)
    whose = f" (owner: {owner})" if owner else ""
    message = f"`{section}` has `{name}` in {_place(other)}{whose} as well"
    return Diagnostic("VSR108", message, span, "Each name belongs to one file: rename one, or remove it here.")


def _place(span: Span) -> str:
    return f"{span.file}:{span.line}:{span.column}"


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _count(node: Node) -> int:
    """Return the number of values below a node. Aliases share nodes, which `load` has counted for each file."""
    total, stack = 0, [node]
    while stack and total <= MAX_NODES:
        current = stack.pop()
        total += 1
        if isinstance(current, Mapping):
            stack += [value for _, value in current.entries.values()]
        elif isinstance(current, Sequence):
            stack += current.items
    return total
