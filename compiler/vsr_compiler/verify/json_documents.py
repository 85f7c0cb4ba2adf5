"""Several JSON documents one after another, as kubectl reads them."""

from __future__ import annotations

import json

_SPACE = " \t\r\n"


def with_document_marks(text: str) -> str:
    """Return JSON documents as a YAML stream, with a mark before each but the first; other texts as they are.

    A mark is in the line of its document, so columns in the first line of a document are counted with it.
    """
    decoder, parts, position = json.JSONDecoder(), [], 0
    try:
        start = _skip(text, 0)
        while start < len(text) and text[start] == "{":
            end = decoder.raw_decode(text, start)[1]
            between = text[position:start]
            if position:
                head, line_break, tail = between.rpartition("\n")
                between = f"{head}\n--- {tail}" if line_break else f"{between}\n--- "
            parts += [between, text[start:end]]
            position, start = end, _skip(text, end)
    except (ValueError, RecursionError):
        return text
    return "".join([*parts, text[position:]]) if len(parts) > len("ab") and start >= len(text) else text


def _skip(text: str, position: int) -> int:
    """Return the position of the next character that is no blank."""
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position
