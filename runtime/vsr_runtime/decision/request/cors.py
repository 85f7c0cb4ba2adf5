"""Cross-origin requests: answers to the preflights of browsers, and the headers that let a page read a response."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vsr_runtime.decision.program.effects import CorsPolicy
from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.immediate_responses import error_response
from vsr_schemas.headers import (
    ALLOW_CREDENTIALS,
    ALLOW_HEADERS,
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    EXPOSE_HEADERS,
    MAX_AGE,
    VARY,
)

ANY = "*"
METHODS = "GET, HEAD, POST, DELETE, OPTIONS"
_ORIGIN = re.compile(r"[!-~]{1,512}")
_HEADER_LIST = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z, -]{1,4096}")
Headers = tuple[tuple[str, str], ...]


def response_headers(policy: CorsPolicy, values: Mapping[str, str]) -> Headers:
    """Return the headers for the response to a request; none if it is not from an allowed page."""
    origin = values.get("origin")
    if origin is None or not _ORIGIN.fullmatch(origin) or not policy.origins & {origin, ANY}:
        return ()
    echo = policy.credentials or ANY not in policy.origins
    headers = [(ALLOW_ORIGIN, origin), (VARY, "origin")] if echo else [(ALLOW_ORIGIN, ANY)]
    if policy.credentials:
        headers.append((ALLOW_CREDENTIALS, "true"))
    if policy.exposed:
        headers.append((EXPOSE_HEADERS, ", ".join(policy.exposed)))
    return tuple(headers)


def preflight_response(policy: CorsPolicy, values: Mapping[str, str]) -> ImmediateResponse:
    """Return the answer to a preflight: 204, or 403 for a page that is not allowed."""
    allowed = response_headers(policy, values)
    if not allowed:
        return error_response(403, "origin_not_allowed", "Pages of this origin may not call this gateway.")
    asked = values.get("access-control-request-headers", "")
    listed = asked if ANY in policy.headers and _HEADER_LIST.fullmatch(asked) else ", ".join(policy.headers)
    answer = ((ALLOW_METHODS, METHODS), (ALLOW_HEADERS, listed), (MAX_AGE, str(policy.max_age)))
    return ImmediateResponse(204, b"", "preflight", (*allowed, *answer))


def is_preflight(method: str, values: Mapping[str, str]) -> bool:
    """Return whether a request asks, for a browser, what a page may send."""
    return method == "OPTIONS" and "origin" in values and "access-control-request-method" in values
