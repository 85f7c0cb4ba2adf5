"""A target is a short list of features. No object is emitted by two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from compiler.features import (
    attach_envoyfilter,
    gateway_istio,
    model_servers,
    namespaces,
    router,
    routes_httproute,
)
from compiler.features.objects import Object
from compiler.link import ir

Emit = Callable[[ir.Policy], Iterable[Object]]

TARGETS: Mapping[str, tuple[Emit, ...]] = MappingProxyType(
    {
        "istio": (
            namespaces.emit,
            gateway_istio.emit,
            routes_httproute.emit,
            attach_envoyfilter.emit,
            router.emit,
            model_servers.emit,
        ),
    }
)


def objects(policy: ir.Policy, target: str) -> list[Object]:
    """Every object of a target, sorted by where its file goes."""
    found = [item for emit in TARGETS[target] for item in emit(policy)]
    return sorted(found, key=lambda item: item.path)
