"""The CEL library of Kubernetes for URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vsr_compiler.verify.schema import go_urls
from vsr_compiler.verify.schema.cel.values import CelError, type_name
from vsr_compiler.verify.schema.go_urls import Url


def _is_url(text: Any) -> bool:  # noqa: ANN401 - any value
    if not isinstance(text, str):
        raise CelError(f"{type_name(text)} is not a string")
    return go_urls.is_url(text)


def url(text: Any) -> Url:  # noqa: ANN401 - any value
    """Implement `url(x)`."""
    found = go_urls.parse(text) if isinstance(text, str) else None
    if found is None:
        raise CelError(f"`{str(text)[:60]}` is not a URL")
    return found


FUNCTIONS: dict[str, Callable[..., Any]] = {"isURL": _is_url, "url": url}
METHODS: dict[str, Callable[..., Any]] = {
    "getScheme": lambda value: value.scheme,
    "getHost": lambda value: value.host,
    "getHostname": lambda value: go_urls.split_host(value.host)[0],
    "getPort": lambda value: go_urls.split_host(value.host)[1],
    "getEscapedPath": go_urls.escaped_path,
    "getQuery": go_urls.query,
}
