"""One bootstrap for many values: each stands where its gateway would put it, in a listener or a cluster of its own."""

from __future__ import annotations

from vsr_compiler.verify.envoy.fragments import Fragment
from vsr_compiler.verify.envoy.shapes import (
    CLUSTER,
    HTTP_FILTER,
    LISTENER,
    TYPES,
    address,
    cluster,
    listener,
    manager,
    merged,
    patched,
)
from vsr_compiler.verify.manifest import Body, Path, table, text

LIMITS = {"re2.max_program_size.error_level": 32_768}
"""Istio's own for patterns; Envoy's 100 is less than ten names of headers take."""


def bootstrap(given: list[Fragment]) -> Body:
    """The configuration."""
    listeners: list[Body] = []
    clusters: list[Body] = []
    forms: Body = {}
    for number, each in enumerate(given):
        if not each.whole:
            forms[f"value-{number}"] = {"@type": f"{TYPES}{each.message}", **table(each.value)}
        elif each.message == CLUSTER:
            clusters.append(_cluster(each, number))
        else:
            own = _listener(each)
            # No two may have one address; one that the value brings is its own affair.
            moved = {"address": address(number)} if own.get("address") == address() else {}
            listeners.append(own | moved | {"name": f"listener-{number}"})
    if forms:
        # What stands in metadata is read in its form and set up by nobody.
        own = {"name": "forms", "address": address(len(given)), "metadata": {"typed_filter_metadata": forms}}
        listeners.append(listener(manager()) | own)
    return {
        "node": {"id": "verify", "cluster": "verify"},
        "layered_runtime": {"layers": [{"name": "limits", "static_layer": LIMITS}]},
        "static_resources": {"listeners": listeners, "clusters": clusters},
    }


def place(each: Fragment) -> Path:
    """Where a value that is alone stands in the configuration, as Envoy's messages give it."""
    if not each.whole:
        return ("static_resources", "listeners", 0, "metadata", "typed_filter_metadata", 0)
    if each.message == CLUSTER:
        return ("static_resources", "clusters", 0)
    base: Path = ("static_resources", "listeners", 0)
    if each.pointer:
        steps = each.pointer.strip("/").split("/")
        return (*base, *(int(step) if step.isdecimal() else step for step in steps))
    if each.message == LISTENER:
        return base
    first: Path = (*base, "filter_chains", 0, "filters", 0)
    return (*first, "typed_config", "http_filters", 0) if each.message == HTTP_FILTER else first


def _cluster(each: Fragment, number: int) -> Body:
    value = merged(cluster(text(table(each.value).get("name"))), each.value)
    # Two gateways may each have a cluster of one name; here they stand side by side.
    return table(value) | {"name": f"{text(table(each.value).get('name'))}-{number}"}


def _listener(each: Fragment) -> Body:
    value = each.value
    if each.pointer:
        return patched(each.pointer, value) or {}
    if each.message == LISTENER:
        return table(merged(listener(manager()), value))
    if each.message == HTTP_FILTER:
        whole = manager()
        whole["typed_config"]["http_filters"].insert(0, value)
        return listener(whole)
    if str(table(table(value).get("typed_config")).get("@type")).endswith("HttpConnectionManager"):
        return listener(table(merged(manager(), value)))
    return listener(value, manager())
