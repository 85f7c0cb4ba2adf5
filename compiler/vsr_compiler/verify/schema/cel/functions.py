"""Functions of CEL and of the Kubernetes libraries by name: global functions, and methods of a receiver.

Functions may raise TypeError or AttributeError for arguments of a wrong type; the caller converts these to CelError.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from vsr_compiler.verify.schema.cel import formats, network, quantities, texts
from vsr_compiler.verify.schema.cel.syntax import Unsigned
from vsr_compiler.verify.schema.cel.values import (
    NONE,
    Budget,
    CelError,
    Duration,
    Optional,
    Type,
    bounded,
    duration,
    equal,
    number,
    ordered,
    timestamp,
    type_name,
)

Function = Callable[..., Any]


def size(value: Any) -> int:  # noqa: ANN401 - any value
    """Return the number of characters, bytes, items or entries."""
    return len(value)


def to_int(value: Any) -> int:  # noqa: ANN401 - any value
    """Implement `int(x)`."""
    if isinstance(value, str):
        if len(value) > 20 or not value.lstrip("+-").isascii() or not value.lstrip("+-").isdecimal():  # noqa: PLR2004 - digits of 64 bits
            raise CelError(f"`{value[:30]}` is not an integer")
        return bounded(int(value))
    if number(value) and math.isfinite(value):
        return bounded(int(value))
    if hasattr(value, "timestamp"):
        return int(value.timestamp())
    raise CelError(f"no `int` of {type_name(value)}")


def to_double(value: Any) -> float:  # noqa: ANN401 - any value
    """Implement `double(x)`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise CelError(f"no `double` of {type_name(value)}")
    try:
        return float(value)
    except ValueError:
        raise CelError(f"`{str(value)[:30]}` is not a number") from None


