"""Configuration of a gateway before patches, reduced to the fields that Envoy requires."""

from __future__ import annotations

from vsr_compiler.manifests.jsonpatch import PatchError, apply
from vsr_compiler.verify.envoy_fields import snake_case
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
    """Return the HTTP connection manager."""
    config = {
        "@type": f"{TYPES}{MANAGER}",
        "stat_prefix": "verify",
        "route_config": {"name": "verify"},
        "http_filters": [ROUTER],
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def listener(*filters: object) -> Body:
    """Return a listener with one filter chain."""
    return {"name": "listener", "address": address(), "filter_chains": [{"filters": list(filters)}]}


def address(number: int = 0) -> Body:
    """Return a loopback address, one for each number. Validation binds no port."""
    host = f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return {"socket_address": {"address": host, "port_value": 10_000}}


def cluster(name: str) -> Body:
    """Return a static cluster without endpoints."""
    return {"name": name, "type": "STATIC", "connect_timeout": "1s"}


def with_patch(pointer: str, value: object) -> Body | None:
    """Return a listener of Envoy Gateway with a value added at a JSON pointer; None if the pointer does not fit."""
    base: Body = {"name": "listener", "address": address(), "filter_chains": []}
    chain = {"name": "chain", "filters": [manager()]}
    # HTTP listeners have a default filter chain, HTTPS listeners a list of filter chains.
    if pointer.startswith("/filter_chains"):
        base["filter_chains"].append(chain)
    else:
        base["default_filter_chain"] = chain
    try:
        return apply(base, [{"op": "add", "path": pointer, "value": value}])
    except (PatchError, LookupError, TypeError, ValueError):
        return None


def merge(base: object, value: object) -> object:
    """Merge a message into another as protobuf does, except that the items of ``value`` come first in lists.

    The items then keep their indices, and the router filter of the base stays last.
    """
    if isinstance(base, dict) and isinstance(value, dict):
        result = dict(base)
        for key, item in value.items():
            known = snake_case(key) if key not in base and snake_case(key) in base else key
            result[known] = merge(base[known], item) if known in base else item
        return result
    if isinstance(base, list) and isinstance(value, list):
        return [*value, *base]
    return value
