"""Conversion of one text: the chain of versions, and the proof that nothing was lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.syntax.comments import Comment, Places, comments
from vsr_compiler.syntax.document import Document, load
from vsr_compiler.syntax.fmt import canonical
from vsr_compiler.syntax.fmt.attach import attach
from vsr_compiler.syntax.fmt.tree import Branch, Entry, Leaf, Source, grow
from vsr_compiler.syntax.migrate.patch import patched
from vsr_compiler.syntax.migrate.refused import RefusedError
from vsr_compiler.syntax.migrate.versions import REGISTRY, Conversion, Version
from vsr_compiler.syntax.nodes import Scalar
from vsr_compiler.syntax.text import decode
from vsr_compiler.syntax.versions import judge
from vsr_schemas.policy.kinds import FRAGMENT_KIND
from vsr_schemas.policy.v1alpha1.moved import MOVED

_KINDS = ("RoutingPolicy", FRAGMENT_KIND)
_LAYOUT = "the layout cannot be converted without a change of meaning or a lost comment"


def migrated(text: str, name: str, registry: tuple[Version, ...] = REGISTRY) -> str:
    """Return a policy or a fragment in today's version: the same text if it is current.

    Args:
        text: The text of the file.
        name: The name of the file in messages.
        registry: The versions, oldest first.

    Raises:
        CompileError: VSR0xx, VSR102 or VSR103 about the text; VSR571 for a newer version; VSR572.
    """
    document = load(text, name)
    first = _version(document, registry)
    for version, following in zip(registry[first:], [*registry[first + 1 :], None], strict=True):
        text = _applied(text, name, version.words, "")
        if following is not None:
            text = _applied(text, name, version.upward, following.name)
    left = load(text, name)
    for path in MOVED:
        if left.node(path) is not None:
            hint = "Write the value in its place, without an alias."
            raise CompileError([Diagnostic("VSR572", f"`{'.'.join(path)}` is in an alias", left.span(path), hint)])
    return text


def _version(document: Document, registry: tuple[Version, ...]) -> int:
    """Return the index of the version of a file."""
    names = tuple(version.name for version in registry)
    kind, api = document.node(("kind",)), document.node(("apiVersion",))
    name, span = api.text if isinstance(api, Scalar) else "", document.span(("apiVersion",))
    if (judged := judge(name, span, names)) is not None and name not in names:
        raise CompileError([judged])  # a newer version may have other kinds
    if not isinstance(kind, Scalar) or kind.text not in _KINDS:
        hint = f"Pass files with `kind: {_KINDS[0]}` or `kind: {_KINDS[1]}`."
        raise CompileError(
            [Diagnostic("VSR572", "this is no policy and no fragment", document.span(("kind",), key=True), hint)]
        )
    if api is None:
        hint = f"Add `apiVersion: {names[-1]}`."
        raise CompileError([Diagnostic("VSR102", "missing key `apiVersion`", document.root.span, hint)])
    if name not in names:
        message = "this is no version of the policy language"
        raise CompileError([Diagnostic("VSR572", message, span, suggest(name, names))])
    return names.index(name)


def _applied(text: str, name: str, conversions: tuple[Conversion, ...], version: str) -> str:
    """Return a text after conversions; formatted before them if its layout does not let one section be replaced."""
    for formatted in (False, True):
        before = canonical(text, name) if formatted else text
        source = _grown(before, name)
        root = source.root
        try:
            for conversion in conversions:
                root = conversion(root)
            if version:
                root = _with_version(root, version)
        except RefusedError as error:
            if formatted:
                break
            raise CompileError([_refusal(error, source, name)]) from None
        if root is source.root:
            return text
        after = None if root.flow else patched(source, root)
        if after is not None and _proved(source, root, after, name):
            return after
    raise CompileError([Diagnostic("VSR572", _LAYOUT, Span(name), "Simplify anchors and comments, and run it again.")])


def _grown(text: str, name: str) -> Source:
    source = grow(text, name)
    attach(source)
    return source


def _refusal(error: RefusedError, source: Source, name: str) -> Diagnostic:
    line = source.places.line(error.offset)
    span = Span(name, line, error.offset - source.places.starts[line - 1] + 1)
    return Diagnostic("VSR572", error.message, span, error.hint)


def _with_version(root: Branch, version: str) -> Branch:
    def changed(entry: Entry) -> Entry:
        if entry.key is None or entry.key.text != "apiVersion" or not isinstance(entry.value, Leaf):
            return entry
        if entry.value.anchor:
            hint = "Write the value at its aliases, and remove the anchor."
            raise RefusedError(entry.value.start, "`apiVersion` has an anchor", hint)
        return replace(entry, value=replace(entry.value, text=version, raw=version, style=""))

    return replace(root, entries=[changed(entry) for entry in root.entries])


def _proved(source: Source, root: Branch, after: str, name: str) -> bool:
    """Return whether a text has the converted tree, every comment, and every value except the version.

    An anchor that is set twice is refused: an alias that moves could get the value of the other one.
    """
    try:
        load(decode(after.encode(), name), name)
        result = grow(after, name).root
    except CompileError:
        return False
    return (
        _same(root, result)
        and _texts(source.comments) == _texts(comments(after, Places(after)))
        and not _values(source.root) - _values(result)
        and max(_anchors(result).values(), default=1) == 1
    )


def _same(one: Leaf | Branch, other: Leaf | Branch) -> bool:
    """Return whether two trees have the same keys in the same order, and the same values."""
    if isinstance(one, Leaf) or isinstance(other, Leaf):
        return isinstance(one, Leaf) and isinstance(other, Leaf) and _shape(one) == _shape(other)
    return (one.mapping, one.anchor, len(one.entries)) == (other.mapping, other.anchor, len(other.entries)) and all(
        (mine.key is None or (theirs.key is not None and _shape(mine.key) == _shape(theirs.key)))
        and _same(mine.value, theirs.value)
        for mine, theirs in zip(one.entries, other.entries, strict=True)
    )


def _shape(leaf: Leaf) -> tuple[str, bool, bool, str]:
    return leaf.text, bool(leaf.style), leaf.style == "*", leaf.anchor


def _texts(found: list[Comment]) -> Counter[str]:
    return Counter(comment.text for comment in found)


def _values(root: Branch) -> Counter[tuple[str, bool]]:
    """Return the scalars below a root, without its version."""
    found: Counter[tuple[str, bool]] = Counter()
    stack: list[Leaf | Branch] = [
        entry.value for entry in root.entries if entry.key is None or entry.key.text != "apiVersion"
    ]
    while stack:
        node = stack.pop()
        if isinstance(node, Leaf):
            found[node.text, bool(node.style)] += 1
        else:
            stack += [entry.value for entry in node.entries]
    return found


def _anchors(root: Branch) -> Counter[str]:
    """Return how often each anchor is set."""
    found: Counter[str] = Counter()
    stack: list[Leaf | Branch] = [root]
    while stack:
        node = stack.pop()
        if node.anchor:
            found[node.anchor] += 1
        if isinstance(node, Branch):
            stack += [part for entry in node.entries for part in (entry.key, entry.value) if part is not None]
    return found
