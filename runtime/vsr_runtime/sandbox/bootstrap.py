"""Adapts a compiled Envoy bootstrap to this machine: free ports, and the addresses of the local processes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from vsr_runtime.errors import UserError
from vsr_runtime.sandbox.listeners import LOOPBACK, Listeners
from vsr_schemas.headers import ATTEMPTS
from vsr_schemas.sandbox import PLACEHOLDER_KEY_SET


def localise(
    bootstrap: Any,  # noqa: ANN401 - any YAML document
    ports: Mapping[str, int],
    socket: str = "",
    key_set: str | None = None,
    edge: Listeners | None = None,
) -> dict[str, Any]:
    """Copy a bootstrap, with a free listener port and the given clusters on loopback.

    Nothing else is changed, so the compiled configuration is what is tested.

    Args:
        bootstrap: the document.
        ports: the port of each cluster by its name; it must have every cluster of the bootstrap, except those of the
            second listener.
        socket: the path of the socket on which Envoy sends requests to itself, if it does.
        key_set: the keys of tokens, in place of the placeholder in the bootstrap; None to leave that.
        edge: the listeners of the policy; None for one listener on a free port.

    Raises:
        UserError: the document is not such a bootstrap, or its clusters differ.
    """
    resources = bootstrap.get("static_resources") if isinstance(bootstrap, dict) else None
    if not isinstance(resources, dict):
        raise UserError("envoy.yaml: static_resources is missing; compile the policy again")
    changed: dict[str, Any] = copy.deepcopy(bootstrap)
    resources = changed["static_resources"]
    listeners = _items(resources, "listeners")
    attempts = [listener for listener in listeners if listener.get("name") == ATTEMPTS]
    others = [listener for listener in listeners if listener not in attempts]
    if edge is not None:
        edge.localise(others)
    elif len(others) != 1:
        raise UserError(f"envoy.yaml: one listener is expected, {len(others)} are there")
    else:
        others[0]["address"] = _address(0)
    clusters = {str(cluster.get("name")): cluster for cluster in _items(resources, "clusters")}
    for listener in attempts:
        listener["address"] = {"pipe": {"path": socket}}
        for name in [name for name in clusters if name.startswith(f"{ATTEMPTS}/")]:
            _point(clusters.pop(name), name, {"pipe": {"path": socket}})
    if missing := sorted(ports.keys() - clusters.keys()):
        raise UserError(f"envoy.yaml: has no cluster {missing[0]!r}, which sandbox.yaml names")
    if extra := sorted(clusters.keys() - ports.keys()):
        raise UserError(f"sandbox.yaml: does not say what serves the cluster {extra[0]!r} of envoy.yaml")
    for name, port in ports.items():
        _point(clusters[name], name, _address(port))
    if key_set is not None:
        _set_keys(changed, key_set)
    changed["admin"] = {"address": _address(0)}
    return changed


def _set_keys(value: object, key_set: str) -> None:
    """Replace the placeholders of key sets, in place."""
    if isinstance(value, dict):
        if value.get("inline_string") == PLACEHOLDER_KEY_SET:
            value["inline_string"] = key_set
        for part in value.values():
            _set_keys(part, key_set)
    elif isinstance(value, list):
        for part in value:
            _set_keys(part, key_set)


def _point(cluster: dict[str, Any], name: str, address: dict[str, Any]) -> None:
    endpoint = {"endpoint": {"address": address}}
    cluster["type"] = "STATIC"
    cluster["load_assignment"] = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}


def _items(resources: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = resources.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UserError(f"envoy.yaml: static_resources.{key}: a list is expected")
    return items


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}
