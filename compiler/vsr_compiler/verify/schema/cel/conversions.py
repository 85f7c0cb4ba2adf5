"""Conversions of CEL: `int(x)`, `uint(x)`, `string(x)`, `bool(x)` and `bytes(x)`."""

from __future__ import annotations

from typing import Any

from vsr_compiler.verify.schema.cel import network, numbers, times
from vsr_compiler.verify.schema.cel.syntax import Unsigned
from vsr_compiler.verify.schema.cel.values import CelError, Duration, Timestamp, Type, bounded, number, type_name


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
