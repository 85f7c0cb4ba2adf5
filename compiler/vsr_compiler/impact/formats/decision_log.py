"""Our own decision log. It has names and numbers and no text, so a request cannot be decided again from it alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_compiler.impact.formats import plain
from vsr_compiler.impact.request import Found, Unusable, text

WITHOUT = Unusable("is a line of the decision log, which has no text: give the bodies, by `request`")
_EVENTS = frozenset({"decision", "answer", "attempt"})


def requests(record: dict[str, Any]) -> Iterator[Found] | None:
    """Return the request of a line; None for a record of another form.

    A line to which a collector has added the ``body`` is read as a record with a body.
    """
    if text(record.get("event")) not in _EVENTS or not isinstance(record.get("request", ""), str):
        return None
    if record["event"] == "attempt":
        return iter(())  # a part of a request that has a line of its own
    if isinstance(record.get("body"), dict | str):
        known = {name: value for name, value in record.items() if name not in {"request", "event"}}
        return plain.requests({**known, "id": record.get("request", "")})
    return iter([WITHOUT])
