"""The form of a record: one line of JSON with its number, the hash of the one before and its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

FIRST = "0" * 64
"""The hash before the first record."""
MAX_LINE = 64 << 10
"""Bytes of a record at most."""
_TAIL = re.compile(rb',"hash":"([0-9a-f]{64})"\}\n')
_TAIL_LENGTH = len(',"hash":""}\n') + 64
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: its name, the number of its last record, and the hash of that."""

    chain: str
    number: int = 0
    hash: str = FIRST


class BrokenChainError(Exception):
    """A record is not what was written."""


def sealed(head: Head, fields: Mapping[str, object]) -> tuple[bytes, Head]:
    """Return the line of the next record of a chain, and the chain's new end."""
    number = head.number + 1
    content = _ENCODE({"chain": head.chain, "number": number, **fields, "prev": head.hash}).encode()[:-1]
    own = sha256(content).hexdigest()
    return content + b',"hash":"%s"}\n' % own.encode(), Head(head.chain, number, own)


def checked(head: Head | None, line: bytes) -> Head:
    """Return the end of a chain after one more line.

    Args:
        head: the end before it; None if the line is the first that is at hand.
        line: the line with its line break.

    Raises:
        BrokenChainError: it is not the next record of the chain.
    """
    tail = _TAIL.fullmatch(line[-_TAIL_LENGTH:])
    if tail is None or len(line) > MAX_LINE:
        raise BrokenChainError("is not a whole record")
    content = line[:-_TAIL_LENGTH]
    own = tail[1].decode()
    if sha256(content).hexdigest() != own:
        raise BrokenChainError("has been changed: its hash is another")
    try:
        record = json.loads(content + b"}")
        chain, number, before = record["chain"], record["number"], record["prev"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BrokenChainError("is not a record") from None
    if not isinstance(chain, str) or type(number) is not int or not isinstance(before, str):
        raise BrokenChainError("is not a record")
    if head is not None:
        if chain != head.chain:
            raise BrokenChainError(f"belongs to the chain {chain}, and not to {head.chain}")
        if number != head.number + 1:
            raise BrokenChainError(f"has the number {number} after {head.number}")
        if before != head.hash:
            raise BrokenChainError("does not continue the record before it")
    elif number == 1 and before != FIRST:
        raise BrokenChainError("is no first record")
    return Head(chain, number, own)
