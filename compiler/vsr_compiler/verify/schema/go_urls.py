"""URLs as Go parses them: `url.ParseRequestURI`, which Kubernetes uses for the format `uri`, and `url.Parse`."""

from __future__ import annotations

import ipaddress
import re
import string
from dataclasses import dataclass

MAX_URL = 65_536
MAX_PARAMETERS = 10_000
"""Limit of parameters in a query. Source: Go's net/url."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEME_LIKE = re.compile(r"[A-Za-z0-9+.-]*:")
_PORT = re.compile(r"(?::[0-9]*)?")
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
_HEX = frozenset(string.hexdigits)
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-_.~")
_HOST = _UNRESERVED | frozenset("!$&'()*+,;=:[]<>\"")
_PATH = _UNRESERVED | frozenset("$&+,/:;=@")
_PATH_AS_WRITTEN = _PATH | frozenset("!'()*[]%")


class InvalidUrlError(ValueError):
    """The text is not a URL."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL.

    Attributes:
        scheme: The scheme in lower case; empty if it has none.
        host: Host and port, unescaped.
        path: The path as it is written.
        query: The part between `?` and `#`.
        text: The whole.
    """

    scheme: str
    host: str
    path: str
    query: str
    text: str


def _unescape(text: str, mode: str) -> str:
    """Return the text with its escape sequences resolved.

    Args:
        text: The text.
        mode: `host`, `zone`, `query`, or empty for the rest.
    """
    if "%" not in text and mode == "":
        return text
    found, at = bytearray(), 0
    while at < len(text):
        character = text[at]
        if character == "%":
            code = text[at + 1 : at + 3]
            if len(code) != 2 or not set(code) <= _HEX:  # noqa: PLR2004 - two digits
                raise InvalidUrlError(f"invalid escape sequence {text[at : at + 3]}")
            value = int(code, 16)
            if mode == "host" and value < 0x80 and code != "25":  # noqa: PLR2004 - ASCII
                raise InvalidUrlError(f"invalid escape sequence %{code}")
            if mode == "zone" and code != "25" and chr(value) != " " and chr(value) not in _HOST:
                raise InvalidUrlError(f"invalid escape sequence %{code}")
            found.append(value)
            at += 3
            continue
        if mode in {"host", "zone"} and character < "\x80" and character not in _HOST:
            raise InvalidUrlError(f"invalid character {character!r} in host name")
        found += b" " if mode == "query" and character == "+" else character.encode(errors="surrogatepass")
        at += 1
    return found.decode(errors="replace")


def _escaped(text: str, keep: frozenset[str]) -> str:
    return "".join(
        character if character in keep else "".join(f"%{byte:02X}" for byte in character.encode(errors="replace"))
        for character in text
    )


def _host(host: str) -> str:
    bracket = host.rfind("[")
    if bracket > 0:
        raise InvalidUrlError("invalid IP-literal")
    if bracket == 0:
        end = host.rfind("]")
        if end < 0 or not _PORT.fullmatch(host[end + 1 :]):
            raise InvalidUrlError("missing ']' in host, or invalid port")
        name, zone_mark, zone = host[1:end].partition("%25")
        name = _unescape(name, "host") + (_unescape(zone_mark + zone, "zone") if zone_mark else "")
        try:
            ipaddress.IPv6Address(name)
        except ValueError:
            raise InvalidUrlError("invalid host") from None
        return f"[{name}]{host[end + 1 :]}"
    colon = host.rfind(":")
    if colon >= 0 and not _PORT.fullmatch(host[colon:]):
        raise InvalidUrlError(f"invalid port {host[colon:]} after host")
    return _unescape(host, "host")


def _authority(authority: str) -> str:
    user, at, host = authority.rpartition("@")
    found = _host(host)
    if at:
        if not _USER.fullmatch(user):
            raise InvalidUrlError("invalid userinfo")
        _unescape(user, "")
    return found


def _parse(text: str, *, request: bool) -> Url:
    if len(text) > MAX_URL or _CONTROL.search(text) or (request and not text):
        raise InvalidUrlError("empty, too long, or with a control character")
    if text == "*":
        return Url("", "", "*", "", text)
    scheme, rest = "", text
    match = _SCHEME.match(text)
    if match is not None:
        scheme, rest = match[1].lower(), text[match.end() :]
    elif text.startswith(":"):
        raise InvalidUrlError("missing protocol scheme")
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return Url(scheme, "", "", query, text)
        if request:
            raise InvalidUrlError("invalid URI for request")
        if ":" in rest.partition("/")[0]:
            raise InvalidUrlError("first path segment in URL cannot contain colon")
    host = ""
    if (scheme or (not request and not rest.startswith("///"))) and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        host, rest = _authority(authority), slash + path
    _unescape(rest, "")
    return Url(scheme, host, rest, query, text)


def parse(text: str) -> Url | None:
    """Return a URL, absolute or a path from the root; None if it is invalid."""
    try:
        _parse(text, request=True)
        # Parsing again cuts the fragment off, which the first form counts to the path or query.
        found = _parse(text.partition("#")[0], request=False)
        _unescape(text.partition("#")[2], "")
    except InvalidUrlError:
        return None
    return found


def is_url(text: str) -> bool:
    """Whether a string is an absolute URL, or a path from the root."""
    try:
        _parse(text, request=True)
    except InvalidUrlError:
        return False
    return True


def split_host(host: str) -> tuple[str, str]:
    """Return name and port of a host."""
    colon = host.rfind(":")
    port = ""
    if colon >= 0 and _PORT.fullmatch(host[colon:]):
        host, port = host[:colon], host[colon + 1 :]
    return (host[1:-1] if host.startswith("[") and host.endswith("]") else host), port


def escaped_path(value: Url) -> str:
    """Return the path with its escape sequences."""
    if set(value.path) <= _PATH_AS_WRITTEN or value.path == "*":
        return value.path
    return _escaped(_unescape(value.path, ""), _PATH)


def query(value: Url) -> dict[str, list[str]]:
    """Return the parameters of the query, without those that are malformed."""
    found: dict[str, list[str]] = {}
    if value.query.count("&") >= MAX_PARAMETERS:
        return found
    for part in value.query.split("&"):
        name, _, content = part.partition("=")
        if part and ";" not in part:
            try:
                name, content = _unescape(name, "query"), _unescape(content, "query")
            except InvalidUrlError:
                continue
            found.setdefault(name, []).append(content)
    return found