def to_string(value: Any) -> str:  # noqa: ANN401 - any value
    """Implement `string(x)`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)  # noqa: PLR2004 - as Go prints
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Duration):
        return f"{value.nanos / 1e9:.9f}".rstrip("0").rstrip(".") + "s"
    if isinstance(value, str | int | network.Address | network.Network):
        return str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat().replace("+00:00", "Z"))
    raise CelError(f"no `string` of {type_name(value)}")


def to_bool(value: Any) -> bool:  # noqa: ANN401 - any value
    """Implement `bool(x)`."""
    words = {"1": True, "t": True, "true": True, "True": True, "TRUE": True}
    words |= {"0": False, "f": False, "false": False, "False": False, "FALSE": False}
    if isinstance(value, bool):
        return value
    if value in words:
        return words[value]
    raise CelError(f"no `bool` of {type_name(value)}")


def to_bytes(value: Any) -> bytes:  # noqa: ANN401 - any value
    """Implement `bytes(x)`."""
    return value if isinstance(value, bytes) else value.encode()


def to_duration(value: Any) -> Duration:  # noqa: ANN401 - any value
    """Implement `duration(x)`."""
    if isinstance(value, Duration):
        return value
    found = duration(value) if isinstance(value, str) else None
    if found is None:
        raise CelError(f"`{str(value)[:30]}` is not a duration")
    return found


def to_timestamp(value: Any) -> Any:  # noqa: ANN401 - any value
    """Implement `timestamp(x)`."""
    found = timestamp(value) if isinstance(value, str) else value
    if not hasattr(found, "isoformat"):
        raise CelError(f"`{str(value)[:30]}` is not a timestamp")
    return found


def _sorted(values: list[Any]) -> bool:
    return all(ordered(first, second) <= 0 for first, second in pairwise(values))


def _extreme(values: list[Any], sign: int) -> Any:  # noqa: ANN401 - any value
    if not values:
        raise CelError("an empty list has no minimum or maximum")
    best = values[0]
    for value in values[1:]:
        if ordered(value, best) * sign > 0:
            best = value
    return best


def _sum(values: list[Any]) -> Any:  # noqa: ANN401 - any value
    if values and isinstance(values[0], Duration):
        return Duration(bounded(sum(value.nanos for value in values)))
    total = sum(values)
    return total if isinstance(total, float) else bounded(total)


def _index(value: Any, wanted: Any, *rest: int) -> int:  # noqa: ANN401 - any value
    if isinstance(value, str):
        return value.find(wanted, *rest)
    found = [at for at, item in enumerate(value) if equal(item, wanted, Budget(100_000))]
    return found[0] if found else -1


def _last_index(value: Any, wanted: Any, *rest: int) -> int:  # noqa: ANN401 - any value
    if isinstance(value, str):
        return value.rfind(wanted, 0, *(at + len(wanted) for at in rest))
    found = [at for at, item in enumerate(value) if equal(item, wanted, Budget(100_000))]
    return found[-1] if found else -1


def _distinct(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    budget = Budget(100_000)
    for value in values:
        budget.spend(len(found))
        if not any(equal(value, each, budget) for each in found):
            found.append(value)
    return found


def _flatten(values: list[Any], depth: int = 1) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found += _flatten(value, min(depth, 10) - 1) if isinstance(value, list) and depth > 0 else [value]
        if len(found) > 100_000:  # noqa: PLR2004 - limit of results
            raise CelError("the result is too long")
    return found


def _reverse(value: Any) -> Any:  # noqa: ANN401 - any value
    return value[::-1]


def _slice(values: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(values):
        raise CelError(f"index out of bounds: {start}, {end}")
    return values[start:end]


def _some(value: Any) -> Any:  # noqa: ANN401 - any value
    if not isinstance(value, Optional):
        raise CelError(f"{type_name(value)} is not an optional")
    return value


def _value(value: Any) -> Any:  # noqa: ANN401 - any value
    if not _some(value).present:
        raise CelError("the optional has no value")
    return value.value


def _non_zero(value: Any) -> Optional:  # noqa: ANN401 - any value
    return Optional(value, present=True) if value else NONE


def _unit(nanos: int) -> Function:
    return lambda value: int(math.copysign(abs(value.nanos) // nanos, value.nanos))


def _time(part: Callable[[Any], int]) -> Function:
    return lambda value, *zone: part(_utc(value, *zone))


def _utc(value: Any, zone: str = "UTC") -> Any:  # noqa: ANN401 - any value
    import datetime as dt  # noqa: PLC0415 - rarely needed

    if zone not in {"UTC", "Z"}:
        raise CelError("only the time zone UTC is supported")
    return value.astimezone(dt.UTC)


def _either(of_duration: Function, of_time: Function) -> Function:
    return lambda value, *zone: of_duration(value) if isinstance(value, Duration) else of_time(value, *zone)


FUNCTIONS: dict[str, Function] = {
    "size": size,
    "int": to_int,
    "uint": lambda value: Unsigned(bounded(to_int(value), unsigned=True)),
    "double": to_double,
    "string": to_string,
    "bool": to_bool,
    "bytes": to_bytes,
    "dyn": lambda value: value,
    "type": lambda value: Type(type_name(value)),
    "duration": to_duration,
    "timestamp": to_timestamp,
    "matches": texts.matches,
    "optional.of": lambda value: Optional(value, present=True),
    "optional.none": lambda: NONE,
    "optional.ofNonZeroValue": _non_zero,
    "lists.range": texts.ranged,
    "math.greatest": lambda *values: _extreme(_flatten(list(values)), 1),
    "math.least": lambda *values: _extreme(_flatten(list(values)), -1),
    "math.abs": abs,
    "math.ceil": lambda value: float(math.ceil(value)),
    "math.floor": lambda value: float(math.floor(value)),
    "sets.contains": lambda first, second: all(_index(first, item) >= 0 for item in second),
    "sets.intersects": lambda first, second: any(_index(first, item) >= 0 for item in second),
    "sets.equivalent": lambda first, second: (
        all(_index(first, item) >= 0 for item in second) and all(_index(second, item) >= 0 for item in first)
    ),
    "strings.quote": texts.quote,
    **network.FUNCTIONS,
    **quantities.FUNCTIONS,
    **formats.FUNCTIONS,
}
"""Global functions, with their namespaces."""

METHODS: dict[str, Function] = {
    "size": size,
    "isSorted": _sorted,
    "sum": _sum,
    "min": lambda values: _extreme(values, -1),
    "max": lambda values: _extreme(values, 1),
    "indexOf": _index,
    "lastIndexOf": _last_index,
    "distinct": _distinct,
    "flatten": _flatten,
    "reverse": _reverse,
    "slice": _slice,
    "sort": texts.sort,
    "first": lambda values: _non_empty(values, 0),
    "last": lambda values: _non_empty(values, -1),
    "hasValue": lambda value: _some(value).present,
    "value": _value,
    "or": lambda value, other: value if _some(value).present else _some(other),
    "orValue": lambda value, other: value.value if _some(value).present else other,
    "getHours": _either(_unit(3600 * 10**9), _time(lambda value: value.hour)),
    "getMinutes": _either(_unit(60 * 10**9), _time(lambda value: value.minute)),
    "getSeconds": _either(_unit(10**9), _time(lambda value: value.second)),
    "getMilliseconds": _either(_unit(10**6), _time(lambda value: value.microsecond // 1000)),
    "getFullYear": _time(lambda value: value.year),
    "getMonth": _time(lambda value: value.month - 1),
    "getDate": _time(lambda value: value.day),
    "getDayOfMonth": _time(lambda value: value.day - 1),
    "getDayOfWeek": _time(lambda value: value.isoweekday() % 7),
    "getDayOfYear": _time(lambda value: value.timetuple().tm_yday - 1),
    **texts.METHODS,
    **network.METHODS,
    **quantities.METHODS,
    **formats.METHODS,
}
"""Methods; the receiver is the first argument."""

CONSTANTS: dict[str, Any] = {"google.protobuf.Duration": Type("google.protobuf.Duration")}
CONSTANTS["google.protobuf.Timestamp"] = Type("google.protobuf.Timestamp")


def _non_empty(values: list[Any], at: int) -> Optional:
    return Optional(values[at], present=True) if values else NONE
