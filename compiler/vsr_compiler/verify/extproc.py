"""How a gateway is told to ask an external processor, in one form for every API that can say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from vsr_compiler.verify.manifest import Body, Manifest, Path, dig, table, text
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, World, shared
from vsr_schemas.headers import SELECTED_MODEL

TYPE = "envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"
DEFAULT_NAME = "envoy.filters.http.ext_proc"
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_CAMEL = re.compile(r"[A-Z]")


class Match(NamedTuple):
    """A header that a route's rule matches exactly, with the place of the value and of the rule."""

    route: Manifest
    name: str
    value: str
    place: Path
    rule: Path


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """An ext_proc filter.

    Attributes:
        source: The EnvoyFilter, EnvoyPatchPolicy, EnvoyExtensionPolicy or AgentgatewayPolicy.
        path: Where in it.
        name: Envoy's name of the filter; empty where the gateway makes one.
        config: Its fields, with the snake_case names of Envoy's API; empty where the API has others.
        body_mode: How the request's body is sent, as Envoy spells it.
        fails_open: Where the object says that requests pass when the processor fails; None where it does not.
        services: Namespace, name and port of each Service that it asks.
    """

    source: Manifest
    path: Path
    name: str
    config: Body
    body_mode: str
    fails_open: Path | None
    services: tuple[tuple[str, str, int | None], ...] = ()
    timeout: Path = field(default=())

    @property
    def is_envoy(self) -> bool:
        """Whether it is written in Envoy's own API."""
        return bool(self.name)


@shared
def filters(world: World) -> Iterator[Filter]:
    """Every ext_proc filter in the objects."""
    for each in world.of("EnvoyFilter", ISTIO):
        for path, patch in each.each("spec", "configPatches"):
            if patch.get("applyTo") == "HTTP_FILTER":
                yield from _envoy(world, each, (*path, "patch", "value"))
    for each in world.of("EnvoyPatchPolicy", ENVOY):
        for path, _ in each.each("spec", "jsonPatches"):
            yield from _envoy(world, each, (*path, "operation", "value"))
    for each in world.of("EnvoyExtensionPolicy", ENVOY):
        for path, body in each.each("spec", "extProc"):
            mode = text(dig(body, "processingMode", "request", "body"))
            refs = [ref for _, ref in each.each(*path, "backendRefs")]
            known = {"Buffered": "BUFFERED", "FullDuplexStreamed": "FULL_DUPLEX_STREAMED", "Streamed": "STREAMED"}
            opened = (*path, "failOpen") if body.get("failOpen") is True else None
            yield Filter(each, path, "", {}, known.get(mode, mode or "NONE"), opened, _services(each, refs))
    for each in world.of("AgentgatewayPolicy", "agentgateway.dev"):
        path = ("spec", "traffic", "extProc")
        body = table(each.at(*path))
        if body:
            mode = text(dig(body, "processingOptions", "requestBodyMode")) or "FullDuplexStreamed"
            opened = (*path, "failureMode") if body.get("failureMode") == "FailOpen" else None
            yield Filter(
                each, path, "", {}, snake(mode).upper(), opened, _services(each, [table(body.get("backendRef"))])
            )


def _services(each: Manifest, refs: list[Body]) -> tuple[tuple[str, str, int | None], ...]:
    found = []
    for ref in refs:
        port = ref.get("port")
        if ref.get("kind", "Service") == "Service" and text(ref.get("name")):
            namespace = text(ref.get("namespace")) or each.namespace
            found.append((namespace, text(ref["name"]), port if isinstance(port, int) else None))
    return tuple(found)


def _envoy(world: World, each: Manifest, path: Path) -> Iterator[Filter]:
    value = table(each.at(*path))
    typed = table(value.get("typed_config", value.get("typedConfig")))
    if not text(typed.get("@type")).endswith(TYPE):
        return
    config = {snake(key): item for key, item in typed.items()}
    mode = {snake(key): item for key, item in table(config.get("processing_mode")).items()}
    config["processing_mode"] = mode
    where = (*path, "typed_config" if "typed_config" in value else "typedConfig")
    opened = next((key for key in typed if snake(key) == "failure_mode_allow" and typed[key] is True), None)
    timeout = next((key for key in typed if snake(key) == "message_timeout"), None)
    cluster = cluster_of(config)
    found = service_of_cluster(world, each, cluster)
    yield Filter(
        each,
        path,
        text(value.get("name")) or DEFAULT_NAME,
        config,
        text(mode.get("request_body_mode")) or "NONE",
        (*where, opened) if opened else None,
        (found,) if found else (),
        (*where, timeout) if timeout else (),
    )


def cluster_of(config: Body) -> str:
    """The name of the cluster that a filter asks."""
    service = {snake(key): item for key, item in table(config.get("grpc_service")).items()}
    envoy = {snake(key): item for key, item in table(service.get("envoy_grpc")).items()}
    return text(envoy.get("cluster_name"))


def service_of_cluster(world: World, each: Manifest, cluster: str) -> tuple[str, str, int | None] | None:
    """The Service in an Istio cluster's name, `outbound|port|subset|host`."""
    parts = cluster.split("|")
    if len(parts) != len(("outbound", "port", "subset", "host")) or not parts[1].isdecimal():
        return None
    found = world.service_of(parts[3], each.namespace)
    return None if found is None else (found[1], found[0], int(parts[1][:6]))


def snake(name: str) -> str:
    """A field's name as Envoy's protos spell it."""
    return _CAMEL.sub(lambda found: f"_{found[0].lower()}", name).lstrip("_")


def seconds(value: object) -> float | None:
    """A duration such as `1.5s`, `200ms` or `1h30m`; None where it is none."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))


def header_routes(world: World) -> dict[str, list[Manifest]]:
    """The routes that choose by the header that a processor sets, by the namespaces of their gateways."""
    return world.once("header_routes", lambda: _header_routes(world))


def _header_routes(world: World) -> dict[str, list[Manifest]]:
    found: dict[str, list[Manifest]] = {}
    routes = {id(each.route): each.route for each in matches(world) if each.name == SELECTED_MODEL}
    for route in routes.values():
        for space in {space for space, _ in world.gateways(route)}:
            found.setdefault(space, []).append(route)
    return found


@shared
def matches(world: World) -> Iterator[Match]:
    """The headers that the rules of routes match exactly."""
    for route in world.routes:
        for rule, _ in route.each("spec", "rules"):
            for match, _ in route.each(*rule, "matches"):
                for place, header in route.each(*match, "headers"):
                    if header.get("type", "Exact") == "Exact":
                        name, value = text(header.get("name")).lower(), text(header.get("value"))
                        yield Match(route, name, value, (*place, "value"), rule)
