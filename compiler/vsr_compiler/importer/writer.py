"""A draft as the text of a policy, in canonical form."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from vsr_compiler.importer.draft import Draft, Path
from vsr_compiler.syntax.fmt import canonical
from vsr_compiler.syntax.fmt.scalars import quoted
from vsr_schemas.policy.v1alpha1 import API_VERSION, KIND

WIDTH = 110
STEP = "  "
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*")
_WORDS = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"])
_LITERAL = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]*")


def write(draft: Draft) -> str:
    """Return the text of a draft, with its comments.

    Raises:
        CompileError: The text cannot be formatted, which is a fault of an importer.
    """
    lines = _remarks(draft.comments.get((), []), "")
    body = {"apiVersion": API_VERSION, "kind": KIND, **draft.sections}
    lines += ["", *_entries(body, (), "", draft)] if lines else _entries(body, (), "", draft)
    return canonical("\n".join(lines) + "\n", "policy")


def scalar(value: object) -> str:
    """Return a scalar on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else _decimal(value)  # noqa: PLR2004
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS and not text.startswith((".", "-"))
    return text if plain else quoted(text)


def _decimal(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("a number of a policy is finite")
    return f"{value:.12f}".rstrip("0").rstrip(".")


def _entries(value: Mapping[str, Any] | Sequence[Any], path: Path, indent: str, draft: Draft) -> list[str]:
    """Return a mapping or a list with one entry per line."""
    lines: list[str] = []
    pairs: list[tuple[str | int, Any]] = (
        [(str(key), item) for key, item in value.items()] if isinstance(value, Mapping) else list(enumerate(value))
    )
    for key, item in pairs:
        here = (*path, key)
        lines += _remarks(draft.comments.get(here, []), indent)
        head = f"{indent}{scalar(key)}:" if isinstance(value, Mapping) else f"{indent}-"
        lines += _entry(head, item, here, indent, draft)
    return lines


def _entry(head: str, item: Any, here: Path, indent: str, draft: Draft) -> list[str]:  # noqa: ANN401 - plain data
    if not isinstance(item, Mapping | list | tuple):
        return _leaf(head, item, indent + STEP)
    text = _flow(item)
    inner = any(len(path) > len(here) and path[: len(here)] == here for path in draft.comments)
    if not item or (not inner and len(here) > 1 and text is not None and len(head) + 1 + len(text) <= WIDTH):
        return [f"{head} {text}"]
    below = _entries(item, here, indent + STEP, draft)
    if not head.endswith("-"):
        return [head, *below]
    above: list[str] = []
    while below[0].lstrip(" ").startswith("#"):
        above.append(indent + below.pop(0).lstrip(" "))
    return [*above, f"{head} {below[0].lstrip(' ')}", *below[1:]]


def _leaf(head: str, value: object, inner: str) -> list[str]:
    """Return a scalar; a text of several lines as a literal block if that keeps every character."""
    text = value if isinstance(value, str) else ""
    body = text.removesuffix("\n")
    if "\n" in body and _LITERAL.fullmatch(text) and body == body.strip() and len(text) - len(body) <= 1:
        chomp = "" if text.endswith("\n") else "-"
        return [f"{head} |{chomp}", *(inner + line if line else "" for line in body.split("\n"))]
    return [f"{head} {scalar(value)}"]


def _flow(value: Any) -> str | None:  # noqa: ANN401 - plain data
    """Return a value on one line; None if a text of it has several."""
    if isinstance(value, Mapping):
        parts = [(scalar(str(key)), _flow(item)) for key, item in value.items()]
        return None if any(text is None for _, text in parts) else "{" + ", ".join(f"{k}: {t}" for k, t in parts) + "}"
    if isinstance(value, list | tuple):
        items = [_flow(item) for item in value]
        return None if None in items else f"[{', '.join(str(item) for item in items)}]"
    return None if isinstance(value, str) and "\n" in value.rstrip("\n") else scalar(value)


def _remarks(texts: Sequence[str], indent: str) -> list[str]:
    lines: list[str] = []
    for text in texts:
        flat = "".join(c if c.isprintable() else " " for c in text)
        lines += [f"{indent}# {line}" for line in textwrap.wrap(flat, WIDTH - len(indent)) or [""]]
    return lines
