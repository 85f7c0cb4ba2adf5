"""The form of one scalar, as the YAML emitter in ``kubectl kustomize`` chooses it.

Source: behaviour of kustomize 5.5 (kubectl 1.32), by measurement. It prints through sigs.k8s.io/yaml, a YAML 1.1
emitter with a preferred width of 80 columns. Strings that YAML 1.1 would read as another type are double-quoted;
strings with indicators are single-quoted. Multi-line text becomes a literal block, unless trailing blanks or
unprintable characters force double quotes.
"""

from __future__ import annotations

import calendar
import json
import math
import re
from decimal import Decimal
from functools import lru_cache

_WIDTH = 80
_LONGEST_SIMPLE_KEY = 128  # bytes; a longer key is written as "? key"
_LONGEST_KEY = 1024  # characters of the key in JSON, with its quotes; kubectl cannot read its own output beyond that
_CACHED = 128  # characters; longer strings rarely repeat and would only fill the cache

_WORDS = frozenset(
    form
    for word in ("y", "yes", "true", "on", "n", "no", "false", "off", "~", "null", ".inf", "+.inf", "-.inf", ".nan")
    for form in (word, word.capitalize(), word.upper())
) | {".Inf", "+.Inf", "-.Inf", ".NaN"}
_INT = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)")
_SIGNED_BINARY = re.compile(r"0b[-+][01]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINT_FIRST = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_SIGNED_OCTAL = re.compile(r"0o[-+][0-7]+")
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_DATE = r"([0-9]{4})-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?"
_ZONE = r"(?:Z|[-+](?:[01][0-9]|2[0-4]):(?:[0-5][0-9]|60))"
_TIMESTAMP = re.compile(f"{_DATE}(?:[Tt]{_TIME}{_ZONE}| +{_TIME})?")

_INDICATED = re.compile(r"""[#,\[\]{}&*!|>'"%@` ]|[-?:](?: |$)|---|\.\.\.|.*(?:: |:$| #| $)""")
_SPECIAL = re.compile(r"[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_LOST = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_ESCAPED = re.compile(r'["\\\n]|' + _SPECIAL.pattern)
_SHORT = dict(zip('\0\a\b\t\n\v\f\r\x1b\xa0"\\', '0abtnvfre_"\\', strict=True))
_ALONE = re.compile(r"(?<! ) (?! )")
_FIRST = re.compile(r"(?<! ) ")


class UnprintableError(ValueError):
    """A value that ``kubectl kustomize`` rejects or alters, so that it cannot be applied unchanged."""


def text(value: str, column: int, indent: int) -> str:
    """Return the text of a string value.

    Args:
        value: Any text.
        column: The column of the first character, counted from 0.
        indent: The indentation of the lines after the first.

    Returns:
        The scalar with its further lines indented. A literal block ends without its last line break.

    Raises:
        UnprintableError: The text contains a character that kubectl cannot represent.
    """
    line = short(value) if len(value) <= _CACHED else _line(value)
    if line is None:
        return _block(value, indent)
    if column + len(line) > _WIDTH and " " in line:
        return _folded(line, column, indent)
    return line


@lru_cache(maxsize=16384)
def short(value: str) -> str | None:
    """Return a text on one line, before folding; None if it must be a literal block."""
    return _line(value)


@lru_cache(maxsize=4096)
def key(value: str) -> str | None:
    """Return a mapping key as written before its colon; None if only the form ``? key`` is possible."""
    if value == "<<":
        raise UnprintableError("the key '<<' is YAML's merge key, which kubectl would resolve away")
    if len(json.dumps(value, ensure_ascii=False)) + 5 * sum(map(value.count, "<>&")) > _LONGEST_KEY:
        raise UnprintableError(f"the key {value[:40]!r}... is longer than the 1,022 characters that kubectl can read")
    line = _line(value)
    return None if len(value.encode()) > _LONGEST_SIMPLE_KEY or re.search(r"[\n\r]", value) else line


def number(value: float) -> str:
    """Return an integer or float as Go prints it; a float without a fraction becomes an integer.

    Raises:
        UnprintableError: Infinite, not a number, or an integer beyond 64 bits.
    """
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise UnprintableError(f"the integer {value} needs more than 64 bits")
        return int.__repr__(value)
    if not math.isfinite(value):
        raise UnprintableError(f"the number {value!r} has no form in JSON")
    sign, digits, letter_or_exponent = Decimal(float.__repr__(value)).normalize().as_tuple()
    exponent = int(letter_or_exponent)
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    if exponent >= 0 and -(2**63) <= whole * 10**exponent < 2**64:
        return str(whole * 10**exponent)
    power = len(digits) + exponent - 1
    if -5 < power < 6:  # noqa: PLR2004  # Go's %g turns to exponents outside these
        return format(Decimal((sign, digits, exponent)), "f")
    fraction = "".join(map(str, digits[1:]))
    return f"{'-' * sign}{digits[0]}{'.' * bool(fraction)}{fraction}e{power:+03d}"


def is_plain_text(value: str) -> bool:
    """Return whether a text without quotes is read as the same text, also where a template prints it."""
    try:
        return _line(value) == value
    except UnprintableError:
        return False


def _line(value: str) -> str | None:
    if lost := _LOST.search(value):
        raise UnprintableError(f"the character U+{ord(lost[0]):04X} in {value[:40]!r} is one that kubectl cannot carry")
    if _SPECIAL.search(value):
        return _quoted(value)
    if "\n" in value:
        return _quoted(value) if " \n" in value or value[-1] == " " else None
    if _resolves(value):
        return f'"{value}"'
    if _INDICATED.match(value):
        return "'" + value.replace("'", "''") + "'"
    return str.__str__(value)


def _resolves(value: str) -> bool:
    """Return whether YAML 1.1 would read the plain text as a number, boolean, null or time."""
    if not value or value in _WORDS:
        return True
    if value[0] == ".":
        return bool(_POINT_FIRST.fullmatch(value)) and math.isfinite(float(value))
    if value[0] not in "+-0123456789":
        return False
    if _BASE60.fullmatch(value) or _is_time(value):
        return True
    bare = value.replace("_", "")
    if _SIGNED_OCTAL.fullmatch(bare):
        raise UnprintableError(f"the text {value[:40]!r} is one that kubectl prints as text but reads as a number")
    if _INT.fullmatch(bare) or _SIGNED_BINARY.fullmatch(bare):
        return _fits(bare)
    return bool(_FLOAT.fullmatch(bare)) and math.isfinite(float(bare))


def _fits(bare: str) -> bool:
    """Return whether a numeral is in range: 64 bits if it has a prefix, otherwise a float."""
    prefixed = re.search(r"0[xXoObB]", bare[:3])
    if not prefixed:
        return math.isfinite(float(bare))
    digits = bare[prefixed.end() :]
    amount = int(digits, {"x": 16, "o": 8, "b": 2}[bare[prefixed.end() - 1].lower()])
    signed = "-" in bare or "+" in bare
    return -(2**63) <= (-amount if bare[0] == "-" else amount) < (2**63 if signed else 2**64)


def _is_time(value: str) -> bool:
    match = _TIMESTAMP.fullmatch(value)
    return match is not None and int(match[3]) <= calendar.monthrange(int(match[1]), int(match[2]))[1]


def _quoted(value: str) -> str:
    """Return the text in double quotes. After a leading byte order mark everything is escaped, as in kustomize."""
    if value.startswith("\ufeff"):
        return '"' + "".join(map(_escape, value)) + '"'
    return '"' + _ESCAPED.sub(lambda match: _escape(match[0]), value) + '"'


def _escape(character: str) -> str:
    if name := _SHORT.get(character):
        return "\\" + name
    code = ord(character)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004


def _block(value: str, indent: int) -> str:
    hint = "2" if value[0] in " \n" else ""
    chomp = "-" if value[-1] != "\n" else "+" if value[-2:] in {"\n", "\n\n"} else ""
    pad = " " * indent
    body = "\n".join([pad + line if line else line for line in value.split("\n")])
    return f"|{hint}{chomp}\n{body.removesuffix(chr(10))}"


def _folded(line: str, column: int, indent: int) -> str:
    """Break a one-line scalar repeatedly at the first blank beyond the width; quotes protect outer blanks."""
    quote = line[0] if line[0] in "'\"" else ""
    blank = _FIRST if quote == '"' else _ALONE
    first, last = 1 + len(quote), len(line) - 1 - len(quote)
    parts, start = [], 0
    while match := blank.search(line, max(first, start, start + _WIDTH + 1 - column)):
        at = match.start()
        if at >= last:
            break
        escape = "\\" if line[at + 1] == " " else ""
        parts.append(line[start:at] + "\n" + " " * indent + escape)
        start, column = at + 1, indent + len(escape)
    return "".join(parts) + line[start:]
