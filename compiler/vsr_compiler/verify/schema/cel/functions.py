"""Functions of CEL and of the Kubernetes libraries by name: global functions, and methods of a receiver.

Functions may raise TypeError or AttributeError for arguments of a wrong type; the caller converts these to CelError.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from vsr_compiler.verify.schema.cel import (
    conversions,
    formats,
    lists,
    network,
    numbers,
    quantities,
    semvers,
    texts,
    times,
    urls,
)
from vsr_compiler.verify.schema.cel.values import (
    NONE,
    CelError,
    Duration,
    Optional,
    Type,
    type_name,
)

Function = Callable[..., Any]


def size(value: Any) -> int:  # noqa: ANN401 - any value
    """Return the number of characters, bytes, items or entries."""
    return len(value)


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
    "int": conversions.to_int,
    "uint": conversions.to_uint,
    "double": numbers.to_double,
    "string": conversions.to_string,
    "bool": conversions.to_bool,
    "bytes": conversions.to_bytes,
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
