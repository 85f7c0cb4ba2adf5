"""Convert responses of an API server to diagnostics, at the fields that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, Path, as_mappings, as_string, title, value_at

_MAX_CAUSES = 50
_LONGEST = 300
_OK = range(200, 300)
_NOT_FOUND, _FORBIDDEN = 404, (401, 403)
_UNKNOWN = re.compile(r'(?:unknown field "([^"]+)"|(\.[^\s:]+): field not declared in schema)')
_STEP = re.compile(r"""\[(\d+)\]|\[["']?([^\]"']*)["']?\]|([^.\[\]]+)""")
_NO_NAMESPACE = re.compile(r'namespaces? "([^"]*)" not found')
_WARNING = re.compile(r'^\s*\d{3}\s+\S+\s+"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Response:
    """The response to a dry run.

    Attributes:
        status: The HTTP status.
        body: The object, or a Status with the errors.
        warnings: The Warning headers.
        is_unknown_kind: Whether the server does not have the kind.
        failure: Why there is no response; empty if there is one.
    """

    status: int
    body: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    is_unknown_kind: bool = False
    failure: str = ""


def diagnostics(manifest: Manifest, response: Response, created: frozenset[tuple[str, str]]) -> Iterator[Diagnostic]:
    """Return the diagnostics of an object.

    Args:
        manifest: The object.
        response: The response to its dry run.
        created: Namespaces and kinds that come with the other objects.
    """
    for line in response.warnings[:_MAX_CAUSES]:
        match = _WARNING.match(line)
        server_message = f"the API server warns about {manifest.title}: {_short(match[1] if match else line)}"
        yield Diagnostic(
            "VSR460",
            server_message,
            manifest.span(),
            "Follow the warning; it may become an error in a later release.",
            Severity.WARNING,
        )
    if response.is_unknown_kind:
        yield _unknown_kind(manifest, created)
    elif response.status in _FORBIDDEN:
        message = f"no permission to check {manifest.kind}: {_short(as_string(response.body.get('message')))}"
        hint = f"Request the permission to patch {manifest.kind}, which a dry run needs."
        yield Diagnostic("VSR461", message, manifest.span(), hint)
    elif response.status not in _OK:
        yield from _rejected(manifest, response, created)


def _unknown_kind(manifest: Manifest, created: frozenset[tuple[str, str]]) -> Diagnostic:
    what = f"{manifest.kind} of {manifest.body['apiVersion']}"
    if (manifest.group, manifest.kind) in created:
        message = f"the API server does not have {what} yet, which comes with these objects: not checked"
        return Diagnostic("VSR461", message, manifest.span("kind"), "Check again after it is applied.", Severity.NOTE)
    hint = "Install its CustomResourceDefinition, or use a version that the server has."
    return Diagnostic("VSR460", f"the API server does not have {what}", manifest.span("kind"), hint)


def _rejected(manifest: Manifest, response: Response, created: frozenset[tuple[str, str]]) -> Iterator[Diagnostic]:
    server_message = as_string(response.body.get("message"))
    namespace = _NO_NAMESPACE.search(server_message)
    if response.status == _NOT_FOUND and namespace and ("Namespace", namespace[1]) in created:
        what = title("Namespace", "", namespace[1])
        message = f"the API server does not have {what} yet, which comes with these objects: not checked"
        yield Diagnostic(
            "VSR461", message, manifest.span("metadata"), "Check again after it is applied.", Severity.NOTE
        )
        return
    causes = [
        cause for cause in as_mappings(value_at(response.body, "details", "causes")) if as_string(cause.get("message"))
    ]
    unknown = [first or second for first, second in _UNKNOWN.findall(server_message)]
    for field in dict.fromkeys(unknown[:_MAX_CAUSES]):
        where = manifest.span(*_path(manifest, field), key=True)
        message = f"the API server rejects {manifest.title}: unknown field `{field.lstrip('.')}`"
        yield Diagnostic("VSR460", message, where, "Fix the name, or remove the field.")
    for cause in causes[:_MAX_CAUSES] if not unknown else ():
        field = as_string(cause.get("field"))
        reason = f"{f'`{field}`: ' if field else ''}{_short(as_string(cause['message']))}"
        message = f"the API server rejects {manifest.title}: {reason}"
        yield Diagnostic(
            "VSR460", message, manifest.span(*_path(manifest, field)), "Fix the field that the message names."
        )
    if not unknown and not causes:
        reason = _short(server_message) or f"status {response.status}"
        yield Diagnostic(
            "VSR460",
            f"the API server rejects {manifest.title}: {reason}",
            manifest.span(),
            "Fix the field that the message names.",
        )


def _path(manifest: Manifest, field: str) -> Path:
    """Return the existing part of a field's path, such as `spec.rules[0].name` or `.metadata.labels[a/b]`."""
    path: list[str | int] = []
    node: object = manifest.body
    for number, quoted, name in _STEP.findall(field[:_LONGEST]):
        step: str | int = int(number) if number and isinstance(node, list) else number or quoted or name
        known = value_at(node, step)
        path.append(step)
        if known is None:
            break
        node = known
    return tuple(path)


def _short(server_message: str) -> str:
    server_message = " ".join(server_message.split())
    return server_message if len(server_message) <= _LONGEST else f"{server_message[:_LONGEST]}…"
