"""JSON access logs of Envoy with the body of the request. Names are the user's own, so usual ones are tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_compiler.impact.request import (
    NO_TEXT,
    NOT_A_BODY,
    Found,
    TrafficRequest,
    api_of,
    body_of,
    client_of,
    text,
    usage_of,
)
from vsr_schemas.identity import HEADERS, TEAM, TENANT, USER

_BODIES = ("request_body", "req_body", "requestBody", "request.body")
_PATHS = ("path", ":path", "request_path", "x_envoy_original_path", "x-envoy-original-path", "http.path")
_IDS = ("request_id", "x_request_id", "x-request-id", "requestId")
_TELLING = frozenset(
    {
        "response_flags",
        "response_code",
        "responseCode",
        "upstream_cluster",
        "upstream_host",
        "bytes_received",
        "bytes_sent",
        "duration",
        "authority",
        ":authority",
        "start_time",
    }
)
"""Operators of Envoy's access log that its default JSON format and that of gateways have."""
_ABSENT = "-"
"""What Envoy writes for a missing value in a text format."""


def requests(record: dict[str, Any]) -> Iterator[Found] | None:
    """Return the request of a line; None for a record of another form."""
    if not any(name in record for name in _BODIES) and len(_TELLING & record.keys()) < 2:  # noqa: PLR2004 - one may be anybody's
        return None
    return iter([_request(record)])


def _request(record: dict[str, Any]) -> Found:
    given = next((record[name] for name in _BODIES if record.get(name) and record[name] != _ABSENT), None)
    if given is None:
        return NO_TEXT
    body = body_of(given)
    if body is None:
        return NOT_A_BODY
    path = next((text(record[name]) for name in _PATHS if text(record.get(name))), "").partition("?")[0]
    who = {name: _header(record, HEADERS[name]) for name in (USER, TEAM, TENANT)}
    return TrafficRequest(
        body,
        path or api_of(body),
        client=client_of(who),
        team=who[TEAM],
        usage=usage_of(
            record.get("prompt_tokens", record.get("input_tokens")),
            record.get("completion_tokens", record.get("output_tokens")),
            record.get("cached_tokens", 0),
        ),
        id=next((text(record[name]) for name in _IDS if text(record.get(name))), ""),
    )


def _header(record: dict[str, Any], name: str) -> str:
    """Return a header that the log has, by its name or with underscores."""
    value = text(record.get(name)) or text(record.get(name.replace("-", "_")))
    return "" if value == _ABSENT else value
