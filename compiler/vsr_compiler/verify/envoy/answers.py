"""What Envoy answers, as a finding at the field that it means. Envoy varies its spaces on purpose."""

from __future__ import annotations

import re

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.envoy.bootstrap import place
from vsr_compiler.verify.envoy.fragments import Fragment
from vsr_compiler.verify.extproc import snake
from vsr_compiler.verify.manifest import Path

_FORM = "INVALID_ARGUMENT"
_AT = re.compile(r" @ ?(\S+?):? (?:message|\w+,|repeated|map|enum|field)")
_NEAR = re.compile(r"near \d+:\d+ \(offset \d+\): (.*?)\)(?:: \{| has unknown fields|$)")
_REASON = re.compile(r"INVALID_ARGUMENT: (.*?)\)(?:: \{| has unknown fields|$)")
_UNKNOWN = re.compile(r"no such field: '([^']*)'")
_WORD = re.compile(r"unknown enum value: '([^']*)'")
_TYPE = re.compile(r"could not find @type '([^']*)'")
_RULE = re.compile(r"(\w+)ValidationError\.([A-Za-z0-9]+)(?:\[[^\]]*\])?: ([^|]*)")
_STEP = re.compile(r"([A-Za-z0-9_]+)|\[(\d+)\]")
_LONGEST = 300


def finding(each: Fragment, refusal: str) -> Diagnostic | None:
    """The finding; None where what is missing is only missing here."""
    said = " ".join(refusal.split())
    if unknown := _TYPE.search(said):
        return _unknown_type(each, unknown[1])
    if _FORM in said:
        return _form(each, said)
    if not each.whole:
        return None
    rules = _RULE.findall(said) if "validation failed" in said else []
    if rules:
        fields = [_snake(name) for _, name, _ in rules]
        reason = rules[-1][2].strip().removesuffix(")")
        return _refused(each, f"`{fields[-1]}`: {reason}", _among(each.value, fields))
    return _refused(each, said, _word(each.value, said))


def _form(each: Fragment, said: str) -> Diagnostic:
    """What does not have the form of its message: Envoy names the path, or at least the word."""
    found = _NEAR.search(said) or _REASON.search(said)
    reason = found[1].strip() if found else said
    at = _AT.search(said)
    path = _inside(each, at[1]) if at else ()
    if unknown := _UNKNOWN.search(said):
        return _no_field(each, (*path, unknown[1]), unknown[1])
    if word := _WORD.search(said):
        path = _valued(each.value, word[1]) or path
    return _refused(each, reason, path)


def _no_field(each: Fragment, path: Path, name: str) -> Diagnostic:
    where = each.source.span(*each.path, *path, key=True)
    if each.source.kind == "EnvoyFilter":
        message = f"Envoy's API has no field `{name}` there: Istio drops it and says nothing but a warning"
        return Diagnostic("VSR455", message, where, "Mend the name, or remove it.", Severity.WARNING)
    message = f"Envoy refuses it: there is no field `{name}` there"
    return Diagnostic("VSR455", message, where, "Mend the name, or remove it.")


def _unknown_type(each: Fragment, name: str) -> Diagnostic:
    where = each.source.span(*each.path, *(_valued(each.value, name) or ()))
    if "/envoy." in name or "." not in name.rpartition("/")[2]:
        hint = "Mend it; Envoy's documentation has the types, beginning with `type.googleapis.com/envoy.`."
        return Diagnostic("VSR455", f"Envoy refuses it: there is no type `{name[:_LONGEST]}`", where, hint)
    message = f"the type `{name[:_LONGEST]}` is none of Envoy's own, so this value was not checked"
    return Diagnostic("VSR456", message, where, "Nothing, if the gateway's Envoy was built with it.", Severity.NOTE)


def _refused(each: Fragment, reason: str, path: Path) -> Diagnostic:
    short = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…"
    hint = "Mend the value: a gateway that is handed this keeps what it had, and only its log says so."
    return Diagnostic("VSR455", f"Envoy refuses it: {short}", each.source.span(*each.path, *path), hint)


def _inside(each: Fragment, where: str) -> Path:
    """The part of Envoy's path that leads on from the value, spelled as the value spells it."""
    steps: list[str | int] = [int(n) if n else name for name, n in _STEP.findall(where.replace("<any>", ""))]
    begin = place(each)
    if tuple(steps[: len(begin)]) != begin:
        return ()
    path: list[str | int] = []
    node: object = each.value
    for step in steps[len(begin) :]:
        if isinstance(node, dict):
            key = next((key for key in node if key == step or snake(key) == step), None)
        else:
            key = step if isinstance(node, list) and isinstance(step, int) and step < len(node) else None
        if key is None:
            break
        path.append(key)
        node = node[key]  # type: ignore[index]  # the key was just found in it
    return tuple(path)


def _among(value: object, fields: list[str]) -> Path:
    """The innermost of these fields that stands in the value exactly once."""
    for name in reversed(fields):
        found = [path for path, _ in _walk(value) if path and snake(str(path[-1])) == name]
        if len(found) == 1:
            return found[0]
    return ()


def _valued(value: object, word: str) -> Path | None:
    """The first scalar that is this word."""
    return next((path for path, item in _walk(value) if item == word), None)


def _word(value: object, said: str) -> Path:
    """The one field of the value that a sentence names."""
    words = set(re.findall(r"[a-z]+(?:_[a-z]+)+", said))
    found = [path for path, _ in _walk(value) if path and snake(str(path[-1])) in words]
    return found[0] if len(found) == 1 else ()


def _walk(value: object) -> list[tuple[Path, object]]:
    found: list[tuple[Path, object]] = []
    waiting: list[tuple[Path, object]] = [((), value)]
    while waiting:
        path, node = waiting.pop(0)
        found.append((path, node))
        inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        waiting += [((*path, key), item) for key, item in inside]
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
