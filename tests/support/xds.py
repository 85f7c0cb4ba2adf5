"""What control planes sent to their proxies (`data/xds` of the reference data), and the real Envoy that runs it here.

A dump has the listeners, routes and clusters of one proxy. `bootstrap` makes static resources of them: routes are
inlined, every cluster gets local endpoints, and nothing else of a filter chain changes.
"""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from support.common import reference
from support.gateway_client import ANY_TIME, FAKE
from vsr_runtime.sandbox.envoy import _get, admin_address, envoy_command
from vsr_runtime.sandbox.journal import Journal
from vsr_runtime.sandbox.listeners import LOOPBACK
from vsr_runtime.sandbox.process import Process

Body = dict[str, Any]
Found = TypeVar("Found")
HCM = "envoy.filters.network.http_connection_manager"
RUNTIME = {"re2.max_program_size.error_level": 4_294_967_295, "re2.max_program_size.warn_level": 1000}
"""Limits that Envoy Gateway and Istio raise for every proxy."""
_ELSEWHERE = (
    *("transport_socket", "transport_socket_matches", "filters", "health_checks"),
    *("cluster_type", "eds_cluster_config", "original_dst_lb_config"),
)
"""Fields of a cluster about where its endpoints really are, and how they are reached."""
_BALANCING = ("load_balancing_policy", "lb_policy", "dns_lookup_family", "dns_refresh_rate", "respect_dns_ttl")


def dump(name: str) -> Body:
    """Return the listeners, routes and clusters of one file, without those that carry no requests of clients."""
    body: Body = json.loads((reference() / "data" / "xds" / f"{name}.json").read_text(encoding="utf-8"))
    body["listeners"] = [item for item in body["listeners"] if any("rds" in manager for manager in managers(item))]
    return body


def managers(listener: Body) -> list[Body]:
    """Return the configuration of every HTTP connection manager of a listener, to be read or changed."""
    chains = [*listener.get("filter_chains", []), listener.get("default_filter_chain")]
    return [
        item["typed_config"] for chain in chains if chain for item in chain["filters"] if item["name"].startswith(HCM)
    ]


def filter_names(listener: Body) -> list[str]:
    """Return the names of the HTTP filters of a listener with one manager, in order."""
    (manager,) = managers(listener)
    return [item["name"] for item in manager["http_filters"]]


def routes(xds: Body) -> Iterator[Body]:
    """Return every route of a dump, to be read or changed."""
    for configuration in xds["routes"]:
        for host in configuration["virtual_hosts"]:
            yield from host.get("routes", [])


def bootstrap(xds: Body, port: Callable[[str], int]) -> Body:
    """Return a bootstrap of a proxy with these resources, on free ports of this machine.

    Args:
        xds: A dump, perhaps changed.
        port: Returns the local port of a cluster by its name.
    """
    changed = copy.deepcopy(xds)
    by_name = {item["name"]: item for item in changed["routes"]}
    for listener in changed["listeners"]:
        listener["address"] = _address(0)
        for field in ("@type", "access_log", "bind_to_port"):
            listener.pop(field, None)
        for manager in managers(listener):
            manager.pop("access_log", None)
            if "rds" in manager:
                manager["route_config"] = by_name[manager.pop("rds")["route_config_name"]]
                manager["route_config"].pop("@type", None)
    return {
        "admin": {"address": _address(0)},
        "layered_runtime": {"layers": [{"name": "global_config", "static_layer": RUNTIME}]},
        "static_resources": {
            "clusters": [_local(item, port(item["name"])) for item in changed["clusters"]],
            "listeners": changed["listeners"],
            "secrets": [
                {"name": name, "generic_secret": {"secret": {"inline_string": "Basic c2VjcmV0"}}}
                for name in sorted(set(_secrets(changed["listeners"])))
            ],
        },
    }


def _secrets(node: object) -> Iterator[str]:
    """Make every secret of a control plane one of the bootstrap's, and yield their names."""
    if isinstance(node, dict):
        if "ads" in node.get("sds_config", {}):
            del node["sds_config"]
            yield node["name"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _secrets(item)


def _local(cluster: Body, port: int) -> Body:
    kept = {key: value for key, value in cluster.items() if key not in {*_ELSEWHERE, *_BALANCING, "@type"}}
    for options in kept.get("typed_extension_protocol_options", {}).values():
        if options.pop("auto_config", None):  # chosen by TLS, which there is none of here
            options["explicit_http_config"] = {"http_protocol_options": {}}
    endpoint = {"endpoint": {"address": _address(port)}}
    assignment = {"cluster_name": cluster["name"], "endpoints": [{"lb_endpoints": [endpoint]}]}
    return kept | {"type": "STATIC", "load_assignment": assignment}


def _address(port: int) -> Body:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


@contextmanager
def envoy(document: Body) -> Iterator[Mapping[str, str]]:
    """Run the real Envoy. Yields the address of each listener by its name, once all of them accept connections."""
    with tempfile.TemporaryDirectory(prefix="vsr-xds-") as folder:
        file, admin_file = Path(folder, "envoy.json"), Path(folder, "admin")
        file.write_text(json.dumps(document), encoding="utf-8")
        command = (*envoy_command(), "-c", str(file), "--admin-address-path", str(admin_file))
        process = Process("Envoy", command, lambda _: None)
        try:
            names = {item["name"] for item in document["static_resources"]["listeners"]}
            yield _waited(process, lambda: _addresses(admin_file, names))
        finally:
            process.stop()


def get(address: str, path: str) -> tuple[int, bytes] | None:
    """Status and body of an answer of Envoy's administration; None without one."""
    return _get(http.client.HTTPConnection(address, timeout=5), path)


def _addresses(admin_file: Path, names: set[str]) -> dict[str, str] | None:
    admin = admin_address(admin_file)
    ready = get(admin, "/ready") if admin else None
    answer = get(admin, "/listeners?format=json") if admin and ready and ready[0] == 200 else None
    if answer is None:
        return None
    statuses = json.loads(answer[1]).get("listener_statuses", [])
    ports = {item["name"]: item["local_address"]["socket_address"]["port_value"] for item in statuses}
    return {name: f"{LOOPBACK}:{port}" for name, port in ports.items()} if ports.keys() >= names else None


@contextmanager
def router(folder: Path, credentials: Path | None = None) -> Iterator[int]:
    """Run the runtime on a compiled `router` folder, with a classifier that computes nothing. Yields its port."""
    journal = Journal()
    arguments = ["--config", str(folder / "config.yaml"), "--address", f"{LOOPBACK}:0"]
    arguments += ["--http-address", f"{LOOPBACK}:0", *(["--credentials", str(credentials)] if credentials else [])]
    process = Process("the runtime", (*FAKE, *arguments), journal.add)
    try:
        record = _waited(process, lambda: journal.serving(0.05))
        yield int(str(record["address"]).rpartition(":")[2])
    finally:
        process.stop()


def _waited(process: Process, look: Callable[[], Found | None]) -> Found:
    until = time.monotonic() + ANY_TIME
    while True:
        with contextlib.suppress(ValueError, KeyError):
            found = look()
            if found is not None:
                return found
        assert process.exit_code is None, process.exit_report()
        assert time.monotonic() < until, process.last_lines()
        time.sleep(0.05)
