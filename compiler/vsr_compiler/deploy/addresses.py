"""Hosts in Kubernetes objects and settings to which requests or texts are sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Path: TypeAlias = tuple[str | int, ...]
_Values: TypeAlias = Iterator[tuple[Path, str]]

_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[?[0-9a-f:]*:[0-9a-f:.]*\]?")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>,|]+", re.IGNORECASE)
_SUBSET = re.compile(r"(?:outbound|inbound)\|\d*\|[^|]*\|(?P<host>[^|]+)")
"""A cluster of Istio: direction, port, subset and host."""
_LONGEST = 2048
"""Characters of a URL; a longer text is none."""
_IN_CONFIG = frozenset({"address", "base_url", "endpoint", "host", "url"})
"""Fields of router configurations and of Envoy that hold an address."""
_ROUTER_FILES = frozenset({"config.yaml", "runtime.yaml"})
_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})


@dataclass(frozen=True, slots=True)
class Address:
    """A host in an object.

    Attributes:
        path: Where it is in the object.
        host: The host name or IP address, in lower case and without port; `*.` at the beginning is a wildcard.
        leads: Whether requests are sent there for sure. A URL in a container or in Helm values may be of anything.
        is_complete: Whether it is a complete name, of which `a.b` is no Service.
    """

    path: Path
    host: str
    leads: bool = True
    is_complete: bool = False


def addresses(body: Mapping[str, Any], read: Callable[[str], list[Any]]) -> Iterator[Address]:
    """Yield the hosts of an object.

    Args:
        body: The object, of any shape.
        read: Parses a text of a ConfigMap; empty if it is no YAML.
    """
    spec = body.get("spec")
    match _group(body), str(body.get("kind")):
        case "networking.istio.io", "ServiceEntry":
            yield from _service_entry(spec)
        case ("networking.istio.io", "WorkloadEntry") | ("gateway.envoyproxy.io", "Backend"):
            yield from _fields(spec, {"address", "hostname"})
        case ("networking.istio.io", "VirtualService" | "DestinationRule") | (
            "agentgateway.dev",
            "AgentgatewayBackend",
        ):
            yield from _fields(spec, {"host"})
        case ("networking.istio.io", "EnvoyFilter") | ("gateway.envoyproxy.io", "EnvoyPatchPolicy"):
            yield from _envoy(spec)
        case "gateway.networking.k8s.io", _:
            yield from _references(spec)
        case "", "Service":
            yield from _fields(spec, {"externalName"}, is_complete=True)
        case "", "ConfigMap":
            yield from _config_map(body.get("data"), read)
        case ("helm.toolkit.fluxcd.io", "HelmRelease") | ("argoproj.io", "Application" | "ApplicationSet"):
            yield from _urls(_values(spec, ("spec",)), {"values", "valuesObject", "valuesFrom", "helm"})
        case _:
            yield from _pods(spec)


def settings_addresses(document: object) -> Iterator[Address]:
    """Yield the hosts of a router configuration: URLs, and what fields for addresses hold."""
    for path, text in _values(document, ()):
        if path and path[-1] in _IN_CONFIG and (host := host_of(text)):
            yield Address(path, host)


def value_addresses(document: object) -> Iterator[Address]:
    """Yield the hosts of the URLs in Helm values."""
    for path, text in _values(document, ()):
        for url in _URL.findall(text):
            if host := host_of(url):
                yield Address(path, host, leads=False)


def host_of(text: str) -> str:
    """Return the host of a URL, of `HOST:PORT` or of a host; empty if the text is none of them.

    >>> host_of("https://API.example.com:8443/v1"), host_of("api.example.com:443"), host_of("two words")
    ('api.example.com', 'api.example.com', '')
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return ""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host = (parts.hostname or "").rstrip(".") if parts.netloc else ""
    except ValueError:
        return ""
    bare = text.lower()
    if bare.count(":") > 1 and "://" not in bare and "[" not in bare:
        host = bare
    return host if _HOST.fullmatch(host) else ""


def _group(body: Mapping[str, Any]) -> str:
    return str(body.get("apiVersion")).rpartition("/")[0]


def _values(value: object, path: Path) -> _Values:
    """Yield every text in a value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _values(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _values(item, (*path, number))


def _fields(spec: object, names: set[str], *, is_complete: bool = False) -> Iterator[Address]:
    """Yield the hosts in fields of these names, at any depth."""
    for path, text in _values(spec, ("spec",)):
        if path[-1] in names and (host := host_of(text)):
            yield Address(path, host, is_complete=is_complete)


def _service_entry(spec: object) -> Iterator[Address]:
    """Yield the addresses of the endpoints; without any, the hosts are looked up."""
    spec = spec if isinstance(spec, dict) else {}
    endpoints = [item for item in _values(spec.get("endpoints"), ("spec", "endpoints")) if item[0][-1] == "address"]
    for path, text in endpoints:
        if host := host_of(text):
            yield Address(path, host, is_complete=True)
    leads = not endpoints and not spec.get("workloadSelector") and spec.get("location") != "MESH_INTERNAL"
    for path, text in _values(spec.get("hosts"), ("spec", "hosts")):
        if host := host_of(text):
            yield Address(path, host, leads=leads, is_complete=leads)


def _envoy(spec: object) -> Iterator[Address]:
    for path, text in _values(spec, ("spec",)):
        cluster = _SUBSET.fullmatch(text)
        address = cluster["host"] if cluster else text if path[-1] in {"address", "uri"} else ""
        if host := host_of(address):
            yield Address(path, host)


def _references(spec: object) -> Iterator[Address]:
    """Yield the names of backends that are hosts, as Istio has them."""
    if isinstance(spec, dict):
        for path, kind in _values(spec, ("spec",)):
            if kind == "Hostname" and path[-1] == "kind":
                place: Path = (*path[:-1], "name")
                if host := host_of(str(_at(spec, place[1:]))):
                    yield Address(place, host, is_complete=True)


def _at(value: object, path: Path) -> object:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    return value


def _config_map(data: object, read: Callable[[str], list[Any]]) -> Iterator[Address]:
    """Yield the hosts of the router's files, at the path of the text that contains them."""
    if not isinstance(data, dict):
        return
    for key in sorted(_ROUTER_FILES & data.keys()):
        if isinstance(data[key], str):
            for document in read(data[key]):
                for item in settings_addresses(document):
                    yield Address(("data", key), item.host)


def _urls(values: _Values, below: set[str]) -> Iterator[Address]:
    for path, text in values:
        if below & set(path):
            for url in _URL.findall(text):
                if host := host_of(url):
                    yield Address(path, host, leads=False)


def _pods(spec: object) -> Iterator[Address]:
    """Yield the hosts of URLs in environment variables and arguments of containers."""
    fields = {"value", "args", "command"}
    for path, text in _values(spec, ("spec",)):
        if _CONTAINERS & set(path) and fields & set(path):
            for url in _URL.findall(text):
                if host := host_of(url):
                    yield Address(path, host, leads=False)
