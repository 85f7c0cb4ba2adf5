"""The filters of the router in the configuration that a gateway's Envoy runs.

Istio's EnvoyFilter has no status, and Envoy Gateway reports a patch before Envoys have it, so only Envoy itself knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from vsr_compiler.live.conditions import short
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.releases.filter_order import HTTP
from vsr_compiler.verify.manifest import Manifest, as_mapping, as_mappings, as_string, value_at

CONFIG_DUMP = "/config_dump?resource=dynamic_listeners"
ISTIO_ADMIN = 15_000
"""Source: Istio, `pkg/config/mesh/mesh.go`, `ProxyAdminPort`."""
ENVOY_GATEWAY_ADMIN = 19_000
"""Source: Envoy Gateway, `internal/xds/bootstrap/bootstrap.go`, `EnvoyAdminPort`."""
ENVOY_GATEWAY_NAMESPACE = "envoy-gateway-system"
_OWNER = "gateway.envoyproxy.io/owning-gateway"
_MANAGER = ".HttpConnectionManager"
_ANCHOR = re.compile(r"http_filters\[\?\(@\.name=='([^']+)'\)\]$")
_AUTHENTICATION = tuple(f"{HTTP}{name}" for name in ("ext_authz", "jwt_authn", "api_key_auth", "basic_auth", "oauth2"))
MAX_CHAINS = 2_000


@dataclass(frozen=True, slots=True)
class Proxies:
    """The Envoys of a Gateway, and the filters that they must have.

    Attributes:
        source: The object that adds the filters.
        gateway: The name of the Gateway.
        namespaces: Where the pods may be, in the order of likelihood.
        labels: The labels of the pods.
        admin: Their admin port.
        filters: The names of the filters, in their order.
        anchor: The filter before which they are, if the chain has it.
        listeners: The listeners that have them; empty for all that serve clients.
    """

    source: Manifest
    gateway: str
    namespaces: tuple[str, ...]
    labels: dict[str, str]
    admin: int
    filters: tuple[str, ...]
    anchor: str
    listeners: frozenset[str] = frozenset()


def proxies(manifests: Iterable[Manifest]) -> Iterator[Proxies]:
    """Yield the Envoys whose configuration the output patches. Other gateways report in their policies' conditions."""
    for item in manifests:
        if item.kind == "EnvoyFilter":
            yield from _of_istio(item)
        elif item.kind == "EnvoyPatchPolicy":
            yield from _of_envoy_gateway(item)


def _gateways(item: Manifest) -> list[str]:
    references = [as_mapping(item.spec.get("targetRef")), *as_mappings(item.spec.get("targetRefs"))]
    return [as_string(one.get("name")) for one in references if one.get("kind") == "Gateway"]


def _of_istio(item: Manifest) -> Iterator[Proxies]:
    inserted = [one for one in as_mappings(item.spec.get("configPatches")) if one.get("applyTo") == "HTTP_FILTER"]
    names = tuple(as_string(value_at(one, "patch", "value", "name")) for one in inserted)
    place = ("match", "listener", "filterChain", "filter", "subFilter", "name")
    anchor = as_string(value_at(inserted[0], *place)) if inserted else ""
    for gateway in _gateways(item) if names else ():
        labels = {f"{GATEWAY_GROUP}/gateway-name": gateway}
        yield Proxies(item, gateway, (item.namespace,), labels, ISTIO_ADMIN, names, anchor)


def _of_envoy_gateway(item: Manifest) -> Iterator[Proxies]:
    names: dict[str, None] = {}
    listeners, anchor = set(), ""
    for patch in as_mappings(item.spec.get("jsonPatches")):
        match = _ANCHOR.search(as_string(value_at(patch, "operation", "jsonPath")))
        if match and value_at(patch, "operation", "op") == "add":
            names[as_string(value_at(patch, "operation", "value", "name"))] = None
            listeners.add(as_string(patch.get("name")))
            anchor = match[1]
    for gateway in _gateways(item) if names else ():
        labels = {f"{_OWNER}-name": gateway, f"{_OWNER}-namespace": item.namespace}
        places = (ENVOY_GATEWAY_NAMESPACE, item.namespace)
        yield Proxies(item, gateway, places, labels, ENVOY_GATEWAY_ADMIN, tuple(names), anchor, frozenset(listeners))


def faults(wanted: Proxies, dump: bytes) -> list[str]:
    """Return what is wrong with the filters in a dump of an Envoy's listeners."""
    try:
        document = json.loads(dump)
    except (ValueError, RecursionError):
        return ["its configuration is not JSON"]
    found: list[str] = []
    names: set[str] = set()
    for entry in as_mappings(as_mapping(document).get("configs")):
        name = as_string(entry.get("name"))
        details = as_string(value_at(entry, "error_state", "details"))
        if details:
            found.append(short(f"it refuses the listener `{name}`: {details}"))
        chains = _chains(as_mapping(value_at(entry, "active_state", "listener")))
        if wanted.listeners and name not in wanted.listeners:
            continue
        for chain in chains:
            names.add(name)
            found += [short(f"listener `{name}`: {fault}") for fault in _of_chain(wanted, chain)]
    missing = sorted(wanted.listeners - names) if wanted.listeners else [] if names else ["of clients"]
    found += [short(f"it has no listener `{name}`" if wanted.listeners else "it has no listener") for name in missing]
    return list(dict.fromkeys(found))


def _chains(listener: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the names of the HTTP filters of each filter chain."""
    chains = [*as_mappings(listener.get("filter_chains")), as_mapping(listener.get("default_filter_chain"))]
    for chain in chains[:MAX_CHAINS]:
        for item in as_mappings(chain.get("filters")):
            settings = as_mapping(item.get("typed_config"))
            if as_string(settings.get("@type")).endswith(_MANAGER):
                yield [as_string(each.get("name")) for each in as_mappings(settings.get("http_filters"))]


def _of_chain(wanted: Proxies, chain: list[str]) -> Iterator[str]:
    missing = [name for name in wanted.filters if name not in chain]
    if missing:
        yield f"the filter `{missing[0]}` is not there"
        return
    places = [chain.index(name) for name in wanted.filters]
    if places != sorted(places):
        yield f"the filters {' and '.join(f'`{name}`' for name in wanted.filters)} are in the wrong order"
    if wanted.anchor in chain and chain.index(wanted.anchor) < max(places):
        yield f"the filter `{wanted.anchor}` runs before `{wanted.filters[-1]}`"
    for name in chain[min(places) :]:
        if name.startswith(_AUTHENTICATION):
            yield f"`{name}` authenticates clients after `{wanted.filters[-1]}`, which sees their requests first"
