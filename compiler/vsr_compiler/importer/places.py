"""Endpoints of a policy from addresses of a source: Services in the cluster, or providers outside it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.draft import label
from vsr_compiler.importer.family import Job
from vsr_compiler.importer.providers.addresses import SECRET_QUERY
from vsr_schemas.scalars import DNS_LABEL

HTTP_PORT, HTTPS_PORT = 80, 443
MAX_PORT = 65_535
_LOCAL = frozenset({"localhost", "host.docker.internal", "host.containers.internal", "0.0.0.0", "::1"})  # noqa: S104
_PUBLIC = frozenset(
    [
        "com",
        "org",
        "net",
        "io",
        "ai",
        "dev",
        "app",
        "cloud",
        "co",
        "de",
        "eu",
        "uk",
        "us",
        "cn",
        "jp",
        "fr",
        "in",
        "example",
    ]
)
_API_PATH = re.compile(r"(/[\w.-]+)*/?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a source finds a server.

    Attributes:
        host: A name or an IP address.
        port: Its port; 0 for that of the scheme.
        tls: Whether it is reached over TLS.
        path: The path of its API; empty for the usual one.
        query: What every request to it carries.
    """

    host: str
    port: int = 0
    tls: bool = False
    path: str = ""
    query: str = ""

    @property
    def number(self) -> int:
        """The port."""
        return self.port or (HTTPS_PORT if self.tls else HTTP_PORT)


def address(text: str, *, tls: bool = False) -> Address | None:
    """Return the address of a URL, or of ``host:port``; None if it is neither."""
    url = text.strip()
    if "://" not in url:
        url = f"{'https' if tls else 'http'}://{url}"
    try:
        parts = urlsplit(url)
        port = parts.port or 0
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[A-Za-z0-9._:-]+", parts.hostname or ""):
        return None
    path = parts.path.rstrip("/") if _API_PATH.fullmatch(parts.path) else ""
    query = "" if SECRET_QUERY.search(parts.query) else parts.query
    return Address(str(parts.hostname).lower(), port, parts.scheme == "https", path, query)


def has_key(text: str) -> bool:
    """Return whether a URL has a user, a password or a key, none of which an address has."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return False
    return "@" in parts.netloc or SECRET_QUERY.search(parts.query) is not None


def service(host: str) -> tuple[str, str] | None:
    """Return name and namespace (or nothing) of a Service with this host; None if it is outside the cluster."""
    steps = host.rstrip(".").split(".")
    if host in _LOCAL or _is_ip(host) or not all(re.fullmatch(DNS_LABEL, step) for step in steps):
        return None
    if len(steps) == 1:
        return steps[0], ""
    if len(steps) == 2 and steps[1] not in _PUBLIC:  # noqa: PLR2004 - name and namespace
        return steps[0], steps[1]
    return (steps[0], steps[1]) if len(steps) > 2 and steps[2] == "svc" else None  # noqa: PLR2004


def endpoint(
    job: Job,
    wanted: str,
    where: Address,
    span: Span,
    *,
    key: Mapping[str, str] | None = None,
    schema: str = "",
) -> str:
    """Return the name of the endpoint at an address, which is added unless there is one.

    Args:
        job: The import.
        wanted: A name that tells people what it is.
        where: The address.
        span: Where the source has it.
        key: Secret and key of the credential, with what else an ``apiKey`` has.
        schema: The API of a provider; empty for one like OpenAI's.
    """
    body = _body(job, wanted, where, span, key, schema)
    known = job.draft.mapping("endpoints")
    for name, other in known.items():
        if other == body:
            return name
    name = job.names.new("endpoint", wanted, span)
    known[name] = body
    return name


def placeholder(job: Job, model: str, span: Span, message: str) -> str:
    """Return the endpoint of a model that the source gives none: a Service with the model's name."""
    hint = "Write the Service, the pods or the provider that serve it under `endpoints`."
    job.losses.add("VSR531", message, span, hint)
    known = job.draft.mapping("endpoints")
    name = job.names.new("endpoint", model, span)
    known[name] = {"service": f"{label(model) or name}:8000"}
    job.draft.comment(("endpoints", name), "The source has no address for this model; write yours here.")
    return name


def _body(
    job: Job, wanted: str, where: Address, span: Span, key: Mapping[str, str] | None, schema: str
) -> dict[str, Any]:
    port = where.number if 0 < where.number <= MAX_PORT else HTTP_PORT
    inside = service(where.host)
    if inside is not None and not (where.tls and not where.host.count(".")) and not where.tls:
        name, namespace = inside
        if key is None:
            return {"service": f"{name}{f'.{namespace}' if namespace else ''}:{port}"}
        own = {"name": name, "namespace": namespace, "port": port, "apiKey": {k: key[k] for k in ("secret", "key")}}
        return {"service": {k: value for k, value in own.items() if value}}
    if where.host in _LOCAL or _is_ip(where.host) or "." not in where.host:
        return _placeholder_service(job, wanted, where, span, key)
    if not where.tls:
        message = f"`{where.host}` is outside the cluster and reached without TLS, which a policy does not do"
        job.losses.add("VSR531", message, span, "Give the provider a certificate, or a Service in front of it.")
    tail = f":{port}" if where.tls and port != HTTPS_PORT else f":{port}" if not where.tls and port != HTTP_PORT else ""
    url = f"https://{where.host}{tail}{where.path}{f'?{where.query}' if where.query else ''}"
    return {
        "external": {"url": url, **({"schema": schema} if schema else {}), **({"apiKey": dict(key)} if key else {})}
    }


def _placeholder_service(
    job: Job, wanted: str, where: Address, span: Span, key: Mapping[str, str] | None
) -> dict[str, Any]:
    """Return a Service for an address that is no name in the cluster."""
    name = label(wanted) or "server"
    message = f"`{where.host}` is not a name in the cluster, so the endpoint is the Service `{name}`"
    hint = "Create a Service with this name for the address, or write another endpoint."
    job.losses.add("VSR531", message, span, hint)
    if key is None:
        return {"service": f"{name}:{where.number}"}
    return {"service": {"name": name, "port": where.number, "apiKey": {k: key[k] for k in ("secret", "key")}}}


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
