"""Network addresses and wallet addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from vsr_runtime.decision.guards.recogniser import SHAPE, SURE, Recogniser, accept, has_context

_VERSION = rb"v|version|release|build|chapter|section|firmware|rev"
_BYTE = rb"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_LEAST_HEXTETS, _LEAST_DIGITS, _LONGEST_IPV6 = 3, 3, 45
_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def _ipv4(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
    """Accept four numbers up to 255 unless they are a version or part of a longer sequence."""
    start, end = match.span()
    longer = data[end : end + 1] == b"." and data[end + 1 : end + 2].isdigit()
    before = data[max(0, start - 1) : start]
    further = data[max(0, start - 2) : start - 1]
    if longer or (before in {b".", b"-"} and further.isdigit()) or (before == b"/" and further.isalpha()):
        return
    if not has_context(data[max(0, start - 12) : start], min(start, 12), min(start, 12), _VERSION):
        yield start, end, SHAPE


def _ipv6(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept what the standard library parses, except short forms such as ``a::b`` and ``12::``, which are code."""
    start, text = match.start(), match[0].rstrip(b".")
    if (
        len(text) > _LONGEST_IPV6
        or data[max(0, start - 1) : start].isalnum()
        or data[match.end() : match.end() + 1].isalnum()
    ):
        return
    parts = [part for part in text.split(b":") if part]
    long_enough = len(parts) >= _LEAST_HEXTETS or (
        any(map(bytes.isdigit, parts)) and max(map(len, parts), default=0) >= _LEAST_DIGITS
    )
    try:
        if long_enough and ipaddress.IPv6Address(text.decode()):
            yield start, start + len(text), SHAPE
    except ValueError:
        return


def _mac(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept six bytes; more are a fingerprint."""
    del data
    if len(match[0]) == len("00:00:00:00:00:00"):
        yield *match.span(), SHAPE


def _wallet(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept Base58 with a valid checksum: Bitcoin, Litecoin, Dogecoin, Dash, Tron, Ripple."""
    del data
    for alphabet in (_BASE58, _RIPPLE):
        number = 0
        for byte in match[0]:
            place = alphabet.find(byte)
            if place < 0:
                break
            number = number * 58 + place
        else:
            raw = number.to_bytes(26, "big")[1:]
            if number < 1 << 200 and sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]:
                yield *match.span(), SURE
                return


def _bech32(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept bech32 and bech32m with a valid checksum (BIP 173 and 350)."""
    del data
    text = match[0].lower()
    prefix, _, rest = text.rpartition(b"1")
    values = [*(byte >> 5 for byte in prefix), 0, *(byte & 31 for byte in prefix), *map(_BECH32.find, rest)]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    if check in {1, 0x2BC830A3}:
        yield *match.span(), SURE


RULES = (
    Recogniser("IP_ADDRESS", "ipv4", rb"\b" + _BYTE + rb"(?:\." + _BYTE + rb"){3}\b", _ipv4, digits=4, literals=(b".",)),
    Recogniser("IP_ADDRESS", "ipv6", rb"(?i)[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*(?:\.\d{1,3}){0,3}", _ipv6, whole=True, literals=(b":",)),
    Recogniser("MAC_ADDRESS", "mac", rb"(?i)\b[0-9a-f]{2}(?:(?::[0-9a-f]{2}){5,}|(?:-[0-9a-f]{2}){5,})\b", _mac, whole=True, literals=(b":", b"-")),
    Recogniser("MAC_ADDRESS", "mac-cisco", rb"(?i)\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b", accept(SHAPE), literals=(b".",)),
    Recogniser("CRYPTO", "wallet-base58", rb"\b[13LMDXTAr9][1-9A-HJ-NP-Za-km-z]{24,34}\b", _wallet),
    Recogniser("CRYPTO", "wallet-bech32", rb"(?i)\b(?:bc|tb|ltc)1[02-9ac-hj-np-z]{11,87}\b", _bech32, digits=1, literals=(b"bc1", b"tb1", b"ltc1")),
    Recogniser("CRYPTO", "wallet-ethereum", rb"\b0x[0-9a-fA-F]{40}\b", accept(SHAPE), digits=1, literals=(b"0x",)),
)  # fmt: skip
