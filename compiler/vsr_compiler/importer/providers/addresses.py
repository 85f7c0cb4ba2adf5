"""URLs of servers and providers as endpoints of a policy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from vsr_compiler.importer.draft import label
from vsr_compiler.importer.losses import is_reference

MAX_URL = 900
_IP = re.compile(r"[0-9.]+|\[?[0-9a-f:]*:[0-9a-f:.]*\]?")
_CLUSTER = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.[a-z0-9.-]+)?")
_PUBLIC = frozenset(
    [
        "ai",
        "app",
        "cloud",
        "co",
        "com",
        "dev",
        "edu",
        "eu",
        "gov",
        "home",
        "info",
        "internal",
        "io",
        "lan",
        "local",
        "localdomain",
        "localhost",
        "me",
        "net",
        "org",
        "uk",
        "us",
        "xyz",
    ]
)
"""Last labels of names that are no namespaces."""
_HERE = frozenset({"localhost", "host.docker.internal", "host.containers.internal", "host.k3d.internal", "0.0.0.0"})  # noqa: S104 - a name to recognise
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,62})?(\.[a-z0-9]([a-z0-9-]{0,62})?)+")
_PATH = re.compile(r"(/[\w./-]*)?")
_QUERY = re.compile(r"[A-Za-z0-9_.~%=&-]{0,512}")
SECRET_QUERY = re.compile(r"(^|&)(key|api[_-]?key|token|access_token|sig|signature|code)=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an endpoint is.

    Attributes:
        service: The Service, with a port; None if it is a provider.
        url: The URL of a provider.
        problem: Why the address is a placeholder, or what of it is lost; empty if nothing is.
    """

    service: dict[str, Any] | None = None
    url: str = ""
    problem: str = ""


def address(text: str, placeholder: str) -> Address:  # noqa: PLR0911 - one return for each kind of address
    """Return the endpoint of a URL.

    Args:
        text: A URL, or a reference to an environment variable.
        placeholder: A name for what the policy cannot address.
    """
    name = label(placeholder) or "server"
    text = text.strip()
    if is_reference(text) or not text:
        variable = label(re.sub(r"^os\.environ/|[${}()]", "", text)[:60]) or name
        return Address(url=f"https://{variable}.example.com/v1", problem="the address is not in the file")
    if len(text) > MAX_URL:
        return Address(service={"name": name, "port": 80}, problem="the address is too long")
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        host, port = (url.hostname or "").lower(), url.port
    except ValueError:
        return Address(service={"name": name, "port": 80}, problem="the address is no URL")
    if url.scheme not in {"http", "https"} or not host:
        return Address(service={"name": name, "port": 80}, problem=f"`{url.scheme}` is no scheme of an API")
    if (match := _CLUSTER.fullmatch(host)) is not None:
        return _service({"name": match[1], "namespace": match[2]}, url, port)
    if "." not in host and host not in _HERE and ":" not in host:
        return _service({"name": label(host) or name}, url, port)
    first, _, last = host.partition(".")
    if url.scheme == "http" and label(last) and label(last) == last and last not in _PUBLIC and label(first) == first:
        return _service({"name": first, "namespace": last}, url, port)
    return _provider(url, host, port, name)


def _service(service: dict[str, Any], url: SplitResult, port: int | None) -> Address:
    service["port"] = port or (443 if url.scheme == "https" else 80)
    problem = ""
    if url.scheme == "https":
        problem = "the gateway reaches Services without TLS"
    elif url.path.rstrip("/") not in {"", "/v1"}:
        problem = f"the path `{url.path[:60]}` is lost: Services get the client's path"
    return Address(service, problem=problem)


def _provider(url: SplitResult, host: str, port: int | None, name: str) -> Address:
    here = host in _HERE or host.startswith("127.") or host == "::1"
    if here or _IP.fullmatch(host) or url.scheme == "http":
        where = "this machine" if here else "a server outside the cluster that has no certificate for its name"
        placeholder = {"name": name, "port": port or (443 if url.scheme == "https" else 80)}
        return Address(placeholder, problem=f"`{host[:80]}` is {where}, so a Service `{name}` replaces it")
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(url.path):
        return Address({"name": name, "port": 80}, problem="the URL has characters that a policy's cannot have")
    problem = ""
    query = url.query
    if query and (SECRET_QUERY.search(query) or not _QUERY.fullmatch(query)):
        query, problem = "", "the query of the URL is not copied, since it may contain a key"
    path = re.sub(r"/(chat/completions|completions|embeddings|messages)$", "", url.path.rstrip("/"))
    at = f":{port}" if port and port != 443 else ""  # noqa: PLR2004 - the port of https
    return Address(url=f"https://{host}{at}{path}{'?' + query if query else ''}", problem=problem)
