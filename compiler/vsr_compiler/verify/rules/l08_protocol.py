"""L08: what is asked over gRPC is spoken to in HTTP/2."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.extproc import filters
from vsr_compiler.verify.manifest import Body, text
from vsr_compiler.verify.manifest_index import ISTIO, World
from vsr_compiler.verify.pickers import picker_service

_PROTOCOLS = ("grpc", "http2", "kubernetes.io/h2c")
_NAMES = ("grpc", "http2")


def rule(world: World) -> Iterator[Diagnostic]:
    """On Istio, the port of a router's and a picker's Service says HTTP/2 by its name (`grpc`, `grpc-…`, `http2`) or
    its appProtocol; otherwise Envoy speaks HTTP/1.1 to it and no call arrives.
    """  # noqa: D205 - the whole of it is what users read
    if not world.istio:
        return
    asked = {
        service: "the router is asked there"
        for f in filters(world)
        if f.source.group == ISTIO
        for service in f.services
    }
    for pool in world.pools:
        name, number = picker_service(pool)
        asked[pool.namespace, name, number] = "an endpoint picker is asked there"
    for (namespace, name, wanted), why in asked.items():
        service = world.service(namespace, name)
        for path, port in service.each("spec", "ports") if service else ():
            if service is not None and port.get("port") == wanted and not _speaks_http2(port):
                message = f"port {wanted} of {service.title} does not say that it speaks HTTP/2, and {why} by gRPC"
                yield Diagnostic("VSR408", message, service.span(*path), "Add `appProtocol: grpc`, or name it `grpc`.")


def _speaks_http2(port: Body) -> bool:
    protocol = text(port.get("appProtocol"))
    name = text(port.get("name"))
    return protocol in _PROTOCOLS if protocol else name in _NAMES or name.startswith(tuple(f"{n}-" for n in _NAMES))
