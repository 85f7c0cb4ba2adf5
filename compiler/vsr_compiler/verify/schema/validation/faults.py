"""Faults, and checks that several kinds share: numbers, names of ports, label selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string
from vsr_compiler.verify.schema.cel.formats import label_value, qualified

Fault = tuple[Path, str, str]
"""Path, message and remedy."""
Rule = Callable[[Body], Iterator[Fault]]
"""Checks an object from its root."""
MAX_PORT = 65_535
_SERVICE_NAME = re.compile(r"(?=.{1,15}\Z)(?=.*[a-z])(?!.*--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_PERCENT = re.compile(r"[0-9]+%")


def integer(value: Any) -> int | None:  # noqa: ANN401 - JSON of any form
    """Return the value if it is an integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def at_least(body: Body, path: Path, least: int, *names: str) -> Iterator[Fault]:
    """Check that fields are not below a limit."""
    for name in names:
        value = integer(body.get(name))
        if value is not None and value < least:
            yield (*path, name), f"{value} is too small", f"Use at least {least}."


def port_name(text: str) -> bool:
    """Whether a string is a name of a container's port (IANA service name)."""
    return _SERVICE_NAME.fullmatch(text) is not None


def dns_label(text: str) -> bool:
    """Whether a string is a DNS label."""
    return _LABEL.fullmatch(text) is not None


def port_reference(value: Any, path: Path) -> Iterator[Fault]:  # noqa: ANN401 - JSON of any form
    """Check a number or name of a port."""
    number = integer(value)
    if number is not None and not 1 <= number <= MAX_PORT:
        yield path, f"{number} is not a port", f"Use a number from 1 to {MAX_PORT}."
    elif isinstance(value, str) and not port_name(value):
        hint = "Use at most 15 lower-case letters, digits and `-`, with a letter. Write a number without quotes."
        yield path, f"`{value[:80]}` is not the name of a port", hint


def amount_or_percent(body: Body, path: Path, *names: str) -> Iterator[Fault]:
    """Check numbers of pods that may be percentages."""
    for name in names:
        value = body.get(name)
        number = integer(value)
        if number is not None and number < 0:
            yield (*path, name), f"{number} is negative", "Use a number of pods, or a percentage."
        elif isinstance(value, str) and not _PERCENT.fullmatch(value):
            yield (*path, name), f"`{value[:80]}` is not a percentage", "Write a number without quotes, or such as 25%."


def is_zero(value: Any) -> bool:  # noqa: ANN401 - JSON of any form
    """Whether a number or percentage is zero."""
    return value == 0 if integer(value) is not None else isinstance(value, str) and value.rstrip("%").strip("0") == ""


def selector(value: Any, path: Path) -> Iterator[Fault]:  # noqa: ANN401 - JSON of any form
    """Check a label selector."""
    yield from labels(as_mapping(value).get("matchLabels"), (*path, "matchLabels"))
    for number, item in enumerate(as_mappings(as_mapping(value).get("matchExpressions"))):
        at = (*path, "matchExpressions", number)
        operator, values = as_string(item.get("operator")), item.get("values")
        if operator in {"In", "NotIn"} and not values:
            yield at, f"`{operator}` needs values", "Add `values`."
        elif operator in {"Exists", "DoesNotExist"} and values:
            yield (*at, "values"), f"`{operator}` takes no values", "Remove `values`."
        key = as_string(item.get("key"))
        if key and not qualified(key):
            yield (*at, "key"), f"`{key[:80]}` is not a valid key of a label", "Fix the key."


def labels(value: Any, path: Path) -> Iterator[Fault]:  # noqa: ANN401 - JSON of any form
    """Check keys and values of labels."""
    for key, item in as_mapping(value).items():
        if not qualified(key):
            yield (*path, key), f"`{key[:80]}` is not a valid key of a label", "Fix the key."
        elif isinstance(item, str) and not label_value(item):
            hint = "Use letters, digits, `-`, `_` and `.`, 63 at most."
            yield (*path, key), f"`{item[:80]}` is not a valid value of a label", hint


def exclusive(body: Body, path: Path, *names: str) -> Iterator[Fault]:
    """Check that at most one of some fields is set."""
    present = [name for name in names if body.get(name) not in (None, "")]
    if len(present) > 1:
        listed = " and ".join(f"`{name}`" for name in present)
        yield path, f"has {listed}", "Keep one of them."
