"""Formatting of scalars. Plain stays plain and quoted stays quoted, so that no reader sees another type."""

from __future__ import annotations

import json
import re

from vsr_compiler.syntax.comments import BREAK
from vsr_compiler.syntax.fmt.tree import Leaf

_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def one_line(leaf: Leaf) -> str | None:
    """Return the value on one line, without its anchor; None if it was written on several lines."""
    if leaf.style in {"|", ">"}:
        return None
    if not BREAK.search(leaf.raw):
        return _quotes(leaf)
    if "\n" in leaf.text:
        return None
    return quoted(leaf.text) if leaf.style else leaf.text


def key(leaf: Leaf) -> str:
    """Return a key on one line. An alias keeps a space before its colon."""
    anchor = f"&{leaf.anchor} " if leaf.anchor else ""
    if leaf.style == "*":
        return f"{leaf.raw} "
    text = one_line(leaf)
    return anchor + (text or quoted(leaf.text))


def several_lines(leaf: Leaf) -> list[str]:
    """Return the lines of a plain or quoted value that spans lines. The caller indents them."""
    lines = [line.strip(" \t") for line in BREAK.split(leaf.raw)]
    if leaf.style == '"' and any(line.endswith("\\") for line in lines[:-1]):
        # Stripping would remove an escaped space or line break at the end of a line.
        return [quoted(leaf.text)]
    return lines


def block(leaf: Leaf) -> tuple[str, list[str]]:
    """Return the header and the lines of a literal or folded value. A value without lines is quoted in the header."""
    body = leaf.text.rstrip("\n")
    ends = len(leaf.text) - len(body)
    if not body or ends > 1 or _UNSAFE.search(body):
        return quoted(leaf.text), []
    chomp = "" if ends else "-"
    first, *lines = BREAK.split(leaf.raw)
    if body[0] in " \n\t":
        return f"|2{chomp}", body.split("\n")
    if leaf.style == "|" or re.search("[0-9]", first.split("#")[0]):
        return f"|{chomp}", body.split("\n")
    filled = [line for line in lines if line.strip()]
    indent = len(filled[0]) - len(filled[0].lstrip(" "))
    lines = [line[indent:] for line in lines]
    while not lines[-1]:
        lines.pop()
    return f">{chomp}", lines


def quoted(text: str) -> str:
    """Return a text in double quotes, on one line."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _quotes(leaf: Leaf) -> str:
    """Return a value in double quotes, or in single quotes if these need no escapes."""
    text, raw = leaf.text, leaf.raw
    if leaf.style == "'" and '"' not in text and "\\" not in text:
        return f'"{text}"'
    if leaf.style == '"' and '\\"' in raw and "\\" not in raw.replace('\\"', "") and "'" not in text:
        return f"'{text}'"
    return raw
