"""L04: routes are on the names that the router selects and that servers answer to."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics import Diagnostic, Severity
from compiler.verify.extproc import matched
from compiler.verify.manifest import Manifest, Path, dig, rows, text
from compiler.verify.pickers import served_names
from compiler.verify.router import configs
from compiler.verify.world import AI, ENVOY, POOL_GROUPS, Pods, World, selector
from schemas.headers import AI_MODEL, SELECTED_MODEL

Routed = dict[str, list[tuple[Manifest, Path, Path]]]
"""Routes by the model that they are on, each with the place of the value and of the rule."""


def rule(world: World) -> Iterator[Diagnostic]:
    """Every model that the router can select has a route, every route is on a model that it can select, and the server
    behind a route answers to that name.
    """  # noqa: D205 - the whole of it is what users read
    routed: Routed = {}
    for route in world.routes:
        wanted = SELECTED_MODEL if any(name == SELECTED_MODEL for name, *_ in matched(route)) else AI_MODEL
        for name, value, place, where in matched(route):
            if name == wanted and (name == SELECTED_MODEL or route.kind == "AIGatewayRoute"):
                routed.setdefault(value, []).append((route, place, where))
    if not routed:
        return
    yield from _selectable(world, routed)
    for value, found in routed.items():
        for route, place, where in found:
            # AI Gateway matches the name that the body has, which is the one that the server is asked for.
            asked = (other for name, other, _, rule_ in matched(route) if (name, rule_) == (AI_MODEL, where))
            yield from _served(world, route, where, next(asked, value), place)


def _selectable(world: World, routed: Routed) -> Iterator[Diagnostic]:
    known = list(configs(world))
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


def _behind(world: World, route: Manifest, ref: dict[str, object]) -> list[Pods]:
    """The pods behind a reference to a Service, a pool, or a backend with the name of a Service."""
    namespace, name = text(ref.get("namespace")) or route.namespace, text(ref.get("name"))
    kind = text(ref.get("kind")) or ("AIServiceBackend" if route.kind == "AIGatewayRoute" else "Service")
    if kind == "InferencePool":
        pools = (world.find(group, kind, namespace, name) for group in POOL_GROUPS)
        pool = next((each for each in pools if each), None)
        return world.selected(namespace, selector(pool.body, "spec", "selector")) if pool else []
    if kind == "AIServiceBackend":
        found = world.find(AI, kind, namespace, name)
        kind, name = "Backend", text(dig(found.spec, "backendRef", "name")) if found else ""
    if kind == "Backend":
        backend = world.find(ENVOY, kind, namespace, name)
        hosts = [text(dig(each, "fqdn", "hostname")) for each in rows(backend.spec.get("endpoints"))] if backend else []
        services = [each for host in hosts if (each := world.service_of(host, namespace))]
    else:
        services = [(name, namespace)]
    return [pods for service, space in services for pods in _of_service(world, space, service)]


def _of_service(world: World, namespace: str, name: str) -> list[Pods]:
    service = world.service(namespace, name)
    return world.selected(namespace, selector(service.body, "spec", "selector")) if service else []
