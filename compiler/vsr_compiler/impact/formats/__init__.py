"""The forms that recorded traffic comes in. A form recognises a JSON value and returns the requests in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vsr_compiler.impact.formats import access_log, decision_log, litellm, plain, replay, telemetry
from vsr_compiler.impact.request import Found, Unusable

Form = Callable[[dict[str, Any]], Iterator[Found] | None]
"""Returns the requests of a record of this form; None for a record of another form."""
FORMS: tuple[Form, ...] = (
    telemetry.requests,
    decision_log.requests,
    replay.requests,
    litellm.requests,
    access_log.requests,
    plain.requests,
)
"""In the order in which they are tried: the forms with the most telling fields first."""
UNKNOWN = Unusable("has none of the known forms of traffic")
_LISTS = ("data", "records", "logs")
"""Fields of a page of records, as APIs return it."""


def requests_of(value: object) -> Iterator[Found]:
    """Yield the requests of one JSON value: a record, a list of records, or a page of them."""
    if isinstance(value, list):
        for item in value:
            yield from _of_record(item)
    elif isinstance(value, dict) and len(lists := [value[name] for name in _LISTS if _is_page(value.get(name))]) == 1:
        for item in lists[0]:
            yield from _of_record(item)
    else:
        yield from _of_record(value)


def _is_page(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _of_record(value: object) -> Iterator[Found]:
    if not isinstance(value, dict):
        yield UNKNOWN
        return
    for form in FORMS:
        found = form(value)
        if found is not None:
            yield from found
            return
    yield UNKNOWN
