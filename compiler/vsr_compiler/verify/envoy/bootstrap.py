"""Build one Envoy bootstrap for many values: each in its own listener or cluster, where its gateway would place it."""

from __future__ import annotations

from vsr_compiler.verify.envoy.fragments import Fragment
from vsr_compiler.verify.envoy.gateway_config import (
    CLUSTER,
    HTTP_FILTER,
    LISTENER,
    TYPES,
    address,
    cluster,
    listener,
    manager,
    merge,
    with_patch,
)
from vsr_compiler.verify.manifest import Body, Path, as_mapping, as_string

LIMITS = {"re2.max_program_size.error_level": 32_768}
"""Istio's limit for patterns; Envoy's default of 100 is too low for an alternation of ten header names."""


def bootstrap(fragments: list[Fragment]) -> Body:
    """Return the bootstrap configuration."""
    listeners: list[Body] = []
    clusters: list[Body] = []
    forms: Body = {}
    for number, fragment in enumerate(fragments):
        if not fragment.loadable:
            forms[f"value-{number}"] = {"@type": f"{TYPES}{fragment.message}", **as_mapping(fragment.value)}
        elif fragment.message == CLUSTER:
            clusters.append(_cluster(fragment, number))
        else:
            result = _listener(fragment)
            # Listeners must have different addresses; an address that the value sets is kept.
            renumbered = {"address": address(number)} if result.get("address") == address() else {}
            listeners.append(result | renumbered | {"name": f"listener-{number}"})
    if forms:
        # Envoy parses typed metadata of a listener but loads nothing from it.
        result = {"name": "forms", "address": address(len(fragments)), "metadata": {"typed_filter_metadata": forms}}
        listeners.append(listener(manager()) | result)
    return {
        "node": {"id": "verify", "cluster": "verify"},
        "layered_runtime": {"layers": [{"name": "limits", "static_layer": LIMITS}]},
        "static_resources": {"listeners": listeners, "clusters": clusters},
    }


def location(fragment: Fragment) -> Path:
    """Return the path of a value in a bootstrap that contains only this value, as Envoy's messages write it."""
    if not fragment.loadable:
        return ("static_resources", "listeners", 0, "metadata", "typed_filter_metadata", 0)
    if fragment.message == CLUSTER:
        return ("static_resources", "clusters", 0)
    base: Path = ("static_resources", "listeners", 0)
    if fragment.pointer:
        steps = fragment.pointer.strip("/").split("/")
        return (*base, *(int(step) if step.isdecimal() else step for step in steps))
    if fragment.message == LISTENER:
        return base
    network_filter: Path = (*base, "filter_chains", 0, "filters", 0)
    return (*network_filter, "typed_config", "http_filters", 0) if fragment.message == HTTP_FILTER else network_filter


def _cluster(fragment: Fragment, number: int) -> Body:
    value = merge(cluster(as_string(as_mapping(fragment.value).get("name"))), fragment.value)
    # Two gateways may have clusters of the same name; in one bootstrap names are unique.
    return as_mapping(value) | {"name": f"{as_string(as_mapping(fragment.value).get('name'))}-{number}"}


def _listener(fragment: Fragment) -> Body:
    value = fragment.value
    if fragment.pointer:
        return with_patch(fragment.pointer, value) or {}
    if fragment.message == LISTENER:
        return as_mapping(merge(listener(manager()), value))
    if fragment.message == HTTP_FILTER:
        filters = manager()
        filters["typed_config"]["http_filters"].insert(0, value)
        return listener(filters)
    if str(as_mapping(as_mapping(value).get("typed_config")).get("@type")).endswith("HttpConnectionManager"):
        return listener(as_mapping(merge(manager(), value)))
    return listener(value, manager())
