"""Convert Envoy's error messages to diagnostics. Envoy randomises the white space of protobuf messages."""

from __future__ import annotations

import re

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.envoy.bootstrap import location
from vsr_compiler.verify.envoy.fragments import Fragment
from vsr_compiler.verify.envoy_fields import snake_case
from vsr_compiler.verify.manifest import Path

_INVALID = "INVALID_ARGUMENT"
_LOCATION = re.compile(r" @ ?(\S+?):? (?:message|\w+,|repeated|map|enum|field)")
_NEAR = re.compile(r"near \d+:\d+ \(offset \d+\): (.*?)\)(?:: \{| has unknown fields|$)")
_REASON = re.compile(r"INVALID_ARGUMENT: (.*?)\)(?:: \{| has unknown fields|$)")
_UNKNOWN = re.compile(r"no such field: '([^']*)'")
_ENUM = re.compile(r"unknown enum value: '([^']*)'")
_TYPE = re.compile(r"could not find @type '([^']*)'")
_CONSTRAINT = re.compile(r"(\w+)ValidationError\.([A-Za-z0-9]+)(?:\[[^\]]*\])?: ([^|]*)")
_STEP = re.compile(r"([A-Za-z0-9_]+)|\[(\d+)\]")
_LONGEST = 300


def diagnostic(fragment: Fragment, output: str) -> Diagnostic | None:
    """Return the diagnostic for Envoy's output; None if only the minimal configuration lacks what Envoy asks for."""
    error = " ".join(output.split())
    if unknown := _TYPE.search(error):
        return _unknown_type(fragment, unknown[1])
    if _INVALID in error:
        return _invalid_form(fragment, error)
    if not fragment.loadable:
        return None
    rules = _CONSTRAINT.findall(error) if "validation failed" in error else []
    if rules:
        fields = [_snake_case(name) for _, name, _ in rules]
        reason = rules[-1][2].strip().removesuffix(")")
        return _rejected(fragment, f"`{fields[-1]}`: {reason}", _path_of_field(fragment.value, fields))
    return _rejected(fragment, error, _path_of_named_field(fragment.value, error))


def _invalid_form(fragment: Fragment, error: str) -> Diagnostic:
    """Return the diagnostic for a value that does not fit its protobuf message; Envoy names the path or the word."""
    found = _NEAR.search(error) or _REASON.search(error)
    reason = found[1].strip() if found else error
    at = _LOCATION.search(error)
    path = _path_of_location(fragment, at[1]) if at else ()
    if unknown := _UNKNOWN.search(error):
        return _no_field(fragment, (*path, unknown[1]), unknown[1])
    if word := _ENUM.search(error):
        path = _path_of_value(fragment.value, word[1]) or path
    return _rejected(fragment, reason, path)


def _no_field(fragment: Fragment, path: Path, name: str) -> Diagnostic:
    where = fragment.source.span(*fragment.path, *path, key=True)
    if fragment.source.kind == "EnvoyFilter":
        message = f"unknown field `{name}` in Envoy's API: Istio ignores it with a warning in its log"
        return Diagnostic("VSR455", message, where, "Fix the name, or remove the field.", Severity.WARNING)
    message = f"Envoy rejects the value: unknown field `{name}`"
    return Diagnostic("VSR455", message, where, "Fix the name, or remove the field.")


def _unknown_type(fragment: Fragment, name: str) -> Diagnostic:
    where = fragment.source.span(*fragment.path, *(_path_of_value(fragment.value, name) or ()))
    if "/envoy." in name or "." not in name.rpartition("/")[2]:
        hint = "Use a type of Envoy's API reference; they start with `type.googleapis.com/envoy.`."
        return Diagnostic("VSR455", f"Envoy rejects the value: unknown type `{name[:_LONGEST]}`", where, hint)
    message = f"value not checked by Envoy: `{name[:_LONGEST]}` is not a type of Envoy's API"
    return Diagnostic(
        "VSR456", message, where, "Make sure that the gateway's Envoy is built with this type.", Severity.NOTE
    )


def _rejected(fragment: Fragment, reason: str, path: Path) -> Diagnostic:
    short = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…"
    hint = "Fix the value. A gateway that receives it keeps its old configuration, and reports this only in its log."
    return Diagnostic("VSR455", f"Envoy rejects the value: {short}", fragment.source.span(*fragment.path, *path), hint)


def _path_of_location(fragment: Fragment, where: str) -> Path:
    """Return the part of Envoy's path that lies below the value, with the spelling of the value's keys."""
    steps: list[str | int] = [int(n) if n else name for name, n in _STEP.findall(where.replace("<any>", ""))]
    begin = location(fragment)
    if tuple(steps[: len(begin)]) != begin:
        return ()
    path: list[str | int] = []
    node: object = fragment.value
    for step in steps[len(begin) :]:
        if isinstance(node, dict):
            key = next((key for key in node if key == step or snake_case(key) == step), None)
        else:
            key = step if isinstance(node, list) and isinstance(step, int) and step < len(node) else None
        if key is None:
            break
        path.append(key)
        node = node[key]  # type: ignore[index]  # the key exists, see above
    return tuple(path)


def _path_of_field(value: object, fields: list[str]) -> Path:
    """Return the path of the innermost of these fields that occurs exactly once in the value."""
    for name in reversed(fields):
        found = [path for path, _ in _descendants(value) if path and snake_case(str(path[-1])) == name]
        if len(found) == 1:
            return found[0]
    return ()


def _path_of_value(value: object, word: str) -> Path | None:
    """Return the path of the first scalar that equals the word."""
    return next((path for path, item in _descendants(value) if item == word), None)


def _path_of_named_field(value: object, error: str) -> Path:
    """Return the path of the only field of the value that the message names."""
    words = set(re.findall(r"[a-z]+(?:_[a-z]+)+", error))
    found = [path for path, _ in _descendants(value) if path and snake_case(str(path[-1])) in words]
    return found[0] if len(found) == 1 else ()


def _descendants(value: object) -> list[tuple[Path, object]]:
    """Return the value and everything below it, breadth first, with paths."""
    found: list[tuple[Path, object]] = []
    queue: list[tuple[Path, object]] = [((), value)]
    while queue:
        path, node = queue.pop(0)
        found.append((path, node))
        inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        queue += [((*path, key), item) for key, item in inside]
    return found


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
