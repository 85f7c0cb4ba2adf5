"""Ingresses and network policies."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_mappings, as_string
from vsr_compiler.verify.schema.cel.formats import subdomain
from vsr_compiler.verify.schema.validation.faults import (
    MAX_PORT,
    Fault,
    Rule,
    integer,
    port_reference,
    selector,
)

_FORBIDDEN = ("//", "/./", "/../", "%2f", "%2F")
_ENDINGS = ("/..", "/.")


def _ingress(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        yield ("spec",), "has neither `rules` nor `defaultBackend`", "Set one of them."
    if isinstance(spec.get("defaultBackend"), dict):
        yield from _backend(spec["defaultBackend"], ("spec", "defaultBackend"))
    for number, rule in enumerate(as_mappings(spec.get("rules"))):
        at: Path = ("spec", "rules", number)
        host = as_string(rule.get("host"))
        if host and (not subdomain(host.removeprefix("*.")) or _is_address(host)):
            yield (*at, "host"), f"`{host[:80]}` is not a DNS name", "Use lower-case letters, digits, `-` and `.`."
        for index, path in enumerate(as_mappings(as_mapping(rule.get("http")).get("paths"))):
            place = (*at, "http", "paths", index)
            yield from _path(path, place)
            yield from _backend(as_mapping(path.get("backend")), (*place, "backend"))


def _path(entry: Body, at: Path) -> Iterator[Fault]:
    path, kind = as_string(entry.get("path")), entry.get("pathType")
    exact = as_string(kind) in {"Exact", "Prefix"}
    if (path or exact) and not path.startswith("/"):
        yield (*at, "path") if path else at, f"`{path[:80]}` is not an absolute path", "Begin the path with `/`."
    elif exact:
        wrong = [part for part in _FORBIDDEN if part in path] + [part for part in _ENDINGS if path.endswith(part)]
        if wrong:
            yield (*at, "path"), f"must not contain `{wrong[0]}`", "Remove it."


def _backend(backend: Body, at: Path) -> Iterator[Fault]:
    service, resource = backend.get("service"), backend.get("resource")
    if (service is None) == (resource is None):
        yield at, "needs either `service` or `resource`", "Set exactly one of them."
    if not isinstance(service, dict):
        return
    port = as_mapping(service.get("port"))
    number, name = integer(port.get("number")), port.get("name")
    if bool(number) == bool(name):
        yield (*at, "service"), "needs a port with either `number` or `name`", "Set exactly one of them."
    elif number and not 1 <= number <= MAX_PORT:
        yield (*at, "service", "port", "number"), f"{number} is not a port", f"Use 1 to {MAX_PORT}."
    elif isinstance(name, str):
        yield from port_reference(name, (*at, "service", "port", "name"))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _network_policy(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    yield from selector(spec.get("podSelector"), ("spec", "podSelector"))
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for number, rule in enumerate(as_mappings(spec.get(direction))):
            at: Path = ("spec", direction, number)
            for index, port in enumerate(as_mappings(rule.get("ports"))):
                yield from _port(port, (*at, "ports", index))
            for index, peer in enumerate(as_mappings(rule.get(side))):
                yield from _peer(peer, (*at, side, index))


def _port(port: Body, at: Path) -> Iterator[Fault]:
    value, end = port.get("port"), integer(port.get("endPort"))
    if value is not None:
        yield from port_reference(value, (*at, "port"))
    if end is None:
        return
    first = integer(value)
    if first is None:
        yield (*at, "endPort"), "needs a number in `port`", "Set `port` to the first number of the range."
    elif end < first:
        yield (*at, "endPort"), f"{end} is less than port {first}", "Use a larger number."


def _peer(peer: Body, at: Path) -> Iterator[Fault]:
    block, others = peer.get("ipBlock"), [name for name in ("podSelector", "namespaceSelector") if name in peer]
    selects = any(peer.get(name) is not None for name in others)
    if block is None and not selects:
        yield at, "selects nothing", "Set `podSelector`, `namespaceSelector` or `ipBlock`."
    if block is not None and selects:
        yield at, f"has `ipBlock` and `{others[0]}`", "Split it into two peers."
    for name in others:
        yield from selector(peer.get(name), (*at, name))
    cidr = as_mapping(block).get("cidr")
    whole = _cidr(cidr) if isinstance(cidr, str) else None
    if isinstance(cidr, str) and whole is None:
        yield (*at, "ipBlock", "cidr"), f"`{cidr[:80]}` is not a CIDR", "Write an address and a length."
    listed = as_mapping(block).get("except")
    for number, item in enumerate(listed if isinstance(listed, list) else []):
        part = _cidr(item) if isinstance(item, str) else None
        place = (*at, "ipBlock", "except", number)
        if isinstance(item, str) and part is None:
            yield place, f"`{item[:80]}` is not a CIDR", "Write an address and a length."
        elif part and whole and (part.version != whole.version or part == whole or not _within(part, whole)):
            yield place, f"`{str(item)[:80]}` is not a strict part of `{cidr}`", "Use a smaller block within it."


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _within(part: _Network, whole: _Network) -> bool:
    return part.network_address in whole and part.prefixlen > whole.prefixlen


def _cidr(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


RULES: Mapping[tuple[str, str], Rule] = {
    ("networking.k8s.io", "Ingress"): _ingress,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
}
