"""L04: routes are on the names that the router selects and that servers answer to."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.extproc import matches
from vsr_compiler.verify.manifest import Manifest, Path, dig, table, text
from vsr_compiler.verify.manifest_index import AI, ENVOY, POOL_GROUPS, Pods, World, selector
from vsr_compiler.verify.pickers import served_names
from vsr_compiler.verify.router import configs
from vsr_schemas.headers import AI_MODEL, SELECTED_MODEL

Routed = dict[str, list[tuple[Manifest, Path, Path]]]
"""Routes by the model that they are on, each with the place of the value and of the rule."""


def rule(world: World) -> Iterator[Diagnostic]:
    """Every model that the router can select has a route, every route is on a model that it can select, and the server
    behind a route answers to that name, and every server that answers to a name is behind a route.
    """  # noqa: D205 - the whole of it is what users read
    routed: Routed = {}
    # AI Gateway matches the name that the body has, which is the one that the server is asked for.
    sent = {(id(each.route), each.rule): each.value for each in matches(world) if each.name == AI_MODEL}
    chosen = {(id(each.route), each.rule) for each in matches(world) if each.name == SELECTED_MODEL}
    for each in matches(world):
        other = each.route.kind == "AIGatewayRoute" and (id(each.route), each.rule) not in chosen
        if each.name == (AI_MODEL if other else SELECTED_MODEL):
            routed.setdefault(each.value, []).append((each.route, each.place, each.rule))
    if not routed:
        return
    yield from _selectable(world, routed)
    for value, found in routed.items():
        for route, place, where in found:
            yield from _served(world, route, where, sent.get((id(route), where), value), place)
    yield from _unreached(world)


def _selectable(world: World, routed: Routed) -> Iterator[Diagnostic]:
    known = configs(world)
    selectable = {model for config in known for model in config.known}
    for config in known:
        for model in sorted(config.models - set(routed)):
            message = f"the router can select `{model}`, and no route is on it: such requests get 404"
            hint = f"Add a route on it, or remove it; there are routes on {', '.join(sorted(routed))}."
            yield Diagnostic("VSR404", message, config.source.span(*config.path), hint)
    for value, found in routed.items():
        if known and value not in selectable:
            for route, place, _ in found:
                message = f"{route.title} is on `{value}`, which the router never selects"
                hint = f"It selects {', '.join(sorted(selectable))}."
                yield Diagnostic("VSR404", message, route.span(*place), hint, Severity.WARNING)


def _served(world: World, route: Manifest, where: Path, value: str, place: Path) -> Iterator[Diagnostic]:
    for _, ref in route.each(*where, "backendRefs"):
        wanted = text(ref.get("modelNameOverride")) or value
        for pods in _behind(world, route, ref):
            names = {name for _, container in pods.containers() for name in served_names(container)}
            if names and wanted not in names:
                message = f"{route.title} sends `{wanted}` to {pods.owner.title}, which does not serve that name"
                hint = f"It serves {', '.join(sorted(names))}; add the name to --served-model-name, or mend the route."
                yield Diagnostic("VSR404", message, route.span(*place), hint)


def _unreached(world: World) -> Iterator[Diagnostic]:
    """Servers of models to which no route leads; where a route leads to what is not here, it may lead to them."""
    servers = [pods for pods in world.pods if any(served_names(container) for _, container in pods.containers())]
    if not servers:
        return
    routes = [(route, ref) for route in world.routes for _, ref in world.backends(route)]
    reached = {id(pods) for route, ref in routes for pods in _behind(world, route, ref)}
    if not reached:
        return
    for pods in servers:
        names = sorted(name for _, container in pods.containers() for name in served_names(container))
        if id(pods) not in reached:
            message = f"{pods.owner.title} serves {', '.join(names[:3])}, and no route leads to it"
            hint = "Add a route to its Service or pool, or leave the server out."
            yield Diagnostic("VSR404", message, pods.owner.span("metadata", "name"), hint, Severity.WARNING)


def _behind(world: World, route: Manifest, ref: dict[str, object]) -> list[Pods]:
    """The pods behind a reference to a Service, a pool, or a backend of Envoy Gateway's or AI Gateway's."""
    namespace, name = text(ref.get("namespace")) or route.namespace, text(ref.get("name"))
    kind = text(ref.get("kind")) or ("AIServiceBackend" if route.kind == "AIGatewayRoute" else "Service")
    if kind == "AIServiceBackend":
        found = world.find(AI, kind, namespace, name)
        target = table(found.at("spec", "backendRef")) if found else {}
        kind, name = "Backend", text(target.get("name"))
        namespace = text(target.get("namespace")) or namespace
    if kind == "Service":
        return _selected(world, namespace, name)
    if kind == "Backend":
        backend = world.find(ENVOY, kind, namespace, name)
        hosts = (
            [text(dig(body, "fqdn", "hostname")) for _, body in backend.each("spec", "endpoints")] if backend else []
        )
        services = [world.service_of(host, namespace) for host in hosts if host]
        return [pods for service in services if service for pods in _selected(world, service[1], service[0])]
    pools = (world.find(group, "InferencePool", namespace, name) for group in POOL_GROUPS)
    pool = next((each for each in pools if each), None) if kind == "InferencePool" else None
    return world.selected(namespace, selector(pool.body, "spec", "selector")) if pool else []


def _selected(world: World, namespace: str, name: str) -> list[Pods]:
    service = world.service(namespace, name)
    return world.selected(namespace, selector(service.body, "spec", "selector")) if service else []
