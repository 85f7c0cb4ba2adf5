"""Services."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from vsr_compiler.verify.manifest import Body, as_mapping, as_mappings, as_string
from vsr_compiler.verify.schema.cel.formats import subdomain
from vsr_compiler.verify.schema.validation.faults import (
    Fault,
    Rule,
    dns_label,
    integer,
    labels,
    port_reference,
)

NODE_PORTS = (30_000, 32_767)
"""The default of `--service-node-port-range`."""
_EXTERNAL = frozenset({"NodePort", "LoadBalancer"})


def _service(body: Body) -> Iterator[Fault]:
    spec = as_mapping(body.get("spec"))
    kind = as_string(spec.get("type")) or "ClusterIP"
    address = spec.get("clusterIP")
    yield from labels(spec.get("selector"), ("spec", "selector"))
    yield from _ports(spec, kind)
    if kind == "ExternalName":
        name = as_string(spec.get("externalName")).rstrip(".")
        if not subdomain(name.lower()):
            yield ("spec", "externalName"), "`externalName` must be a DNS name", "Set `externalName`."
        if address not in (None, "", "None"):
            yield ("spec", "clusterIP"), "is not allowed with the type ExternalName", "Remove it."
    elif not spec.get("ports") and address != "None":
        yield ("spec",), "has no ports", "Add a port, or set `clusterIP: None`."
    if kind in _EXTERNAL and address == "None":
        yield ("spec", "clusterIP"), f"must not be None with the type {kind}", "Remove it, or use ClusterIP."
    elif isinstance(address, str) and address not in {"", "None"} and not _is_address(address):
        yield ("spec", "clusterIP"), f"`{address[:80]}` is not an IP address", "Use an address, None, or nothing."
    if kind == "ClusterIP" and spec.get("externalTrafficPolicy") and not spec.get("externalIPs"):
        hint = "Remove it, or use NodePort or LoadBalancer."
        yield ("spec", "externalTrafficPolicy"), f"is not allowed with the type {kind}", hint
    if spec.get("sessionAffinityConfig") is not None and spec.get("sessionAffinity") != "ClientIP":
        yield ("spec", "sessionAffinityConfig"), "needs `sessionAffinity: ClientIP`", "Set it, or remove the config."


def _ports(spec: Body, kind: str) -> Iterator[Fault]:
    ports = as_mappings(spec.get("ports"))
    names: set[str] = set()
    nodes: set[tuple[int, str]] = set()
    for number, port in enumerate(ports):
        at, name = ("spec", "ports", number), as_string(port.get("name"))
        if not name and len(ports) > 1:
            yield at, "needs a name, since the Service has several ports", "Set `name`."
        elif name and not dns_label(name):
            yield (*at, "name"), f"`{name[:80]}` is not the name of a port", "Use a-z, 0-9 and `-`; 63 at most."
        elif name in names:
            yield (*at, "name"), f"another port has the name `{name}`", "Use another name."
        names.add(name or str(number))
        if port.get("targetPort") not in (None, "", 0):
            yield from port_reference(port["targetPort"], (*at, "targetPort"))
        node = integer(port.get("nodePort"))
        if not node:
            continue
        protocol = as_string(port.get("protocol")) or "TCP"
        if kind not in _EXTERNAL:
            hint = "Remove it, or use NodePort or LoadBalancer."
            yield (*at, "nodePort"), f"is not allowed with the type {kind}", hint
        elif not NODE_PORTS[0] <= node <= NODE_PORTS[1]:
            hint = f"Use {NODE_PORTS[0]} to {NODE_PORTS[1]}, the default range of API servers."
            yield (*at, "nodePort"), f"{node} is not in the range of node ports", hint
        elif (node, protocol) in nodes:
            yield (*at, "nodePort"), f"another port has the node port {node}", "Use another number."
        nodes.add((node, protocol))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


RULES: Mapping[tuple[str, str], Rule] = {("", "Service"): _service}
