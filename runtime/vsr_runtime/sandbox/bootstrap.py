"""Adapts a compiled Envoy bootstrap to this machine: free ports, and the addresses of the local processes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from vsr_runtime.errors import UserError

LOOPBACK = "127.0.0.1"


def localise(
    bootstrap: Any,  # noqa: ANN401 - any YAML document
    ports: Mapping[str, int],
    files: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Copy a bootstrap, with a free listener port and the given clusters on loopback.

    Nothing else is changed, so the compiled configuration is what is tested.

    Args:
        bootstrap: the document.
        ports: the port of each cluster by its name; it must have every cluster of the bootstrap.
        files: the paths of files that it names.

    Raises:
        UserError: the document is not such a bootstrap, or its clusters differ.
    """
    resources = bootstrap.get("static_resources") if isinstance(bootstrap, dict) else None
    if not isinstance(resources, dict):
        raise UserError("envoy.yaml: static_resources is missing; compile the policy again")
    changed: dict[str, Any] = copy.deepcopy(bootstrap)
    resources = changed["static_resources"]
    listeners = _items(resources, "listeners")
    if len(listeners) != 1:
        raise UserError(f"envoy.yaml: one listener is expected, {len(listeners)} are there")
    listeners[0]["address"] = _address(0)
    clusters = {str(cluster.get("name")): cluster for cluster in _items(resources, "clusters")}
    if missing := sorted(ports.keys() - clusters.keys()):
        raise UserError(f"envoy.yaml: has no cluster {missing[0]!r}, which sandbox.yaml names")
    if extra := sorted(clusters.keys() - ports.keys()):
        raise UserError(f"sandbox.yaml: does not say what serves the cluster {extra[0]!r} of envoy.yaml")
    for name, port in ports.items():
        _point(clusters[name], name, port)
    _name_files(changed, files or {})
    changed["admin"] = {"address": _address(0)}
    return changed


def _name_files(value: object, files: Mapping[str, str]) -> None:
    """Replace the names of files by their paths, in place."""
    if isinstance(value, dict):
        if value.get("filename") in files:
            value["filename"] = files[value["filename"]]
        for part in value.values():
            _name_files(part, files)
    elif isinstance(value, list):
        for part in value:
            _name_files(part, files)


def _point(cluster: dict[str, Any], name: str, port: int) -> None:
    endpoint = {"endpoint": {"address": _address(port)}}
    cluster["type"] = "STATIC"
    cluster["load_assignment"] = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}


def _items(resources: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = resources.get(key)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UserError(f"envoy.yaml: static_resources.{key}: a list is expected")
    return items


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}
