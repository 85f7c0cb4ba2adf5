"""Functions of CEL and of the Kubernetes libraries by name: global functions, and methods of a receiver.

Functions may raise TypeError or AttributeError for arguments of a wrong type; the caller converts these to CelError.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from vsr_compiler.verify.schema.cel import formats, lists, network, numbers, quantities, semvers, texts, times, urls
from vsr_compiler.verify.schema.cel.syntax import Unsigned
from vsr_compiler.verify.schema.cel.values import (
    NONE,
    CelError,
    Duration,
    Optional,
    Timestamp,
    Type,
    bounded,
    number,
    type_name,
)

Function = Callable[..., Any]


def size(value: Any) -> int:  # noqa: ANN401 - any value
    """Return the number of characters, bytes, items or entries."""
    return len(value)


def to_int(value: Any) -> int:  # noqa: ANN401 - any value
    """Implement `int(x)`."""
    if isinstance(value, str):
        return numbers.to_int(value)
    if isinstance(value, Timestamp):
        return value.nanos // times.SECOND
    if isinstance(value, Duration):
        return value.nanos
    if not number(value):
        raise CelError(f"no `int` of {type_name(value)}")
    return numbers.whole(value) if isinstance(value, float) else bounded(int(value))


def to_uint(value: Any) -> Unsigned:  # noqa: ANN401 - any value
    """Implement `uint(x)`."""
    if isinstance(value, str):
        return numbers.to_uint(value)
    if not number(value):
        raise CelError(f"no `uint` of {type_name(value)}")
    found = numbers.whole(value, unsigned=True) if isinstance(value, float) else int(value)
    return Unsigned(bounded(found, unsigned=True))


def to_string(value: Any) -> str:  # noqa: ANN401, PLR0911 - any value; one return for each type
    """Implement `string(x)`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return numbers.shortest(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None
    if isinstance(value, Duration):
        return times.duration_text(value)
    if isinstance(value, Timestamp):
        return times.timestamp_text(value)
    if isinstance(value, Type):
        return value.name
    if isinstance(value, str | int | network.Address | network.Network):
        return str(value)
    raise CelError(f"no `string` of {type_name(value)}")


def to_bool(value: Any) -> bool:  # noqa: ANN401 - any value
    """Implement `bool(x)`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _BOOLEANS:
        return _BOOLEANS[value]
    raise CelError(f"no `bool` of {type_name(value)}")


_BOOLEANS = dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True)
_BOOLEANS |= dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False)


def to_bytes(value: Any) -> bytes:  # noqa: ANN401 - any value
    """Implement `bytes(x)`."""
    return value if isinstance(value, bytes) else value.encode()


def _some(value: Any) -> Any:  # noqa: ANN401 - any value
    if not isinstance(value, Optional):
        raise CelError(f"{type_name(value)} is not an optional")
    return value


def _value(value: Any) -> Any:  # noqa: ANN401 - any value
    if not _some(value).present:
        raise CelError("the optional has no value")
    return value.value


def _non_zero(value: Any) -> Optional:  # noqa: ANN401 - any value
    empty = not value or value == Duration(0)
    return NONE if empty else Optional(value, present=True)


def _by_type(of_text: Function, of_list: Function) -> Function:
    return lambda value, *rest: of_text(value, *rest) if isinstance(value, str) else of_list(value, *rest)


def _ordering(sign: int) -> Function:
    """Return `isLessThan` or `isGreaterThan`."""
    return lambda value, other: _compare(value, other) == sign


def _compare(value: Any, other: Any) -> int:  # noqa: ANN401 - any value
    if isinstance(value, quantities.Quantity) and isinstance(other, quantities.Quantity):
        return quantities.compare(value, other)
    if isinstance(value, semvers.Semver) and isinstance(other, semvers.Semver):
        return semvers.compare(value, other)
    raise TypeError


FUNCTIONS: dict[str, Function] = {
    "size": size,
    "int": to_int,
    "uint": to_uint,
    "double": numbers.to_double,
    "string": to_string,
    "bool": to_bool,
    "bytes": to_bytes,
    "dyn": lambda value: value,
    "type": lambda value: Type(type_name(value)),
    "duration": times.to_duration,
    "timestamp": times.to_timestamp,
    "matches": texts.matches,
    "optional.of": lambda value: Optional(value, present=True),
    "optional.none": lambda: NONE,
    "optional.ofNonZeroValue": _non_zero,
    "math.greatest": lambda *values: lists.extreme(_spread(values), 1),
    "math.least": lambda *values: lists.extreme(_spread(values), -1),
    "math.abs": abs,
    "math.ceil": lambda value: float(math.ceil(value)),
    "math.floor": lambda value: float(math.floor(value)),
    "strings.quote": texts.quote,
    **lists.FUNCTIONS,
    **urls.FUNCTIONS,
    **network.FUNCTIONS,
    **quantities.FUNCTIONS,
    **semvers.FUNCTIONS,
    **formats.FUNCTIONS,
}
"""Global functions, with their namespaces."""

METHODS: dict[str, Function] = {
    "size": size,
    "hasValue": lambda value: _some(value).present,
    "value": _value,
    "or": lambda value, other: value if _some(value).present else _some(other),
    "orValue": lambda value, other: value.value if _some(value).present else other,
    **times.METHODS,
    **lists.METHODS,
    **texts.METHODS,
    **urls.METHODS,
    **network.METHODS,
    **quantities.METHODS,
    **semvers.METHODS,
    **formats.METHODS,
    "indexOf": _by_type(texts.index_of, lists.index_of),
    "lastIndexOf": _by_type(texts.last_index_of, lists.last_index_of),
    "compareTo": _compare,
    "isLessThan": _ordering(-1),
    "isGreaterThan": _ordering(1),
}
"""Methods; the receiver is the first argument."""

CONSTANTS: dict[str, Any] = {"google.protobuf.Duration": Type("google.protobuf.Duration")}
CONSTANTS["google.protobuf.Timestamp"] = Type("google.protobuf.Timestamp")
CONSTANTS |= {name: Type(name) for name in ("net.IP", "net.CIDR")}


def _spread(values: tuple[Any, ...]) -> list[Any]:
    return values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
