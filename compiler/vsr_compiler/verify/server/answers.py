"""An API server's answer as findings at the fields that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, Path, dig, rows, text, title

_MAX_CAUSES = 50
_LONGEST = 300
_OK = range(200, 300)
_NOT_FOUND, _FORBIDDEN = 404, (401, 403)
_UNKNOWN = re.compile(r'(?:unknown field "([^"]+)"|(\.[^\s:]+): field not declared in schema)')
_STEP = re.compile(r"""\[(\d+)\]|\[["']?([^\]"']*)["']?\]|([^.\[\]]+)""")
_NO_SPACE = re.compile(r'namespaces? "([^"]*)" not found')
_WARNING = re.compile(r'^\s*\d{3}\s+\S+\s+"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: The HTTP status.
        body: The object, or a Status that says what is wrong.
        warnings: The Warning headers.
        unknown: Whether the server does not have the kind.
        lost: Why there is no answer; empty where there is one.
    """

    status: int
    body: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    unknown: bool = False
    lost: str = ""


def findings(each: Manifest, answer: Answer, made: frozenset[tuple[str, str]]) -> Iterator[Diagnostic]:
    """What the server says of an object.

    Args:
        each: The object.
        answer: The answer.
        made: Namespaces and kinds that come with the other objects.
    """
    for line in answer.warnings[:_MAX_CAUSES]:
        found = _WARNING.match(line)
        said = f"the server warns of {each.title}: {_short(found[1] if found else line)}"
        yield Diagnostic("VSR460", said, each.span(), "See what the release does instead.", Severity.WARNING)
    if answer.unknown:
        yield _unknown_kind(each, made)
    elif answer.status in _FORBIDDEN:
        message = f"the server lets you not ask about {each.kind}: {_short(text(answer.body.get('message')))}"
        hint = f"Ask for the right to patch {each.kind}, which a dry run takes as well."
        yield Diagnostic("VSR461", message, each.span(), hint)
    elif answer.status not in _OK:
        yield from _refused(each, answer, made)


def _unknown_kind(each: Manifest, made: frozenset[tuple[str, str]]) -> Diagnostic:
    what = f"{each.kind} of {each.body['apiVersion']}"
    if (each.group, each.kind) in made:
        message = f"the server does not have {what} yet, which comes with these objects; it was not asked"
        return Diagnostic("VSR461", message, each.span("kind"), "Nothing: ask again afterwards.", Severity.NOTE)
    hint = "Install its CustomResourceDefinition, or use a version that the server has."
    return Diagnostic("VSR460", f"the server does not have {what}", each.span("kind"), hint)


def _refused(each: Manifest, answer: Answer, made: frozenset[tuple[str, str]]) -> Iterator[Diagnostic]:
    said = text(answer.body.get("message"))
    space = _NO_SPACE.search(said)
    if answer.status == _NOT_FOUND and space and ("Namespace", space[1]) in made:
        what = title("Namespace", "", space[1])
        message = f"the server does not have {what} yet, which comes with these objects; it was not asked"
        yield Diagnostic("VSR461", message, each.span("metadata"), "Ask again afterwards.", Severity.NOTE)
        return
    causes = [cause for cause in rows(dig(answer.body, "details", "causes")) if text(cause.get("message"))]
    unknown = [first or second for first, second in _UNKNOWN.findall(said)]
    for field in dict.fromkeys(unknown[:_MAX_CAUSES]):
        where = each.span(*_path(each, field), key=True)
        message = f"the server refuses {each.title}: there is no field `{field.lstrip('.')}`"
        yield Diagnostic("VSR460", message, where, "Mend the name, or remove it.")
    for cause in causes[:_MAX_CAUSES] if not unknown else ():
        field = text(cause.get("field"))
        message = f"the server refuses {each.title}: {f'`{field}`: ' if field else ''}{_short(text(cause['message']))}"
        yield Diagnostic("VSR460", message, each.span(*_path(each, field)), "Mend what it names.")
    if not unknown and not causes:
        reason = _short(said) or f"status {answer.status}"
        yield Diagnostic("VSR460", f"the server refuses {each.title}: {reason}", each.span(), "Mend what it names.")


def _path(each: Manifest, field: str) -> Path:
    """The steps of a field's path that are there: `spec.rules[0].name`, `.metadata.labels[a/b]`."""
    path: list[str | int] = []
    node: object = each.body
    for number, quoted, name in _STEP.findall(field[:_LONGEST]):
        step: str | int = int(number) if number and isinstance(node, list) else number or quoted or name
        known = dig(node, step)
        path.append(step)
        if known is None:
            break
        node = known
    return tuple(path)


def _short(said: str) -> str:
    said = " ".join(said.split())
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
