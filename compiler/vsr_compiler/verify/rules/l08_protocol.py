"""L08: gRPC ports that Istio takes for HTTP/1.1."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.ext_proc import ext_proc_filters
from vsr_compiler.verify.manifest import Body, as_string
from vsr_compiler.verify.manifest_index import ISTIO, ManifestIndex
from vsr_compiler.verify.pickers import picker_service
from vsr_compiler.verify.rules.rule import LinkRule

_PROTOCOLS = ("grpc", "http2", "kubernetes.io/h2c")
_NAMES = ("grpc", "http2")


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    if not index.istio:
        return
    users = {
        service: "the gateway calls the router"
        for processor in ext_proc_filters(index)
        if processor.source.group == ISTIO
        for service in processor.services
    }
    for pool in index.pools:
        name, number = picker_service(pool)
        users[pool.namespace, name, number] = "the gateway calls an endpoint picker"
    for (namespace, name, number), user in users.items():
        service = index.service(namespace, name)
        for path, port in service.entries("spec", "ports") if service else ():
            if service is not None and port.get("port") == number and not _declares_http2(port):
                message = f"port {number} of {service.title} does not declare HTTP/2, but {user} there by gRPC"
                hint = "Add `appProtocol: grpc`, or name the port `grpc`."
                yield Diagnostic("VSR408", message, service.span(*path), hint)


def _declares_http2(port: Body) -> bool:
    protocol = as_string(port.get("appProtocol"))
    name = as_string(port.get("name"))
    if protocol:
        return protocol in _PROTOCOLS
    return name in _NAMES or name.startswith(tuple(f"{prefix}-" for prefix in _NAMES))


RULE = LinkRule(
    name="L08",
    code="VSR408",
    purpose="On Istio, the port of a router's or picker's Service declares HTTP/2 by its name (`grpc`, `grpc-…`, "
    "`http2`) or its `appProtocol`.",
    check=_check,
)
