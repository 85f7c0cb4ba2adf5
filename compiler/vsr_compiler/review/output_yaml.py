"""Reads output files back as plain data, within limits. They may have been edited since."""

from __future__ import annotations

import re

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.yaml import Json
from vsr_compiler.syntax import Mapping, Node, Scalar, load
from vsr_compiler.syntax.text import decode

_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]{1,40})?(?:e[-+][0-9]{1,3})?")


def read(content: bytes, label: str) -> Json:
    """Return the document of a file.

    Raises:
        CompileError: VSR306 with the reason, if it is not a single plain YAML document within the limits of a policy.
    """
    try:
        return _data(load(decode(content, label), label).root)
    except CompileError as error:
        first = error.diagnostics[0]
        hint = "Compare with unmodified output of vsr-compile."
        where = Span(label, first.span.line, first.span.column, first.span.end_line, first.span.end_column)
        message = f"the earlier output cannot be read: {first.message}"
        raise CompileError([Diagnostic("VSR306", message, where, hint)]) from error


def _data(node: Node) -> Json:
    if isinstance(node, Scalar):
        return _scalar(node)
    if isinstance(node, Mapping):
        return {key: _data(value) for key, (_, value) in node.entries.items()}
    return [_data(item) for item in node.items]


def _scalar(node: Scalar) -> Json:
    """Resolve a scalar. The writer quotes every ambiguous text, so a plain scalar is what it looks like."""
    text = str(node.text)
    if not node.plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
