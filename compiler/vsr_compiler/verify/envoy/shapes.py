"""What gateways have before anybody patches them, reduced to what Envoy insists on."""

from __future__ import annotations

from vsr_compiler.manifests.jsonpatch import PatchError, apply
from vsr_compiler.verify.extproc import snake
from vsr_compiler.verify.manifest import Body

TYPES = "type.googleapis.com/"
LISTENER, CLUSTER = "envoy.config.listener.v3.Listener", "envoy.config.cluster.v3.Cluster"
MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
HTTP_FILTER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"
NETWORK_FILTER = "envoy.config.listener.v3.Filter"
ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{TYPES}envoy.extensions.filters.http.router.v3.Router"},
}


def manager() -> Body:
    """The network filter that speaks HTTP."""
    config = {
        "@type": f"{TYPES}{MANAGER}",
        "stat_prefix": "verify",
        "route_config": {"name": "verify"},
        "http_filters": [ROUTER],
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def listener(*filters: object) -> Body:
    """A listener as Istio makes it."""
    return {"name": "listener", "address": address(), "filter_chains": [{"filters": list(filters)}]}


def address(number: int = 0) -> Body:
    """Where nothing is bound: Envoy only reads it. Each number has an address of loopback."""
    host = f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return {"socket_address": {"address": host, "port_value": 10_000}}


def cluster(name: str) -> Body:
    """A cluster of nobody."""
    return {"name": name, "type": "STATIC", "connect_timeout": "1s"}


def patched(pointer: str, value: object) -> Body | None:
    """Envoy Gateway's listener with a value put into it; None where it does not fit."""
    base: Body = {"name": "listener", "address": address(), "filter_chains": []}
    chain = {"name": "chain", "filters": [manager()]}
    # Plain listeners have the default chain, those with TLS others.
    if pointer.startswith("/filter_chains"):
        base["filter_chains"].append(chain)
    else:
        base["default_filter_chain"] = chain
    try:
        return apply(base, [{"op": "add", "path": pointer, "value": value}])
    except (PatchError, LookupError, TypeError, ValueError):
        return None


def merged(base: object, value: object) -> object:
    """A message merged into another as protobuf does it, but with the own items of a list first, so that they keep
    their numbers and what must come last comes last.
    """  # noqa: D205 - one thought
    if isinstance(base, dict) and isinstance(value, dict):
        result = dict(base)
        for key, item in value.items():
            known = snake(key) if key not in base and snake(key) in base else key
            result[known] = merged(base[known], item) if known in base else item
        return result
    if isinstance(base, list) and isinstance(value, list):
        return [*value, *base]
    return value
